"""Linear maps and tables of vectors.

In: a tensor or integers, and weights in torch's layouts. Out: tensors of features.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop.errors import DTypeError, InputError
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


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """Σ_ij input1[i] weight[o, i, j] input2[j] + bias[o].

    input1: (*, I). input2: (*, J). weight: (O, I, J). bias: (O,) or None. Out: (*, O). Raises
    ShapeError where sizes do not fit.

    >>> bilinear(np.array([1.0, 2.0]), np.array([3.0]), np.ones((1, 2, 1)))
    array([9.])
    """
    expect_rank(weight, (3,), "(out, in, in)", "bilinear: the weight")
    for axis, array in ((1, input1), (2, input2)):
        expect_size(weight, axis, np.shape(array)[-1], f"the last axis of input{axis}",
                    "bilinear: the weight")
    expect_vector(bias, np.shape(weight)[0], "the weight's first axis", "bilinear: the bias")
    product = np.einsum("...i,oij,...j->...o", input1, weight, input2)
    return product if bias is None else product + bias


def embedding(input: Any, weight: Any, padding_idx: int | None = None) -> Any:
    """The rows of a table at integer positions.

    input: integers of any shape, each at least 0 and less than V. weight: (V, D). Out: (*, D).
    Positions that are `padding_idx` give zeros, so that this row has no gradient (torch gives the
    row, which torch.nn.Embedding sets to zero, and no gradient either).
    Raises DTypeError for an input that is not of integers; IndexError where one is too large.

    >>> embedding(np.array([1, 1, 0]), np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[3., 4.],
           [3., 4.],
           [1., 2.]])
    """
    expect_rank(weight, (2,), "(V, D)", "embedding: the weight")
    if np.dtype(input.dtype).kind not in "iu":
        raise located(DTypeError, "embedding: the input must be of integers")
    rows = np.take(weight, input, axis=0)
    if padding_idx is None:
        return rows
    if padding_idx < 0:
        padding_idx = np.shape(weight)[0] + padding_idx
    return np.where(np.expand_dims(input != padding_idx, -1), rows, 0)


def one_hot(input: Any, num_classes: Any) -> Any:
    """1 at the position that is the integer, else 0: (*) becomes (*, num_classes), of integers.

    An integer that is none of 0 to num_classes - 1 gives zeros. Raises DTypeError for an input that
    is not of integers, InputError for torch's num_classes = -1, which depends on the data.

    >>> one_hot(np.array([1, 0]), 3)
    array([[0, 1, 0],
           [1, 0, 0]])
    """
    if np.dtype(input.dtype).kind not in "iu":
        raise located(DTypeError, "one_hot: the input must be of integers")
    if isinstance(num_classes, int) and num_classes < 1:
        raise located(InputError, f"one_hot: num_classes is at least 1, not {num_classes}")
    return np.where(np.expand_dims(input, -1) == np.arange(num_classes), 1, 0)
