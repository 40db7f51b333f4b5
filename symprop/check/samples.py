"""Draws whole sets of inputs, on which the loss is a finite number.

In: a subject, inputs and sizes that are given, a seed. Out: `Sample`s: arrays for all leaves and
the sizes of the named axes.
"""

import copy
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symprop.check.domains import Domain, draw, read_facts
from symprop.check.sizes import choose_sizes, named_axes, other_sizes
from symprop.check.subject import Array, Subject
from symprop.check.trees import matched
from symprop.errors import InputError, ShapeError
from symprop.shapes import solve_sizes

MOST_ENTRIES = 2**22  # of all inputs together
MOST_DRAWS = 20
MOST_SIZES = 60
FIRST_DRAWS = 3
ROUNDING = 4e-16  # by which inputs are moved, relative
UNSTEADY = 1e-6  # of a loss: by more it does not move for rounding
DTYPES = {"float": np.float64, "int": np.int64, "bool": np.bool_}


@dataclass(frozen=True)
class Sample:
    """One array for each leaf, in double precision, and the sizes of the named axes."""

    leaves: Mapping[str, Array]
    sizes: Mapping[str, int]

    def copy(self, dtype: Any = np.float64) -> dict[str, Array]:
        """Return copies of the arrays, the floating ones as `dtype`."""
        return {
            name: array.astype(dtype) if array.dtype.kind == "f" else array.copy()
            for name, array in self.leaves.items()
        }


class Sampler:
    """Draws samples for a subject; InputError if what is given does not fit its arguments."""

    def __init__(
        self, subject: Subject, inputs: Mapping[str, Any], sizes: Mapping[str, int], seed: int
    ) -> None:
        self.subject = subject
        self.seed = seed
        self.specs = {name: named_axes(name, spec) for name, spec in subject.specs.items()}
        self.domains = read_facts(subject.facts, subject.specs)
        self.given = self._read_inputs(inputs)
        self.known = self._read_sizes(sizes)
        self.sizes: Mapping[str, int] = {}

    @property
    def is_fixed(self) -> bool:
        """True if every array is given, so that every sample is the same."""
        return set(self.given) == set(self.specs)

    def settle_sizes(self) -> None:
        """Choose sizes with which the function runs; InputError if it runs with none.

        Where it can be, sizes at which its loss is more than rounding.
        """
        first: InputError | None = None
        runs: list[Mapping[str, int]] = []
        tried: list[Mapping[str, int]] = []
        for attempt in range(MOST_SIZES):
            sizes = self._choose(attempt)
            if sizes in tried:
                continue
            tried.append(sizes)
            self.sizes = sizes
            self._expect_few()
            try:
                self.subject.loss(self.draw(0).copy(), validate=True)
                runs.append(sizes)
                if self.is_fixed or not self._is_noise():
                    return
            except InputError as error:
                first = first or error
                if not isinstance(error.__cause__, ValueError | IndexError | ZeroDivisionError):
                    break
        if runs:
            self.sizes = runs[0]
            return
        assert first is not None
        shown = ", ".join(f"{name} = {size}" for name, size in tried[0].items())
        raise InputError(f"{first} (on inputs drawn with {shown or 'no sizes'})") from first

    def _expect_few(self) -> None:
        """Refuse sizes at which what is drawn would take minutes, or all memory there is."""
        count = sum(math.prod(d.evaluate(self.sizes) for d in spec.dims)
                    for name, spec in self.specs.items() if name not in self.given)
        if count > MOST_ENTRIES:
            shown = ", ".join(f"{n} = {self.sizes[n]}" for n in self._shown if n in self.sizes)
            raise InputError(
                f"at {shown} the inputs have {count:,} numbers; a check draws up to "
                f"{MOST_ENTRIES:,}: choose smaller sizes")

    def draw(self, number: int, domains: Mapping[str, Domain] | None = None) -> Sample:
        """Draw the sample `number`; `domains` replaces the declared ones."""
        rng = np.random.default_rng([self.seed, number])
        leaves = {}
        for name, spec in self.specs.items():
            drawn = draw(spec, (domains or self.domains)[name], self.sizes, rng)
            leaves[name] = self.given.get(name, drawn)
        return Sample(leaves, {n: self.sizes[n] for n in self.sizes if n in self._shown})

    def _is_noise(self) -> bool:
        """Say whether the first losses that are finite here are decided by rounding."""
        for number in range(FIRST_DRAWS):
            sample = self.draw(number)
            try:
                loss = self.subject.loss(sample.copy())
            except InputError as error:
                return isinstance(error.__cause__, np.linalg.LinAlgError)
            if is_finite(loss):
                return not is_steady(self.subject, sample, loss)
        return False

    def finite(self, start: int) -> Iterator[Sample]:
        """Draw samples from number `start` on and yield those on which the loss is finite.

        Those on which it is decided by rounding only come where there is no other.
        """
        others: list[Sample] = []
        steady = False
        for number in range(start, start + MOST_DRAWS):
            sample = self.draw(number)
            loss = _value(self.subject, sample)
            if loss is not None and self.is_fixed:
                yield sample
            elif loss is not None and is_steady(self.subject, sample, loss):
                steady = True
                yield sample
            elif loss is not None:
                others.append(sample)
            if self.is_fixed:
                return
        if not steady:
            yield from others

    def elsewhere(self) -> "Iterator[Sampler]":
        """Yield this sampler at other sizes of the free axes, wherever a loss can be computed."""
        free = [name for name in self.sizes if name not in self.known and name in self._shown]
        seen = [dict(self.sizes)]
        for choices in other_sizes(free, self.seed) if free else ():
            found = next((s for wanted in choices if (s := self._at(wanted)) is not None), None)
            if found is not None and found.sizes not in seen:
                seen.append(dict(found.sizes))
                yield found

    def changed_from(self, other: "Sampler") -> list[str]:
        """Name the axes whose sizes differ from those of another sampler."""
        return [name for name, size in self.sizes.items() if other.sizes.get(name) != size]

    def _at(self, wanted: Mapping[str, int]) -> "Sampler | None":
        """Return this sampler at some other sizes; the rest stays as it is where that fits."""
        for rest in (self.sizes, {}):
            other = copy.copy(self)
            other.known = {**rest, **self.known, **wanted}
            try:
                other.sizes = other._choose(0)
                sample = other.draw(0)
                loss = other.subject.loss(sample.copy(), validate=True)
            except (InputError, ShapeError):
                continue
            if is_steady(self.subject, sample, loss):
                return other
        return None

    @property
    def _shown(self) -> set[str]:
        return {name for spec in self.subject.specs.values() for name in spec.names()}

    def _read_inputs(self, inputs: Mapping[str, Any]) -> dict[str, Array]:
        given: dict[str, Array] = {}
        for argument, value in inputs.items():
            if argument not in self.subject.trees:
                raise InputError(f"there is no argument {argument!r} to give an input for")
            leaves = matched(argument, self.subject.trees[argument], value)
            given.update({name: self._cast(name, leaf) for name, leaf in leaves.items()})
        return given

    def _cast(self, name: str, value: Any) -> Array:
        array = np.asarray(value)
        kind = self.specs[name].dtype
        if array.dtype.kind not in {"float": "fiub", "int": "iub", "bool": "b"}[kind]:
            raise InputError(f"the input {name} is {array.dtype}, but is declared as {kind}")
        return array.astype(DTYPES[kind])

    def _read_sizes(self, sizes: Mapping[str, int]) -> dict[str, int]:
        for name, size in sizes.items():
            if name not in self._shown:
                known = ", ".join(sorted(self._shown)) or "none"
                raise InputError(f"there is no axis {name!r} to give a size for; there are {known}")
            if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
                raise InputError(f"the size of {name} must be a whole number from 1, not {size!r}")
        shapes = {name: array.shape for name, array in self.given.items()}
        specs = {name: self.specs[name] for name in shapes}
        known_sizes = {name: int(size) for name, size in sizes.items()}
        return {**known_sizes, **solve_sizes(specs, shapes, known_sizes, partial=True)}

    def _choose(self, attempt: int) -> dict[str, int]:
        """Choose all sizes and test the given arrays against them."""
        dims = [dim for spec in self.specs.values() for dim in spec.dims]
        dims += [p.end for domain in self.domains.values() for p in domain.index]
        sizes = choose_sizes(dims, self.known, attempt)
        specs = {name: self.specs[name] for name in self.given}
        solve_sizes(specs, {name: array.shape for name, array in self.given.items()}, sizes)
        return sizes


def _value(subject: Subject, sample: Sample) -> float | None:
    """The loss on a sample; None where it is not finite, or a matrix is singular."""
    try:
        loss = subject.loss(sample.copy())
    except InputError as error:
        if isinstance(error.__cause__, np.linalg.LinAlgError):
            return None
        raise
    return loss if is_finite(loss) else None


def is_steady(subject: Subject, sample: Sample, loss: Any) -> bool:
    """Say whether a loss stays what it is where inputs move by their rounding.

    The logarithm of the determinant of a matrix that is singular does not.
    """
    rng = np.random.default_rng(0)
    moved = {name: array * (1 + ROUNDING * rng.choice([-1.0, 1.0], size=array.shape))
             if array.dtype.kind == "f" else array.copy() for name, array in sample.leaves.items()}
    try:
        other = subject.loss(moved)
    except InputError:
        return False
    return not is_finite(loss) or (
        is_finite(other) and abs(other - loss) <= UNSTEADY * max(1.0, abs(loss)))


def is_finite(loss: Any) -> bool:
    """Say whether a loss is a finite number; what is too large for a float is not."""
    try:
        return math.isfinite(loss)
    except OverflowError:
        return False
