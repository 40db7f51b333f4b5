"""What stands beside a step after its rule: the sums of a constant, where a line holds.

In: a step, a printer with its letters, a style. Out: words and mathematics, ready to be printed.
"""

from __future__ import annotations

from symprop.algebra.build import ZERO
from symprop.derive.simplify import bound_indices
from symprop.emit.page import Style
from symprop.emit.pieces import SUM, join
from symprop.emit.printer import Printer
from symprop.system import Step


def remarks(step: Step, printer: Printer, style: Style) -> str:
    """: Σ_n 1 = N; where s > 0. Empty for most steps."""
    return _summed(step, printer, style) + _where(step, printer, style)


def _summed(step: Step, printer: Printer, style: Style) -> str:
    """: Σ_n 1 = N, for every sum of a constant summand."""
    if step.rule != "constant summand":
        return ""
    to = style.to
    kept = {b.uid for b in bound_indices(step.after)}
    gone = {b.uid: b for b in bound_indices(step.before) if b.uid not in kept}
    sums = [join([to.over("sum", [printer.letter(b)]), to.piece("1"),
                  to.sign("=="), printer.expr(b.size)], SUM) for b in gone.values()]
    shown = style.words.beside(*(style.math(p.text) for p in sums))
    return style.words("mark.colon") + shown if sums else ""


def _where(step: Step, printer: Printer, style: Style) -> str:
    """Where a line holds that is defined in fewer places than the one before."""
    zero = printer.expr(ZERO)
    sides = {"nonzero": (None, "!="), "nonnegative": (zero, "<="), "positive": (zero, "<")}
    printed = []
    for condition in step.conditions:
        below, sign = sides[condition.kind]
        of = printer.expr(condition.of)
        left, right = (of, zero) if below is None else (below, of)
        whole = join([left, style.to.sign(sign), right], SUM).unbroken()
        printed.append(style.math(whole.text))
    where = style.words("reason.where", conditions=style.words.beside(*printed))
    return style.words("mark.comma") + where if printed else ""
