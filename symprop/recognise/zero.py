"""Whether an expression in x is 0 wherever it is defined.

In: a SymPy expression without conditions. Out: True only where that is shown: exponentials
become powers of a few unknowns, what is no rational function of x and these an unknown of its
own, and the numerator of the whole must be the zero polynomial. A sum of logarithms is 0 where
the product of what they are of is 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import sympy
from sympy.polys.polyerrors import PolynomialError

from symprop.recognise.pieces import SYMBOL, Unproven

FAILURES = (PolynomialError, ArithmeticError, TypeError, ValueError, NotImplementedError,
            RecursionError)  # by which SymPy says that it cannot do something
_LARGEST_POWER = 60  # of a sum that would be multiplied out


def vanishes(expr: sympy.Expr) -> bool:
    """Whether the expression is 0 for all x, or as a number where there is no x in it.

    >>> z = SYMBOL
    >>> vanishes(1 / (1 + sympy.exp(-z)) - sympy.exp(z) / (1 + sympy.exp(z)))
    True
    >>> vanishes(sympy.log(1 + sympy.exp(z)) - z - sympy.log(1 + sympy.exp(-z)))
    True
    """
    if expr.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
        return False
    try:
        walk = _Unknowns(expr)
        found = walk.rational(expr)
        if _numerator(found) == 0:
            return True
        return bool(walk.logarithms) and _product_is_one(found, walk)
    except (Unproven, *FAILURES):
        return False


class _Unknowns:
    """What stands for exponentials, logarithms and everything else that is not rational."""

    def __init__(self, expr: sympy.Expr) -> None:
        self.units: dict[sympy.Expr, sympy.Rational] = {}
        for rate, power in _exponents(expr):
            self.note(rate, power)
        self.powers: dict[sympy.Expr, sympy.Symbol] = {}
        self.logarithms: dict[sympy.Expr, sympy.Symbol] = {}
        self.others: dict[sympy.Expr, sympy.Symbol] = {}

    def note(self, rate: sympy.Expr, power: sympy.Rational) -> None:
        """Exponentials of the rate are powers of one whose exponent divides them all."""
        known = self.units.get(rate)
        if known is None:
            self.units[rate] = abs(power)
            return
        below = math.lcm(int(known.q), int(power.q))
        self.units[rate] = sympy.Rational(
            math.gcd(int(known * below), int(power * below)), below)

    def rational(self, node: sympy.Expr) -> sympy.Expr:
        """The expression as a rational function of x and unknowns."""
        if not node.args:
            return node
        if isinstance(node, sympy.exp) or (node.is_Pow and node.base is sympy.E):
            return self.exponential(node.exp)
        if node.is_Pow and node.exp.is_Integer:
            return self.rational(node.base) ** _small(node.exp)
        if node.is_Add or node.is_Mul:
            return node.func(*(self.rational(a) for a in node.args))
        if isinstance(node, sympy.log):
            return self._unknown(self.logarithms, _reduced(self.rational(node.args[0])))
        if node.is_Pow and node.exp.is_Rational and not node.base.is_number:
            base = _reduced(self.rational(node.base))
            root = self._unknown(self.others, base ** sympy.Rational(1, node.exp.q))
            return root ** _small(node.exp.p)
        if node.is_number:
            return node
        return self._unknown(self.others, node.func(
            *(_reduced(self.rational(a)) for a in node.args)))

    def exponential(self, exponent: sympy.Expr) -> sympy.Expr:
        """exp(exponent) as a product of powers of unknowns."""
        found = sympy.S.One
        for rate, power in _rates(exponent):
            if rate not in self.units:
                self.note(rate, power)
            count = power / self.units[rate]
            found *= self._unknown(self.powers, rate) ** _small(count)
        return found

    def _unknown(
        self, table: dict[sympy.Expr, sympy.Symbol], key: sympy.Expr
    ) -> sympy.Expr:
        if key not in table:
            table[key] = sympy.Dummy(positive=table is self.powers or None)
        return table[key]


def _small(power: sympy.Rational) -> sympy.Rational:
    if abs(power) > _LARGEST_POWER:
        raise Unproven(f"the power {power}")
    return power


def _product_is_one(found: sympy.Expr, walk: _Unknowns) -> bool:
    """Whether R + Σ q log A is 0: whether exp(R) Π A^q is 1, R a polynomial in x."""
    logs = {symbol: of for of, symbol in walk.logarithms.items()}
    counts: dict[sympy.Symbol, sympy.Rational] = {}
    rest = found
    for symbol in logs:
        count = _reduced(sympy.diff(found, symbol))
        if not count.is_Rational:
            return False
        counts[symbol] = count
        rest = rest.xreplace({symbol: sympy.S.Zero})
    rest = sympy.expand(_reduced(rest))
    if not rest.is_polynomial(SYMBOL) or rest.free_symbols - {SYMBOL}:
        return False
    rates = list(_rates(rest))
    times = math.lcm(*(int(c.q) for c in counts.values()),
                     *(int((p / walk.units.get(r, p)).q) for r, p in rates))
    product = walk.exponential(times * rest)
    for symbol, count in counts.items():
        product *= logs[symbol] ** _small(times * count)
    return bool(_numerator(product - 1) == 0)


def _numerator(expr: sympy.Expr) -> sympy.Expr:
    return sympy.expand(sympy.fraction(sympy.together(expr))[0])


def _reduced(expr: sympy.Expr) -> sympy.Expr:
    """One spelling of a rational function."""
    return sympy.factor_terms(sympy.cancel(sympy.together(expr)))


def _exponents(expr: sympy.Expr) -> Iterator[tuple[sympy.Expr, sympy.Rational]]:
    for node in sympy.preorder_traversal(expr):
        if isinstance(node, sympy.exp) or (node.is_Pow and node.base is sympy.E):
            yield from _rates(node.exp)


def _rates(exponent: sympy.Expr) -> Iterator[tuple[sympy.Expr, sympy.Rational]]:
    """An exponent as a sum of rational numbers times rates: 2 x + x²/2 is 2 of x, ½ of x²."""
    for term in sympy.Add.make_args(sympy.expand(exponent)):
        if term != 0:
            power, rate = term.as_coeff_Mul(rational=True)
            yield rate, power
