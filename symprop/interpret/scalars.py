"""The entries of arrays as SymPy expressions, each worked out when it is first read.

In: equations by array, sizes, the entries of inputs and constants. Out: `Scalars.entry`.

A bracket is a strong zero: where it is false, nothing else of its term is looked at; where it
hangs on a symbol, its term is a case of a Piecewise. A position that hangs on a symbol (an
integer input) reads every entry, each times KroneckerDelta(position, its own).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import sympy

from symprop.algebra import rows
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
    Size,
    Term,
)
from symprop.errors import IndexRangeError, InputError, UnsupportedError
from symprop.interpret.evaluate import extent
from symprop.system import Adjoint, Equation, itself

Place = tuple[int, ...]
Values = Mapping[Index, int]
MOST = 20_000  # entries that are worked out: beyond, nobody reads what comes out
_RELATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": sympy.Eq, "!=": sympy.Ne, "<": sympy.Lt, "<=": sympy.Le}


class Scalars:
    """Entries by array and place; `given` holds those of the arrays that no equation defines."""

    def __init__(
        self, equations: Mapping[str, Equation | Adjoint], sizes: Mapping[str, int],
        given: Mapping[str, Mapping[Place, sympy.Expr]],
    ) -> None:
        self.equations, self.sizes, self.given = equations, sizes, given
        self.known: dict[tuple[str, Place], sympy.Expr] = {}

    def entry(self, array: str, place: Place) -> sympy.Expr:
        """One entry. Raises IndexRangeError for one that the array does not have."""
        if array in self.given:
            if place not in self.given[array]:
                raise IndexRangeError(f"{array} has no entry at {list(place)}")
            return self.given[array][place]
        if (array, place) not in self.known:
            equation = self.equations[array]
            if any(not 0 <= p < n for p, n in zip(place, self.shape(equation), strict=True)):
                raise IndexRangeError(f"{array} has no entry at {list(place)}")
            if len(self.known) >= MOST:
                raise InputError(f"more than {MOST} entries would have to be written out: choose "
                                 "smaller sizes")
            if itself(equation) is None:
                self.known[array, place] = self._right(equation, place)
            else:
                self._solve(equation)
        return self.known[array, place]

    def shape(self, equation: Equation | Adjoint) -> Place:
        """The sizes of the axes of an equation."""
        return tuple(extent(i.size, self.sizes) for i in equation.indices)

    def _right(self, equation: Equation | Adjoint, place: Place) -> sympy.Expr:
        return self.value(equation.rhs, dict(zip(equation.indices, place, strict=True)))

    def _solve(self, equation: Equation | Adjoint) -> None:
        """All entries of an implicit equation, which is linear in them."""
        places = list(product(*map(range, self.shape(equation))))
        unknowns = {place: sympy.Dummy(equation.array) for place in places}
        inner = Scalars(self.equations, self.sizes, {**self.given, equation.array: unknowns})
        inner.known = dict(self.known)  # what it works out holds unknowns: none of it is kept
        excess = [inner._right(equation, at) - unknown for at, unknown in unknowns.items()]
        names = list(unknowns.values())
        matrix = sympy.Matrix([[e.diff(name) for name in names] for e in excess])
        offset = sympy.Matrix([-e.xreplace(dict.fromkeys(names, sympy.S.Zero)) for e in excess])
        if any(matrix.has(name) for name in names):
            raise UnsupportedError(f"({equation.number}) is no linear system in {equation.array}: "
                                   "explicit cannot write out its entries")
        found = matrix.LUsolve(offset)
        self.known.update({(equation.array, at): found[k] for k, at in enumerate(places)})

    def value(self, expr: Expr, at: Values) -> sympy.Expr:
        """An expression where the indices have the values `at`."""
        return sympy.Add(*(self._term(term, at) for term in expr.terms))

    def _term(self, term: Term, at: Values) -> sympy.Expr:
        ranges = [range(extent(b.size, self.sizes)) for b in term.bound]
        return sympy.Add(*(
            self._product(term, {**at, **dict(zip(term.bound, values, strict=True))})
            for values in product(*ranges)))

    def _product(self, term: Term, at: Values) -> sympy.Expr:
        condition = self._condition([a for a, _ in term.factors if isinstance(a, Iverson)], at)
        if condition == sympy.false:
            return sympy.S.Zero
        coef = sympy.Rational(term.coef.numerator, term.coef.denominator)
        found = sympy.Mul(coef, *(
            sympy.Pow(self._atom(item, at), sympy.Rational(exponent))
            for item, exponent in term.factors if not isinstance(item, Iverson)))
        return _where(condition, found)

    def _condition(self, brackets: Sequence[Iverson], at: Values) -> Any:
        """Whether all brackets hold; one that reads out of range is guarded by another."""
        conditions, refused = [], None
        for item in brackets:
            try:
                conditions.append(
                    _RELATIONS[item.relation](self.value(item.lhs, at), self.value(item.rhs, at)))
            except IndexRangeError as error:
                refused = error
        whole = sympy.And(*conditions)
        if refused is not None and whole != sympy.false:
            raise refused
        return whole

    def _atom(self, item: Atom, at: Values) -> sympy.Expr:
        if isinstance(item, Access):
            return self._read(item.array, [self.value(i, at) for i in item.indices])
        if isinstance(item, Idx):
            return sympy.Integer(at[item.index])
        if isinstance(item, Size):
            return sympy.Integer(self.sizes[item.name])
        if isinstance(item, Paren):
            return self.value(item.body, at)
        if isinstance(item, Extremum):
            return self._extremum(item, at)
        if isinstance(item, Apply):
            return self._apply(item, at)
        raise UnsupportedError(f"{item.key} has no entries to write out")

    def _apply(self, item: Apply, at: Values) -> sympy.Expr:
        if item.function == "inf":
            return sympy.oo
        args = [self.value(a, at) for a in item.args]
        if item.function == "floordiv":
            return sympy.floor(args[0] / args[1])
        if item.function == "mod":
            return sympy.Mod(args[0], args[1])
        row = rows.get(item.function)
        plain = rows.to_native(row.definition)
        return plain.xreplace(dict(zip(rows.X, args, strict=False)))

    def _extremum(self, item: Extremum, at: Values) -> sympy.Expr:
        shape = [extent(b.size, self.sizes) for b in item.bound]
        entries = [self.value(item.body, {**at, **dict(zip(item.bound, values, strict=True))})
                   for values in product(*map(range, shape))]
        if item.kind == DET:
            return sympy.Matrix(*shape, entries).det(method="berkowitz")
        return (sympy.Max if item.kind == "max" else sympy.Min)(*entries)

    def _read(self, array: str, positions: list[sympy.Expr]) -> sympy.Expr:
        if all(p.is_Integer for p in positions):
            return self.entry(array, tuple(map(int, positions)))
        if array in self.given:
            places = list(self.given[array])
        else:
            places = list(product(*map(range, self.shape(self.equations[array]))))
        if not places:
            raise InputError(f"{array} has no entries at these sizes")
        return sympy.Add(*(
            sympy.Mul(*map(sympy.KroneckerDelta, positions, place), self.entry(array, place))
            for place in places
            if all(not p.is_Integer or p == k for p, k in zip(positions, place, strict=True))))


def _where(condition: Any, value: sympy.Expr) -> sympy.Expr:
    """The value where a condition holds, else 0."""
    if condition == sympy.true:
        return value
    return sympy.Piecewise((value, condition), (0, True))
