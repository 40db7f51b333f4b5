"""Expressions as SymPy expressions, and back.

In: an `Expr`. Out: `to_sympy`, which a user can go on with, and `from_sympy`, the way back.
SymPy's constructors are left to order operands, but not to distribute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import sympy
from sympy.core.parameters import distribute

from symprop.algebra import rows
from symprop.algebra.build import (
    ONE,
    access,
    add,
    apply,
    atom,
    extremum,
    idx,
    iverson,
    mul,
    number,
    paren,
    power,
    sum_over,
)
from symprop.algebra.expansion import DET
from symprop.algebra.expr import (
    Access,
    Apply,
    Atom,
    Expr,
    Extremum,
    Idx,
    Index,
    Iverson,
    Paren,
    Partial,
    Size,
    Term,
)
from symprop.algebra.sympy_nodes import (
    INFINITY,
    BoundSum,
    Bracket,
    Determinant,
    Entry,
    Extreme,
    FloorDiv,
    Group,
    Remainder,
)
from symprop.errors import UnsupportedError

Symbols = Mapping[sympy.Basic, Expr]
_RELATIONS = {
    sympy.Equality: "==", sympy.Unequality: "!=", sympy.StrictLessThan: "<",
    sympy.LessThan: "<=", sympy.StrictGreaterThan: ">", sympy.GreaterThan: ">=",
}


# ---- to SymPy ------------------------------------------------------------------------------


def index_name(index: Index) -> str:
    """The name of an index's symbol unless a caller has another: unique."""
    return f"{index.letter}_{index.uid}"


def to_sympy(
    expr: Expr, name: Callable[[Index], str] = index_name, grouped: bool = False
) -> sympy.Expr:
    """The expression in SymPy: entries as Indexed, sums as BoundSum, conditions as Bracket.

    name: gives the symbol of an index its name, each its own. grouped: for derivatives; sums
    that stand as factors are wrapped in `Group`, so that SymPy leaves them whole.

    >>> from symprop.algebra.build import size
    >>> n = Index("n", size("N"))
    >>> to_sympy(sum_over(power(access("x", [idx(n)]), 2), [n]), {n: "n"}.__getitem__)
    BoundSum(x[n]**2, (n, N))
    """
    with distribute(False):
        return _Outward(name, grouped).expr(expr)


def symbol_table(*exprs: Expr, name: Callable[[Index], str] = index_name) -> dict[Any, Expr]:
    """What the symbols in `to_sympy(expr, name)` stand for: the way back."""
    table: dict[Any, Expr] = {INFINITY: apply("inf")}
    pending = list(exprs)
    while pending:
        expr = pending.pop()
        binders = [b for t in expr.terms for b in t.bound]
        for item in (a for t in expr.terms for a, _ in t.factors):
            pending.extend(item.children)
            if isinstance(item, Idx):
                table[_index_symbol(name(item.index))] = idx(item.index)
                binders.append(item.index)
            elif isinstance(item, Size):
                table[_size_symbol(item.name)] = atom(item)
            elif isinstance(item, Access) and not item.indices:
                table[sympy.Symbol(item.array)] = atom(item)
            elif isinstance(item, Extremum):
                binders.extend(item.bound)
        pending.extend(b.size for b in binders)
    return table


def _index_symbol(name: str) -> sympy.Symbol:
    return sympy.Symbol(name, integer=True)


def _size_symbol(name: str) -> sympy.Symbol:
    return sympy.Symbol(name, integer=True, positive=True)


class _Outward:
    """The walk from `Expr` to SymPy."""

    def __init__(self, name: Callable[[Index], str], grouped: bool) -> None:
        self.name = name
        self.grouped = grouped

    def expr(self, expr: Expr) -> sympy.Expr:
        """A sum of terms."""
        return sympy.Add(*(self.term(t) for t in expr.terms))

    def term(self, term: Term) -> sympy.Expr:
        """One monomial with its sum."""
        factors = [self._power(a, e) for a, e in term.factors]
        coef = sympy.Rational(term.coef.numerator, term.coef.denominator)
        product = sympy.Mul(coef, *factors)
        return BoundSum(product, *self._limits(term.bound)) if term.bound else product

    def _power(self, item: Atom, exponent: int | Fraction) -> sympy.Expr:
        base = self.atom(item)
        if exponent == 1:
            return base
        return sympy.Pow(base, sympy.Rational(exponent.numerator, exponent.denominator))

    def _limits(self, bound: tuple[Index, ...]) -> list[sympy.Tuple]:
        return [sympy.Tuple(_index_symbol(self.name(b)), self.expr(b.size)) for b in bound]

    def atom(self, item: Atom) -> sympy.Expr:
        """One factor."""
        if isinstance(item, Access):
            if not item.indices:
                return sympy.Symbol(item.array)
            base = sympy.IndexedBase(sympy.Symbol(item.array))
            kind = Entry if self.grouped else sympy.Indexed
            return kind(base, *(self.expr(i) for i in item.indices))
        if isinstance(item, Idx):
            return _index_symbol(self.name(item.index))
        if isinstance(item, Size):
            return _size_symbol(item.name)
        if isinstance(item, Paren):
            body = self.expr(item.body)
            return Group(body) if self.grouped else body
        if isinstance(item, Iverson):
            return Bracket(item.relation, self.expr(item.lhs), self.expr(item.rhs))
        if isinstance(item, Extremum):
            node = Determinant if item.kind == DET else Extreme
            return node(item.kind, self.expr(item.body), *self._limits(item.bound))
        if isinstance(item, Partial):
            above, below = self.atom(item.numerator), self.atom(item.denominator)
            return sympy.Derivative(above, below, evaluate=False)
        assert isinstance(item, Apply)
        return self._apply(item)

    def _apply(self, item: Apply) -> sympy.Expr:
        args = [self.expr(a) for a in item.args]
        if item.function == "floordiv":
            return FloorDiv(*args)
        if item.function == "mod":
            return Remainder(*args)
        return INFINITY if item.function == "inf" else rows.applied(item.function)(*args)


# ---- from SymPy ----------------------------------------------------------------------------


def from_sympy(expr: sympy.Expr, symbols: Symbols) -> Expr:
    """The SymPy expression as an `Expr`; every sum gets bound indices of its own.

    symbols: what each symbol stands for (`symbol_table`). A symbol of no known meaning, or a
    function that is no row, raises UnsupportedError.
    """
    return _Inward(symbols).expr(expr)


class _Inward:
    """The walk from SymPy to `Expr`; bound symbols are known in the scope of their sum."""

    def __init__(self, symbols: Symbols) -> None:
        self.symbols = symbols

    def expr(self, node: sympy.Basic) -> Expr:
        """Any node, by its kind."""
        if node.is_Symbol and node in self.symbols:
            return self.symbols[node]
        for kind, convert in _INWARD:
            if isinstance(node, kind):
                return convert(self, node)
        raise UnsupportedError(f"no expression stands for SymPy's {type(node).__name__} {node}")

    def all(self, nodes: Any) -> list[Expr]:
        """Several nodes."""
        return [self.expr(n) for n in nodes]

    def scoped(self, limits: tuple[sympy.Tuple, ...]) -> tuple[_Inward, list[Index]]:
        """The same walk with bound symbols, each a new index."""
        inner: dict[sympy.Basic, Expr] = dict(self.symbols)
        bound = []
        for symbol, extent in limits:
            known = self.symbols.get(symbol)
            like = known.single_index if known is not None else None
            index = Index(like.letter if like else symbol.name, self.expr(extent))
            inner[symbol] = idx(index)
            bound.append(index)
        return _Inward(inner), bound

    def number(self, node: sympy.Number) -> Expr:
        """Rational numbers, and floats as the decimals that Python prints for them."""
        if node.is_Rational:
            return number(Fraction(int(node.p), int(node.q)))
        return number(float(node))

    def power(self, node: sympy.Pow) -> Expr:
        """A rational exponent is part of the monomial; any other is the row of powers."""
        base, exponent = node.args
        if exponent.is_Rational:
            return power(self.expr(base), Fraction(int(exponent.p), int(exponent.q)))
        return self.function(node)

    def indexed(self, node: sympy.Indexed) -> Expr:
        """An entry of an array."""
        return access(node.base.label.name, self.all(node.indices))

    def sum(self, node: BoundSum) -> Expr:
        """A sum of several terms stays one factor under its sum."""
        inner, bound = self.scoped(node.limits)
        return sum_over(inner.expr(node.body), bound)

    def extreme(self, node: Extreme) -> Expr:
        """A maximum or minimum."""
        inner, bound = self.scoped(node.limits)
        return extremum(node.kind, inner.expr(node.body), bound)

    def piecewise(self, node: sympy.Piecewise) -> Expr:
        """Disjoint branches, each behind its brackets."""
        return add(*(
            mul(*(self.relation(c) for c in conditions), self.expr(branch))
            for branch, conditions in rows.guards(node)
        ))

    def relation(self, node: sympy.core.relational.Relational) -> Expr:
        """A relation as a bracket."""
        return iverson(_RELATIONS[type(node)], *self.all(node.args))

    def function(self, node: sympy.Expr) -> Expr:
        """A row, or SymPy's own function that a row is defined as."""
        if isinstance(node, rows.RowFunction):
            return apply(node.row_name, *self.all(node.args))
        natives = rows.registry().natives
        name = natives.get(node) or natives.get(node.func)
        if name is None:
            raise UnsupportedError(f"no scalar function is defined as SymPy's {node}")
        return apply(name, *(self.all(node.args) if rows.get(name).arity else ()))

    def derivative(self, node: sympy.Derivative) -> Expr:
        """A local derivative that is not worked out."""
        above = self.expr(node.expr).single_atom
        below = self.expr(node.variables[0]).single_atom
        if not isinstance(above, Access) or not isinstance(below, Access):
            raise UnsupportedError(f"{node} is not the derivative of an entry by an entry")
        return atom(Partial(above, below))


_INWARD: tuple[tuple[Any, Callable[[_Inward, Any], Expr]], ...] = (
    (sympy.Number, _Inward.number),
    (sympy.Mul, lambda walk, node: mul(ONE, *walk.all(node.args))),
    (sympy.Add, lambda walk, node: add(*walk.all(node.args))),
    (sympy.Pow, _Inward.power),
    (sympy.Indexed, _Inward.indexed),
    (sympy.KroneckerDelta, lambda walk, node: iverson("==", *walk.all(node.args[:2]))),
    (rows.RowFunction, _Inward.function),
    (Bracket, lambda walk, node: iverson(node.relation, *walk.all(node.args[1:]))),
    (BoundSum, _Inward.sum),
    (Group, lambda walk, node: paren(walk.expr(node.args[0]))),
    (Extreme, _Inward.extreme),
    (sympy.Piecewise, _Inward.piecewise),
    (FloorDiv, lambda walk, node: apply("floordiv", *walk.all(node.args))),
    (Remainder, lambda walk, node: apply("mod", *walk.all(node.args))),
    (sympy.Derivative, _Inward.derivative),
    (sympy.Function, _Inward.function),
    (sympy.NumberSymbol, _Inward.function),
)
