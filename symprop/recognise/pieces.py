"""A written function of x as SymPy, without a condition: on one interval, or at one point.

In: an `Expr` that reads nothing but `X`, an interval between two neighbouring breakpoints or a
point. Out: the SymPy expression that holds there. Conditions are decided exactly; one that may
go either way on an interval raises `Split` with the point at which it turns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import sympy
from sympy.core.relational import Relational
from sympy.functions.elementary.hyperbolic import HyperbolicFunction
from sympy.logic.boolalg import And, BooleanFalse, BooleanTrue, Not, Or

from symprop.algebra import rows
from symprop.algebra.constants import spell
from symprop.algebra.expr import Access, Apply, Atom, Expr, Iverson, Paren, Term

X = Access("x")  # what a written function is of
SYMBOL = sympy.Symbol("x", real=True)
_DIGITS = 12  # a number of more may be a root, or π, to the last bit
_RELATIONS: Mapping[str, type[Relational]] = {
    "==": sympy.Equality, "!=": sympy.Unequality, "<": sympy.StrictLessThan,
    "<=": sympy.LessThan,
}


class Unproven(Exception):
    """What stands here is not understood: nothing is claimed of it."""


class Split(Exception):
    """A condition turns at this point inside the interval."""

    def __init__(self, at: sympy.Expr) -> None:
        super().__init__(str(at))
        self.at = at


@dataclass(frozen=True)
class Interval:
    """All x with low < x < high, or, where both are equal, that point."""

    low: sympy.Expr
    high: sympy.Expr

    @property
    def is_point(self) -> bool:
        return bool(self.low == self.high)

    @property
    def inside(self) -> sympy.Expr:
        """Some point of it."""
        if self.low.is_finite and self.high.is_finite:
            return (self.low + self.high) / 2
        if self.low.is_finite:
            return self.low + 1
        return self.high - 1 if self.high.is_finite else sympy.S.Zero


class Pieces:
    """The way from an `Expr` to SymPy on one interval.

    `written`: the numbers that the author wrote, of which others may be products.
    """

    def __init__(self, interval: Interval, written: tuple[Fraction, ...] = ()) -> None:
        self.interval, self.written = interval, written
        self.symbol = interval.low if interval.is_point else SYMBOL

    def expr(self, expr: Expr) -> sympy.Expr:
        """A sum of terms; those behind a bracket that is false are 0 whatever they hold."""
        return sympy.Add(*(self._term(t) for t in expr.terms))

    def _term(self, term: Term) -> sympy.Expr:
        if term.bound:
            raise Unproven("a sum over an axis")
        for item, _ in term.factors:
            if isinstance(item, Iverson) and not self._holds(
                    _RELATIONS[item.relation], self.expr(item.lhs), self.expr(item.rhs)):
                return sympy.S.Zero
        factors = [self._atom(a) ** _rational(Fraction(e)) for a, e in term.factors
                   if not isinstance(a, Iverson)]
        return sympy.Mul(self._number(term.coef), *factors)

    def _atom(self, item: Atom) -> sympy.Expr:
        if item == X:
            return self.symbol
        if isinstance(item, Paren):
            return self.expr(item.body)
        if isinstance(item, Apply) and item.function in rows.names():
            return self._row(item.function, tuple(self.expr(a) for a in item.args))
        raise Unproven(item.key)

    def _number(self, value: Fraction) -> sympy.Expr:
        """A number; one that is a root, or has a π in it, to the last bit is that."""
        if len(str(abs(value).numerator)) < _DIGITS:
            return _rational(value)
        spelled = spell(abs(value), self.written)
        if not spelled.exact:  # what was divided by stands there as its reciprocal
            spelled = spell(abs(value), (*self.written, *(
                Fraction(repr(1 / float(n))) for n in self.written if n)))
        if not spelled.exact or not spelled.factors:
            return _rational(value)
        sign = -1 if value < 0 else 1
        return sympy.Mul(sign, _rational(spelled.ratio), *(
            c.exact**e for c, e in spelled.factors))

    def _row(self, name: str, args: tuple[sympy.Expr, ...]) -> sympy.Expr:
        """The definition of a row at its arguments."""
        return self._walk(rows.get(name).definition, dict(zip(rows.X, args, strict=False)))

    def _walk(self, node: sympy.Basic, at: Mapping[sympy.Basic, sympy.Expr]) -> sympy.Expr:
        if node in at:
            return at[node]
        if isinstance(node, sympy.Piecewise):
            for branch, condition in node.args:
                if self._decided(condition, at):
                    return self._walk(branch, at)
            raise Unproven("no branch of a definition holds")
        args = tuple(self._walk(a, at) for a in node.args)
        if isinstance(node, rows.RowFunction):
            return self._row(node.row_name, args)
        found = node.func(*args) if args else node
        return _elementary(found) if args else found

    def _decided(self, condition: sympy.Basic, at: Mapping[sympy.Basic, sympy.Expr]) -> bool:
        if isinstance(condition, BooleanTrue | BooleanFalse):
            return bool(condition)
        if isinstance(condition, And):
            return all(self._decided(c, at) for c in condition.args)
        if isinstance(condition, Or):
            return any(self._decided(c, at) for c in condition.args)
        if isinstance(condition, Not):
            return not self._decided(condition.args[0], at)
        if not isinstance(condition, Relational):
            raise Unproven(str(condition))
        return self._holds(type(condition), *(self._walk(a, at) for a in condition.args))

    def _holds(self, relation: type[Relational], lhs: sympy.Expr, rhs: sympy.Expr) -> bool:
        """Whether a relation holds on the whole interval."""
        gap = sympy.expand(lhs - rhs)
        if gap.has(SYMBOL):
            gap = self._sign_of(gap)
        found = relation(gap, 0)
        if not isinstance(found, BooleanTrue | BooleanFalse):
            raise Unproven(str(found))
        return bool(found)

    def _sign_of(self, gap: sympy.Expr) -> sympy.Expr:
        """A number of the sign that a linear expression has on the interval."""
        slope = gap.coeff(SYMBOL, 1)
        rest = gap - slope * SYMBOL
        if sympy.expand(rest).has(SYMBOL) or slope.has(SYMBOL):
            raise Unproven(f"the sign of {gap}")
        root = -rest / slope
        if not root.is_real:
            raise Unproven(f"the sign of {gap}")
        if self.interval.low < root and root < self.interval.high:
            raise Split(root)
        return gap.xreplace({SYMBOL: self.interval.inside})


def _elementary(found: sympy.Expr) -> sympy.Expr:
    """Hyperbolic functions by exponentials, the complementary error function by its other."""
    for kind, other in ((HyperbolicFunction, sympy.exp), (sympy.erfc, sympy.erf)):
        if found.has(kind):
            found = found.replace(
                lambda n, kind=kind: isinstance(n, kind),
                lambda n, other=other: n.rewrite(other))
    return found


def _rational(value: Fraction) -> sympy.Rational:
    return sympy.Rational(value.numerator, value.denominator)
