"""Equations over an axis of which brackets restrict the digits: written over the digits.

In: a right-hand side over d with brackets such as [d % E < E/2]. Out: the same over i and e with
d = E i + e, on which the bracket is a stretch of an axis; and the axes that are to be joined.
"""

from __future__ import annotations

from symprop.algebra import integers
from symprop.algebra.build import atom, freshen_term, iverson, mul, substitute_term
from symprop.algebra.canonical import normal
from symprop.algebra.expr import (
    Expr,
    Iverson,
    Paren,
    Term,
    atoms,
    free_indices,
    indices_of,
)
from symprop.derive.sift import tidy_term
from symprop.lower.digits import Cut, cut_at, strides
from symprop.lower.ir import Axes
from symprop.lower.ranges import multiplied, only_index


def parted(rhs: Expr, indices: Axes) -> tuple[Expr, list[Cut]]:
    """The right-hand side with such indices as their digits, and how those lie in the old."""
    cuts: list[Cut] = []
    for index in indices:
        brackets = [multiplied(a) for a in atoms(rhs) if isinstance(a, Iverson)]
        if not any(True for a in brackets for _ in strides(a, index)):
            continue
        cut = cut_at(index, [s for a in atoms(rhs) for s in strides(a, index)])
        if cut is None or len(cut.parts) == 1:
            continue
        moved = (substitute_term(t, {index: cut.value}) for t in rhs.terms)
        rhs = Expr(tuple(_coarser(t, cut) for m in moved for old in m.terms
                         for t in tidy_term(old).terms))
        cuts.append(cut)
    return rhs, cuts


def _coarser(term: Term, cut: Cut) -> Term:
    """[E i + e < E b] as [i < b], and [E b <= E i + e] as [b <= i]."""
    factors = []
    for item, exponent in term.factors:
        new = None
        if isinstance(item, Iverson) and indices_of(item) == frozenset(cut.parts):
            new = _on_high_digits(item, cut).single_atom
        factors.append((item if new is None else new, exponent))
    return Term(term.coef, tuple(factors), term.bound)


def _on_high_digits(item: Iverson, cut: Cut) -> Expr:
    low = cut.parts[-1].size
    over, under = (item.lhs, item.rhs) if item.relation == "<" else (item.rhs, item.lhs)
    if item.relation not in ("<", "<=") or free_indices(under) or not integers.exact(under, low):
        return atom(item)
    sides = integers.floordiv(over, low), normal(integers.quotient(under, low))
    return iverson(item.relation, *(sides if item.relation == "<" else sides[::-1]))


def apart(rhs: Expr, indices: Axes) -> Expr:
    """Sums in brackets multiplied out where each of their terms belongs to a stretch."""
    return Expr(tuple(t for term in rhs.terms for t in _apart(term, indices)))


def _apart(term: Term, indices: Axes) -> list[Term]:
    for item, exponent in term.factors:
        if isinstance(item, Paren) and exponent == 1 and all(
            any(isinstance(a, Iverson) and only_index(a) in indices for a, _ in t.factors)
            for t in item.body.terms
        ):
            rest = Term(term.coef, tuple(f for f in term.factors if f[0] is not item))
            products = [freshen_term(Term(p.coef, p.factors, (*term.bound, *p.bound)))
                        for t in item.body.terms for p in mul(Expr((rest,)), Expr((t,))).terms]
            return [t for p in products for t in _apart(p, indices)]
    return [term]
