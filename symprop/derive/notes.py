"""What a further fact would do for a derivation.

In: a system and its adjoint equations. Out: that sums_to_one("Y", axis=1) would shorten
(B1), where a sum is left over one axis of an input alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from symprop.algebra.expr import Access, Expr, Paren, Term
from symprop.derive.cost import components
from symprop.system import Adjoint, System


@dataclass(frozen=True)
class Hint:
    """That equation `number` would be shorter if sums_to_one(array, axis) were a fact."""

    number: str
    array: str
    axis: int


def notes(system: System, adjoints: tuple[Adjoint, ...]) -> tuple[Hint, ...]:
    """The facts, not stated, that would make an equation shorter."""
    found: dict[Hint, None] = {}
    for adjoint in adjoints:
        if adjoint.inlined:
            continue
        for term in _terms(adjoint.rhs):
            for array, axis in _lone_sums(term, system):
                found[Hint(adjoint.number, array, axis)] = None
    return tuple(found)


def _terms(expr: Expr) -> Iterator[Term]:
    for term in expr.terms:
        yield term
        for item, _ in term.factors:
            if isinstance(item, Paren):
                yield from _terms(item.body)


def _lone_sums(term: Term, system: System) -> Iterator[tuple[str, int]]:
    """The float inputs that a sum of the term runs over alone, along one axis."""
    if len(term.factors) < 2:
        return  # the sum is all there is: nothing would be left to be shorter
    for bound, inner in components(term):
        if len(bound) != 1 or len(inner) != 1 or inner[0][1] != 1:
            continue
        item = inner[0][0]
        if not isinstance(item, Access) or item.array not in system.arrays:
            continue
        declared = system.arrays[item.array]
        if declared.kind != "input" or declared.dtype != "float" or item.array in system.wrt:
            continue
        for axis, position in enumerate(item.indices):
            if position.single_index in bound:
                yield item.array, axis
