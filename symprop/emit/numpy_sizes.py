"""Sizes and positions as Python text.

In: integer expressions over sizes and loop indices, names in code. Out: their text, and how
tightly it binds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from symprop.algebra.expr import Access, Apply, Atom, Expr, Idx, Paren, Size, Term
from symprop.errors import UnsupportedError
from symprop.system import System

ATOM, POWER, UNARY, PRODUCT, SUM, LOOSE, CHOICE = 6, 5, 4, 3, 2, 1, 0
Text = tuple[str, int]


@dataclass
class SizePrinter:
    """Prints sizes with the names that they have in code."""

    system: System
    names: Mapping[str, str]  # arrays and adjoints -> names in code
    sizes: Mapping[str, str]  # axes -> names in code
    letters: Mapping[int, str] = field(default_factory=dict)

    def size(self, expr: Expr) -> Text:
        """Integer arithmetic on sizes and the loop's index."""
        if not expr.terms:
            return "0", ATOM
        ordered = sorted(expr.terms, key=lambda t: t.coef < 0)
        parts = []
        for k, term in enumerate(ordered):
            text = self._size_term(term, alone=len(ordered) == 1 and term.coef > 0)
            sign = "-" if term.coef < 0 else "+"
            parts.append(text if k == 0 and sign == "+" else f"-{text}" if k == 0
                         else f" {sign} {text}")
        if len(parts) > 1:
            return "".join(parts), SUM
        return parts[0], ATOM if re.fullmatch(r"\w+", parts[0]) else PRODUCT

    def _size_term(self, term: Term, alone: bool) -> str:
        coef = abs(term.coef)
        if alone and coef == 1 and len(term.factors) == 1 and term.factors[0][1] == 1:
            return self._size_atom(term.factors[0][0], alone)
        factors = []
        if coef.numerator != 1 or not term.factors:
            factors.append(str(coef.numerator))
        below = [str(coef.denominator)] if coef.denominator != 1 else []
        for item, exponent in term.factors:
            text = self._size_atom(item)
            if isinstance(exponent, int):
                (factors if exponent > 0 else below).extend([text] * abs(exponent))
            else:
                factors.append(f"{text}**{literal(Fraction(exponent))}")
        top = " * ".join(factors) or "1"
        return top if not below else f"{top} // {' // '.join(below)}"

    def _size_atom(self, item: Atom, alone: bool = False) -> str:
        if isinstance(item, Size):
            return self.sizes[item.name]
        if isinstance(item, Idx):
            return self.letters.get(item.index.uid, item.index.letter)
        if isinstance(item, Paren):
            text = self.size(item.body)[0]
            return text if alone else f"({text})"
        if isinstance(item, Apply) and item.function in ("floordiv", "mod"):
            mark = "//" if item.function == "floordiv" else "%"
            left, right = (self._size_operand(a) for a in item.args)
            return f"{left} {mark} {right}" if alone else f"({left} {mark} {right})"
        if isinstance(item, Access) and not item.indices:
            return self.names[item.array]
        raise UnsupportedError(f"{item} is no size")

    def _size_operand(self, expr: Expr) -> str:
        text, binds = self.size(expr)
        return text if binds == ATOM else f"({text})"

    def shape(self, sizes: tuple[Expr, ...]) -> str:
        """A tuple of sizes."""
        inside = ", ".join(self.size(s)[0] for s in sizes)
        return f"({inside},)" if len(sizes) == 1 else f"({inside})"


def literal(value: Fraction) -> str:
    """A number as Python text, the shortest that has the same bits: 2, 0.044715, 1 / 3."""
    if value.denominator == 1:
        return str(value.numerator) if abs(value.numerator) < 65536 else repr(float(value))
    text, quotient = repr(float(value)), f"{value.numerator} / {value.denominator}"
    return text if Fraction(text) == value or len(text) <= len(quotient) else quotient
