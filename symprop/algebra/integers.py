"""The domain of whole numbers: positions, sizes, and what certainly holds of them.

In: expressions over indices, named sizes, their quotients and rests, and facts. Out: whether a
position lies in an axis, floor divisions and rests that this decides, ends, and the larger of two.
All rooms ask here. Every named size is at least 1; where an index is read, its axis has entries;
(D + 1)//2 may be anything that it can be.

    holds(2 i + 1 in D), i < D//2         yes: 2 (D//2 - 1) + 1 < D
    holds(i - 1 in N), i < N              no: guard gives [0 <= i - 1]

Cheap questions come first: the ends of each index (integers_ends), then a few sizes at which a
claim may fail (integers_samples), then linear inequalities, exactly (integers_rows, _linear).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from symprop.algebra import integers_ends, integers_samples
from symprop.algebra.build import ONE, ZERO, add, apply, iverson, mul, number, sub
from symprop.algebra.canonical import normal, same
from symprop.algebra.expr import Access, Apply, Expr, Idx, Iverson
from symprop.algebra.integers_affine import (
    coefficient,
    exact,
    quotient,
    ratio,
    solve,
    split,
)
from symprop.algebra.integers_ends import is_larger_size, maximum_of, minimum_of
from symprop.algebra.integers_linear import satisfiable
from symprop.algebra.integers_rows import Facts, Opaque, opposite

__all__ = [
    "NOTHING", "Facts", "coefficient", "exact", "exact_quotient", "exclude", "filled", "floordiv",
    "guard", "is_larger_size", "larger", "maximum_of", "minimum_of", "mod", "most", "never_zero",
    "nonnegative", "quotient", "reading", "recombine", "smaller", "solve", "within",
]

NOTHING = Facts()
_KEPT = 1 << 14
_MOST_CASES = 3  # brackets in a position: each holds or not


def reading(ranges: Iterable[tuple[str, Expr]]) -> Facts:
    """The facts that the entries of integer arrays are positions on axes of these sizes."""
    entries = tuple((array, ZERO, sub(size, ONE)) for array, size in ranges)
    return Facts(entries=entries) if entries else NOTHING


# ---- what holds ---------------------------------------------------------------------------


def nonnegative(expr: Expr, facts: Facts = NOTHING) -> bool:
    """Whether an integer expression is known to be at least 0."""
    value = expr.number
    return value >= 0 if value is not None else _nonnegative(expr, facts)


@lru_cache(maxsize=_KEPT)
def _nonnegative(expr: Expr, facts: Facts) -> bool:
    if integers_ends.never_negative(expr):
        return True
    expr = normal(expr)
    if integers_samples.refuted(expr) and facts is NOTHING:
        return False
    return _impossible(normal(sub(mul(number(-1), expr), ONE)), facts, zero=False)


@lru_cache(maxsize=_KEPT)
def never_zero(expr: Expr) -> bool:
    """Whether an integer expression is known to differ from 0, whatever its indices are."""
    expr = normal(expr)
    if expr.number is not None:
        return expr.number != 0
    if all(any(isinstance(a, Idx | Access) for a, _ in t.factors) for t in expr.terms):
        return False  # 0 where all indices are; entries of arrays may be anything
    if integers_samples.refuted(expr, zero=True):
        return False
    return integers_ends.never_negative(sub(expr, ONE)) or integers_ends.never_negative(
        sub(mul(number(-1), expr), ONE)) or _impossible(expr, NOTHING, zero=True)


def _impossible(expr: Expr, facts: Facts, zero: bool) -> bool:
    """Whether an expression is certainly not 0, or else certainly not at least 0."""
    bracket = next((a for t in expr.terms for a, _ in t.factors if isinstance(a, Iverson)), None)
    if bracket is not None:
        return _in_both_cases(expr, bracket, facts, zero)
    return _unsolvable(() if zero else (expr,), (expr,) if zero else (), facts)


def _in_both_cases(expr: Expr, bracket: Iverson, facts: Facts, zero: bool) -> bool:
    """The same where a bracket in it holds, and where it does not."""
    if sum(isinstance(a, Iverson) for a in set(expr.atoms)) > _MOST_CASES:
        return False
    return all(
        _impossible(_settled(expr, bracket, value), Facts(
            (*facts.least, *told), facts.entries), zero)
        for value in (ONE, ZERO) for told in _told(bracket, value == ONE))


def _settled(expr: Expr, bracket: Iverson, value: Expr) -> Expr:
    terms = (mul(*(value if a == bracket else Expr((type(t)(ONE.terms[0].coef, ((a, e),)),))
                   for a, e in t.factors), number(t.coef)) for t in expr.terms)
    return normal(add(*terms))


def _told(bracket: Iverson, holds: bool) -> list[tuple[Expr, ...]]:
    """What is at least 0 where a bracket on whole numbers holds, or does not: case by case."""
    gap = sub(bracket.rhs, bracket.lhs)
    back = sub(bracket.lhs, bracket.rhs)
    if bracket.relation in ("==", "!="):
        equal = holds == (bracket.relation == "==")
        return [(gap, back)] if equal else [(sub(gap, ONE),), (sub(back, ONE),)]
    strict = bracket.relation == "<"
    if holds:
        return [(sub(gap, ONE) if strict else gap,)]
    return [(back if strict else sub(back, ONE),)]


def within(expr: Expr, size: Expr, facts: Facts = NOTHING) -> bool:
    """Whether 0 <= expr < size is known."""
    single = expr.single_index
    if single is not None and same(single.size, size):
        return True
    return nonnegative(expr, facts) and nonnegative(sub(sub(size, ONE), expr), facts)


def exclude(one: Iverson, other: Iverson) -> bool:
    """Whether two brackets on whole numbers are known not to hold together."""
    return all(_exclusive(held, claimed)
               for held in _told(one, holds=True) for claimed in _told(other, holds=True))


@lru_cache(maxsize=_KEPT)
def _exclusive(held: tuple[Expr, ...], claimed: tuple[Expr, ...]) -> bool:
    return _unsolvable((*held, *claimed), (), NOTHING)


def _unsolvable(least: tuple[Expr, ...], zero: tuple[Expr, ...], facts: Facts) -> bool:
    """Whether no whole numbers make all of `least` at least 0 and all of `zero` 0."""
    try:
        return all(satisfiable(*rows) is False for rows in opposite(least, zero, facts))
    except Opaque:
        return False


def filled(count: Expr, facts: Facts = NOTHING) -> bool:
    """Whether a number of positions is known to be at least 1."""
    return nonnegative(sub(count, ONE), facts)


def guard(expr: Expr, size: Expr, facts: Facts = NOTHING) -> list[Expr]:
    """The brackets of 0 <= expr < size that are not known to hold."""
    single = expr.single_index
    if single is not None and same(single.size, size):
        return []
    brackets = []
    if not nonnegative(expr, facts):
        brackets.append(iverson("<=", ZERO, expr))
    if not nonnegative(sub(sub(size, ONE), expr), facts):
        brackets.append(iverson("<", expr, unclipped(size)))
    return brackets


def unclipped(size: Expr) -> Expr:
    """N - 3 of max(N - 3, 0): the same limit, to what is at least 0."""
    item = size.single_atom
    if isinstance(item, Apply) and item.function == "maximum" and item.args[1].is_zero:
        return item.args[0]
    return size


def end_of(start: Expr, count: Expr) -> Expr:
    """Where so many positions end: N - 1 of max(N - 3, 0) from 2 on; below 0 it would be none."""
    end = normal(add(start, unclipped(count)))
    return end if nonnegative(end) else normal(add(start, count))


def larger(left: Expr, right: Expr, facts: Facts = NOTHING) -> Expr | None:
    """The one of two that is known to be at least as large as the other."""
    if nonnegative(sub(right, left), facts):
        return right
    return left if nonnegative(sub(left, right), facts) else None


def smaller(left: Expr, right: Expr, facts: Facts = NOTHING) -> Expr | None:
    """The one of two that is known to be at most as large as the other."""
    if nonnegative(sub(right, left), facts):
        return left
    return right if nonnegative(sub(left, right), facts) else None


def most(left: Expr, right: Expr, facts: Facts = NOTHING) -> Expr:
    """The larger of two, max(N - 3, 0) where it is not known which."""
    left, right = normal(left), normal(right)
    known = larger(left, right, facts)
    return apply("maximum", left, right) if known is None else known


# ---- quotients and rests --------------------------------------------------------------------


def exact_quotient(left: Expr, right: Expr) -> Expr:
    """left / right of two sizes, where it is known that right divides left."""
    found = ratio(left, right)
    return floordiv(left, right) if found is None else found


def floordiv(expr: Expr, divisor: Expr) -> Expr:
    """expr // divisor, simplified where the ranges decide it."""
    expr, divisor = normal(expr), normal(divisor)
    if divisor.number == 1:
        return expr
    if expr.number is not None and divisor.number is not None:
        return number(expr.number // divisor.number)
    whole, rest = split(expr, divisor)
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
    _, rest = split(expr, divisor)
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
