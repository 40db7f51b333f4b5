"""The comparison itself: function = system.

In: a function, its arguments, its System. Out: nothing, or an error of one sentence. The function
runs twice on each draw; a second run that differs, a generator that was drawn from and an input
that was changed are refused by the line that did it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NoReturn

import numpy as np

from symprop.algebra.expr import Iverson, arrays_of, atoms
from symprop.concrete.calls import Call, Subject, quiet
from symprop.concrete.lines import first_values
from symprop.concrete.refusals import Refusal, called
from symprop.concrete.sizes import LENGTHS, Sizes, loop_sizes, sets_of_sizes
from symprop.concrete.sources import State, states_of
from symprop.concrete.tolerance import (
    CLOSE,
    Place,
    first_gap,
    precision,
    scales,
    within_rounding,
)
from symprop.concrete.values import SPECIAL, Values, definite, extended, nudged, ordinary, special
from symprop.errors import InputError, TraceError, VerificationError
from symprop.interpret import run
from symprop.interpret.budget import ALL_SETS, AT_ALL, work
from symprop.interpret.evaluate import extent
from symprop.interpret.narrow import narrow
from symprop.interpret.regular import singular
from symprop.system import Equation, System, itself
from symprop.trace.arguments import Arguments
from symprop.trace.context import code_of, raised_at

Array = np.ndarray[Any, Any]

_SMALL = 30  # equations up to which every set of sizes is tried, else three
_NUDGES = 6
_MOST_LINES = 3  # that write in place, in one message
# Which of equal entries comes first is NumPy's to choose; singular matrices have no pivots.
_NOT_SPECIAL = {"argpartition", "det", "slogdet"}
_NO_PLAIN_RUN = (TypeError, AttributeError, NameError, NotImplementedError)


class NotTheFunction(VerificationError):
    """The traced equations give another value than the function: the sentence says where."""


@dataclass(frozen=True)
class Trial:
    """One draw: the sizes, and what to try in turn until the function is finite."""

    sizes: Sizes
    draws: tuple[Callable[[], Values], ...]
    has_ties: bool = False


def check_function(function: Callable[..., Any], arguments: Arguments, system: System) -> None:
    """Compares. Raises NotTheFunction where the values differ; TraceError for noise, for inputs
    that the function changes, and for a function that no plain arrays can run.
    """
    twin = narrow(system)
    if twin is not None and twin.system.held.keys() == system.held.keys():
        with suppress(NotTheFunction):  # it may be written for the lengths that were declared
            if _runs(Subject(function, arguments, twin.system), []):
                return
    subject = Subject(function, arguments, system)
    errors: list[BaseException] = []
    if not _runs(subject, errors) and errors and (
            all(isinstance(e, _NO_PLAIN_RUN) for e in errors)):
        error = errors[0]
        where = raised_at(error) or system.name
        raise TraceError(
            f"{where}: the function can be traced but does not run on plain arrays, so that "
            f"nothing can compare its equations with it: {type(error).__name__}: {error}"
        ) from error


def _runs(subject: Subject, errors: list[BaseException]) -> int:
    """In how many trials the function had a value to compare; `errors` gets what it raised."""
    system = subject.system
    constants = [a.static for a in system.arguments if a.tree is None]
    states = states_of(subject.function, constants)
    compared: list[Sizes] = []
    for trial in _trials(system, bool(subject.words & _NOT_SPECIAL)):
        drawn = _first_finite(subject, trial, states, errors)
        if drawn is not None:
            compared.append(trial.sizes)
            _compare(subject, trial, *drawn)
    for axis in system.loops:
        if not any(sizes[axis] == LENGTHS[0] for sizes in compared):
            raise NotTheFunction(
                f"{system.name}: the function has no value at {axis} = {LENGTHS[0]} to compare "
                f"the recurrence over {axis} with")
    return len(compared)


def _trials(system: System, no_specials: bool) -> Iterator[Trial]:
    """All sets of sizes and special values for small programs, three trials for large ones."""
    for sizes in loop_sizes(system):
        if work(system, sizes) <= AT_ALL:
            yield _ordinary(system, sizes)
    sets = sorted(sets_of_sizes(system), key=lambda s: work(system, s), reverse=True)
    if not sets:
        return
    least = work(system, sets[-1])
    if least > AT_ALL:
        return
    if least > ALL_SETS:
        yield _ordinary(system, sets[-1])
        return
    sets = [s for s in sets if work(system, s) <= ALL_SETS]
    small = len(system.equations) <= _SMALL
    sets = sets if small else sets[-2:]
    for sizes in sets:
        yield _ordinary(system, sizes)
    if no_specials or any(itself(e) is not None for e in system.equations):
        return
    for kind in SPECIAL if small else SPECIAL[:1]:
        yield Trial(sets[0], (partial(special, system, sets[0], kind),), kind != "large")
    if small and len(sets) > 1:
        yield Trial(sets[-1], (partial(special, system, sets[-1], SPECIAL[0]),), True)


def _ordinary(system: System, sizes: Sizes) -> Trial:
    return Trial(sizes, (
        partial(ordinary, system, sizes, 0), partial(ordinary, system, sizes, 1, positive=True),
        partial(definite, system, sizes, 0)))


def _first_finite(
    subject: Subject, trial: Trial, states: Sequence[State], errors: list[BaseException]
) -> tuple[Values, Call] | None:
    """The first draw at which the function's loss is finite."""
    for make in trial.draws:
        inputs = make()
        try:
            call = called(subject, inputs, states)
        except Refusal:
            raise
        except Exception as error:  # the function's own: there it has no value
            errors.append(error)
            continue
        if np.all(np.isfinite(call.values[subject.system.loss])):
            return inputs, call
    return None


# ---- one draw -----------------------------------------------------------------------------


def _compare(subject: Subject, trial: Trial, inputs: Values, call: Call) -> None:
    """Raises NotTheFunction for the first equation, or output, that differs."""
    system, sizes = subject.system, trial.sizes
    try:
        arrays = run(system, inputs, sizes)
    except IndexError as error:
        raise NotTheFunction(
            f"{system.name}{_at(sizes)}: the traced equations cannot be evaluated where the "
            f"function runs: {error}") from error
    except InputError:  # a linear system too close to a singular one
        return
    for shape, (name, array) in zip(system.output_shapes, system.outputs, strict=True):
        wanted = tuple(extent(s, sizes) for s in shape)
        if np.shape(call.values[array]) != wanted:
            raise NotTheFunction(
                f"{system.name}{_at(sizes)}: the output {name} has the shape "
                f"{np.shape(call.values[array])} in the function and {wanted} in the traced "
                "equations")
    if singular(system, arrays, sizes) is not None:
        return
    check = _Check(subject, trial, inputs, arrays)
    wrong = [n for n, v in call.values.items() if check.gap(n, v) is not None]
    if wrong and not check.compares_nan:
        check.report(wrong[0], call.values)


class _Check:
    """The equations' values on one draw, held against the function's."""

    def __init__(
        self, subject: Subject, trial: Trial, inputs: Values, arrays: Mapping[str, Array]
    ) -> None:
        self.subject, self.inputs, self.arrays = subject, inputs, arrays
        self.sizes, self.has_ties = trial.sizes, trial.has_ties

    @cached_property
    def solves(self) -> bool:
        """Whether an equation is solved for its array."""
        return any(itself(e) is not None for e in self.subject.system.equations)

    @property
    def compares_nan(self) -> bool:
        """Whether a bracket compares what is nan: neither it nor its opposite holds there."""
        brackets = (a for e in self.subject.system.equations for a in atoms(e.rhs)
                    if isinstance(a, Iverson))
        compared = {n for a in brackets for side in (a.lhs, a.rhs) for n in arrays_of(side)}
        return any(np.any(np.isnan(self.arrays[n])) for n in compared)

    @cached_property
    def literal(self) -> dict[str, Array]:
        """The equations' values where nearly equal numbers are no ties."""
        return run(self.subject.system, self.inputs, self.sizes, literal=True)

    @cached_property
    def scales(self) -> dict[str, Array]:
        """What was added up for every entry."""
        return scales(self.subject.system, self.arrays, self.sizes)

    def gap(self, name: str, value: Any) -> Place | None:
        """The entry of an array of the system that is not what the function gives."""
        ours = np.asarray(self.arrays[name])
        theirs = np.asarray(value).reshape(ours.shape)
        if self.solves:  # the interpreter solves no system close to a singular one
            theirs = np.where(np.isfinite(ours), theirs, np.nan)
        at = first_gap(ours, theirs, CLOSE, None)
        if at is None:
            return None
        scale = self.scales.get(name)
        at = first_gap(ours, theirs, precision(self.subject.words), scale)
        if at is None:
            return None
        if within_rounding(ours, theirs, at, _Beside(self, name)):
            return None
        literal = np.asarray(self.literal[name])  # 1 - 1e-10 < 1 is no tie to the function
        return first_gap(literal, theirs, precision(self.subject.words), scale)

    def report(self, name: str, values: Mapping[str, Any]) -> NoReturn:
        """Raises, naming the first equation whose array the function holds otherwise."""
        held = self._held() | {name: np.asarray(values[name])}
        for equation in self.subject.system.equations:
            found = held.get(equation.array)
            if found is None or found.size != np.size(self.arrays[equation.array]):
                continue
            at = self.gap(equation.array, found)
            if at is not None:
                ours = np.asarray(self.arrays[equation.array])
                raise NotTheFunction(self._sentence(equation, at, ours[at], found.reshape(
                    ours.shape)[at]))
        raise NotTheFunction(f"{self.subject.system.name}{_at(self.sizes)}: {name} differs")

    def _held(self) -> dict[str, Array]:
        """The function's own variables that have the names of equations."""
        copies = {n: np.array(v) for n, v in self.inputs.items()}
        with quiet():
            return first_values(
                lambda: self.subject.call_on(copies), code_of(self.subject.function))

    def _sentence(self, equation: Equation, at: Place, ours: Any, theirs: Any) -> str:
        where = equation.source or self.subject.system.name
        entry = equation.array + (f"[{', '.join(map(str, at))}]" if at else "")
        differs = (
            f"{where}: the traced equations are not the function{_at(self.sizes)}: "
            f"({equation.number}) gives {entry} = {ours:.12g}, the function {theirs:.12g}; ")
        written = self.subject.system.written
        if written:
            return differs + (
                f"{', '.join(written[:_MOST_LINES])} writes in place, and what was taken from "
                "that array before, a part or a transpose, shares its memory: take it after the "
                "write, or write into a copy, x = x.copy()")
        return differs + (
            "if it does the same on traced and on plain arrays, this is a mistake of symprop: "
            "please report it, and write the line in another way")


@dataclass(frozen=True)
class _Beside:
    """An array of the system at other roundings."""

    check: _Check
    name: str

    def equations(self) -> Iterator[Array]:
        """By the equations; where there are ties, with inputs all off by one factor."""
        check = self.check
        for turn in range(_NUDGES):
            with suppress(IndexError, InputError):
                values = nudged(check.inputs, turn, check.has_ties)
                yield np.asarray(run(check.subject.system, values, check.sizes)[self.name])

    def function(self) -> Iterator[Array]:
        """By the function, with inputs each off by a factor of its own."""
        for turn in range(_NUDGES):
            value = self._called(nudged(self.check.inputs, turn, common=False))
            if value is not None:
                yield value

    def longer(self) -> Array | None:
        """By the function in extended precision; None where it does not run in that."""
        values = extended(self.check.inputs)
        return None if values is None else self._called(values)

    def _called(self, values: Values) -> Array | None:
        """None where the function has no value; what is no output of it is not looked at."""
        try:
            found = self.check.subject.call(values).values.get(self.name)
        except Exception:
            return None
        return None if found is None else found.reshape(np.shape(self.check.arrays[self.name]))


def _at(sizes: Mapping[str, int]) -> str:
    return "".join([" at ", ", ".join(f"{n} = {s}" for n, s in sizes.items())]) if sizes else ""
