"""The three proofs of generality, as the NumPy functions that a user would write.

In: arrays. Out: a scalar loss. A convolution with stride 2 and padding, layer norm, and an
LSTM over a symbolic number of time steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from symprop import nn
from symprop.trace.scan import scan


def convolution(x: "N C Y X", K: "O C 3 3", b: "O", target: "N O Y X") -> Any:
    """Stride 2, padding 1; a second output of every other pixel is compared with the target."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    strided = windows[:, :, ::2, ::2]
    y = np.einsum("ncijpq,ocpq->noij", strided, K) + b[:, None, None]
    a = np.tanh(y)
    return np.mean((a - target[:, :, ::2, ::2]) ** 2), {"a": a}


def layer_norm(x: "N D", g: "D", b: "D", w: "N D") -> Any:
    """Layer norm over the last axis, with gain and bias, under a weighted tanh."""
    mean = np.mean(x, axis=-1, keepdims=True)
    c = x - mean
    v = np.mean(c**2, axis=-1, keepdims=True)
    r = 1 / np.sqrt(v + 1e-5)
    h = c * r
    y = h * g + b
    return np.sum(w * np.tanh(y)), {"y": y}


def lstm_proof(
    x: "T N K", h0: "N H", c0: "N H", Wx: "K 4*H", Wh: "H 4*H", b: "4*H", V: "H M", y: "int T N"
) -> Any:
    """An LSTM with gates in the order i, f, g, o, and cross-entropy of its outputs."""
    H = h0.shape[1]

    def step(carry: Any, x_t: Any) -> Any:
        h, c = carry
        z = x_t @ Wx + h @ Wh + b
        i = nn.sigmoid(z[:, :H])
        f = nn.sigmoid(z[:, H : 2 * H])
        g = np.tanh(z[:, 2 * H : 3 * H])
        o = nn.sigmoid(z[:, 3 * H :])
        c = f * c + i * g
        h = o * np.tanh(c)
        return (h, c), h

    _, hs = scan(step, (h0, c0), x)
    scores = hs @ V
    return nn.cross_entropy(scores, y, axis=-1), {"scores": scores}


@dataclass(frozen=True)
class Proof:
    """A function with its parameters and two sets of sizes that no trace has seen."""

    function: Callable[..., Any]
    wrt: tuple[str, ...]
    sizes: tuple[dict[str, int], ...]


PROOFS = {
    "convolution": Proof(convolution, ("x", "K", "b"), (
        {"N": 2, "C": 3, "Y": 5, "X": 7, "O": 2}, {"N": 1, "C": 2, "Y": 6, "X": 3, "O": 3})),
    "layer_norm": Proof(layer_norm, ("x", "g", "b"), ({"N": 3, "D": 5}, {"N": 2, "D": 7})),
    "lstm_proof": Proof(lstm_proof, ("x", "h0", "c0", "Wx", "Wh", "b", "V"), (
        {"T": 3, "N": 2, "K": 5, "H": 3, "M": 4}, {"T": 1, "N": 3, "K": 2, "H": 2, "M": 3},
        {"T": 7, "N": 1, "K": 1, "H": 1, "M": 2})),
}
