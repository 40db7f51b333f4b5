"""What stands beside a step after its rule: the sums of a constant, where a line holds.

In: a step, a printer with its letters, a style. Out: words and mathematics, ready to be printed.
"""

from __future__ import annotations

from symprop.algebra.build import ZERO
from symprop.emit.page import Style
from symprop.emit.pieces import SUM, join
from symprop.emit.printer import Printer
from symprop.emit.sums import sums
from symprop.system import Step, System


def remarks(step: Step, system: System, printer: Printer, style: Style) -> str:
    """: Σ_n 1 = N; where s > 0. Empty for most steps."""
    seen = at_sight(step, system, printer, style)
    return (style.words("mark.colon") + seen if seen else "") + _where(step, printer, style)


def at_sight(step: Step, system: System, printer: Printer, style: Style) -> str:
    """Σ_n 1 = N, Σ_n x̂[n] = 0: the sums that a step works out at sight; mostly none."""
    small = r"\textstyle " if style.flavour == "latex" else ""
    shown = [style.math(small + p.text) for p in sums(step, system, printer)]
    return style.words.beside(*dict.fromkeys(shown))


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
    where = style.words("reason.where", conditions=style.words.several(printed))
    return style.words("mark.comma") + where if printed else ""
