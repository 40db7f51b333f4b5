"""When two values agree, and what is raised when they do not.

In: arrays. Out: a verdict, the place of the largest difference, the exception `Refuted`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symprop.errors import VerificationError

Array = np.ndarray[Any, Any]

RTOL = 1e-9  # relative to the largest entry
ROUNDING = 1e-12  # relative to what was added up, where nearly all of it cancels


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


def agree(left: Array, right: Array, scale: Callable[[], Array]) -> bool:
    """Whether two arrays are equal up to rounding; `scale` is asked only if they are not close.

    Entries that are nan decide nothing; an array of nothing else does not agree.
    """
    with np.errstate(all="ignore"):
        gap = np.abs(left - right)
        if gap.size and gap.max() < np.inf and gap.max() <= RTOL * np.abs(left).max():
            return True  # the usual case, without nan or infinity
        gap = np.where(left == right, 0.0, gap)
        known = ~(np.isnan(left) | np.isnan(right))
        if not np.any(known):
            return left.size == 0
        size = np.maximum(np.abs(left), np.abs(right))
        allowed = RTOL * np.max(size, initial=0.0, where=np.isfinite(size))
        if np.all(gap[known] <= allowed):
            return True
        return bool(np.all((gap <= allowed + ROUNDING * scale())[known]))


def difference(before: Array, after: Array) -> str:
    """The position where two arrays differ most, and what they hold there."""
    with np.errstate(all="ignore"):
        gap = np.nan_to_num(np.abs(before - after), nan=-1.0, posinf=np.inf)
    worst = np.unravel_index(int(np.argmax(gap)), gap.shape)
    where = f"[{', '.join(str(int(k)) for k in worst)}]"
    return f"{before[worst]:.12g} before, {after[worst]:.12g} after, at {where}"
