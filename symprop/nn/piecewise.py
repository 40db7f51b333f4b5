"""Activations made of straight pieces, and shrinkage.

In: a float tensor. Out: a tensor of the same shape. At a corner the derivative is that of the
flat piece, as in torch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop.trace.primitives import elementwise


def relu6(input: Any) -> Any:
    """min(max(input, 0), 6).

    >>> relu6(np.array([-1.0, 2.0, 9.0]))
    array([0., 2., 6.])
    """
    return elementwise("relu6", input)


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """min(max(input, min_val), max_val); the derivative at the bounds is 0.

    >>> hardtanh(np.array([-3.0, 0.5, 3.0]))
    array([-1. ,  0.5,  1. ])
    """
    return elementwise("hardtanh", input, min_val, max_val)


def hardsigmoid(input: Any) -> Any:
    """min(max(input / 6 + 1/2, 0), 1).

    >>> hardsigmoid(np.array([-3.0, 0.0, 3.0]))
    array([0. , 0.5, 1. ])
    """
    return elementwise("hardsigmoid", input)


def hardswish(input: Any) -> Any:
    """input hardsigmoid(input). Source: Howard et al., arXiv:1905.02244.

    >>> hardswish(np.array([-3.0, 3.0]))
    array([-0.,  3.])
    """
    return input * elementwise("hardsigmoid", input)


def threshold(input: Any, threshold: float, value: float) -> Any:
    """input where it is greater than `threshold`, else `value`.

    >>> threshold(np.array([0.0, 2.0]), 1.0, -5.0)
    array([-5.,  2.])
    """
    return np.where(input > threshold, input, value)


def tanhshrink(input: Any) -> Any:
    """input - tanh(input).

    >>> tanhshrink(np.array([0.0]))
    array([0.])
    """
    return input - np.tanh(input)


def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """input moved towards 0 by `lambd`, and 0 where it is nearer than that.

    >>> softshrink(np.array([-2.0, 0.3, 2.0]))
    array([-1.5,  0. ,  1.5])
    """
    return input - np.clip(input, -lambd, lambd)


def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """input where |input| is greater than `lambd`, else 0.

    >>> hardshrink(np.array([-2.0, 0.3, 2.0]))
    array([-2.,  0.,  2.])
    """
    return np.where(np.abs(input) > lambd, input, 0.0)
