"""Draws on which a maximum sits on its kink.

In: a system with the values of a draw. Out: whether two candidates of a maximum (or minimum) are
nearly equal there. A tie is where the derivative is a convention, and where differences of the
equation, by rounding alone, say something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symprop.algebra.expansion import DET
from symprop.algebra.expr import Extremum, atoms, free_indices
from symprop.interpret.evaluate import Evaluator
from symprop.system import System

_CLOSE = 1e-6


def tied(system: System, arrays: Mapping[str, Any], sizes: Mapping[str, int]) -> bool:
    """Whether the two best candidates of a maximum agree to six digits."""
    evaluator = Evaluator(dict(arrays), sizes)
    for equation in system.equations:
        for item in atoms(equation.rhs):
            if not isinstance(item, Extremum) or item.kind == DET:
                continue
            axes = (*equation.indices, *item.bound)
            if not free_indices(item.body) <= set(axes):
                continue  # within a sum or another maximum
            values = evaluator.value(item.body, axes)
            rows = values.reshape(*values.shape[: len(equation.indices)], -1)
            if rows.shape[-1] > 1 and _close(rows if item.kind == "max" else -rows):
                return True
    return False


def _close(rows: np.ndarray[Any, Any]) -> bool:
    second, best = np.moveaxis(np.partition(rows, -2)[..., -2:], -1, 0)
    finite = np.isfinite(second) & np.isfinite(best)
    with np.errstate(invalid="ignore"):
        return bool(np.any(finite & (best - second <= _CLOSE * np.abs(best))))
