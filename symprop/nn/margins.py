"""Losses of several classes that are to be apart by a margin.

In: scores (N, C) and labels. Out: a scalar, or a loss for every example.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop.errors import InputError
from symprop.nn.classification import at_label
from symprop.nn.losses import reduced
from symprop.trace.context import located
from symprop.trace.primitives import elementwise


def multi_margin_loss(
    input: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None,
    reduction: str = "mean",
) -> Any:
    """Σ_j max(0, margin - x[y] + x[j])^p / C over the classes j that are not the label y.

    input: (N, C) or (C,). target: integers (N,) or (). p: 1 or 2. weight: (C,), of the label's
    class. Raises InputError for another p and for labels that are none.

    >>> float(multi_margin_loss(np.array([[1.0, 0.5]]), np.array([0])))
    0.25
    """
    if p not in (1, 2):
        raise located(InputError, f"multi_margin_loss: p is 1 or 2, not {p!r}")
    right = np.expand_dims(at_label(input, target, -1), -1)
    slack = elementwise("relu", margin - right + input) ** p
    if weight is not None:
        slack = slack * np.expand_dims(np.take(weight, target), -1)
    classes = np.shape(input)[-1]
    others = np.expand_dims(target, -1) != np.arange(classes)
    values = np.sum(np.where(others, slack, 0), axis=-1) / classes
    return reduced(values, reduction, "multi_margin_loss")


def multilabel_soft_margin_loss(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean"
) -> Any:
    """The mean over classes of the cross-entropies of yes and no, from scores (*, C).

    target: 0 or 1 for every class. weight: (C,).

    >>> float(multilabel_soft_margin_loss(np.zeros((1, 3)), np.array([[1.0, 0.0, 1.0]])).round(6))
    0.693147
    """
    values = elementwise("softplus", input) - target * input
    if weight is not None:
        values = weight * values
    return reduced(np.mean(values, axis=-1), reduction, "multilabel_soft_margin_loss")
