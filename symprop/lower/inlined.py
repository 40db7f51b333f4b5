"""Sums over products of matrices, in the order in which they are cheapest.

In: the equations of forward or of backward, in order; what outlives them. Out: the same, where an
array that only one sum reads is left out, and the sum taken before the product:

    dc[n,d] = Σ_i dz[n,i] L[i,d]
    dm[d] = -Σ_n dc[n,d]                dm[d] = -Σ_ni dz[n,i] L[i,d]: a product with one row

Each index that the sum runs over must stand in one factor of the product alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import replace
from typing import TypeVar

from symprop.algebra.build import idx, substitute_term
from symprop.algebra.expr import Access, Atom, Expr, Size, Term, accesses, indices_of
from symprop.lower.sums import plain
from symprop.system import Adjoint, Equation, cycles

Kind = TypeVar("Kind", bound=Equation | Adjoint)
Either = Equation | Adjoint


def summed_first(
    equations: Sequence[Kind], kept: Container[str]
) -> tuple[tuple[Kind, ...], dict[str, list[str]]]:
    """The equations left, and whose product each sum has taken in, by the arrays' names."""
    groups = cycles(equations)
    reads = Counter(a.array for e in equations for a in accesses(e.rhs))
    own = {e.array: e for e in equations}
    taken: dict[str, list[str]] = {}
    for equation in equations:
        for term in equation.rhs.terms if equation.array not in groups else ():
            for item, exponent in term.factors:
                inner = own.get(item.array) if isinstance(item, Access) else None
                if inner is None or not isinstance(item, Access) or exponent != 1 or (
                        reads[item.array] != 1 or inner.array in kept or inner.array in groups):
                    continue
                new = _taken_in(term, item, inner)
                if new is not None:
                    now = own[equation.array]
                    own[equation.array] = replace(now, rhs=Expr(tuple(
                        new if t is term else t for t in now.rhs.terms)))
                    own.pop(inner.array)
                    taken.setdefault(equation.array, []).append(inner.array)
                    break
    return tuple(own.values()), taken


def _taken_in(term: Term, item: Access, inner: Either) -> Term | None:
    """A term with the product that an array is in its place, if its sum may be taken first."""
    at = plain(item)
    if len(inner.rhs.terms) != 1 or len(at) != len(inner.indices):
        return None
    product, = inner.rhs.terms
    others = frozenset(i for a, _ in term.factors if a is not item for i in indices_of(a))
    over = [i for i in at if i in term.bound and i not in others]
    outer = dict(zip(inner.indices, at, strict=True))
    first = [mine for mine, i in outer.items() if i in over]
    factors = [a for a, e in product.factors if not isinstance(a, Size)]
    if not first or not product.bound or len(factors) < 2 or not all(
            isinstance(a, Access) and plain(a) for a in factors):
        return None
    if any(sum(i in indices_of(a) for a in factors) != 1 for i in first) or set(at) & set(
            product.bound):
        return None
    moved = substitute_term(product, {mine: idx(i) for mine, i in outer.items()})
    found, = moved.terms
    merged: dict[Atom, object] = {}
    for a, e in (*((a, e) for a, e in term.factors if a is not item), *found.factors):
        if a in merged:
            return None
        merged[a] = e
    return Term(term.coef * found.coef, tuple(merged.items()), (*term.bound, *found.bound))  # type: ignore[arg-type]
