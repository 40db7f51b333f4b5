"""Whether what a row states of itself is true of its definition.

In: the name of a row. Out: nothing, or a sentence that says where a stated derivative is not
the derivative of the definition. Asked when a derivation is refuted, to say who is to blame.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

import numpy as np

from symprop.algebra import rows
from symprop.interpret.functions import value, value_of

_STEP = 1e-30
_AGREE = 1e-8


def misstated(names: Iterable[str]) -> str | None:
    """The first row whose stated derivative is wrong at some point of its domain."""
    for name in names:
        row = rows.get(name)
        for k, stated in enumerate(row.derivative):
            found = _wrong_at(row, k) if stated is not None else None
            if found is not None:
                point, says, true = found
                at = ", ".join(f"{x:g}" for x in point)
                return (f"the scalar function {name} states a derivative that is not that of its "
                        f"definition: at ({at}) it says {says:.6g}, but the definition has "
                        f"{true:.6g}")
    return None


def _wrong_at(row: rows.Row, k: int) -> tuple[tuple[float, ...], float, float] | None:
    """(point, the stated slope, the slope of the definition by a complex step) if they differ."""
    formal = rows.partial(row.name, k, rows.X[: row.arity])
    for point in itertools.product(*(_samples(*d) for d in row.domains)):
        with np.errstate(all="ignore"):
            moved = [np.complex128(x + 1j * _STEP * (j == k)) for j, x in enumerate(point)]
            true = float(np.imag(value(row.name, tuple(moved))) / _STEP)
            says = float(np.real(value_of(formal, point)))
        if np.isfinite(true) and not abs(says - true) <= _AGREE * max(1.0, abs(true)):
            return point, says, true
    return None


def _samples(low: float, high: float) -> tuple[float, ...]:
    """A few moderate numbers of an open interval."""
    if math.isinf(low) and math.isinf(high):
        return -1.7, -0.6, 0.4, 1.3
    if math.isinf(high):
        return low + 0.3, low + 0.9, low + 1.8
    return tuple(low + t * (high - low) for t in (0.2, 0.5, 0.8))
