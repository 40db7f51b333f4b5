"""Activations and the softmax family.

In: a float tensor. Out: a tensor of the same shape (`logsumexp`: without the axis).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from symprop.errors import InputError
from symprop.nn.arguments import along, expect_rank, expect_vector, is_one
from symprop.trace.primitives import elementwise


def relu(input: Any) -> Any:
    """max(input, 0), elementwise; the derivative at 0 is 0.

    >>> relu(np.array([-1.0, 2.0]))
    array([0., 2.])
    """
    return elementwise("relu", input)


def leaky_relu(input: Any, negative_slope: float = 0.01) -> Any:
    """input where it is positive, else negative_slope * input.

    >>> leaky_relu(np.array([-1.0, 2.0]), 0.1)
    array([-0.1,  2. ])
    """
    return elementwise("leaky_relu", input, negative_slope)


def elu(input: Any, alpha: float = 1.0) -> Any:
    """input where it is positive, else alpha (exp(input) - 1).

    Source: Clevert et al., arXiv:1511.07289.

    >>> elu(np.array([-np.inf, 2.0]))
    array([-1.,  2.])
    """
    return elementwise("elu", input, alpha)


def selu(input: Any) -> Any:
    """λ elu(input, α), with the λ and α that keep mean 0 and variance 1.

    Source: Klambauer et al., arXiv:1706.02515.

    >>> selu(np.array([0.0, 1.0]))
    array([0.        , 1.05070099])
    """
    return 1.0507009873554805 * elementwise("elu", input, 1.6732632423543772)


def celu(input: Any, alpha: float = 1.0) -> Any:
    """input where it is positive, else alpha (exp(input / alpha) - 1).

    Source: Barron, arXiv:1704.07483.

    >>> celu(np.array([0.0, 2.0]), alpha=2.0)
    array([0., 2.])
    """
    return alpha * elementwise("elu", input / alpha, 1.0)


def prelu(input: Any, weight: Any) -> Any:
    """input where it is positive, else weight * input: a leaky relu whose slope is learned.

    weight: () or (1,) or, for every channel (axis 1) its own, (C,). Source: He et al.,
    arXiv:1502.01852.

    >>> prelu(np.array([-2.0, 3.0]), np.array([0.5]))
    array([-1.,  3.])
    """
    expect_rank(weight, (0, 1), "(), (1,) or (C,)", "prelu: the weight")
    if not np.ndim(weight) or is_one(np.shape(weight)[0]) or np.ndim(input) < 2:
        return elementwise("leaky_relu", input, weight)
    expect_vector(weight, np.shape(input)[1], "the number of channels", "prelu: the weight")
    return elementwise("leaky_relu", input, along(weight, 1, np.ndim(input)))


def sigmoid(input: Any) -> Any:
    """1 / (1 + exp(-input)), without overflow.

    >>> sigmoid(np.array([-1000.0, 0.0]))
    array([0. , 0.5])
    """
    return elementwise("sigmoid", input)


def tanh(input: Any) -> Any:
    """The hyperbolic tangent.

    >>> tanh(np.array([0.0]))
    array([0.])
    """
    return np.tanh(input)


def softplus(input: Any, beta: float = 1.0, threshold: float | None = None) -> Any:
    """log(1 + exp(beta input)) / beta, without overflow (so it needs no threshold).

    With a `threshold` (torch's is 20) it is the input itself where beta input exceeds that.

    >>> softplus(np.array([0.0, 1000.0]))
    array([6.93147181e-01, 1.00000000e+03])
    """
    if threshold is not None:
        return np.where(beta * input > threshold, input, softplus(input, beta))
    # Neither has a name here: softplus(-margin) stays one equation.
    return elementwise("softplus", input) if beta == 1 else (
        elementwise("softplus", beta * input) / beta)


def gelu(input: Any, approximate: str = "none") -> Any:
    """input Φ(input): `approximate` "none" is the erf form, "tanh" the tanh form.

    Source: Hendrycks and Gimpel, arXiv:1606.08415.

    >>> gelu(np.array([0.0, 1.0]))
    array([0.        , 0.84134475])
    """
    if approximate not in ("none", "tanh"):
        raise InputError(f'gelu: approximate is "none" or "tanh", not {approximate!r}')
    if approximate == "tanh":
        inner = math.sqrt(2 / math.pi) * (input + 0.044715 * input * input * input)
        tanh = np.tanh(inner)  # by itself: the gradient reads it
        return 0.5 * input * (1 + tanh)
    cdf = elementwise("normal_cdf", input)  # by itself: the gradient reads it
    return input * cdf


def silu(input: Any) -> Any:
    """input * sigmoid(input).

    >>> silu(np.array([0.0, 1.0]))
    array([0.        , 0.73105858])
    """
    sigmoid = elementwise("sigmoid", input)  # by itself: the gradient reads it
    return input * sigmoid


def mish(input: Any) -> Any:
    """input tanh(softplus(input)). Source: Misra, arXiv:1908.08681.

    >>> mish(np.array([0.0, 1.0]))
    array([0.        , 0.86509839])
    """
    return input * np.tanh(elementwise("softplus", input))


def softsign(input: Any) -> Any:
    """input / (1 + |input|).

    >>> softsign(np.array([-1.0, 3.0]))
    array([-0.5 ,  0.75])
    """
    return input / (1 + np.abs(input))


def logsigmoid(input: Any) -> Any:
    """log sigmoid(input), finite for every input.

    >>> logsigmoid(np.array([-1000.0, 0.0]))
    array([-1.00000000e+03, -6.93147181e-01])
    """
    return elementwise("log_sigmoid", input)


log_sigmoid = logsigmoid


def softmin(input: Any, axis: int = -1) -> Any:
    """softmax(-input).

    >>> softmin(np.array([1.0, 1.0]))
    array([0.5, 0.5])
    """
    return softmax(-input, axis)


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
    """input - log Σ exp(input) along `axis`, shifted by the maximum.

    >>> log_softmax(np.array([0.0, 0.0]))
    array([-0.69314718, -0.69314718])
    """
    return _log_softmax(input, axis)[0]


def logsumexp(input: Any, axis: int = -1, keepdims: bool = False) -> Any:
    """log Σ exp(input) along `axis`, shifted by the maximum.

    >>> float(logsumexp(np.array([1000.0, -np.inf])))
    1000.0
    """
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
