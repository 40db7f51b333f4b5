"""Expressions that differ in their numbers alone, as one expression.

In: the same expression at several values of a parameter, a loop's turn or the length of an axis.
Out: the expression in which the parameter stands, where every number is the same at all values
or goes up with the parameter in equal steps; `Mismatch` where they differ in anything else.

    x[0] + h_1,  x[1] + h_2,  x[2] + h_3     ->   x[t] + h[t]
    [i <= 4]/5,  [i <= 6]/7,  [i <= 8]/9     ->   [i <= T-1]/T
    x[0],  0.5 x[1],  0.25 x[2]              ->   0.5^t x[t]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TypeVar

from symprop.algebra.build import add, apply, idx, make_term, mul, number, power
from symprop.algebra.canonical import normal
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
from symprop.trace.tracer import Draft

_POWER = "pow"  # the function of two numbers
_FEWEST_POWERS = 3  # numbers that show a ratio
_ROUNDED = 1e-14  # of what is multiplied step by step

T = TypeVar("T")
Names = tuple[str, ...]
Parameter = tuple[Sequence[int], Expr]  # its values, and what stands for it


class Mismatch(Exception):
    """Expressions that are not one expression with a parameter."""


class Family:
    """What stands for expressions at several values of parameters.

    `read` gives the one name of an array whose names are these; `inverse`: whether a number may
    be one over a number that goes up in equal steps.
    """

    def __init__(
        self, parameters: Sequence[Parameter], read: Callable[[Names], str],
        inverse: bool = False,
    ) -> None:
        self.parameters, self.read, self.inverse = parameters, read, inverse
        self.indices: dict[tuple[Index, ...], Index] = {}
        self.steps_only = 0  # above 0 within a position, which is no power of a number

    def draft(self, drafts: Sequence[Draft], name: str) -> Draft:
        """One equation for several. Its names and its calls are those of the first."""
        first = drafts[0]
        if len({(d.op, d.kind, len(d.indices)) for d in drafts}) > 1:
            raise Mismatch
        indices = self.bound([d.indices for d in drafts])
        rhs = self.expr([d.rhs for d in drafts])
        return replace(first, array=name, indices=indices, rhs=rhs)

    def bound(self, all_: Sequence[Sequence[Index]]) -> tuple[Index, ...]:
        """The indices that stand for those of each expression."""
        return tuple(self.index(same) for same in _together(all_))

    def index(self, same: tuple[Index, ...]) -> Index:
        """The index that stands for one of each expression."""
        if same not in self.indices:
            size = self.position([i.size for i in same])
            self.indices[same] = Index(same[0].letter, size)
        return self.indices[same]

    # ---- expressions

    def position(self, exprs: Sequence[Expr]) -> Expr:
        """Sizes and index arithmetic."""
        self.steps_only += 1
        found = normal(self.expr(exprs))
        self.steps_only -= 1
        return found

    def expr(self, exprs: Sequence[Expr]) -> Expr:
        """One expression for several."""
        values = [e.number for e in exprs]
        if None not in values:
            return self.number([v for v in values if v is not None])
        plain = [_is_plain(e) for e in exprs]
        if len(set(plain)) == 1:
            return add(*(self.term(terms) for terms in _together([e.terms for e in exprs])))
        # A number that is 0 at some values is no term there.
        parts = [_parted(e) for e in exprs]
        rest = (self.term(terms) for terms in _together([terms for terms, _ in parts]))
        return add(*rest, self.number([constant for _, constant in parts]))

    def term(self, terms: Sequence[Term]) -> Expr:
        """One term for several."""
        bound = self.bound([t.bound for t in terms])
        factors: list[tuple[Atom, int | Fraction]] = []
        for pairs in _together([t.factors for t in terms]):
            if len({exponent for _, exponent in pairs}) > 1:
                raise Mismatch
            factors.append((self.atom([item for item, _ in pairs]), pairs[0][1]))
        coef = self.number([t.coef for t in terms])
        value = coef.number
        if value is not None:
            return Expr((Term(value, tuple(factors), bound),))
        return mul(coef, make_term(Fraction(1), dict(factors), bound))

    def number(self, values: Sequence[Fraction]) -> Expr:
        """A number that is the same everywhere, or goes up in equal steps."""
        if len(set(values)) == 1:
            return number(values[0])
        for at, expr in self.parameters:
            found = _line(at, values)
            if found is not None:
                return normal(add(mul(number(found[0]), expr), number(found[1])))
            inverse = _line(at, [1 / v for v in values]) if self.inverse and all(values) else None
            if inverse is not None:
                below = normal(add(mul(number(inverse[0]), expr), number(inverse[1])))
                return power(below, -1)
            powers = None if self.steps_only else _geometric(at, values)
            if powers is not None:
                start, ratio, first = powers
                exponent = normal(add(expr, number(first)))
                return mul(number(start), apply(_POWER, number(ratio), exponent))
        raise Mismatch

    def atom(self, items: Sequence[Atom]) -> Atom:
        """One atom for several of its kind."""
        first = items[0]
        if len({type(i) for i in items}) > 1:
            raise Mismatch
        if isinstance(first, Idx):
            return self._idx([i for i in items if isinstance(i, Idx)])
        if isinstance(first, Size):
            return first if len(set(items)) == 1 else self._fail()
        if isinstance(first, Access):
            name = self.read(tuple(i.array for i in items if isinstance(i, Access)))
            return Access(name, tuple(map(self.position, _together(
                [i.children for i in items]))))
        if isinstance(first, Extremum):
            return self._extremum([i for i in items if isinstance(i, Extremum)])
        children = [self.expr(c) for c in _together([i.children for i in items])]
        if isinstance(first, Paren):
            return Paren(children[0])
        if isinstance(first, Apply):
            same = {i.function for i in items if isinstance(i, Apply)}
            return Apply(first.function, tuple(children)) if len(same) == 1 else self._fail()
        if isinstance(first, Iverson):
            same = {i.relation for i in items if isinstance(i, Iverson)}
            if len(same) == 1:
                left, right = (c if c.arrays else normal(c) for c in children)
                return Iverson(first.relation, left, right)
        return self._fail()

    def _idx(self, items: Sequence[Idx]) -> Atom:
        together = tuple(i.index for i in items)
        found = self.indices.get(together)
        if found is None and len(set(together)) == 1:
            return items[0]  # of a loop around all of them
        if found is None:
            raise Mismatch
        item = idx(found).single_atom
        return item if item is not None else self._fail()

    def _extremum(self, items: Sequence[Extremum]) -> Atom:
        if len({i.kind for i in items}) > 1:
            raise Mismatch
        bound = self.bound([i.bound for i in items])
        return Extremum(items[0].kind, bound, self.expr([i.body for i in items]))

    def _fail(self) -> Atom:
        raise Mismatch


def _together(rows: Sequence[Sequence[T]]) -> list[tuple[T, ...]]:
    """What stands at the same place in all rows."""
    if len({len(r) for r in rows}) > 1:
        raise Mismatch
    return list(zip(*rows, strict=True))


def _is_plain(expr: Expr) -> tuple[bool, ...]:
    """Which terms are numbers."""
    return tuple(not t.factors and not t.bound for t in expr.terms)


def _parted(expr: Expr) -> tuple[tuple[Term, ...], Fraction]:
    """(the terms that are no numbers, the number beside them)."""
    rest = tuple(t for t in expr.terms if t.factors or t.bound)
    return rest, sum((t.coef for t in expr.terms if not (t.factors or t.bound)), Fraction(0))


def _line(at: Sequence[int], values: Sequence[Fraction]) -> tuple[Fraction, Fraction] | None:
    """(step, start) with value = step * at + start everywhere; None where there is none."""
    step = (values[1] - values[0]) / (at[1] - at[0])
    start = values[0] - step * at[0]
    fits = all(v == step * a + start for a, v in zip(at, values, strict=True))
    return (step, start) if fits else None


def _geometric(at: Sequence[int], values: Sequence[Fraction]) -> tuple[float, float, int] | None:
    """(start, ratio, first) with value = start * ratio ** (at + first) but for rounding."""
    if len(values) < _FEWEST_POWERS or not all(v > 0 for v in values) or len(set(at)) < len(at):
        return None
    ratio = _brief((values[-1] / values[0]) ** Fraction(1, at[-1] - at[0]))
    start, first = _brief(float(values[0]) / ratio ** at[0]), 0
    if ratio != 1 and math.isclose(start, ratio ** round(math.log(start, ratio)),
                                   rel_tol=_ROUNDED):
        start, first = 1.0, round(math.log(start, ratio))
    fits = all(math.isclose(v, start * ratio ** (a + first), rel_tol=_ROUNDED)
               for a, v in zip(at, values, strict=True))
    return (start, ratio, first) if fits else None


def power_of_numbers(item: Atom, children: Sequence[Expr]) -> Expr | None:
    """What Python makes of a power of a number; None of anything else."""
    if not isinstance(item, Apply) or item.function != _POWER:
        return None
    base, exponent = (c.number for c in children)
    if base is None or exponent is None or exponent != int(exponent):
        return None
    return number(float(base) ** int(exponent))


def _brief(value: float | Fraction) -> float:
    """The number that an author would have written."""
    return float(f"{float(value):.12g}")
