"""When two values agree, and what is raised when they do not.

In: arrays. Out: a verdict, the place of the first difference, the exception `Refuted`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symprop.errors import VerificationError

Array = np.ndarray[Any, Any]

RTOL = 1e-9  # relative to the entry
ROUNDING = 1e-12  # relative to what was added up for it, where nearly all of it cancels
LEAST = 1e6 * 5e-324  # of numbers below 1e-308, a product is rounded to multiples of 5e-324


class Refuted(VerificationError):
    """A step that random tensors refute: its equation, rule, and those tensors."""

    def __init__(
        self, equation: str, rule: str, problem: str,
        sizes: Mapping[str, int], tensors: Mapping[str, Any],
    ) -> None:
        self.equation, self.rule = equation, rule
        self.sizes, self.tensors = dict(sizes), dict(tensors)
        at = ", ".join(f"{k}={v}" for k, v in self.sizes.items())
        super().__init__(f"({equation}), rule '{rule}': {problem} (at sizes {at})")


def agree(before: Array, after: Array, scale: Callable[[], Array]) -> bool:
    """Whether no entry of `after` is refuted."""
    return not np.any(refuted(before, after, scale))


def refuted(before: Array, after: Array, scale: Callable[[], Array]) -> Array:
    """Where `after` is not `before` up to rounding: entry by entry, each by its own measure.

    An entry is measured by itself, and where that does not tell by what was added up for it:
    `scale` is asked only then. Where `before` is nan nothing is decided, and a line that is nan
    everywhere decides too little; where it is finite `after` must be.
    """
    with np.errstate(all="ignore"):
        gap = np.abs(after - before)
        wrong = np.asarray(~(gap <= RTOL * np.abs(before)))
        if not wrong.any():
            return wrong  # the usual case, without nan or infinity
        unknown = np.asarray(np.isnan(before))
        if unknown.all():
            return unknown
        wrong &= (before != after) & ~unknown
        lost = np.asarray(wrong & np.isfinite(before) & ~np.isfinite(after))
        if lost.any() or not wrong.any():
            return lost
        size = np.maximum(np.abs(before), np.abs(after))
        return np.asarray(wrong & ~(gap <= RTOL * size + ROUNDING * scale() + LEAST))


def difference(before: Array, after: Array, wrong: Array) -> str:
    """The first entry that is wrong, and what it holds before and after."""
    first = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
    where = f"[{', '.join(str(int(k)) for k in first)}]"
    return f"{before[first]:.12g} before, {after[first]:.12g} after, at {where}"
