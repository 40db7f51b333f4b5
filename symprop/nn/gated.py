"""Gated linear units: one half of the features opens and shuts the other.

In: a tensor with an even number of features along `axis` (torch: dim). Out: half as many.
Source of the variants: Shazeer, arXiv:2002.05202.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop.nn.activations import gelu, relu, sigmoid, silu
from symprop.nn.arguments import expect_divides


def glu(input: Any, axis: int = -1) -> Any:
    """a σ(b), with a and b the halves of the input.

    Raises ShapeError for an odd number of features. Source: Dauphin et al., arXiv:1612.08083.

    >>> glu(np.array([1.0, 2.0, 0.0, 0.0]))
    array([0.5, 1. ])
    """
    value, gate = _halves(input, axis, "glu")
    return value * sigmoid(gate)


def swiglu(input: Any, axis: int = -1) -> Any:
    """silu(a) b, with a and b the halves of the input; the gate comes first, unlike in `glu`.

    >>> swiglu(np.array([0.0, 1.0]))
    array([0.])
    """
    gate, value = _halves(input, axis, "swiglu")
    return silu(gate) * value


def geglu(input: Any, axis: int = -1, approximate: str = "none") -> Any:
    """gelu(a) b, with a and b the halves of the input.

    >>> geglu(np.array([0.0, 1.0]))
    array([0.])
    """
    gate, value = _halves(input, axis, "geglu")
    return gelu(gate, approximate) * value


def reglu(input: Any, axis: int = -1) -> Any:
    """relu(a) b, with a and b the halves of the input.

    >>> reglu(np.array([2.0, 3.0]))
    array([6.])
    """
    gate, value = _halves(input, axis, "reglu")
    return relu(gate) * value


def _halves(input: Any, axis: int, name: str) -> tuple[Any, Any]:
    """The first and the second half along an axis."""
    size = np.shape(input)[axis]
    expect_divides(2, size, "the number of features", f"{name}: the number of halves")
    first, second = np.split(input, 2, axis=axis)
    return first, second
