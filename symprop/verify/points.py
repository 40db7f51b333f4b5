"""Points at which a step may have a smaller domain than the line before it.

In: a system with the values of a draw, and a step. Out: values for all arrays, where what the
step newly divides by is 0, is 0 in its first row and column, or is too small for its square;
where the step compares, values that are all equal, and gates that are all closed.

An input is set; a computed array becomes 0 by an input that makes it so, or, if its own
equation can be 0 and the step does not lean on that equation, by itself: what reads it follows.
Points that break a declared fact are left out; those of all inputs also where the loss is not
finite.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from symprop.algebra.expr import Partial, atoms
from symprop.errors import InputError
from symprop.interpret import run_equations
from symprop.interpret.evaluate import Evaluator
from symprop.system import Equation, Fact, Step, System, cycles
from symprop.verify.corners import corners
from symprop.verify.reading import compares, new_divisors
from symprop.verify.setting import Setting, roughness

Array = np.ndarray[Any, Any]

TINY = 1e-200  # its square is 0 in float64
_TRIED = 3  # inputs that may make a computed array 0
_WIDE = 4.0  # how far what an equation reads is spread, to see both signs of its value
_LOOKS = 12  # so many times
_EVERY = {"every input tied": "1", "every gate closed": "-1"}


class Points:
    """The degenerate points of one draw, each worked out at its first use."""

    def __init__(
        self, system: System, sizes: Mapping[str, int], arrays: Mapping[str, Array],
        unrelated: Mapping[str, Array],
    ) -> None:
        self.system, self.sizes, self.unrelated = system, sizes, unrelated
        self.inputs = {n: arrays[n] for n, a in system.arrays.items() if a.kind == "input"}
        self.arrays = arrays
        self.found: dict[tuple[str, str], Point | None] = {}
        self.recurrent = cycles(system.equations)
        self.above: dict[str, tuple[str, ...]] = {}
        self.gates = {n for n, a in system.arrays.items() if a.dtype == "bool"}
        self.readers: dict[str, list[str]] = {}
        for equation in system.equations:
            for array in equation.reads:
                self.readers.setdefault(array, []).append(equation.array)

    def of(self, step: Step) -> Iterator[Point]:
        """The points that a step is looked at: none for most."""
        for array in new_divisors(step):
            for how in ("0", "0 in part", f"{TINY:g}"):
                yield from self._where(array, how, step)
        if compares(step) or self.gates.intersection(step.before.arrays + step.after.arrays):
            for every, value in _EVERY.items():
                yield from self._point(every, value)

    def at_corners(self, step: Step) -> Iterator[Point]:
        """Where the equations that a step differentiates have corners, jumps or ties."""
        above = {a.numerator.array: None for a in atoms(step.before) if isinstance(a, Partial)}
        for equation in filter(None, map(self.system.equation, above)):
            for place in corners(equation):
                yield from self._corner(equation, place)

    def _corner(self, equation: Equation, place: float) -> Iterator[Point]:
        key = equation.array, f"corner {place:g}"
        if key not in self.found:
            given = {n: np.full_like(a, place) for n in equation.reads
                     for a in (np.asarray(self.arrays[n]),) if a.dtype.kind == "f"}
            point = Point(self, given, f"where all that it reads is {place:g}")
            self.found[key] = point if point.is_finite(equation.array) else None
        setting = self.found[key]
        if setting is not None:
            yield setting

    def _where(self, array: str, how: str, step: Step) -> Iterator[Point]:
        """An array that is 0, all of it or in part, or nearly."""
        if array in self.inputs:
            yield from self._point(array, how)
            return
        equation = self.system.equation(array)
        if equation is None or how != "0":
            return
        for name in self._inputs_of(array)[:_TRIED]:
            for setting in self._point(name, "0"):
                if setting.complete([array]) and not np.all(setting.arrays[array]):
                    yield setting
                    return
        if equation.number not in step.because and self._can_vanish(equation):
            yield from self._point(array, "0")

    def _point(self, name: str, how: str) -> Iterator[Point]:
        key = name, how
        if key not in self.found:
            self.found[key] = self._made(name, how)
        setting = self.found[key]
        if setting is not None:
            yield setting

    def _made(self, name: str, how: str) -> Point | None:
        """The inputs at one point, or the array that is set; None where there is none."""
        if name in _EVERY:
            given = {n: self._constant(n, float(how)) for n in self.inputs}
            place = f"where every input is {how} or as near as its domain allows"
        else:
            old = np.asarray(self.arrays[name])
            if how == f"{TINY:g}" and old.dtype.kind != "f":
                return None
            if not _admits_zero(self.system, name):
                return None
            given = {name: _degenerate(old, how)}
            place = f"where {name} is {how}"
        point = Point(self, given, place)
        return point if name not in _EVERY or point.is_finite(self.system.loss) else None

    def _constant(self, name: str, wanted: float) -> Array:
        """An input that is the same everywhere; booleans are false, chosen values the least."""
        old = self.inputs[name]
        facts = {f.kind: f for f in self.system.facts if f.array == name}
        if old.dtype.kind == "b":
            return np.full_like(old, wanted > 0)
        if "one_of" in facts:
            return np.full_like(old, min(facts["one_of"].args))
        if old.dtype.kind != "f" or "positive_definite" in facts:
            return old
        if "sums_to_one" in facts:
            return np.full_like(old, 1 / old.shape[facts["sums_to_one"].args[0]])
        if "positive" in facts:
            wanted = abs(wanted)
        low, high = facts["in_range"].args if "in_range" in facts else (-np.inf, np.inf)
        return np.full_like(old, min(max(wanted, float(low)), float(high)))

    def _inputs_of(self, array: str) -> tuple[str, ...]:
        """The inputs that a computed array is made of, the nearest first."""
        if array not in self.above:
            found: dict[str, None] = {}
            seen, todo = {array}, [array]
            for name in todo:
                equation = self.system.equation(name)
                for read in equation.reads if equation is not None else ():
                    if read not in seen:
                        seen.add(read)
                        todo.append(read)
                        if read in self.inputs:
                            found[read] = None
            self.above[array] = tuple(found)
        return self.above[array]

    def _can_vanish(self, equation: Equation) -> bool:
        """Whether the equation of an array gives 0, or both signs, for some values it reads."""
        if equation.array in self.recurrent:
            return False
        signs: set[float] = set()
        for seed in range(_LOOKS):
            try:
                found = self._evaluated(equation, _WIDE * min(seed, 1), seed)
            except (IndexError, InputError):
                return False
            signs.update(np.sign(found[np.isfinite(found)]).flat)
            if 0 in signs or len(signs) > 1:
                return True
        return False

    def _evaluated(self, equation: Equation, spread: float, seed: int) -> Array:
        """The right-hand side with random numbers for all floats that it reads."""
        generator = np.random.default_rng(seed)
        arrays = {n: spread * generator.standard_normal(a.shape) if a.dtype.kind == "f" else a
                  for n in equation.reads for a in (np.asarray(self.arrays[n]),)}
        return Evaluator(arrays, self.sizes).value(equation.rhs, equation.indices)


class Point(Setting):
    """The values of a draw with some of them set; what follows is worked out where it is read."""

    exact = True

    def __init__(self, points: Points, given: Mapping[str, Array], place: str) -> None:
        following = dict.fromkeys(given)
        todo = list(given)
        for name in todo:
            new = [n for n in points.readers.get(name, ()) if n not in following]
            following.update(dict.fromkeys(new))
            todo += new
        arrays = {n: a for n, a in points.arrays.items() if n not in following}
        arrays |= {**points.unrelated, **given}
        super().__init__(points.system, points.sizes, arrays, place)
        self.given = frozenset(given)

    def complete(self, names: Iterable[str]) -> bool:
        """Works out arrays and what they are made of; whether that can be done."""
        missing = dict.fromkeys(n for n in names if n not in self.arrays)
        todo = list(missing)
        for name in todo:
            equation = self.system.equation(name)
            new = [n for n in (equation.reads if equation else ())
                   if n not in self.arrays and n not in missing]
            missing.update(dict.fromkeys(new))
            todo += new
        equations = [e for e in self.system.equations if e.array in missing] if missing else []
        try:
            run_equations(equations, self.arrays, self.sizes)
        except (IndexError, InputError):
            return False
        return True

    def is_finite(self, array: str) -> bool:
        """Whether an array has numbers alone."""
        return self.complete([array]) and bool(np.all(np.isfinite(self.arrays[array])))

    @property
    def rough(self) -> dict[str, Array]:
        """As of any setting, of what has been worked out so far; what was set is exact."""
        made = [e for e in self.system.equations if e.array in self.arrays
                and e.array not in self.given and all(n in self.arrays for n in e.reads)]
        return roughness(made, self.arrays, self.sizes)


def _admits_zero(system: System, name: str) -> bool:
    """Whether the declared domain of an array has a 0 in it."""
    return all(_fact_admits_zero(f) for f in system.facts if f.array == name)


def _fact_admits_zero(fact: Fact) -> bool:
    if fact.kind == "in_range":
        low, high = fact.args
        return bool(low <= 0 <= high)
    return fact.kind == "symmetric" or (fact.kind == "one_of" and 0 in fact.args)


def _degenerate(old: Array, how: str) -> Array:
    """An array of the same shape that is 0, in the first entry of every axis only, or tiny."""
    if how != "0 in part":
        return np.full_like(old, float(how))
    new = np.array(old)
    for axis in range(old.ndim):
        np.moveaxis(new, axis, 0)[0] = 0.0
    return new
