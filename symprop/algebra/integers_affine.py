"""Affine positions: coefficients of indices, solutions, exact division by sizes.

In: integer expressions over indices and sizes. Out: the coefficient of an index, the index at
which a difference is 0, and quotients that leave nothing over.

    coefficient(2 i + p, i)     2
    solve(i + p - a, i)         a - p
    quotient(H D + d, D)        H           (over: d)
"""

from __future__ import annotations

from symprop.algebra.build import ONE, ZERO, add, idx, make_term, mul, number, sub
from symprop.algebra.canonical import normal, same
from symprop.algebra.expr import (
    Exponent,
    Expr,
    Idx,
    Index,
    Size,
    Term,
    free_indices,
    indices_of,
)


def coefficient(expr: Expr, index: Index) -> Expr | None:
    """The coefficient of an index in a normal affine form; None when it is not affine in it."""
    if index not in expr.free:
        return ZERO
    if expr.single_index is index:
        return ONE
    found = []
    for term in expr.terms:
        inside = [(a, e) for a, e in term.factors if index in indices_of(a)]
        if not inside:
            continue
        if len(inside) != 1 or not isinstance(inside[0][0], Idx) or inside[0][1] != 1:
            return None
        rest = tuple((a, e) for a, e in term.factors if a is not inside[0][0])
        found.append(Expr((Term(term.coef, rest),)))
    return normal(add(*found)) if found else ZERO


def solve(difference: Expr, index: Index) -> Expr | None:
    """The value of `index` at which `difference` is 0, when its coefficient is 1 or -1."""
    factor = coefficient(difference, index)
    value = factor.number if factor is not None else None
    if value not in (1, -1):
        return None
    rest = sub(difference, mul(number(int(value)), idx(index)))
    return normal(mul(number(-int(value)), rest))


def exact(expr: Expr, divisor: Expr) -> bool:
    """Whether every term of expr is a multiple of the monomial `divisor`."""
    return split(expr, divisor)[1].is_zero


def quotient(expr: Expr, divisor: Expr) -> Expr:
    """The part of expr that `divisor` divides, divided."""
    return split(expr, divisor)[0]


def split(expr: Expr, divisor: Expr) -> tuple[Expr, Expr]:
    """(quotient, rest) with expr = quotient * divisor + rest, term by term."""
    if divisor.number == 1:
        return expr, ZERO
    if len(divisor.terms) != 1:
        whole_quotient = normal(expr)
        if same(whole_quotient, normal(divisor)):
            return ONE, ZERO
        return _split_sum(whole_quotient, normal(divisor))
    by = divisor.terms[0]
    quotients, rest = [], []
    for term in expr.terms:
        have = dict(term.factors)
        fits = all(have.get(a, 0) >= e for a, e in by.factors)
        if fits and (term.coef / by.coef).denominator == 1:
            for a, e in by.factors:
                have[a] = have.get(a, 0) - e
            left = tuple((a, e) for a, e in have.items() if e)
            quotients.append(Term(term.coef / by.coef, left))
        else:
            rest.append(term)
    return Expr(tuple(quotients)), Expr(tuple(rest))


def _split_sum(expr: Expr, divisor: Expr) -> tuple[Expr, Expr]:
    """Division by a sum: of sizes, or by the coefficient of an index."""
    whole = None if free_indices(expr) else _long_division(expr, divisor)
    if whole is not None and all(t.coef.denominator == 1 for t in whole.terms):
        return whole, ZERO
    quotients: list[Expr] = []
    rest = expr
    for index in sorted(free_indices(expr), key=lambda i: i.uid):
        factor = coefficient(expr, index)
        if factor is not None and same(factor, divisor):
            quotients.append(idx(index))
            rest = normal(sub(rest, mul(idx(index), divisor)))
    return add(*quotients), rest


def ratio(left: Expr, right: Expr) -> Expr | None:
    """left / right of two sizes, of which right divides left; None of sums.

    Of two monomials it is one again, D/2 or D/H, so that (D/2) * 2 is D: a monomial with a
    denominator, or with negative exponents, stands for a whole number that is at least 1.
    """
    left, right = normal(left), normal(right)
    if len(left.terms) == len(right.terms) == 1 and all(
        isinstance(a, Size) and isinstance(e, int)
        for t in (*left.terms, *right.terms) for a, e in t.factors
    ):
        factors = dict(left.terms[0].factors)
        for a, e in right.terms[0].factors:
            factors[a] = factors.get(a, 0) - e
        return make_term(left.terms[0].coef / right.terms[0].coef, factors)
    return None


def _long_division(left: Expr, right: Expr) -> Expr | None:
    """left / right of two polynomials of sizes, where nothing is left over."""
    letters = sorted({a for t in (*left.terms, *right.terms) for a, _ in t.factors},
                     key=lambda a: a.key)

    def degree(term: Term) -> tuple[Exponent, list[Exponent]]:
        have = dict(term.factors)
        return sum(have.values()), [have.get(a, 0) for a in letters]

    top = max(right.terms, key=degree)
    pieces: list[Expr] = []
    while left.terms:
        first = max(left.terms, key=degree)
        factors = dict(first.factors)
        for a, e in top.factors:
            factors[a] = factors.get(a, 0) - e
        if any(e < 0 for e in factors.values()):
            return None
        pieces.append(make_term(first.coef / top.coef, factors))
        left = normal(sub(left, mul(pieces[-1], right)))
    return normal(add(*pieces))
