"""Whether what the function gives and what its equations give are one value up to rounding.

In: both values, how much was added up, a way to run the function beside the point. Out: the first
entry that differs, or nothing. Entries at which the function is not finite decide nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from symprop.algebra.expr import Apply, Atom
from symprop.interpret.evaluate import Magnitude
from symprop.interpret.grid import Frame
from symprop.system import System

Array = np.ndarray[Any, Any]

CLOSE = 1e-9  # relative to the entry
ROUNDING = 1e-12  # relative to what was added up for it
_JUMPS = 2.0  # of what the function changes by within its own rounding
# What a function that computes in fewer digits loses, by the words that ask for it.
_NARROW = {"float16": 3e-2, "half": 3e-2, "f2": 3e-2, "float32": 1e-4, "single": 1e-4,
           "f4": 1e-4, "f": 1e-4}

Place = tuple[int, ...]


def first_gap(ours: Array, theirs: Array, allowed: float, scale: Array | None) -> Place | None:
    """The entry that is farthest off, if it is off by more than rounding."""
    with np.errstate(all="ignore"):
        gap = np.abs(ours - theirs)
        limit = allowed * np.maximum(np.abs(theirs), np.abs(ours))
        if scale is not None:
            limit = limit + max(ROUNDING, allowed if allowed > CLOSE else 0.0) * scale
        wrong = np.isfinite(theirs) & (ours != theirs) & ~(gap <= limit)
        if not np.any(wrong):
            return None
        gap = np.where(wrong, np.where(np.isnan(gap), np.inf, gap), -1.0)
    worst = np.unravel_index(int(np.argmax(gap)), gap.shape)
    return tuple(int(k) for k in worst)


def scales(
    system: System, arrays: Mapping[str, Array], sizes: Mapping[str, int]
) -> dict[str, Array]:
    """For every computed array the size of what its entries are added up from."""
    found: dict[str, Array] = {}
    for equation in system.equations:
        value = np.asarray(arrays[equation.array])
        if value.dtype.kind == "f":
            size = _Size(arrays, sizes, found).value(equation.rhs, equation.indices)
            found[equation.array] = np.maximum(size, np.abs(value))
    return found


class _Size(Magnitude):
    """A scalar function counts for 1 at least: its definition adds numbers of that size.

    log(1 + exp(-20)) worked out so has 7 digits.
    """

    def power(self, item: Atom, exponent: Any, frame: Frame, live: Any) -> Any:
        """As a magnitude, and of a function 1 at least."""
        found = super().power(item, exponent, frame, live)
        return np.maximum(found, 1.0) if isinstance(item, Apply) and exponent > 0 else found


def within_rounding(ours: Array, theirs: Array, at: Place, beside: Beside) -> bool:
    """Whether rounding decides an entry: the equations jump by as much when their inputs are off
    by a few units in the last place, or the function when it computes with more digits.

    That is so at ties that are none in exact arithmetic, and where errors are blown up.
    """
    gap = abs(ours[at] - theirs[at])
    if not np.isfinite(gap):
        return False
    if gap <= _JUMPS * _spread(ours, at, beside.equations()):
        return True
    longer = beside.longer()
    if longer is not None and longer.shape == theirs.shape:
        return bool(abs(longer[at] - theirs[at]) >= gap / 4)
    return bool(gap <= _JUMPS * _spread(theirs, at, beside.function()))


class Beside(Protocol):
    """What an array is at other roundings."""

    def equations(self) -> Iterator[Array]:
        """By the equations; where there are ties, with inputs all off by one factor."""

    def function(self) -> Iterator[Array]:
        """By the function, with inputs each off by a factor of its own."""

    def longer(self) -> Array | None:
        """By the function in extended precision; None where that cannot be."""


def _spread(value: Array, at: Place, others: Iterator[Array]) -> float:
    near = [value[at], *(v[at] for v in others if v.shape == value.shape)]
    finite = [v for v in near if np.isfinite(v)]
    return float(max(finite) - min(finite)) if len(finite) == len(near) else np.inf


def precision(words: Collection[str]) -> float:
    """What is allowed, relative to the entry: more where the code asks for fewer digits."""
    return max((_NARROW[w] for w in words if w in _NARROW), default=CLOSE)
