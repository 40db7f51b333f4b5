"""A System evaluated entry by entry in mpmath: what the last digit should be.

In: a system with its adjoints, sizes, inputs (float64 numbers, taken as exact). Out: any entry of
any array to as many digits as are asked for. It shares nothing with the interpreter or the
emitter; recurrences come out because an entry asks for the entries that it reads.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import rows_oracle as oracle

from symprop.algebra import rows
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

Env = Mapping[Index, int]
RELATIONS = {"==": lambda a, b: a == b, "!=": lambda a, b: a != b,
             "<": lambda a, b: a < b, "<=": lambda a, b: a <= b}


class Exact:
    """The entries of a system and its adjoints."""

    def __init__(
        self, derivation: Any, sizes: Mapping[str, int], inputs: Mapping[str, Any], digits: int = 60
    ) -> None:
        system = derivation.system
        self.sizes, self.digits = sizes, digits
        self.given = {**system.constants, **inputs}
        self.equations = {e.array: e for e in (*system.equations, *derivation.adjoints)}
        self.known: dict[tuple[str, tuple[int, ...]], Any] = {}

    def array(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """All entries, rounded to float64 once."""
        found = np.empty(shape, object)
        with mpmath.workdps(self.digits):
            for at in np.ndindex(shape):
                found[at] = self.entry(name, at)
        return found

    def entry(self, name: str, at: tuple[int, ...]) -> Any:
        """One entry; axes of size 1 may be left out."""
        if name in self.given:
            value = np.asarray(self.given[name])[at]
            return int(value) if value.dtype.kind in "iub" else mpmath.mpf(float(value))
        key = name, at
        if key not in self.known:
            equation = self.equations[name]
            env = dict(zip(equation.indices, at, strict=True))
            self.known[key] = self.expr(equation.rhs, env)
        return self.known[key]

    def expr(self, expr: Expr, env: Env) -> Any:
        total: Any = 0
        for term in expr.terms:
            total = total + self.term(term, env)
        return total

    def term(self, term: Term, env: Env) -> Any:
        total: Any = 0
        ranges = [range(int(self.expr(b.size, {}))) for b in term.bound]
        for values in itertools.product(*ranges):
            here = dict(zip(term.bound, values, strict=True))
            total = total + self.product(term, {**env, **here})
        return total

    def product(self, term: Term, env: Env) -> Any:
        """Brackets first: a false one is a strong zero, and nothing beside it is looked at."""
        factors = sorted(term.factors, key=lambda f: not isinstance(f[0], Iverson))
        value: Any = term.coef if term.coef.denominator == 1 else (
            mpmath.mpf(term.coef.numerator) / term.coef.denominator)
        value = int(value) if isinstance(value, Fraction) else value
        for item, exponent in factors:
            found = self.atom(item, env)
            if isinstance(item, Iverson) and not found:
                return 0
            if exponent != 1:
                power = Fraction(exponent)
                found = mpmath.mpf(found) ** (
                    mpmath.mpf(power.numerator) / power.denominator
                    if power.denominator != 1 else power.numerator)
            value = value * found
        return value

    def atom(self, item: Atom, env: Env) -> Any:
        if isinstance(item, Idx):
            return env[item.index]
        if isinstance(item, Size):
            return self.sizes[item.name]
        if isinstance(item, Access):
            return self.entry(item.array, tuple(int(self.expr(i, env)) for i in item.indices))
        if isinstance(item, Paren):
            return self.expr(item.body, env)
        if isinstance(item, Iverson):
            return RELATIONS[item.relation](self.expr(item.lhs, env), self.expr(item.rhs, env))
        if isinstance(item, Extremum):
            ranges = [range(int(self.expr(b.size, {}))) for b in item.bound]
            values = [self.expr(item.body, {**env, **dict(zip(item.bound, v, strict=True))})
                      for v in itertools.product(*ranges)]
            return max(values) if item.kind == "max" else min(values)
        assert isinstance(item, Apply), item
        return self.apply(item.function, [self.expr(a, env) for a in item.args])

    def apply(self, function: str, args: list[Any]) -> Any:
        if function == "floordiv":
            return args[0] // args[1]
        if function == "mod":
            return args[0] % args[1]
        if function == "inf":
            return mpmath.inf
        native = rows.to_native(rows.get(function).definition)
        return oracle.evaluate(native, dict(zip(rows.X, map(mpmath.mpf, args), strict=False)))
