"""Dropout with its mask as an input: the function stays a function of its arguments.

In: a float tensor and a mask of zeros and ones. Out: the same shape. The derivation shows the
mask, and the generated module is as deterministic as any.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop.errors import InputError
from symprop.trace.context import located


def dropout(input: Any, mask: Any, p: float = 0.5, training: bool = True) -> Any:
    """input * mask / (1 - p): what is kept is scaled up, so that the mean stays.

    mask: zeros and ones (or truth values) that broadcast with the input, 0 with probability p:
    `rng.random(x.shape) >= p`. Without `training` the input itself. Raises InputError unless
    0 <= p < 1, and for a single number in place of the mask.
    Source: Srivastava et al., JMLR 15 (2014).

    >>> dropout(np.array([1.0, 2.0]), np.array([0.0, 1.0]), p=0.5)
    array([0., 4.])
    """
    if not 0 <= p < 1:
        raise located(InputError, f"dropout: p is at least 0 and less than 1, not {p!r}")
    if not training:
        return input
    expect_mask(input, mask, "dropout")
    return input * mask * (1 / (1 - p))


def expect_mask(input: Any, mask: Any, name: str) -> None:
    """Raises InputError where one number stands for a mask, as torch's p does in its place."""
    if np.ndim(mask) == 0 and np.ndim(input):
        raise located(InputError, (
            f"{name}: the mask is a single number where an array of zeros and ones is needed, "
            "such as rng.random(x.shape) >= p, handed in as an argument; p is the third argument"))


def channel_dropout(input: Any, mask: Any, p: float = 0.5, training: bool = True) -> Any:
    """The same with whole channels left out (torch's dropout1d, dropout2d, dropout3d).

    input: (N, C, *spatial). mask: (N, C).

    >>> channel_dropout(np.ones((1, 2, 2)), np.array([[0.0, 1.0]]), p=0.5)
    array([[[0., 0.],
            [2., 2.]]])
    """
    if not training:
        return input
    expect_mask(input, mask, "channel_dropout")
    spread = np.expand_dims(mask, tuple(range(2, np.ndim(input))))
    return dropout(input, spread, p, training)


def alpha_dropout(input: Any, mask: Any, p: float = 0.5, training: bool = True) -> Any:
    """Dropout that keeps mean 0 and variance 1 behind selu: what is left out becomes -α' .

    Source: Klambauer et al., arXiv:1706.02515, section 3.

    >>> alpha_dropout(np.array([0.0]), np.array([1.0]), p=0.0)
    array([0.])
    """
    if not 0 <= p < 1:
        raise located(InputError, f"alpha_dropout: p is at least 0 and less than 1, not {p!r}")
    if not training:
        return input
    expect_mask(input, mask, "alpha_dropout")
    low = -1.7580993408473766  # -λ α of selu
    a = ((1 - p) * (1 + p * low**2)) ** -0.5
    b = -a * low * p
    return a * (input * mask + low * (1 - mask)) + b
