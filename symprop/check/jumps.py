"""Looks for the places where a claimed gradient jumps: thresholds, cuts and kinks.

In: `Places`, a sample. Out: failed rows. All free arrays move along a random line; between two
points of it the claimed slope is followed to where it changes most, until it changes there at once
(a jump) or is smooth. On both sides of a jump the claim must hold: a threshold that only backward
has is found where the loss has none.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from symprop.check.places import Places
from symprop.check.probes import Trial
from symprop.check.report import CheckRow
from symprop.check.samples import Sample, is_finite
from symprop.check.together import direction
from symprop.errors import InputError

REACH = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
BESIDE = 4e-6  # from a jump: nearer than a small threshold, further than a small step
NARROW = 1e-9
WITHIN = (0.5, 1.0, 1.5)  # of that distance
CALM = 1e-2
SMOOTH = 1e-4  # of the slope: what changes less between two points is not followed

Slope = Callable[[float], float]


def wrong_beside_jumps(
    places: Places, sample: Sample, free: Sequence[str], number: int, reach: Sequence[float] = REACH
) -> dict[str, CheckRow]:
    """Return failed rows for gradients that are wrong on a line, or beside a jump found on it."""
    rng = np.random.default_rng([places.sampler.seed, 6, number])
    away = {name: rng.normal(size=sample.leaves[name].shape) for name in free}
    trial = Trial(places.subject, sample, {}, places.rtol, places.sampler.seed, places.axes)
    towards = direction(trial, places.names, rng)

    def at(t: float) -> Sample:
        moved = {name: sample.leaves[name] + t * step for name, step in away.items()}
        return replace(sample, leaves={**sample.leaves, **moved})

    def slope(t: float) -> float:
        try:
            return towards.slope(places.subject.gradients(at(t).copy()))
        except (InputError, KeyError, ValueError, TypeError):
            return np.nan

    points = [sign * t for sign in (1.0, -1.0) for t in reach]
    for t in points:
        rows = places.wrong(at(t), _far(t), 1)
        if rows:
            return rows
    ends = sorted(set(points))
    for left, right in itertools.pairwise(ends):
        jump = find_jump(slope, left, right)
        for side in (-BESIDE, BESIDE) if jump is not None else ():
            assert jump is not None
            if _is_settled(slope, jump, side):
                rows = places.wrong(at(jump + side), "beside a jump of this gradient:", 2)
                if rows:
                    return rows
    return {}


def _is_settled(slope: Slope, jump: float, side: float) -> bool:
    """Say whether a slope is smooth beside a jump: x % y with a small y jumps all the way."""
    found = [slope(jump + part * side) for part in WITHIN]
    return is_finite(sum(found)) and max(found) - min(found) <= CALM * max(map(abs, found))


def find_jump(slope: Slope, left: float, right: float) -> float | None:
    """Return where a function of a number jumps between two points, None if it seems smooth.

    >>> round(find_jump(lambda t: t + (t > 0.3), 0.0, 1.0), 6)
    0.3
    >>> find_jump(lambda t: t * t, 0.0, 1.0) is None
    True
    """
    low, high = slope(left), slope(right)
    scale = max(abs(low), abs(high))
    while right - left > NARROW * max(1.0, abs(left)):
        if not abs(high - low) > SMOOTH * scale:
            return None
        middle = (left + right) / 2
        value = slope(middle)
        if not np.isfinite(value):
            return None
        if abs(value - low) >= abs(high - value):
            right, high = middle, value
        else:
            left, low = middle, value
    return (left + right) / 2


def _far(t: float) -> str:
    return f"{abs(t):g} away on a random line:" if t else "on other arrays:"
