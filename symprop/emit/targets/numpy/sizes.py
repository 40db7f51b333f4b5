"""Sizes and positions as Python trees.

In: integer expressions over sizes and loop indices, names in code. Out: trees.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from symprop.algebra.expr import Access, Apply, Atom, Expr, Idx, Paren, Size, Term
from symprop.emit.targets.numpy.numerals import numeral
from symprop.emit.targets.numpy.table import NUMPY
from symprop.emit.targets.target import Target
from symprop.errors import UnsupportedError
from symprop.syntax.layout import flat
from symprop.syntax.tree import minus, packed, product, quote, tree
from symprop.system import System


@dataclass
class SizePrinter:
    """Prints sizes with the names that they have in code."""

    system: System
    names: Mapping[str, str]  # arrays and adjoints -> names in code
    sizes: Mapping[str, str]  # axes -> names in code
    letters: Mapping[int, str] = field(default_factory=dict)
    target: Target = NUMPY

    def size(self, expr: Expr) -> ast.expr:
        """Integer arithmetic on sizes and the loop's index."""
        result: ast.expr | None = None
        for term in sorted(expr.terms, key=lambda t: t.coef < 0):
            part = self._size_term(term)
            if result is None:
                result = minus(part) if term.coef < 0 else part
            else:
                result = ast.BinOp(result, ast.Sub() if term.coef < 0 else ast.Add(), part)
        return tree(0) if result is None else result

    def _size_term(self, term: Term) -> ast.expr:
        coef = abs(term.coef)
        above = [tree(coef.numerator)] * (coef.numerator != 1 or not term.factors)
        below = [tree(coef.denominator)] * (coef.denominator != 1)
        for item, exponent in term.factors:
            part = self._size_atom(item)
            if isinstance(exponent, int):
                (above if exponent > 0 else below).extend([part] * abs(exponent))
            else:
                above.append(ast.BinOp(part, ast.Pow(), numeral(Fraction(exponent))))
        result = product(above)
        for divisor in below:
            result = ast.BinOp(result, ast.FloorDiv(), divisor)
        return result

    def _size_atom(self, item: Atom) -> ast.expr:
        if isinstance(item, Size):
            return tree(self.sizes[item.name])
        if isinstance(item, Idx):
            return tree(self.letters.get(item.index.uid, item.index.letter))
        if isinstance(item, Paren):
            return self.size(item.body)
        if isinstance(item, Apply) and item.function in ("floordiv", "mod"):
            left, right = map(self.size, item.args)
            mark = ast.FloorDiv() if item.function == "floordiv" else ast.Mod()
            return ast.BinOp(left, mark, right)
        if isinstance(item, Apply) and item.function == "maximum":
            return quote("max({x})", x=[self.size(a) for a in item.args])
        if isinstance(item, Access) and not item.indices:
            return tree(self.names[item.array])
        raise UnsupportedError(f"{item} is no size")

    def shown(self, expr: Expr) -> str:
        """A size as text, for readers."""
        return flat(self.size(expr))

    def shape(self, sizes: tuple[Expr, ...]) -> ast.expr:
        """A tuple of sizes."""
        return packed(map(self.size, sizes))
