"""Penalties on weights, to be added to a loss.

In: any number of weight tensors. Out: a scalar.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def l2_penalty(*weights: Any) -> Any:
    """Σ w² over all weights (multiply by λ/2 for the usual weight decay).

    >>> float(l2_penalty(np.array([3.0, 4.0])))
    25.0
    """
    total = np.sum(weights[0] ** 2)
    for weight in weights[1:]:
        total = total + np.sum(weight**2)
    return total


def l1_penalty(*weights: Any) -> Any:
    """Σ |w| over all weights; the derivative at 0 is 0."""
    total = np.sum(np.abs(weights[0]))
    for weight in weights[1:]:
        total = total + np.sum(np.abs(weight))
    return total
