"""A decoder-only transformer with any number of blocks, for the benchmark of depth.

In: a number of blocks. Out: the loss as a plain NumPy function, the shapes of its arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symprop import nn

BLOCK = {
    "ln1_g": "D", "ln1_b": "D", "Wq": "D D", "Wk": "D D", "Wv": "D D", "Wo": "D D",
    "ln2_g": "D", "ln2_b": "D", "W1": "D F", "b1": "F", "W2": "F D", "b2": "D",
}


def layer_norm(x: Any, gain: Any, bias: Any) -> Any:
    """Each row with mean 0 and variance 1, then stretched and shifted."""
    mean = x.mean(axis=-1, keepdims=True)
    centred = x - mean
    variance = (centred**2).mean(axis=-1, keepdims=True)
    return centred / np.sqrt(variance + 1e-5) * gain + bias


def block(x: Any, p: Mapping[str, Any], heads: int) -> Any:
    """Causal attention and a perceptron, each on a normalised copy and added."""
    N, T, D = x.shape
    E = D // heads
    h = layer_norm(x, p["ln1_g"], p["ln1_b"])
    Q = (h @ p["Wq"]).reshape(N, T, heads, E)
    K = (h @ p["Wk"]).reshape(N, T, heads, E)
    V = (h @ p["Wv"]).reshape(N, T, heads, E)
    S = np.einsum("nthe,nshe->nhts", Q, K) / np.sqrt(E)
    S = np.where(np.tri(T) > 0, S, -np.inf)
    A = nn.softmax(S, axis=-1)
    mixed = np.einsum("nhts,nshe->nthe", A, V).reshape(N, T, D)
    x = x + mixed @ p["Wo"]
    h = layer_norm(x, p["ln2_g"], p["ln2_b"])
    return x + nn.gelu(h @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]


def gpt(blocks: int) -> tuple[Callable[..., Any], dict[str, Any], list[str]]:
    """The loss of a model with so many blocks, its shapes and its parameters."""

    def loss(
        tokens: Any, targets: Any, embedding: Any, positions: Any, layers: Any,
        ln_g: Any, ln_b: Any, head: Any, heads: int = 2,
    ) -> Any:
        N, T = tokens.shape
        x = embedding[tokens] + positions
        for parameters in layers:
            x = block(x, parameters, heads)
        logits = layer_norm(x, ln_g, ln_b) @ head
        return nn.cross_entropy(logits.reshape(N * T, -1), targets.reshape(N * T))

    parameters = {
        "embedding": "M D", "positions": "T D", "layers": [dict(BLOCK) for _ in range(blocks)],
        "ln_g": "D", "ln_b": "D", "head": "D M",
    }
    shapes = {"tokens": "int N T", "targets": "int N T", **parameters}
    return loss, shapes, list(parameters)
