"""Losses of classes: what the right label was given, in logarithms.

In: logits or log-probabilities with the classes along one axis, and labels. Out: a scalar, or
one loss for every example with reduction="none".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop.errors import InputError
from symprop.nn.activations import log_softmax
from symprop.nn.arguments import along
from symprop.nn.losses import reduced
from symprop.trace.context import located


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    axis: int | None = None,
    ignore_index: int | None = None,
) -> Any:
    """Cross-entropy of softmax(input) with integer labels or distributions.

    input: logits, classes along `axis` (torch's convention: 1, or 0 for a vector). target:
    integer labels without that axis, or a distribution of input's shape. The mean is over
    the examples (weighted, when labels carry a class `weight`). Labels that are `ignore_index`
    count for nothing (torch leaves -100 out unless told otherwise). Raises InputError for labels
    that are none.

    >>> float(cross_entropy(np.array([[0.0, 0.0]]), np.array([1])).round(6))
    0.693147
    """
    axis = (1 if input.ndim > 1 else 0) if axis is None else axis
    log_p = log_softmax(input, axis=axis)
    classes = input.shape[axis]
    if target.ndim == input.ndim:
        if ignore_index is not None:
            raise located(InputError, (
                "cross_entropy: ignore_index is for labels, but the target is a distribution"))
        if label_smoothing:
            target = (1 - label_smoothing) * target + label_smoothing / classes
        weighted = target * log_p
        if weight is not None:
            weighted = along(weight, axis, input.ndim) * weighted
        return reduced(-np.sum(weighted, axis=axis), reduction, "cross_entropy")
    kept = None if ignore_index is None else target != ignore_index
    label = target if kept is None else np.where(kept, target, 0)
    picked = -at_label(log_p, label, axis)
    factors = None if weight is None else np.take(weight, label)
    loss = picked if factors is None else factors * picked
    if label_smoothing:
        spread = log_p if weight is None else along(weight, axis, input.ndim) * log_p
        uniform = -np.sum(spread, axis=axis)
        loss = (1 - label_smoothing) * loss + (label_smoothing / classes) * uniform
    return _mean_kept(loss, factors, kept, reduction, "cross_entropy")


def _mean_kept(loss: Any, factors: Any, kept: Any, reduction: str, name: str) -> Any:
    """The losses of the examples that are kept; a mean is weighted by their factors."""
    if kept is not None:
        loss = np.where(kept, loss, 0)
    if reduction != "mean" or (factors is None and kept is None):
        return reduced(loss, reduction, name)
    if factors is None:
        return np.sum(loss) / np.sum(kept)
    return np.sum(loss) / np.sum(factors if kept is None else np.where(kept, factors, 0))


def at_label(log_p: Any, target: Any, axis: int) -> Any:
    """log_p at the label, along `axis`."""
    _expect_labels(log_p, target)
    if log_p.ndim == 1:
        return np.take(log_p, target)
    taken = np.take_along_axis(log_p, np.expand_dims(target, axis), axis=axis)
    return np.squeeze(taken, axis=axis)


def _expect_labels(input: Any, target: Any) -> None:
    """Raises InputError unless the target is of integers, without the axis of classes."""
    whole = np.dtype(target.dtype).kind in "iu"
    if not whole or target.ndim != input.ndim - 1:
        raise located(InputError, (
            f"the target is of {'integers' if whole else 'floats'} and of rank {target.ndim}, but "
            f"labels of an input of rank {input.ndim} are integers of rank {input.ndim - 1}"))


def nll_loss(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean",
    axis: int | None = None, ignore_index: int | None = None,
) -> Any:
    """-input at the label: the negative log-likelihood of log-probabilities.

    input: log-probabilities, classes along `axis` (1, or 0 for a vector). target: integers
    without that axis. The mean is weighted where labels carry a class `weight`. `ignore_index` as
    in `cross_entropy`.

    >>> float(nll_loss(np.log(np.array([[0.25, 0.75]])), np.array([0])).round(6))
    1.386294
    """
    axis = (1 if input.ndim > 1 else 0) if axis is None else axis
    kept = None if ignore_index is None else target != ignore_index
    label = target if kept is None else np.where(kept, target, 0)
    picked = -at_label(input, label, axis)
    factors = None if weight is None else np.take(weight, label)
    loss = picked if factors is None else factors * picked
    return _mean_kept(loss, factors, kept, reduction, "nll_loss")
