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
    """Σ |w| over all weights; the derivative at 0 is 0.

    >>> float(l1_penalty(np.array([3.0, -4.0])))
    7.0
    """
    total = np.sum(np.abs(weights[0]))
    for weight in weights[1:]:
        total = total + np.sum(np.abs(weight))
    return total


def elastic_net_penalty(*weights: Any, alpha: float = 1.0, l1_ratio: float = 0.5) -> Any:
    """alpha (l1_ratio Σ |w| + ½ (1 - l1_ratio) Σ w²), as scikit-learn's ElasticNet has it.

    Source: Zou and Hastie, J. R. Statist. Soc. B 67 (2005).

    >>> float(elastic_net_penalty(np.array([3.0, -4.0])))
    9.75
    """
    return alpha * (
        l1_ratio * l1_penalty(*weights) + 0.5 * (1 - l1_ratio) * l2_penalty(*weights))
