"""Sums of all that stands at or before a place: running sums.

In: the factors of a sum. Out: the bracket that makes it a running sum, if one does.

    Σ_i [i ≤ t] x[n, i]      np.cumsum(x, axis=1)
    Σ_i [t ≤ i] x[n, i]      the same from the other end, turned before and after
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from symprop.algebra.build import ONE, ZERO, idx, sub
from symprop.algebra.canonical import normal, same
from symprop.algebra.expr import Atom, Exponent, Expr, Index, Iverson, Term, indices_of
from symprop.lower.axes import aligned
from symprop.lower.ir import Axes, Node, Running


@dataclass(frozen=True)
class Run:
    """A bracket [inner ≤ outer]; what is summed, and the sum, may run the other way round."""

    bracket: Iverson
    inner: Index
    outer: Index
    before: bool
    after: bool

    def term(self, factors: Sequence[tuple[Atom, Exponent]], bound: Axes) -> Term:
        """What is summed: one term without the bracket, in which `inner` is free."""
        return Term(Fraction(1), tuple(f for f in factors if f[0] is not self.bracket),
                    tuple(b for b in bound if b is not self.inner))

    def within(self, order: Axes) -> Axes:
        """The axes of what is summed."""
        return tuple(self.inner if i is self.outer else i for i in order)

    def node(self, body: Node, order: Axes) -> Node:
        """The running sum of a node."""
        body = aligned(body, self.within(order))
        axes = tuple(self.outer if i is self.inner else i for i in body.axes)
        return Running(axes, body, self.inner, self.before, self.after)


def running(
    factors: Sequence[tuple[Atom, Exponent]], bound: Axes, order: Axes
) -> Run | None:
    """The bracket that says up to where is summed, where nothing else depends on that."""
    for item, _ in factors:
        if not isinstance(item, Iverson) or item.relation not in ("<", "<="):
            continue
        others = [indices_of(a) for a, _ in factors if a is not item]
        for inner in bound:
            for outer in order:
                found = _between(item, inner, outer)
                if found is not None and not any(outer in o for o in others) and any(
                    inner in o for o in others
                ):
                    return Run(item, inner, outer, *found)
    return None


def _between(item: Iverson, inner: Index, outer: Index) -> tuple[bool, bool] | None:
    """Which of the two indices run the other way round; None for any other bracket."""
    if {inner, outer} != indices_of(item) or not same(inner.size, outer.size):
        return None
    ahead: Expr = normal(sub(sub(item.rhs, item.lhs), ONE if item.relation == "<" else ZERO))
    turned = {i: sub(sub(i.size, ONE), idx(i)) for i in (inner, outer)}
    for before, after in ((False, False), (True, True), (True, False), (False, True)):
        last = turned[outer] if after else idx(outer)
        first = turned[inner] if before else idx(inner)
        if normal(sub(ahead, sub(last, first))).is_zero:
            return before, after
    return None
