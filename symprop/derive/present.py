"""The last touch: common factors before the sum, factors in reading order.

In: an expression. Out: the same expression as a reader expects it.
"""

from __future__ import annotations

from symprop.algebra.build import mul, paren
from symprop.algebra.expr import (
    ADJOINT,
    Access,
    Apply,
    Atom,
    Expr,
    Extremum,
    Idx,
    Iverson,
    Paren,
    Size,
    Term,
    arrays_of,
    indices_of,
)
from symprop.derive.cost import apart_cost, group_cost, sharing, split_common


def factor(expr: Expr) -> Expr:
    """What terms share stands once, before the sum: r h̄ - r h s is r (h̄ - h s)."""
    if len(expr.terms) < 2:
        return expr
    common, rest = split_common(expr)
    if not any(indices_of(a) for a, _ in common.factors):
        group = sharing(expr)
        if group and group_cost(expr, group) < apart_cost(expr):
            return _grouped(expr, group)
    if not common.factors and common.coef == 1:
        return expr
    if all(t.coef < 0 for t in rest):
        common = Term(-common.coef, common.factors)
        rest = tuple(Term(-t.coef, t.factors, t.bound) for t in rest)
    flat = tuple(inner for term in rest for inner in _flat(term))
    return mul(Expr((common,)), paren(Expr(_positive_first(flat))))


def _grouped(expr: Expr, group: tuple[Term, ...]) -> Expr:
    """What some of the terms share stands before them: w + r h̄ - r h s is w + r (h̄ - h s)."""
    terms: list[Term] = []
    for term in expr.terms:
        if term is group[0]:
            terms.extend(factor(Expr(group)).terms)
        elif term not in group:
            terms.append(term)
    return Expr(tuple(terms))


def _flat(term: Term) -> tuple[Term, ...]:
    """A term that is a number times a sum alone joins the sum around it."""
    if term.bound or len(term.factors) != 1 or term.factors[0][1] != 1:
        return (term,)
    item = term.factors[0][0]
    if not isinstance(item, Paren):
        return (term,)
    return tuple(Term(term.coef * t.coef, t.factors, t.bound) for t in item.body.terms)


def _positive_first(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    """Terms with a positive sign lead, so that a difference reads P - Y."""
    if terms[0].coef > 0:
        return terms
    return tuple(sorted(terms, key=lambda t: t.coef < 0))


def arranged(expr: Expr) -> Expr:
    """Factors in reading order: sizes, adjoints, arrays, sums, brackets."""
    return Expr(tuple(
        Term(t.coef, tuple(sorted(t.factors, key=lambda f: _place(f[0]))), t.bound)
        for t in expr.terms
    ))


def _place(item: Atom) -> int:
    if isinstance(item, Access):
        return 1 if item.array.startswith(ADJOINT) else 2
    if isinstance(item, Paren) and any(a.startswith(ADJOINT) for a in arrays_of(item.body)):
        return 1
    return {Size: 0, Idx: 2, Apply: 3, Paren: 4, Extremum: 4, Iverson: 5}.get(type(item), 5)
