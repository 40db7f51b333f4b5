"""Losses, with the argument order and the defaults of torch.nn.functional.

In: predictions and targets. Out: a scalar, or a tensor with reduction="none".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop.errors import InputError
from symprop.nn.activations import log_softmax
from symprop.trace.primitives import elementwise


def _reduce(values: Any, reduction: str, name: str) -> Any:
    """The mean, the sum or the values themselves."""
    if reduction == "mean":
        return np.mean(values)
    if reduction == "sum":
        return np.sum(values)
    if reduction == "none":
        return values
    raise InputError(f'{name}: reduction is "mean", "sum" or "none", not {reduction!r}')


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """(input - target)²; shapes equal.

    >>> float(mse_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    2.0
    """
    error = input - target
    return _reduce(error**2, reduction, "mse_loss")


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """|input - target|."""
    error = input - target
    return _reduce(np.abs(error), reduction, "l1_loss")


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    """½ e² where |e| <= delta, else delta (|e| - ½ delta), with e = input - target."""
    error = input - target
    return _reduce(elementwise("huber", error, delta), reduction, "huber_loss")


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Any:
    """-target log σ(input) - (1 - target) log(1 - σ(input)), finite for every logit."""
    probability = elementwise("sigmoid", input)  # nothing reads it: the gradient does
    del probability
    if pos_weight is None:
        values = elementwise("softplus", input) - target * input
    else:
        values = target * pos_weight * elementwise("softplus", -input) + (
            1 - target
        ) * elementwise("softplus", input)
    if weight is not None:
        values = weight * values
    return _reduce(values, reduction, "binary_cross_entropy_with_logits")


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    axis: int | None = None,
) -> Any:
    """Cross-entropy of softmax(input) with integer labels or distributions.

    input: logits, classes along `axis` (torch's convention: 1, or 0 for a vector). target:
    integer labels without that axis, or a distribution of input's shape. The mean is over
    the examples (weighted, when labels carry a class `weight`).
    """
    axis = (1 if input.ndim > 1 else 0) if axis is None else axis
    log_p = log_softmax(input, axis=axis)
    classes = input.shape[axis]
    if target.ndim == input.ndim:
        if label_smoothing:
            target = (1 - label_smoothing) * target + label_smoothing / classes
        weighted = target * log_p
        if weight is not None:
            weighted = _along(weight, input, axis) * weighted
        return _mean_examples(-np.sum(weighted, axis=axis), reduction)
    picked = -_pick(log_p, target, axis)
    if weight is None and not label_smoothing:
        return _mean_examples(picked, reduction)
    factors = None if weight is None else np.take(weight, target)
    loss = picked if factors is None else factors * picked
    if label_smoothing:
        spread = log_p if weight is None else _along(weight, input, axis) * log_p
        uniform = -np.sum(spread, axis=axis)
        loss = (1 - label_smoothing) * loss + (label_smoothing / classes) * uniform
    if factors is None or reduction != "mean":
        return _mean_examples(loss, reduction)
    return np.sum(loss) / np.sum(factors)


def _pick(log_p: Any, target: Any, axis: int) -> Any:
    """log_p at the label, along `axis`."""
    if log_p.ndim == 1:
        return np.take(log_p, target)
    taken = np.take_along_axis(log_p, np.expand_dims(target, axis), axis=axis)
    return np.squeeze(taken, axis=axis)


def _along(weight: Any, input: Any, axis: int) -> Any:
    """A vector of class weights, to be broadcast along `axis`."""
    axis = axis % input.ndim
    for place in range(input.ndim):
        if place != axis:
            weight = np.expand_dims(weight, place)
    return weight


def _mean_examples(values: Any, reduction: str) -> Any:
    return _reduce(values, reduction, "cross_entropy")


def hinge_loss(input: Any, target: Any, reduction: str = "mean", margin: float = 1.0) -> Any:
    """max(0, margin - target * input) for targets of -1 and 1."""
    slack = elementwise("relu", margin - target * input)
    return _reduce(slack, reduction, "hinge_loss")
