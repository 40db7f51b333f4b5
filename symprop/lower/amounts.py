"""Polynomials of the sizes that count as numbers do, and compare at nominal sizes.

In: sizes. Out: `Amount`, which adds and multiplies with ints and with others of its kind.
"""

from __future__ import annotations

from fractions import Fraction

from symprop.algebra.build import add, mul, number
from symprop.algebra.canonical import collect, expand
from symprop.algebra.expr import Expr
from symprop.derive import cost


class Amount:
    """How many, for axes of any size.

    >>> from symprop.algebra.build import size
    >>> n = Amount(size("N"))
    >>> (2 * n * n + n + n).polynomial == (2 * n * (n + 1)).polynomial
    True
    """

    def __init__(self, polynomial: Expr, nominal: float | None = None) -> None:
        self._polynomial = polynomial
        self.nominal = cost.extent(polynomial) if nominal is None else nominal

    @property
    def polynomial(self) -> Expr:
        """The monomials, each once."""
        return collect(expand(self._polynomial))

    def __add__(self, other: Amount | int) -> Amount:
        if isinstance(other, int):
            if other == 0:
                return self
            other = Amount(number(other), other)
        return Amount(add(self._polynomial, other._polynomial), self.nominal + other.nominal)

    def __mul__(self, other: Amount | int) -> Amount | int:
        if isinstance(other, int):
            if other == 0:
                return 0
            other = Amount(number(other), other)
        return Amount(mul(self._polynomial, other._polynomial), self.nominal * other.nominal)

    __radd__ = __add__
    __rmul__ = __mul__

    def __floordiv__(self, other: int) -> Amount:
        return Amount(mul(number(Fraction(1, other)), self._polynomial), self.nominal / other)

    def __lt__(self, other: Amount | int) -> bool:
        return self.nominal < (other if isinstance(other, int) else other.nominal)

    def __gt__(self, other: Amount | int) -> bool:
        return self.nominal > (other if isinstance(other, int) else other.nominal)
