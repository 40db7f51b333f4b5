"""Values for the inputs of a function that is compared with its equations.

In: a System, sizes. Out: arrays from the declared domains: ordinary ones, and special ones at
which definitions tend to differ: 0, ±1, 0.1, 3, 1e17, and ties.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symprop.interpret import draw
from symprop.system import Array, System

Values = dict[str, np.ndarray[Any, Any]]

SPECIAL = ("mixed", "tied", "large")
_MIXED = (0.0, 1.0, -1.0, 0.1, 3.0)
_TIED = (1.0, 0.0, 3.0, -1.0, 0.1)
_NUDGE = 2.0**-50  # a few units in the last place


def ordinary(
    system: System, sizes: Mapping[str, int], seed: int, positive: bool = False
) -> Values:
    """Random values inside the declared domains."""
    return draw(system, seed, sizes, positive)[1]


def definite(system: System, sizes: Mapping[str, int], seed: int) -> Values:
    """The same with symmetric positive definite matrices for whatever is square."""
    values = ordinary(system, sizes, seed)
    for name, value in values.items():
        square = value.ndim >= 2 and value.shape[-1] == value.shape[-2]
        if square and value.dtype.kind == "f" and name not in system.held:
            values[name] = value @ np.swapaxes(value, -1, -2) + np.eye(value.shape[-1])
    return values


def special(system: System, sizes: Mapping[str, int], kind: str) -> Values:
    """Special values wherever a domain holds them, ordinary ones elsewhere."""
    values = ordinary(system, sizes, 0)
    generator = np.random.default_rng(len(kind))
    for turn, (name, value) in enumerate(values.items()):
        allowed = _allowed(system, system.arrays[name], kind)
        if not allowed:
            continue
        if kind == "tied":
            values[name] = np.full(value.shape, allowed[turn % len(allowed)])
        else:
            some = np.resize(allowed, value.shape)  # every one of them, where there is room
            values[name] = generator.permutation(some.ravel()).reshape(value.shape)
    return values


def _allowed(system: System, array: Array, kind: str) -> list[float]:
    """The special values in the domain of an array; none where it is otherwise restricted."""
    facts = {f.kind: f.args for f in system.facts if f.array == array.name}
    free = array.dtype == "float" and array.name not in system.held
    if not free or facts.keys() - {"positive", "in_range"}:
        return []
    wanted = {"mixed": _MIXED, "tied": _TIED, "large": (*_MIXED, 1e17)}[kind]
    low, high = (float(end) for end in facts.get("in_range", (-np.inf, np.inf)))
    return [v for v in wanted if low <= v <= high and (v > 0 or "positive" not in facts)]


def nudged(values: Mapping[str, np.ndarray[Any, Any]], turn: int, common: bool) -> Values:
    """The values off by a few units in the last place: all by one factor, or each by its own.

    Zeros stay zeros, and under one factor ties stay ties.
    """
    generator = np.random.default_rng(turn)
    found = {}
    for name, value in values.items():
        if value.dtype.kind == "f":
            own = 2 * turn - 5 if common else generator.integers(-4, 5, value.shape)
            value = value * (1.0 + _NUDGE * own)
        found[name] = np.asarray(value)
    return found


def extended(values: Mapping[str, np.ndarray[Any, Any]]) -> Values | None:
    """The values with more digits; None where this machine has none."""
    if np.finfo(np.longdouble).nmant <= np.finfo(float).nmant:
        return None
    return {n: v.astype(np.longdouble) if v.dtype.kind == "f" else v for n, v in values.items()}
