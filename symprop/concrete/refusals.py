"""What a function may not do, found by running it twice: draw random numbers, keep a state, read a
clock, change its inputs.

In: a subject and inputs. Out: what one call gave, or a TraceError that names the line.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symprop.concrete.calls import Call, Subject, quiet, same
from symprop.concrete.lines import first_difference, first_line
from symprop.concrete.sources import State, snapshot
from symprop.errors import TraceError

Array = np.ndarray[Any, Any]

_PAUSE = 0.2  # seconds after which a clock shows another time by more than rounding
_DRIFT = 1e-11  # relative: more than the order of a sum can change


def called(subject: Subject, inputs: Mapping[str, Array], states: Sequence[State]) -> Call:
    """One call, and a second one that must give the same. Raises what the function raises."""
    before = snapshot(states)
    first = subject.call(inputs)
    if snapshot(states) != before:
        raise Refusal(_random(subject, inputs, states))
    if first.changed:
        raise Refusal(_changed(subject, inputs, first.changed[0]))
    if _differ(first, subject.call(inputs)):
        time.sleep(_PAUSE)
        again = subject.call(inputs)
        if any(_drift(first.values[n], again.values[n]) for n in first.values):
            raise Refusal(_unsteady(subject, inputs))
    return first


class Refusal(TraceError):
    """A function that gives other values on every call, or that changes its inputs."""


def _differ(one: Call, other: Call) -> bool:
    return any(not same(value, other.values[name]) for name, value in one.values.items())


def _drift(one: Any, other: Any) -> bool:
    """Whether two runs differ by more than the order in which a processor adds."""
    if one.shape != other.shape:
        return True
    finite = np.isfinite(one) & np.isfinite(other)
    if not np.array_equal(np.isfinite(one), np.isfinite(other)):
        return True
    size = np.max(np.abs(one), initial=0.0, where=finite)
    return bool(np.any(np.abs(one[finite] * 1.0 - other[finite]) > _DRIFT * size))


def _random(subject: Subject, inputs: Mapping[str, Array], states: Sequence[State]) -> str:
    before = snapshot(states)
    with quiet():
        line = first_line(
            lambda: subject.call_on(_copies(inputs)), lambda: snapshot(states) != before)
    return (
        f"{line or subject.system.name}: random numbers were drawn here; they would be the same "
        "on every call of the module: pass random arrays as inputs of the function")


def _changed(subject: Subject, inputs: Mapping[str, Array], name: str) -> str:
    copies = _copies(inputs)
    with quiet():
        line = first_line(
            lambda: subject.call_on(copies), lambda: not same(copies[name], inputs[name]))
    return (
        f"{line or subject.system.name}: the function changes its input {name} in place, which "
        f"its equations cannot say: work on a copy, {name} = {name} * 1.0, or build a new array")


def _unsteady(subject: Subject, inputs: Mapping[str, Array]) -> str:
    with quiet():
        line = first_difference(
            lambda: subject.call_on(_copies(inputs)), lambda: subject.call_on(_copies(inputs)))
    return (
        f"{line or subject.system.name}: a second run of the function on the same arrays gives "
        "another value here (random numbers, a clock, or something kept between calls); in the "
        "module it would be a constant: pass what changes as an input of the function")


def _copies(inputs: Mapping[str, Array]) -> dict[str, Array]:
    return {name: np.array(value) for name, value in inputs.items()}
