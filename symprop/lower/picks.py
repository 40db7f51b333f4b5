"""One entry for each of the others: the delta of a label.

In: right-hand sides with deltas [y[n] = m] on indices of the left-hand side. Out: the deltas
that pick one m for every n, and sums in which such terms stand apart from the dense ones:

    dZ[n,m] = (P[n,m] - [y[n] = m])/N    ->  dZ = P/N,  dZ[arange(N), y] -= 1/N
"""

from __future__ import annotations

from collections.abc import Callable

from symprop.algebra.build import make_term, mul, paren
from symprop.algebra.expr import (
    Access,
    Atom,
    Expr,
    Index,
    Iverson,
    Paren,
    Term,
    free_indices,
    indices_of,
)

Declared = Callable[[Expr, Expr], bool]  # whether a position lies inside an axis of that size


def pick_of(
    term: Term, indices: tuple[Index, ...], declared: Declared
) -> tuple[Atom, Index, Expr] | None:
    """A delta that fixes one index by an entry of an integer array at the others."""
    for item, _ in term.factors:
        if not isinstance(item, Iverson) or item.relation != "==":
            continue
        for side, other in ((item.lhs, item.rhs), (item.rhs, item.lhs)):
            index = side.single_index
            if index is None or index not in indices or not declared(other, index.size):
                continue
            if _reads_at(other, indices, index) and not _elsewhere(term, item, index):
                return item, index, other
    return None


def _reads_at(position: Expr, indices: tuple[Index, ...], index: Index) -> bool:
    """Whether a position is an entry of an array at plain indices of the left-hand side."""
    entry = position.single_atom
    if not isinstance(entry, Access) or not entry.indices:
        return False
    at = [p.single_index for p in entry.indices]
    return index not in at and all(i in indices for i in at) and len(set(at)) == len(at)


def _elsewhere(term: Term, delta: Atom, index: Index) -> bool:
    """Whether another bracket depends on the index: it would have to be tested there."""
    return any(isinstance(a, Iverson) and a is not delta and index in indices_of(a)
               for a, _ in term.factors)


def set_apart(rhs: Expr, indices: tuple[Index, ...], declared: Declared) -> Expr:
    """c (dense - delta) as c dense - c delta; other products of sums stay as they are."""
    terms: list[Term] = []
    for term in rhs.terms:
        terms.extend(_apart(term, indices, declared).terms)
    return Expr(tuple(terms))


def _apart(term: Term, indices: tuple[Index, ...], declared: Declared) -> Expr:
    for item, exponent in term.factors:
        if not isinstance(item, Paren) or exponent != 1 or indices_of(item) & set(term.bound):
            continue
        picks = [t for t in item.body.terms if pick_of(t, indices, declared)]
        dense = [t for t in item.body.terms if t not in picks]
        if not picks or not free_indices(item.body):
            continue
        common = make_term(
            term.coef, {a: e for a, e in term.factors if a is not item}, term.bound)
        pieces = [mul(common, Expr((t,))) for t in picks]
        if dense:
            rest = Expr(tuple(dense))
            pieces.insert(0, mul(common, rest if len(dense) == 1 else paren(rest)))
        return Expr(tuple(t for p in pieces for t in p.terms))
    return Expr((term,))
