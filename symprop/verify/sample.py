"""Positions at which the lines of a large adjoint are looked at.

In: an adjoint and sizes. Out: for every long axis its first and last positions, those beside every
whole number that its lines name, and some between. The sums of a line are never cut: what is
wrong in a border, at an offset of a window or at a cut is wrong at one of these.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop.algebra.expr import Expr, atoms
from symprop.interpret.evaluate import extent
from symprop.interpret.grid import Positions
from symprop.system import Adjoint

Array = np.ndarray[Any, Any]

_FEW = 500  # positions that are all looked at
_ENDS = 3  # positions at either end of an axis
_NAMED = 12  # of the whole numbers that the lines name


def sampled(adjoint: Adjoint, sizes: Any) -> Positions:
    """The values of the indices that do not take all of theirs; none where all are few."""
    lengths = tuple(extent(i.size, sizes) for i in adjoint.indices)
    if np.prod(lengths, dtype=float) <= _FEW:
        return {}
    return _chosen(adjoint, lengths)


def _chosen(adjoint: Adjoint, lengths: tuple[int, ...]) -> Positions:
    named = _named(adjoint)
    found = {}
    for k, (index, length) in enumerate(zip(adjoint.indices, lengths, strict=True)):
        ends = [*range(_ENDS), *range(length - _ENDS, length), *named]
        between = np.random.default_rng(k).integers(0, length, 2).tolist()
        chosen = sorted({p for p in (*ends, *between) if 0 <= p < length})
        if len(chosen) < length:
            found[index] = np.array(chosen)
    return found


def _named(adjoint: Adjoint) -> tuple[int, ...]:
    """The whole numbers in the lines of an adjoint, and their neighbours."""
    numbers: dict[int, None] = {}
    for step in adjoint.steps:
        for item in (a for side in (step.before, step.after) for a in atoms(side)):
            for child in item.children:
                numbers.update(dict.fromkeys(_constants(child)))
    kept = sorted(numbers)[:_NAMED]
    return tuple(n + near for n in kept for near in (-1, 0, 1))


def _constants(position: Expr) -> list[int]:
    return [abs(int(t.coef)) for t in position.terms
            if not t.factors and t.coef.denominator == 1 and abs(t.coef) > _ENDS]


def only_at(at: Positions, adjoint: Adjoint, direction: Array) -> Array:
    """The direction with 0 at all positions that are not looked at."""
    for axis, index in enumerate(adjoint.indices):
        if index in at:
            kept = np.zeros(direction.shape[axis], bool)
            kept[at[index]] = True
            direction = direction * kept.reshape([-1 if k == axis else 1
                                                  for k in range(direction.ndim)])
    return direction
