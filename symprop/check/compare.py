"""Compares tables of gradients with one another.

In: gradients by name. Out: the names of those that differ, beyond rounding on their own scale.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

CLOSE = 1e-9


def differing(expected: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Name the arrays in which two tables of gradients differ; nan equals nan here.

    A gradient whose true value is zero holds rounding alone, on the scale of the others.

    >>> differing({"a": 1.0, "b": 2.0}, {"a": 1.0, "b": 2.1})
    'b'
    """
    wrong = []
    sizes = {name: largest(gradient) for name, gradient in expected.items()}
    least = 1e-3 * max(sizes.values(), default=0.0)
    for name, gradient in expected.items():
        left, right = np.asarray(gradient), np.asarray(found.get(name, np.nan))
        allowed = CLOSE * max(sizes[name], least)
        if left.shape != right.shape or not np.allclose(
            left, right, rtol=CLOSE, atol=allowed, equal_nan=True
        ):
            wrong.append(name)
    return ", ".join(wrong)


def largest(gradient: Any) -> float:
    """Return the largest entry, or 0 where something is not finite."""
    array = np.asarray(gradient)
    return float(np.max(np.abs(array), initial=0.0)) if np.all(np.isfinite(array)) else 0.0


def equal(left: Any, right: Any) -> bool:
    """Say whether two arrays hold the same numbers; nan equals nan here."""
    return bool(np.array_equal(left, right, equal_nan=left.dtype.kind == "f"))
