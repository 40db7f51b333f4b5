"""Encodings of positions: sines and cosines, added or as rotations.

In: sizes, or a tensor (..., T, D). Out: (T, D), or the tensor turned.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from symprop.nn.arguments import expect_divides


def sinusoidal_positions(length: Any, size: Any, base: float = 10000.0, dtype: Any = float) -> Any:
    """sin(t / base^(j/D)) in the even columns j, the cosine of the same in j + 1.

    Out: (length, size), to be added to embeddings. Source: Vaswani et al., arXiv:1706.03762.

    >>> sinusoidal_positions(2, 2)
    array([[0.        , 1.        ],
           [0.84147098, 0.54030231]])
    """
    column = np.arange(size)
    angle = np.arange(length)[:, None] * _frequencies(column // 2, size, base)
    return np.where(column % 2 == 0, np.sin(angle), np.cos(angle)).astype(dtype)


def rotary(
    input: Any, positions: Any = None, base: float = 10000.0, interleaved: bool = False
) -> Any:
    """Pairs of features turned by t / base^(2 i / D): rotary position encoding.

    input: (..., T, D) with an even D. positions: (T,), 0 to T - 1 unless given. The pairs are
    (i, i + D/2), or (2 i, 2 i + 1) if `interleaved`. Products of queries and keys then depend
    on differences of positions alone. Raises ShapeError for an odd D. Source: Su et al.,
    arXiv:2104.09864.

    >>> rotary(np.array([[1.0, 0.0], [1.0, 0.0]]))
    array([[1.        , 0.        ],
           [0.54030231, 0.84147098]])
    """
    length, size = np.shape(input)[-2:]
    expect_divides(2, size, "the number of features", "rotary: the size of a pair")
    half = size // 2
    positions = np.arange(length) if positions is None else positions
    angle = positions[:, None] * _frequencies(np.arange(half), size, base)
    cos, sin = np.cos(angle).astype(input.dtype), np.sin(angle).astype(input.dtype)
    if not interleaved:
        first, second = input[..., :half], input[..., half:]
        turned = (first * cos - second * sin, first * sin + second * cos)
        return np.concatenate(turned, axis=-1)
    pairs = np.reshape(input, (*np.shape(input)[:-1], half, 2))
    first, second = pairs[..., 0], pairs[..., 1]
    both = np.stack((first * cos - second * sin, first * sin + second * cos), axis=-1)
    return np.reshape(both, np.shape(input))


def _frequencies(pair: Any, size: Any, base: float) -> Any:
    """base^(-2 i / D) for every pair i."""
    return np.exp(pair * (-2 * math.log(base) / size))
