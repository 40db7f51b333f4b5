"""Floats that are ratios of small numbers to the last bit.

In: a float. Out: a ratio whose denominator is at most 64, or None.
"""

from __future__ import annotations

from fractions import Fraction

_LARGEST_BELOW = 64
_LARGEST_ABOVE = 10_000


def nearest(value: float) -> Fraction | None:
    """The ratio of small numbers that is this float to the last bit.

    >>> nearest(1 / 3), nearest(0.3)
    (Fraction(1, 3), Fraction(3, 10))
    """
    found = small_ratio(value)
    return found if found is not None and float(found) == value else None


def small_ratio(value: float) -> Fraction | None:
    """The ratio of small numbers that comes next to a positive float; None if it is far off."""
    if not 1e-9 < value < _LARGEST_ABOVE:
        return None
    return Fraction(value).limit_denominator(_LARGEST_BELOW) or None
