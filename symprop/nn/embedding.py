"""Linear maps and tables of vectors.

In: a tensor or integers, and weights in torch's layouts. Out: tensors of features.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop.errors import DTypeError
from symprop.nn.arguments import expect_rank, expect_size, expect_vector
from symprop.trace.context import located


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """input weightᵀ + bias.

    input: (*, K). weight: (M, K). bias: (M,) or None. Out: (*, M). Raises ShapeError where sizes
    do not fit.

    >>> linear(np.array([1.0, 2.0]), np.array([[3.0, 4.0]]), np.array([0.5]))
    array([11.5])
    """
    expect_rank(weight, (2,), "(out, in)", "linear: the weight")
    expect_size(weight, 1, np.shape(input)[-1], "the input's last axis", "linear: the weight")
    expect_vector(bias, np.shape(weight)[0], "the weight's first axis", "linear: the bias")
    return input @ weight.T if bias is None else input @ weight.T + bias


def embedding(input: Any, weight: Any) -> Any:
    """The rows of a table at integer positions.

    input: integers of any shape, each at least 0 and less than V. weight: (V, D). Out: (*, D).
    Raises DTypeError for an input that is not of integers; IndexError where one is too large.

    >>> embedding(np.array([1, 1, 0]), np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[3., 4.],
           [3., 4.],
           [1., 2.]])
    """
    expect_rank(weight, (2,), "(V, D)", "embedding: the weight")
    if np.dtype(input.dtype).kind not in "iu":
        raise located(DTypeError, "embedding: the input must be of integers")
    return np.take(weight, input, axis=0)
