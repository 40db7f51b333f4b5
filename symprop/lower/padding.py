"""Brackets that only keep positions inside an array, as zeros around that array.

In: a term. Out: the same term with `Padded` accesses in the place of those brackets.

    [0 <= i - p < I] dy[i - p] K[p]      becomes      pad(dy, P - 1, P - 1)[i - p + P - 1] K[p]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symprop.algebra import integers
from symprop.algebra.build import ONE, ZERO, add, mul, negation, number, sub
from symprop.algebra.canonical import normal
from symprop.algebra.expr import (
    Access,
    Apply,
    Atom,
    Exponent,
    Expr,
    Index,
    Iverson,
    Term,
    atoms_of,
    free_indices,
    indices_of,
)
from symprop.algebra.integers import nonnegative
from symprop.lower.ir import Pads


@dataclass(frozen=True, eq=False, repr=False)
class Padded(Access):
    """An entry of an array that has zeros around it; positions count from the first zero."""

    pads: Pads = ()

    def _text(self) -> str:
        around = ",".join(f"{low.key}|{high.key}" for low, high in self.pads)
        return f"pad({self.array};{around})[{','.join(i.key for i in self.indices)}]"


def padded(term: Term, shapes: Mapping[str, tuple[Expr, ...]], loop: Index | None) -> Term:
    """The term with zeros around the arrays that its brackets guard; unchanged if that fails.

    shapes: of the arrays read. The other factors are taken to be finite.
    """
    held = {slack_of(a): a for a, _ in term.factors if isinstance(a, Iverson) and slack_of(a)}
    swaps: dict[Atom, Padded] = {}
    gone: set[Atom] = set()
    for item, exponent in term.factors:
        if not isinstance(item, Access) or exponent <= 0:
            continue
        needed = [_guards(p, s, loop) for p, s in zip(
            item.indices, shapes[item.array], strict=True)]
        if any(key not in held for keys in needed for key in keys):
            continue
        pads = tuple(_widths(p, s) if keys else (ZERO, ZERO) for p, s, keys in zip(
            item.indices, shapes[item.array], needed, strict=True))
        if not any(needed) or any(w is None for w in pads):
            continue
        known = tuple(w for w in pads if w is not None)
        positions = tuple(normal(add(p, low)) for p, (low, _) in zip(
            item.indices, known, strict=True))
        swaps[item] = Padded(item.array, positions, known)
        gone.update(held[key] for keys in needed for key in keys)
    rest = [(a, e) for a, e in term.factors if a not in swaps and a not in gone]
    rest += [(a, 1) for swapped in swaps for p in swapped.children for t in p.terms
             for a, _ in t.factors]
    if not swaps or any(_leans_on(a, e, gone, shapes) for a, e in rest):
        return term
    return Term(term.coef, tuple(
        (swaps.get(a, a), e) for a, e in term.factors if a not in gone), term.bound)


def slack_of(bracket: Iverson) -> str:
    """What is at least 0 where a bracket on positions holds, as a key; "" for other brackets."""
    if bracket.relation not in ("<", "<=") or any(
        isinstance(a, Access) for a in atoms_of(bracket)
    ):
        return ""
    slack = sub(bracket.rhs, bracket.lhs)
    return normal(slack if bracket.relation == "<=" else sub(slack, ONE)).key


def _guards(position: Expr, size: Expr, loop: Index | None) -> list[str]:
    """The keys of the brackets that a position needs; those on a loop's own index stay."""
    if loop in free_indices(position) or len(free_indices(position)) == 0:
        return []
    return [key for b in integers.guard(normal(position), size)
            if isinstance(b.single_atom, Iverson) and (key := slack_of(b.single_atom))]


def _widths(position: Expr, size: Expr) -> tuple[Expr, Expr] | None:
    """How many zeros an affine position needs before and after the axis."""
    position = normal(position)
    for index in free_indices(position):
        step = integers.coefficient(position, index)
        if step is None or step.number is None:
            return None
    low = normal(mul(number(-1), integers.minimum_of(position)))
    high = normal(sub(integers.maximum_of(position), sub(size, ONE)))
    low, high = (ZERO if _nonpositive(w) else w for w in (low, high))
    if not all(_sized(w) and nonnegative(w) for w in (low, high)):
        return None
    return low, high


def _nonpositive(width: Expr) -> bool:
    return nonnegative(normal(mul(number(-1), width)))


def _sized(width: Expr) -> bool:
    return not any(isinstance(a, Apply) and a.function == "unknown"
                   for t in width.terms for a, _ in t.factors)


def _leans_on(
    item: Atom, exponent: Exponent, gone: set[Atom], shapes: Mapping[str, tuple[Expr, ...]]
) -> bool:
    """Whether a factor may be no number where the brackets that go do not hold."""
    indices = frozenset(i for b in gone for c in b.children for i in free_indices(c))
    if exponent < 0 and indices_of(item) & indices:
        return True
    for inner in atoms_of(item):
        if isinstance(inner, Access) and any(
            free_indices(p) & indices and not integers.within(p, s)
            for p, s in zip(inner.indices, shapes[inner.array], strict=True)
        ):
            return True
        if isinstance(inner, Apply) and inner.function not in ("floordiv", "mod") and any(
            free_indices(c) & indices for c in inner.args
        ):
            return True
    return False


def shape_of(item: Access, shape: tuple[Expr, ...]) -> tuple[Expr, ...]:
    """The shape that an access reads from: with the zeros around it."""
    if not isinstance(item, Padded):
        return shape
    return tuple(normal(add(s, low, high)) for s, (low, high) in zip(
        shape, item.pads, strict=True))


def opposite(left: Atom, right: Atom) -> bool:
    """Whether exactly one of two brackets holds, whatever the data."""
    if not isinstance(left, Iverson) or not isinstance(right, Iverson):
        return False
    turned = negation(left).single_atom
    if isinstance(turned, Iverson) and turned.relation == right.relation:
        sides = (turned.lhs, turned.rhs)
        if sides == (right.lhs, right.rhs):
            return True
        if turned.relation in ("==", "!=") and sides == (right.rhs, right.lhs):
            return True
    equal, other = (left, right) if left.relation == "==" else (right, left)
    if equal.relation != "==" or not (slack := slack_of(other)):
        return False  # else: [i = 0] and [1 <= i] for an i that is never negative
    gap = normal(sub(equal.lhs, equal.rhs))
    return any(nonnegative(g) and normal(sub(g, ONE)).key == slack
               for g in (gap, normal(mul(number(-1), gap))))
