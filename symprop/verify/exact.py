"""Steps that hold exactly: identities of rational functions, tried over a prime field.

In: a derivation. Out: how many of its steps hold, and how likely one could by accident.

Random tensors say that two sides agree up to rounding. In the field of the whole numbers modulo
p = 2³¹ - 1 there is none: both sides are evaluated at random residues, values of functions and
roots as unknowns of their own (the same for the same argument), and must be equal. Two rational
functions of degree d that differ agree at a random point with a chance of at most d/p (Schwartz
and Zippel). Arrays are unrelated, for most steps hold whatever their values are; where a step leans
on equations, their arrays are what these say. Chain rules and local derivatives are no identities,
brackets on numbers and maxima have no value in the field: they are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from symprop.algebra.expr import (
    Access,
    Apply,
    Atom,
    Exponent,
    Expr,
    Extremum,
    Iverson,
    Paren,
    Partial,
    Term,
    arrays_of,
    atoms,
)
from symprop.errors import SympropError, VerificationError
from symprop.interpret.draw import draw_sizes
from symprop.interpret.evaluate import Evaluator, extent
from symprop.interpret.grid import Frame, Value, both, lifted, summed
from symprop.system import Adjoint, Equation, Step, cycles
from symprop.verify.whole import Derived

PRIME = 2**31 - 1  # 3 modulo 4: the root of a square that is one itself is a power
_DRAWS = 2  # at which a step must hold
_ATTEMPTS = 12  # at points where the roots in it exist
_LARGEST = 200_000  # products in one line: longer ones are left out
_MIX = np.uint64(0x9E3779B97F4A7C15)

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Exact:
    """Of `steps` steps `differentiate` are derivatives; `held` of the others hold exactly.

    bound: the chance at most that one of these does so by accident.
    """

    steps: int
    differentiate: int
    held: int
    bound: float

    def __str__(self) -> str:
        return (f"{self.held} of {self.steps - self.differentiate} steps of algebra hold exactly: "
                f"at random points of a field of {PRIME} elements, each by accident with a chance "
                f"of at most {self.bound:.0e}")


class _NoValue(Exception):
    """Something that has no value in the field."""


class _NoRoot(Exception):
    """A root, or a quotient, that does not exist at this point."""


def exact(derivation: Derived) -> Exact:
    """Counts the steps that hold. Raises VerificationError for a rational one that does not."""
    fields: list[_Field] = []
    steps, differentiate, held, bound = 0, 0, 0, 0.0
    for adjoint in derivation.adjoints:
        for step in adjoint.steps:
            steps += 1
            if any(isinstance(a, Partial) for e in (step.before, step.after) for a in atoms(e)):
                differentiate += 1
                continue
            if step.departs or not all(map(_is_algebra, (step.before, step.after))):
                continue
            chance = _chance(derivation, fields, adjoint, step)
            if chance is not None:
                held, bound = held + 1, max(bound, chance)
    return Exact(steps, differentiate, held, bound)


def _chance(
    derivation: Derived, fields: list[_Field], adjoint: Adjoint, step: Step
) -> float | None:
    """The chance that a step holds at several points by accident; None where it does not hold."""
    chances: list[float] = []
    for seed in range(_ATTEMPTS):
        if seed == len(fields):
            fields.append(_Field(derivation, seed))
        try:
            found = fields[seed].holds(adjoint, step)
        except _NoRoot:
            continue
        except (_NoValue, SympropError) as error:
            if isinstance(error, VerificationError):
                raise
            return None
        if found is None:
            return None
        chances.append(found)
        if len(chances) == _DRAWS:
            return prod(chances)
    return None


def _is_algebra(expr: Expr) -> bool:
    """Whether an expression is made of sums, products, functions and brackets on positions."""
    return not any(isinstance(a, Extremum) or (
        isinstance(a, Apply) and a.function == "inf") for a in atoms(expr))


class _Field:
    """One draw of sizes, and of residues for all arrays."""

    def __init__(self, derivation: Derived, seed: int) -> None:
        system = derivation.system
        self.system, self.sizes = system, draw_sizes(system, seed)
        generator = np.random.default_rng([seed, 7])
        shapes = {n: [extent(s, self.sizes) for s in a.shape] for n, a in system.arrays.items()}
        shapes |= {a.array: shapes[a.primal] for a in derivation.adjoints}
        positions = {n: a for n, a in system.arrays.items() if a.dtype != "float"}
        self.free: dict[str, Array] = {
            n: np.zeros(s, int) if n in positions else generator.integers(1, PRIME, s) ** 2 % PRIME
            for n, s in shapes.items()}
        for name in positions:
            tops = [extent(r.size, self.sizes) for r in system.index_ranges if r.array == name]
            self.free[name] = generator.integers(0, min(tops, default=2), shapes[name])
        lines: list[Equation | Adjoint] = [*system.equations, *derivation.adjoints]
        around = set(cycles(lines))
        self.lines = {e.number: e for e in lines if e.array not in around}

    def holds(self, adjoint: Adjoint, step: Step) -> float | None:
        """The chance that both sides agree by accident, where they do; None where they do not."""
        for leaning in (False, True) if step.because else (False,):
            arrays, degrees = self._told(step.because) if leaning else (self.free, {})
            before, after = (
                self._value(s, adjoint, arrays) for s in (step.before, step.after))
            if np.array_equal(before, after):
                degree = sum(sum(self._degree(s, degrees)) for s in (step.before, step.after))
                return min(1.0, degree / PRIME)
        if not step.because and _is_rational(step.before) and _is_rational(step.after):
            raise VerificationError(
                f"({adjoint.number}), rule {step.rule!r}: the two sides agree on random numbers up "
                "to rounding, but not exactly")
        return None

    def _told(
        self, because: Iterable[str]
    ) -> tuple[dict[str, Array], dict[str, tuple[int, int]]]:
        """The arrays, those of the named equations as these say; and the degrees of these."""
        arrays, degrees = dict(self.free), dict[str, tuple[int, int]]()
        for number, line in self.lines.items():
            if number in because:
                arrays[line.array] = self._value(line.rhs, line, arrays)
                degrees[line.array] = self._degree(line.rhs, degrees)
        return arrays, degrees

    def _value(self, expr: Expr, line: Equation | Adjoint, arrays: Mapping[str, Array]) -> Array:
        if not _is_algebra(expr) or self._compares_floats(expr):
            raise _NoValue
        if max((self._points(t, line) for t in expr.terms), default=0) > _LARGEST:
            raise _NoValue
        found = _Residues(arrays, self.sizes).value(expr, line.indices)
        return np.asarray(found % PRIME)

    def _points(self, term: Term, line: Equation | Adjoint) -> int:
        return prod(extent(i.size, self.sizes) for i in (*line.indices, *term.bound))

    def _compares_floats(self, expr: Expr) -> bool:
        read = {n for a in atoms(expr) if isinstance(a, Iverson)
                for side in a.children for n in arrays_of(side)}
        return any(n not in self.system.arrays or self.system.arrays[n].dtype == "float"
                   for n in read)

    def _degree(self, expr: Expr, known: Mapping[str, tuple[int, int]]) -> tuple[int, int]:
        """Bounds of the degrees above and below the line, over a common denominator."""
        above, below = 0, 0
        for term in expr.terms:
            times = prod(extent(b.size, self.sizes) for b in term.bound)
            top, bottom = 0, 0
            for item, exponent in term.factors:
                high, low = self._atom_degree(item, known)
                halves = int(abs(Fraction(exponent)) * 2)  # in the root, where there is one
                power = halves // 2 if halves % 2 == 0 else max(1, halves)
                high, low = (high, low) if exponent > 0 else (low, high)
                top, bottom = top + power * high, bottom + power * low
            above, below = max(above, top), below + times * bottom
        return above + below, below

    def _atom_degree(
        self, item: Atom, known: Mapping[str, tuple[int, int]]
    ) -> tuple[int, int]:
        if isinstance(item, Access):
            return known.get(item.array, (2, 0))  # a square, so that its root exists
        if isinstance(item, Paren):
            return self._degree(item.body, known)
        return (1, 0) if isinstance(item, Apply) else (0, 0)


def _is_rational(expr: Expr) -> bool:
    """Whether neither functions nor roots stand in an expression."""
    return not any(isinstance(a, Apply) and a.function not in ("floordiv", "mod", "maximum")
                   for a in atoms(expr)) and all(
        e == int(e) for t in expr.terms for _, e in t.factors)


class _Residues(Evaluator):
    """The walk in the field; positions and brackets on them are whole numbers as they stand."""

    def __init__(self, arrays: Mapping[str, Array], sizes: Mapping[str, int]) -> None:
        super().__init__(arrays, sizes)
        self.plain = Evaluator(arrays, sizes)

    def term(self, term: Term, frame: Frame, live: Value) -> Value:
        """One product, reduced after every factor, then summed."""
        outer = len(frame.shape)
        if term.bound:
            frame = frame.extended([(b, self.extent(b.size)) for b in term.bound])
            live = lifted(live, len(term.bound))
        own, _ = self.plain._brackets(term, frame, live)
        if own is not None and not np.any(own):
            return 0
        found: Value = np.asarray(_coefficient(term.coef))
        for item, exponent in term.factors:
            if not isinstance(item, Iverson):
                found = found * self.power(item, exponent, frame, both(live, own)) % PRIME
        if own is not None:
            found = np.where(own, found, 0)
        return summed(found, frame, outer) % PRIME

    def power(self, item: Atom, exponent: Exponent, frame: Frame, live: Value) -> Value:
        """A factor with its exponent; what is read out of range counts nowhere."""
        base = np.asarray(self.atom(item, frame, live)) % PRIME
        halves = Fraction(exponent) * 2
        if halves.denominator != 1:
            return _mixed(f"^{exponent}", base)
        if halves.numerator % 2:
            base = _root(base)
        else:
            halves = halves / 2
        if halves < 0:
            if not np.all(base):
                raise _NoRoot
            base = _powers(base, PRIME - 2)
        return _powers(base, abs(int(halves)))

    def entry(self, item: Access, frame: Frame, live: Value) -> Value:
        """An entry, at positions that are no residues."""
        return self.plain.entry(item, frame, live)

    def apply(self, item: Apply, frame: Frame, live: Value) -> Value:
        """An unknown for every value of its arguments; integer arithmetic as it is."""
        if item.function in ("floordiv", "mod", "maximum") and not any(
                a.arrays for a in item.args):
            return self.plain.apply(item, frame, live)
        found: Value = np.asarray(0)
        for argument in item.args:
            found = _mixed(item.function, found + np.asarray(
                self.expr(argument, frame, live)) % PRIME)
        return found


def _coefficient(coef: Fraction) -> int:
    return coef.numerator * pow(coef.denominator, -1, PRIME) % PRIME


def _powers(base: Array, exponent: int) -> Array:
    """By repeated squaring."""
    found, square = np.ones_like(base), base
    while exponent:
        if exponent & 1:
            found = found * square % PRIME
        square = square * square % PRIME
        exponent >>= 1
    return found


def _root(square: Array) -> Array:
    """The root that is a square itself, so that roots of products are products of roots."""
    found = _powers(square, (PRIME + 1) // 4)
    if not np.array_equal(_powers(found, 2), square):
        raise _NoRoot
    return found


def _mixed(what: str, values: Array) -> Array:
    """A residue that looks random, the same for the same value."""
    start = np.uint64(sum(ord(c) * 131**k for k, c in enumerate(what)) % 2**61)
    found = (values.astype(np.uint64) + start) * _MIX
    with np.errstate(over="ignore"):
        for shift in (30, 27, 31):
            found = (found ^ (found >> np.uint64(shift))) * _MIX
    return (found % np.uint64(PRIME - 1)).astype(np.int64) + 1
