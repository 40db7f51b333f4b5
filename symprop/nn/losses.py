"""Losses, with the argument order and the defaults of torch.nn.functional.

In: predictions and targets. Out: a scalar, or a tensor with reduction="none".
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from symprop.errors import InputError
from symprop.trace.primitives import elementwise


def reduced(values: Any, reduction: str, name: str) -> Any:
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
    return reduced(error**2, reduction, "mse_loss")


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """|input - target|.

    >>> float(l1_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    1.0
    """
    error = input - target
    return reduced(np.abs(error), reduction, "l1_loss")


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    """½ e² where |e| <= delta, else delta (|e| - ½ delta), with e = input - target.

    >>> huber_loss(np.array([0.5, 3.0]), np.zeros(2), reduction="none")
    array([0.125, 2.5  ])
    """
    error = input - target
    return reduced(elementwise("huber", error, delta), reduction, "huber_loss")


def smooth_l1_loss(
    input: Any, target: Any, reduction: str = "mean", beta: float = 1.0
) -> Any:
    """½ e² / beta where |e| < beta, else |e| - ½ beta, with e = input - target.

    beta = 0 is `l1_loss`. Source: Girshick, arXiv:1504.08083.

    >>> smooth_l1_loss(np.array([0.5, 3.0]), np.zeros(2), reduction="none")
    array([0.125, 2.5  ])
    """
    error = input - target
    values = np.abs(error) if beta == 0 else elementwise("huber", error, beta) / beta
    return reduced(values, reduction, "smooth_l1_loss")


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Any:
    """-target log σ(input) - (1 - target) log(1 - σ(input)), finite for every logit.

    >>> float(binary_cross_entropy_with_logits(np.array([-1000.0]), np.array([1.0])))
    1000.0
    """
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
    return reduced(values, reduction, "binary_cross_entropy_with_logits")


def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean"
) -> Any:
    """-target log p - (1 - target) log(1 - p), with 0 log 0 = 0.

    input: probabilities. From logits use `binary_cross_entropy_with_logits`, which is finite
    for all of them.

    >>> float(binary_cross_entropy(np.array([0.0, 0.5]), np.array([0.0, 1.0])).round(6))
    0.346574
    """
    values = -elementwise("xlogy", target, input) - elementwise("xlogy", 1 - target, 1 - input)
    if weight is not None:
        values = weight * values
    return reduced(values, reduction, "binary_cross_entropy")


def sigmoid_focal_loss(
    inputs: Any, targets: Any, alpha: float = 0.25, gamma: float = 2.0, reduction: str = "none"
) -> Any:
    """Cross-entropy with logits, times (1 - p_t)^gamma and alpha_t.

    p_t is the probability of the right answer; alpha_t is alpha for targets of 1 and 1 - alpha
    for those of 0, or 1 for both where alpha < 0. Names and defaults as in
    torchvision.ops.sigmoid_focal_loss. Source: Lin et al., arXiv:1708.02002.

    >>> sigmoid_focal_loss(np.array([0.0]), np.array([1.0]), alpha=-1.0, gamma=1.0).round(6)
    array([0.346574])
    """
    probability = elementwise("sigmoid", inputs)
    wrong = probability + targets - 2 * probability * targets
    values = (elementwise("softplus", inputs) - targets * inputs) * wrong**gamma
    if alpha >= 0:
        values = (alpha * targets + (1 - alpha) * (1 - targets)) * values
    return reduced(values, reduction, "sigmoid_focal_loss")


def kl_div(
    input: Any, target: Any, reduction: str = "mean", log_target: bool = False
) -> Any:
    """target (log target - input): the divergence of exp(input) from target.

    input: log-probabilities. target: probabilities, or their logarithms with `log_target`.
    reduction "batchmean", the divergence of a batch, divides the sum by the first axis.

    >>> half = np.array([[0.5, 0.5]])
    >>> float(kl_div(np.log(np.array([[0.25, 0.75]])), half, "batchmean").round(6))
    0.143841
    """
    if log_target:
        values = np.exp(target) * (target - input)
    else:
        values = elementwise("xlogy", target, target) - target * input
    if reduction == "batchmean":
        return np.sum(values) / np.shape(input)[0]
    return reduced(values, reduction, "kl_div")


def hinge_loss(input: Any, target: Any, reduction: str = "mean", margin: float = 1.0) -> Any:
    """max(0, margin - target * input) for targets of -1 and 1.

    >>> hinge_loss(np.array([0.25, 3.0]), np.array([1.0, 1.0]), reduction="none")
    array([0.75, 0.  ])
    """
    slack = elementwise("relu", margin - target * input)
    return reduced(slack, reduction, "hinge_loss")


def hinge_embedding_loss(
    input: Any, target: Any, margin: float = 1.0, reduction: str = "mean"
) -> Any:
    """The input, a distance, where the target is 1, and max(0, margin - input) where it is -1.

    >>> hinge_embedding_loss(np.array([0.5, 0.25]), np.array([1, -1]), reduction="none")
    array([0.5 , 0.75])
    """
    far = np.where(target != 1, elementwise("relu", margin - input), 0)
    return reduced(far + np.where(target != -1, input, 0), reduction, "hinge_embedding_loss")


def soft_margin_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """log(1 + exp(-target * input)) for targets of -1 and 1.

    >>> float(soft_margin_loss(np.array([0.0]), np.array([1.0])).round(6))
    0.693147
    """
    return reduced(elementwise("softplus", -target * input), reduction, "soft_margin_loss")


def margin_ranking_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean"
) -> Any:
    """max(0, margin - target (input1 - input2)): with target 1 the first is to be the larger.

    >>> float(margin_ranking_loss(np.array([1.0]), np.array([3.0]), np.array([1.0])))
    2.0
    """
    slack = elementwise("relu", margin - target * (input1 - input2))
    return reduced(slack, reduction, "margin_ranking_loss")


def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6,
    reduction: str = "mean",
) -> Any:
    """½ (log v + (input - target)² / v) with v = max(var, eps); `full` adds ½ log 2π.

    var: of the input's shape, or with a last axis of 1, or without its last axis. Source: Nix and
    Weigend (1994).

    >>> float(gaussian_nll_loss(np.array([1.0]), np.array([3.0]), np.array([1.0])))
    2.0
    """
    if np.ndim(var) and np.ndim(var) == np.ndim(input) - 1:
        var = np.expand_dims(var, -1)
    kept = np.maximum(var, eps)
    values = 0.5 * (np.log(kept) + (input - target) ** 2 / kept)
    if full:
        values = values + 0.5 * math.log(2 * math.pi)
    return reduced(values, reduction, "gaussian_nll_loss")


def poisson_nll_loss(
    input: Any, target: Any, log_input: bool = True, full: bool = False, eps: float = 1e-8,
    reduction: str = "mean",
) -> Any:
    """exp(input) - target input; of rates (not `log_input`) input - target log(input + eps).

    `full` adds Stirling's approximation of log target! where the target is more than 1.

    >>> float(poisson_nll_loss(np.array([0.0]), np.array([2.0])))
    1.0
    """
    rate, logarithm = (
        (np.exp(input), input) if log_input else (input, np.log(input + eps)))
    values = rate - target * logarithm
    if full:
        large = target > 1
        count = np.where(large, target, 1)
        stirling = target * np.log(count) - target + 0.5 * np.log(2 * math.pi * count)
        values = values + np.where(large, stirling, 0)
    return reduced(values, reduction, "poisson_nll_loss")
