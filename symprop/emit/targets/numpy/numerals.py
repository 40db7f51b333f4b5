"""Numbers as Python trees.

In: exact numbers, and those that the author wrote. Out: the shortest text that has the same bits,
or the closed form that a reader knows, where Python evaluates that to the same bits.
"""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from fractions import Fraction

from symprop.algebra.constants import Constant, spell
from symprop.emit.targets.target import Target
from symprop.syntax.tree import over, product, tree


@dataclass(frozen=True)
class _Valued:
    """A tree and the float that Python makes of it."""

    tree: ast.expr
    value: float


def numeral(value: Fraction) -> ast.expr:
    """A number, the shortest text that has the same bits: 2, 0.044715, 1 / 3."""
    if value.denominator == 1:
        return tree(value.numerator if abs(value.numerator) < 65536 else float(value))
    text, quotient = repr(float(value)), f"{value.numerator} / {value.denominator}"
    if Fraction(text) == value or len(text) <= len(quotient):
        return tree(float(value))
    return ast.BinOp(tree(value.numerator), ast.Div(), tree(value.denominator))


def written(value: Fraction, own: tuple[Fraction, ...], target: Target) -> ast.expr:
    """A number as the author wrote it: 3 * 0.044715, np.pi / 2, (2 / np.pi) ** 0.5."""
    spelled = spell(abs(value), own) if value else None
    if spelled is None or not spelled.exact or not spelled.factors or any(
            c.kind == "log" for c, _ in spelled.factors):
        return numeral(value)
    ratio = spelled.ratio
    above = [_whole(ratio.numerator)] * (ratio.numerator != 1)
    below = [_whole(ratio.denominator)] * (ratio.denominator != 1)
    if not _terms(ratio):
        above, below = [_Valued(numeral(ratio), float(ratio))], []
    for constant, exponent in spelled.factors:
        one = _constant(constant, target)
        (above if exponent > 0 else below).extend([one] * abs(exponent))
    top = _product(above)
    result = top if not below else _Valued(
        over(top.tree, [product(b.tree for b in below)]), top.value / _product(below).value)
    if result.value != float(abs(value)):
        return numeral(value)
    if value > 0:
        return result.tree
    return _negative(above, below)


def _terms(ratio: Fraction) -> bool:
    """Whether a ratio is written as two whole numbers."""
    return max(ratio.numerator, ratio.denominator) <= 64


def _negative(above: list[_Valued], below: list[_Valued]) -> ast.expr:
    first, *rest = above or [_whole(1)]
    top = product([ast.UnaryOp(ast.USub(), first.tree), *(f.tree for f in rest)])
    return over(top, [product(b.tree for b in below)]) if below else top


def _whole(number: int) -> _Valued:
    return _Valued(tree(number), float(number))


def _product(factors: list[_Valued]) -> _Valued:
    return _Valued(product(f.tree for f in factors), math.prod(f.value for f in factors))


def _constant(constant: Constant, target: Target) -> _Valued:
    pi = _Valued(target.spell("pi"), math.pi)
    number = constant.number
    if constant.kind == "decimal":
        return _Valued(numeral(number), float(number))
    if constant.kind == "pi":
        return pi
    above = [_whole(number.numerator)] * (number.numerator != 1) + [pi] * (constant.pi > 0)
    below = [_whole(number.denominator)] * (number.denominator != 1) + [pi] * (constant.pi < 0)
    top = _product(above)
    inside = top if not below else _Valued(
        over(top.tree, [product(b.tree for b in below)]), top.value / _product(below).value)
    return _Valued(ast.BinOp(inside.tree, ast.Pow(), tree(0.5)), inside.value**0.5)
