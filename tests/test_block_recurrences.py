"""A cell that is a helper costs what one costs that is written out: hoisting goes through it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symprop
from symprop import nn
from symprop.zoo import models

SIZES = {"N": 7, "T": 11, "K": 5, "H": 8, "M": 9, "D": 6}


def elman_cell(x: Any, h: Any, U: Any, V: Any, b: Any) -> Any:
    z = x @ U + h @ V + b
    return np.tanh(z)


def elman_rnn(
    x: "T N K", y: "int N", h0: "N H", U: "K H", V: "H H", b: "H", W: "H M", c: "M"
) -> Any:
    def step(h: Any, x_t: Any) -> Any:
        h = elman_cell(x_t, h, U, V, b)
        return h, h

    h, _ = symprop.scan(step, h0, x)
    logits = h @ W + c
    return nn.cross_entropy(logits, y), {"logits": logits}


def lstm_cell(x: Any, h: Any, c: Any, U: Any, V: Any, b: Any) -> Any:
    z = x @ U + h @ V + b
    H = h.shape[1]
    i, f = nn.sigmoid(z[:, :H]), nn.sigmoid(z[:, H : 2 * H])
    g, o = np.tanh(z[:, 2 * H : 3 * H]), nn.sigmoid(z[:, 3 * H :])
    c = f * c + i * g
    return o * np.tanh(c), c


def lstm(
    text: "int T N", following: "int T N", h0: "N H", c0: "N H",
    E: "M D", U: "D 4*H", V: "H 4*H", b: "4*H", W: "H M", d: "M",
) -> Any:
    def step(carry: Any, x: Any) -> Any:
        h, c = lstm_cell(x, *carry, U, V, b)
        return (h, c), h

    (h_last, c_last), h = symprop.scan(step, (h0, c0), E[text])
    logits = h @ W + d
    loss = nn.cross_entropy(logits, following, axis=-1)
    return loss, {"logits": logits, "h_last": h_last, "c_last": c_last}


def gate(u: Any, v: Any, at: Any) -> Any:
    z = u[:, at] + v[:, at]
    return nn.sigmoid(z)


def gru(
    x: "T N K", y: "T N M", h0: "N H", U: "K 3*H", V: "H 3*H", b: "3*H", d: "H", W: "H M", c: "M"
) -> Any:
    H = h0.shape[1]

    def cell(x: Any, h: Any) -> Any:
        u, v = x @ U + b, h @ V
        r, z = gate(u, v, slice(0, H)), gate(u, v, slice(H, 2 * H))
        n = np.tanh(u[:, 2 * H :] + r * (v[:, 2 * H :] + d))
        return (1 - z) * n + z * h

    def step(h: Any, x_t: Any) -> Any:
        h = cell(x_t, h)
        return h, h

    _, h = symprop.scan(step, h0, x)
    prediction = h @ W + c
    return nn.mse_loss(prediction, y), {"prediction": prediction}


@pytest.mark.parametrize("written", [elman_rnn, lstm, gru])
def test_a_cell_helper_costs_nothing(written: Callable[..., Any]) -> None:
    """Flat and by blocks: the counted operations of the zoo's model, in which all is in line."""
    model = models()[written.__name__]
    options = {"wrt": list(model.wrt), "facts": model.facts}
    inline = symprop.trace(model.function, model.shapes or None, **options)
    helped = symprop.trace(written, **options)
    sizes = {name: SIZES[name] for name in inline.sizes}
    expected = sum(symprop.derive(inline).operations(sizes).values())
    for structure in ("blocks", "flat"):
        derivation = symprop.derive(helped, structure=structure)
        assert sum(derivation.operations(sizes).values()) == expected
