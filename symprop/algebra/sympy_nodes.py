"""The few SymPy classes that the calculus needs and SymPy lacks.

In: SymPy expressions. Out: a sum over typed axes that nothing evaluates, a maximum over
axes, a bracket of a condition, a sum kept as one factor, floor division and remainder of
positions. Each satisfies `func(*args) == self` and knows its derivative, so that SymPy's
own product and chain rules work through them.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy.core.symbol import Str

from symprop.algebra.expansion import expects_proportional

INFINITY = sympy.Symbol("infinity", positive=True)  # sympy.oo would absorb what it meets


def _expr(value: Any) -> sympy.Basic:
    """A SymPy object as it is, an int as a number; text is never read."""
    if isinstance(value, int):
        return sympy.Integer(value)
    if not isinstance(value, sympy.Basic):
        raise TypeError(f"a SymPy expression is needed, not {type(value).__name__}")
    return value


def _limit(pair: Any) -> sympy.Tuple:
    """(index symbol, exclusive upper end)."""
    symbol, size = pair
    return sympy.Tuple(_expr(symbol), _expr(size))


class _Binder(sympy.Expr):  # type: ignore[misc]
    """Common to what binds index symbols: `limits` are (symbol, size) pairs."""

    is_commutative = True

    @property
    def body(self) -> sympy.Expr:
        """What stands under the sign."""
        raise NotImplementedError

    @property
    def limits(self) -> tuple[sympy.Tuple, ...]:
        """The bound symbols with their sizes."""
        raise NotImplementedError

    @property
    def bound_symbols(self) -> list[sympy.Symbol]:
        """The bound symbols."""
        return [limit[0] for limit in self.limits]

    @property
    def free_symbols(self) -> set[sympy.Basic]:
        """What the value depends on; of an entry at a bound position only the array's name."""
        bound = set(self.bound_symbols)
        inside = {s for s in self.body.free_symbols if not (s.free_symbols & bound)}
        return inside.union(*(limit[1].free_symbols for limit in self.limits))

    def _renamed(self) -> tuple[dict[sympy.Symbol, sympy.Symbol], list[sympy.Tuple]]:
        """New names for the bound symbols, and the limits under the new names."""
        new = {s: sympy.Dummy(s.name, integer=True) for s in self.bound_symbols}
        return new, [_limit((new[s], size)) for s, size in self.limits]


class BoundSum(_Binder):
    """`BoundSum(body, (k, K), ...)`: the sum of body over 0 <= k < K.

    >>> k, K, t = sympy.symbols("k K t", integer=True)
    >>> BoundSum(k * t**2, (k, K)).diff(t)
    BoundSum(2*k*t, (k, K))
    """

    def __new__(cls, body: Any, *limits: Any) -> BoundSum:
        """Sums nothing."""
        return super().__new__(cls, _expr(body), *map(_limit, limits))  # type: ignore[no-any-return]

    @property
    def body(self) -> sympy.Expr:
        """The summand."""
        return self.args[0]

    @property
    def limits(self) -> tuple[sympy.Tuple, ...]:
        """The bound symbols with their sizes."""
        return tuple(self.args[1:])

    def _eval_derivative(self, symbol: sympy.Basic) -> sympy.Expr:
        inner = self.body.diff(symbol)
        return inner if inner is sympy.S.Zero else BoundSum(inner, *self.limits)


class Extreme(_Binder):
    """`Extreme("max", body, (k, K), ...)`: the largest (or "min": smallest) value of body.

    Its derivative goes in equal parts to the entries that attain it.
    """

    def __new__(cls, kind: Any, body: Any, *limits: Any) -> Extreme:
        """Evaluates nothing."""
        name = Str(kind) if isinstance(kind, str) else kind
        return super().__new__(cls, name, _expr(body), *map(_limit, limits))  # type: ignore[no-any-return]

    @property
    def kind(self) -> str:
        """Either "max" or "min"."""
        return str(self.args[0].name)

    @property
    def body(self) -> sympy.Expr:
        """What is compared."""
        return self.args[1]

    @property
    def limits(self) -> tuple[sympy.Tuple, ...]:
        """The bound symbols with their sizes."""
        return tuple(self.args[2:])

    def _eval_derivative(self, symbol: sympy.Basic) -> sympy.Expr:
        inner = self.body.diff(symbol)
        if inner is sympy.S.Zero:
            return inner
        attains = Bracket("==", self.body, self)
        here, limits = self._renamed()
        there, counted = self._renamed()
        count = BoundSum(attains.xreplace_outside(self, there), *counted)
        split = attains.xreplace_outside(self, here) * inner.xreplace(here)
        return BoundSum(split, *limits) / count


class Determinant(Extreme):
    """`Determinant("det", body, (r, R), (c, R))`: of the matrix `body` over r and c.

    Its derivative by an entry: the expansion along that entry's row, of which the rest is still.
    """

    def _eval_derivative(self, symbol: sympy.Basic) -> sympy.Expr:
        inner = self.body.diff(symbol)
        if inner is sympy.S.Zero:
            return inner
        expects_proportional()
        here, limits = self._renamed()
        (row, p), (column, q) = here.items()
        own = Bracket("==", row, p) * Bracket("==", column, q)
        others = Bracket("!=", row, p) * Bracket("!=", column, q)
        cofactor = Determinant(self.args[0], own + others * self.body, *self.limits)
        return BoundSum(cofactor * inner.xreplace(here), *limits)


class Bracket(sympy.Expr):  # type: ignore[misc]
    """The Iverson bracket [lhs relation rhs]; relation is "==", "!=", "<" or "<=".

    It is its own square, and it is constant between its jumps.
    """

    is_commutative = True
    is_nonnegative = True

    def __new__(cls, relation: Any, lhs: Any, rhs: Any) -> Bracket:
        """Decides nothing."""
        name = Str(relation) if isinstance(relation, str) else relation
        return super().__new__(cls, name, _expr(lhs), _expr(rhs))  # type: ignore[no-any-return]

    @property
    def relation(self) -> str:
        """The relation as text."""
        return str(self.args[0].name)

    def xreplace_outside(self, whole: Extreme, renaming: dict[Any, Any]) -> Bracket:
        """Renames in the left side only: the right side is `whole`, which binds those names."""
        return Bracket(self.args[0], self.args[1].xreplace(renaming), whole)

    def _eval_derivative(self, symbol: sympy.Basic) -> sympy.Expr:
        return sympy.S.Zero

    def _eval_power(self, exponent: sympy.Expr) -> sympy.Expr | None:
        return self if exponent.is_positive else None


class Entry(sympy.Indexed):  # type: ignore[misc]
    """An entry whose derivative keeps the order (own position, the other's position).

    SymPy's own KroneckerDelta says the same, but asks after the sign of every difference of
    positions first, which takes longer than all the rest of a derivative.
    """

    def _eval_derivative(self, symbol: sympy.Basic) -> sympy.Expr:
        if not isinstance(symbol, sympy.Indexed) or symbol.base != self.base:
            return sympy.S.Zero
        pairs = zip(self.indices, symbol.indices, strict=True)
        return sympy.Mul(*(Bracket("==", i, p) for i, p in pairs if i != p))


class Group(sympy.Expr):  # type: ignore[misc]
    """An expression that stays one factor: SymPy neither distributes over it nor opens it."""

    is_commutative = True

    def __new__(cls, body: Any) -> Group:
        """Opens nothing."""
        return super().__new__(cls, _expr(body))  # type: ignore[no-any-return]

    def _eval_derivative(self, symbol: sympy.Basic) -> sympy.Expr:
        return self.args[0].diff(symbol)


class FloorDiv(sympy.Function):  # type: ignore[misc]
    """The floor of a quotient of integers."""

    nargs = 2
    is_integer = True

    def _eval_derivative(self, symbol: sympy.Basic) -> sympy.Expr:
        return sympy.S.Zero


class Remainder(sympy.Function):  # type: ignore[misc]
    """What floor division leaves over: 0 <= a mod b < b."""

    nargs = 2
    is_integer = True

    def _eval_derivative(self, symbol: sympy.Basic) -> sympy.Expr:
        return sympy.S.Zero
