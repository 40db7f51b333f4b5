"""Windows are copied once for forward and backward; what comes back is added place by place.

`generate` compares every array with its equation; here only the shape of the code is looked at.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symprop
from symprop import nn

CONVOLUTIONS = {
    "padded": lambda x, K: nn.conv2d(x, K, padding=1),
    "strided": lambda x, K: nn.conv2d(x, K, stride=2),
    "dilated": lambda x, K: nn.conv2d(x, K, dilation=2),
}


def module(function: Any, **shapes: Any) -> str:
    system = symprop.trace(function, shapes=shapes, wrt=list(shapes))
    return symprop.generate(symprop.derive(system)).source


@pytest.mark.parametrize("kind", CONVOLUTIONS)
def test_a_convolution_copies_its_windows_once(kind: str) -> None:
    def loss(x: Any, K: Any) -> Any:
        return np.sum(np.sin(CONVOLUTIONS[kind](x, K)))

    source = module(loss, x="N 2 7 8", K="4 2 3 3")
    forward, backward = source.split("def backward(")
    backward, _ = backward.split("def value_and_grad(")
    assert forward.count("sliding_window_view") == 1
    assert "_columns = " in forward
    assert "_columns" in backward
    assert "sliding_window_view" not in backward
    assert "np.pad" not in backward
    assert "einsum" not in source


def test_a_transposed_convolution_shares_the_windows_of_its_adjoint() -> None:
    def loss(x: Any, K: Any) -> Any:
        return np.sum(np.sin(nn.conv_transpose2d(x, K, stride=2)))

    source = module(loss, x="N 2 4 5", K="2 3 3 3")
    assert source.count("sliding_window_view") == 1


def test_blocks_that_do_not_overlap_are_no_windows() -> None:
    def loss(q: Any, k: Any) -> Any:
        q = np.reshape(q, (q.shape[0], 3, 2, 5))
        return np.sum(np.sin(np.einsum("nije,nie->nij", q, k)))

    assert "_columns" not in module(loss, q="N 6 5", k="N 3 5")
