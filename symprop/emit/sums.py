"""The sums that a step works out at sight: Σ_n 1 = N, Σ_n x̂[n,d] = 0.

In: a step. Out: these, printed.
"""

from __future__ import annotations

from collections.abc import Iterator

from symprop.algebra.expr import UNIT, Expr, Term
from symprop.derive.centred import RULE, centred, nothing
from symprop.derive.simplify import bound_indices
from symprop.emit.pieces import SUM, Piece, join
from symprop.emit.printer import Printer
from symprop.system import Step, System


def sums(step: Step, system: System, printer: Printer) -> Iterator[Piece]:
    """What a constant summand, or a centred array, adds up to."""
    to = printer.to
    if step.rule == "constant summand":
        kept = {b.uid for b in bound_indices(step.after)}
        gone = {b.uid: b for b in bound_indices(step.before) if b.uid not in kept}
        for index in gone.values():
            yield join([to.over("sum", [printer.letter(index)]), to.piece("1"), to.sign("=="),
                        printer.expr(index.size)], SUM)
    if step.rule == RULE:
        said = set()
        for term in step.before.terms:
            found = nothing(term, centred(system))
            if found is None:
                continue
            summed = printer.expr(Expr((Term(UNIT, ((found[0], 1),), found[1]),)))
            line = join([summed, to.sign("=="), to.piece("0")], SUM)
            if found[0].array not in said:
                said.add(found[0].array)
                yield line
