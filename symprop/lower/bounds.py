"""What is known of integer expressions: signs and ranges, with floor divisions of sizes.

In: positions and sizes. Out: whether something certainly holds; every size is at least 1.
"""

from __future__ import annotations

from symprop.algebra import indexing
from symprop.algebra.build import ONE, ZERO, add, mul, number, sub, substitute
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Apply, Expr, free_indices


def at_least_zero(expr: Expr) -> bool:
    """`indexing.nonnegative`, which also knows that a - b < b * (a // b) <= a."""
    if indexing.nonnegative(expr):
        return True
    lowest = _lowest(normal(expr))
    if lowest is None:
        return False
    parts = []
    for term in lowest.terms:
        lone = [a for a, _ in term.factors if isinstance(a, Apply) and a.function == "floordiv"]
        by = lone[0].args[1].number if len(lone) == 1 else None
        if by is None or len(term.factors) != 1 or (term.coef / by).denominator != 1:
            parts.append(Expr((term,)))
            continue
        bound = sub(lone[0].args[0], number(by - 1)) if term.coef > 0 else lone[0].args[0]
        parts.append(mul(number(term.coef / by), bound))
    return indexing.nonnegative(normal(add(*parts)))


def _lowest(expr: Expr) -> Expr | None:
    """The expression with every index at the end where it is smallest."""
    for index in sorted(free_indices(expr), key=lambda i: i.uid):
        step = indexing.coefficient(expr, index)
        value = step.number if step is not None else None
        if value is None:
            return None
        end = ZERO if value > 0 else sub(index.size, ONE)
        expr = normal(substitute(expr, {index: end}))
    return expr


def inside(position: Expr, size: Expr) -> bool:
    """Whether 0 <= position < size for all values of its indices."""
    if indexing.within(position, size):
        return True
    return at_least_zero(position) and at_least_zero(sub(sub(size, ONE), position))


def filled(count: Expr) -> bool:
    """Whether a number of positions is known to be at least 1."""
    return at_least_zero(normal(sub(count, ONE)))
