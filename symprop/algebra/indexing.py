"""Arithmetic of index positions and sizes: affine forms, floor division, ranges.

In: integer expressions over indices and sizes. Out: their normal form, whether one is known
to lie in a range, and the solution of `affine == affine` for an index.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from symprop.algebra.build import (
    ONE,
    ZERO,
    add,
    apply,
    idx,
    iverson,
    make_term,
    mul,
    number,
    sub,
)
from symprop.algebra.canonical import normal, same
from symprop.algebra.expr import (
    Apply,
    Atom,
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


def minimum_of(expr: Expr) -> Expr:
    """A lower bound of an affine expression that holds no index (each index at its best end)."""
    return _bound(expr, low=True)


def maximum_of(expr: Expr) -> Expr:
    """An upper bound of an affine expression that holds no index."""
    return _bound(expr, low=False)


def _bound(expr: Expr, low: bool) -> Expr:
    parts = []
    for term in expr.terms:
        live = [(a, e) for a, e in term.factors if not _is_size(a)]
        if not live:
            parts.append(Expr((term,)))
            continue
        rest = Expr((Term(term.coef, tuple((a, e) for a, e in term.factors if _is_size(a))),))
        if len(live) != 1 or live[0][1] != 1:
            return _unknown()
        at_low = (term.coef > 0) == low
        end = _end(live[0][0], at_low)
        if end is None:
            return _unknown()
        parts.append(mul(rest, end))
    return normal(add(*parts))


def _is_size(atom: Atom) -> bool:
    """Whether an atom is made of sizes only: a whole number that is at least 0."""
    return isinstance(atom, Size) or (
        isinstance(atom, Apply) and atom.function in ("floordiv", "mod")
        and all(_is_size(a) for c in atom.args for t in c.terms for a, _ in t.factors)
        and nonnegative(atom.args[0]))


def _unknown() -> Expr:
    return apply("unknown")


def _end(atom: Atom, low: bool) -> Expr | None:
    if isinstance(atom, Idx):
        return ZERO if low else sub(atom.index.size, ONE)
    if isinstance(atom, Apply) and atom.function == "mod":
        return ZERO if low else sub(atom.args[1], ONE)
    if isinstance(atom, Apply) and atom.function == "floordiv":
        if low:
            return ZERO if nonnegative(atom.args[0]) else None
        top = normal(add(maximum_of(atom.args[0]), ONE))
        return sub(quotient(top, atom.args[1]), ONE) if exact(top, atom.args[1]) else None
    return None


@lru_cache(maxsize=1 << 14)
def nonnegative(expr: Expr) -> bool:
    """Whether an integer expression is known to be at least 0 (every size is at least 1)."""
    if all(t.coef > 0 and all(isinstance(a, (Idx, Size)) for a, _ in t.factors)
           for t in expr.terms):
        return True
    low = normal(minimum_of(normal(expr)))
    if any(not _is_size(a) for t in low.terms for a, _ in t.factors):
        return False
    negative = [t for t in low.terms if t.coef < 0 and t.factors]
    return (sum(map(_least, low.terms)) >= 0 and not negative) or _dominated(low)


def _least(term: Term) -> Fraction:
    """The least value of a positive monomial: a size is at least 1, and so is D/2 or D/H."""
    if not term.factors or term.coef < 0:
        return term.coef
    certain = all(isinstance(a, Size) for a, _ in term.factors)
    return Fraction(term.coef.numerator) if certain else Fraction(0)


def _dominated(low: Expr) -> bool:
    """Whether each negative monomial is covered by a positive multiple of itself (N*W - W)."""
    spare = {t: t.coef for t in low.terms if t.coef > 0}
    for term in (t for t in low.terms if t.coef < 0):
        need = -term.coef
        for cover in spare:
            have = spare[cover] if term.factors else _least(Term(spare[cover], cover.factors))
            if need > 0 and have > 0 and (not term.factors or _covers(cover, term)):
                used = min(need, have)
                spare[cover] *= 1 - used / have
                need -= used
        if need > 0:
            return False
    return True


def _covers(cover: Term, term: Term) -> bool:
    """Whether the one monomial is the other times sizes, which are at least 1."""
    have = dict(term.factors)
    ratio = {a: e - have.pop(a, 0) for a, e in cover.factors} | {a: -e for a, e in have.items()}
    return all(e >= 0 and (e == 0 or isinstance(a, Size)) for a, e in ratio.items())


def within(expr: Expr, size: Expr) -> bool:
    """Whether 0 <= expr < size is known."""
    single = expr.single_index
    if single is not None and same(single.size, size):
        return True
    top = sub(sub(size, ONE), expr)
    return nonnegative(expr) and nonnegative(top)


def guard(expr: Expr, size: Expr) -> list[Expr]:
    """The brackets of 0 <= expr < size that are not known to hold."""
    single = expr.single_index
    if single is not None and same(single.size, size):
        return []
    brackets = []
    if not nonnegative(expr):
        brackets.append(iverson("<=", ZERO, expr))
    if not nonnegative(sub(sub(size, ONE), expr)):
        brackets.append(iverson("<", expr, size))
    return [] if within(expr, size) else brackets


def exact(expr: Expr, divisor: Expr) -> bool:
    """Whether every term of expr is a multiple of the monomial `divisor`."""
    return _split(expr, divisor)[1].is_zero


def quotient(expr: Expr, divisor: Expr) -> Expr:
    """The part of expr that `divisor` divides, divided."""
    return _split(expr, divisor)[0]


def _split(expr: Expr, divisor: Expr) -> tuple[Expr, Expr]:
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


def exact_quotient(left: Expr, right: Expr) -> Expr:
    """left / right of two sizes, where it is known that right divides left.

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
    return floordiv(left, right)


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


def floordiv(expr: Expr, divisor: Expr) -> Expr:
    """expr // divisor, simplified where the ranges decide it."""
    expr, divisor = normal(expr), normal(divisor)
    if divisor.number == 1:
        return expr
    if expr.number is not None and divisor.number is not None:
        return number(expr.number // divisor.number)
    whole, rest = _split(expr, divisor)
    if rest.is_zero or within(rest, divisor):
        return normal(whole)
    if rest.number is not None and divisor.number is not None:
        return normal(add(whole, number(rest.number // divisor.number)))
    return normal(add(whole, apply("floordiv", rest, divisor)))


def mod(expr: Expr, divisor: Expr) -> Expr:
    """expr % divisor, simplified where the ranges decide it."""
    expr, divisor = normal(expr), normal(divisor)
    if divisor.number == 1:
        return ZERO
    if expr.number is not None and divisor.number is not None:
        return number(expr.number % divisor.number)
    _, rest = _split(expr, divisor)
    if rest.is_zero:
        return ZERO
    if rest.number is not None and divisor.number is not None:
        return number(rest.number % divisor.number)
    return rest if within(rest, divisor) else apply("mod", rest, divisor)


def recombine(expr: Expr) -> Expr:
    """(k // W) * W + k % W is k, wherever it stands in a sum."""
    for term in expr.terms:
        for a, e in term.factors:
            if not (isinstance(a, Apply) and a.function == "floordiv" and e == 1):
                continue
            over, by = a.args
            pair = add(mul(apply("floordiv", over, by), by), apply("mod", over, by))
            rest = normal(sub(expr, pair))
            if len(rest.terms) <= len(expr.terms) - 2:
                return recombine(normal(add(rest, over)))
    return expr


