"""Claims about positions, tried at a few sizes: what fails there is not proven.

In: a claim and the indices that it reads. Out: whether some sizes and positions contradict it.
Most claims that do not hold fail at an end of their indices, at sizes that are small or differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from symprop.algebra.expr import Apply, Atom, Expr, Idx, Index, Size

Number = int | Fraction
_PATTERNS = ((2,), (2, 3, 5, 7), (7, 5, 3, 2), (1,), (12,))


class _Senseless(Exception):
    """No such sizes, no such position, or a part that has no value here."""


def refuted(expr: Expr, zero: bool = False) -> bool:
    """Whether a claim fails: that `expr` is never negative, or (zero) that it is never 0."""
    names = sorted({a.name for a in _everything(expr) if isinstance(a, Size)})
    indices = sorted({a.index for a in _everything(expr) if isinstance(a, Idx)},
                     key=lambda i: i.uid)
    signs = {} if zero else _signs(expr)
    for pattern in _PATTERNS if names else _PATTERNS[:1]:
        sizes = {n: pattern[k % len(pattern)] for k, n in enumerate(names)}
        for top in (False, True) if indices else (False,):
            try:
                value = _value(expr, sizes, _at(indices, sizes, signs, top))
            except _Senseless:
                continue
            if (value == 0) if zero else (value < 0):
                return True
    return False


def _signs(expr: Expr) -> dict[Index, bool]:
    """The indices on which a sum depends in one direction only: whether it falls with them."""
    found: dict[Index, bool] = {}
    for term in expr.terms:
        for item, exponent in term.factors:
            if isinstance(item, Idx) and exponent == 1:
                found[item.index] = term.coef < 0
    return found


def _at(
    indices: list[Index], sizes: Mapping[str, int], signs: Mapping[Index, bool], top: bool
) -> dict[Index, int]:
    """Each index at the end where the claim is most in danger; others at their low or top end."""
    at: dict[Index, int] = {}
    for index in indices:
        count = _value(index.size, sizes, at)
        if count < 1:
            raise _Senseless
        at[index] = int(count) - 1 if signs.get(index, top) else 0
    return at


def _everything(expr: Expr) -> Iterator[Atom]:
    """Every part of an expression, the sizes of its indices included."""
    for item in expr.atoms:
        yield item
        if isinstance(item, Idx):
            yield from _everything(item.index.size)


def _value(expr: Expr, sizes: Mapping[str, int], at: Mapping[Index, int]) -> Number:
    total: Number = 0
    for term in expr.terms:
        if term.bound:
            raise _Senseless
        product: Number = term.coef
        for item, exponent in term.factors:
            value = _part(item, sizes, at)
            if not isinstance(exponent, int) or (exponent < 0 and not value):
                raise _Senseless
            product *= value if exponent == 1 else Fraction(value) ** exponent
        if product.denominator != 1:  # D/2 stands for a whole number
            raise _Senseless
        total += product
    return total


def _part(item: Atom, sizes: Mapping[str, int], at: Mapping[Index, int]) -> Number:
    if isinstance(item, Size):
        return sizes[item.name]
    if isinstance(item, Idx):
        if item.index not in at:
            raise _Senseless
        return at[item.index]
    if isinstance(item, Apply) and item.function == "maximum":
        return max(_value(a, sizes, at) for a in item.args)
    if isinstance(item, Apply) and item.function in ("floordiv", "mod"):
        left, right = (_value(a, sizes, at) for a in item.args)
        if right < 1:
            raise _Senseless
        return left // right if item.function == "floordiv" else left % right
    raise _Senseless
