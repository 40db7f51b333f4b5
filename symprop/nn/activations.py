"""Activations and the softmax family.

In: a float tensor. Out: a tensor of the same shape (`logsumexp`: without the axis).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop.errors import InputError
from symprop.trace.primitives import elementwise


def relu(input: Any) -> Any:
    """max(input, 0), elementwise; the derivative at 0 is 0.

    >>> relu(np.array([-1.0, 2.0]))
    array([0., 2.])
    """
    return elementwise("relu", input)


def leaky_relu(input: Any, negative_slope: float = 0.01) -> Any:
    """input where it is positive, else negative_slope * input."""
    return elementwise("leaky_relu", input, negative_slope)


def elu(input: Any, alpha: float = 1.0) -> Any:
    """input where it is positive, else alpha (exp(input) - 1)."""
    return elementwise("elu", input, alpha)


def sigmoid(input: Any) -> Any:
    """1 / (1 + exp(-input)), without overflow."""
    return elementwise("sigmoid", input)


def tanh(input: Any) -> Any:
    """The hyperbolic tangent."""
    return np.tanh(input)


def softplus(input: Any, beta: float = 1.0) -> Any:
    """log(1 + exp(beta input)) / beta, without overflow (so it needs no threshold)."""
    return elementwise("softplus", input) if beta == 1 else elementwise(
        "softplus", beta * input
    ) / beta


def gelu(input: Any, approximate: str = "none") -> Any:
    """input Φ(input): `approximate` "none" is the erf form, "tanh" the tanh form."""
    if approximate not in ("none", "tanh"):
        raise InputError(f'gelu: approximate is "none" or "tanh", not {approximate!r}')
    return elementwise("gelu" if approximate == "none" else "gelu_tanh", input)


def silu(input: Any) -> Any:
    """input * sigmoid(input)."""
    return elementwise("silu", input)


def softmax(input: Any, axis: int = -1) -> Any:
    """exp(input) / Σ exp(input) along `axis`, shifted by the maximum.

    >>> softmax(np.array([0.0, 0.0]))
    array([0.5, 0.5])
    """
    top = np.max(input, axis=axis, keepdims=True)
    exp = np.exp(input - top)
    total = np.sum(exp, axis=axis, keepdims=True)
    return exp / total


def log_softmax(input: Any, axis: int = -1) -> Any:
    """input - log Σ exp(input) along `axis`, shifted by the maximum."""
    return _log_softmax(input, axis)[0]


def logsumexp(input: Any, axis: int = -1, keepdims: bool = False) -> Any:
    """log Σ exp(input) along `axis`, shifted by the maximum."""
    top = np.max(input, axis=axis, keepdims=True)
    exp = np.exp(input - top)
    total = np.sum(exp, axis=axis, keepdims=True)
    softmax = exp / total  # nothing reads it: the gradient does
    del softmax
    result = top + np.log(total)
    return result if keepdims else np.squeeze(result, axis=axis)


def _log_softmax(input: Any, axis: int) -> tuple[Any, Any]:
    """(log-softmax, softmax): the second is what the gradient is short in."""
    top = np.max(input, axis=axis, keepdims=True)
    shifted = input - top
    exp = np.exp(shifted)
    total = np.sum(exp, axis=axis, keepdims=True)
    softmax = exp / total
    return shifted - np.log(total), softmax
