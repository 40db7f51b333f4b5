"""The layers' gradients cost what the formulas of the textbooks cost: operations are counted.

Beside every generated backward stands the one that people write by hand, on the same arrays; both
are run and must agree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from counting import operations

import symprop
from symprop import nn

RATIO = 1.15
Arrays = dict[str, Any]


def layer_norm(x: "N D", g: "D", b: "D", w: "N D"):
    return np.sum(w * nn.layer_norm(x, x.shape[-1], g, b))


def layer_norm_by_hand(w: Any, h: Any, std: Any, g: Any) -> Arrays:
    dg, db, dh = np.einsum("nd,nd->d", w, h), w.sum(axis=0), w * g
    size = h.shape[1]
    mean = dh.sum(axis=1)[:, None] / size
    slope = np.einsum("nd,nd->n", dh, h)[:, None] / size
    return {"x": (dh - mean - h * slope) / std, "g": dg, "b": db}


def layer_norm_parts(x: Any, g: Any, b: Any, w: Any) -> tuple[Any, ...]:
    std = np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
    return w, (x - x.mean(axis=1, keepdims=True)) / std, std, g


def batch_norm(x: "N D", g: "D", b: "D", w: "N D"):
    return np.sum(w * nn.batch_norm(x, None, None, g, b, training=True))


def batch_norm_by_hand(w: Any, h: Any, std: Any, g: Any) -> Arrays:
    dg, db = np.einsum("nd,nd->d", w, h), w.sum(axis=0)
    count = len(h)
    return {"x": (w - db / count - h * (dg / count)) * (g / std), "g": dg, "b": db}


def batch_norm_parts(x: Any, g: Any, b: Any, w: Any) -> tuple[Any, ...]:
    std = np.sqrt(x.var(axis=0) + 1e-5)
    return w, (x - x.mean(axis=0)) / std, std, g


def attention(q: "N T E", k: "N S E", v: "N S V", w: "N T V"):
    return np.sum(w * nn.scaled_dot_product_attention(q, k, v))


def attention_by_hand(w: Any, a: Any, q: Any, k: Any, v: Any) -> Arrays:
    da = w @ v.transpose(0, 2, 1)
    ds = a * (da - np.einsum("nts,nts->nt", da, a)[:, :, None]) / q.shape[2] ** 0.5
    return {"q": ds @ k, "k": ds.transpose(0, 2, 1) @ q, "v": a.transpose(0, 2, 1) @ w}


def attention_parts(q: Any, k: Any, v: Any, w: Any) -> tuple[Any, ...]:
    return w, nn.softmax(q @ k.transpose(0, 2, 1) / q.shape[2] ** 0.5), q, k, v


def convolution(x: "N C T", m: "O C 3", b: "O", w: "N O T"):
    return np.sum(w * nn.conv1d(x, m, b, padding=1))


def convolution_by_hand(w: Any, padded: Any, m: Any) -> Arrays:
    around = np.pad(w, ((0, 0), (0, 0), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view
    flipped = m[:, :, ::-1]
    return {
        "x": np.tensordot(windows(around, 3, axis=2), flipped, axes=((1, 3), (0, 2))
                          ).transpose(0, 2, 1),
        "m": np.tensordot(w, windows(padded, 3, axis=2), axes=((0, 2), (0, 2))),
        "b": w.sum(axis=(0, 2))}


def convolution_parts(x: Any, m: Any, b: Any, w: Any) -> tuple[Any, ...]:
    return w, np.pad(x, ((0, 0), (0, 0), (1, 1))), m


PAIRS: dict[str, tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]] = {
    "layer_norm": (layer_norm, layer_norm_by_hand, layer_norm_parts),
    "batch_norm": (batch_norm, batch_norm_by_hand, batch_norm_parts),
    "attention": (attention, attention_by_hand, attention_parts),
    "convolution": (convolution, convolution_by_hand, convolution_parts),
}
SHAPES = {
    "layer_norm": ((60, 50), (50,), (50,), (60, 50)),
    "batch_norm": ((60, 50), (50,), (50,), (60, 50)),
    "attention": ((3, 40, 30), (3, 50, 30), (3, 50, 20), (3, 40, 20)),
    "convolution": ((5, 8, 60), (7, 8, 3), (7,), (5, 7, 60)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_the_gradient_costs_what_the_closed_form_costs(name: str) -> None:
    function, by_hand, parts = PAIRS[name]
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape) for shape in SHAPES[name]]
    wrt = [n for n in function.__annotations__ if n != "w"]
    module = symprop.generate(symprop.derive(symprop.trace(function, wrt=wrt)))
    saved = module.forward(*arrays)[1]
    found, gradients = operations(module.backward, saved)
    best, expected = operations(by_hand, *parts(*arrays))
    for key, gradient in expected.items():
        np.testing.assert_allclose(gradients[key], gradient, rtol=1e-9, atol=1e-11)
    assert found <= RATIO * best, f"{found:.0f} operations, not {best:.0f}"
