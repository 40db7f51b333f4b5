"""Models for the tests of generated code: every kind of argument, name and statement.

In: nothing. Out: functions that a user might write, and their modules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

import symprop
from symprop import nn
from symprop.emit.module import GeneratedModule

GAINS = np.array([0.5, -1.0, 2.0])
LONG = "abcdefghij" * 6
AXIS = "abcdefghij" * 2


def mlp(X: "N K", Y: "N M", W1: "K H", b1: "H", W2: "H M", b2: "M", unused: "K") -> Any:
    A1 = np.tanh(X @ W1 + b1)
    Z2 = A1 @ W2 + b2
    return nn.cross_entropy(Z2, Y), {"logits": Z2}


def nested(
    blocks: [{"W": "D D", "b": "D"}, {"W": "D D", "b": "D"}],
    pair: ("D", ""), X: "N D",
) -> Any:
    h = X
    for block in blocks:
        h = np.tanh(h @ block["W"] + block["b"])
    return np.mean((h * pair[0] * pair[1]) ** 2), {"h": h}


@dataclass
class Layer:
    """A layer as a dataclass."""

    W: "K M"
    b: "M"


def dataclassed(layer: Layer, X: "N K") -> Any:
    return np.sum(np.tanh(X @ layer.W + layer.b) ** 2)


def static(X: "N D", heads: int = 2, eps: float = 1e-5) -> Any:
    N, D = X.shape
    v = np.sum(X.reshape(N, heads, D // heads) ** 2, axis=2)
    return np.mean(np.sqrt(v + eps))


def composite(X: "N 4*H", y: "int N", W: "4*H D//2", V: "D T-1") -> Any:
    Z = X @ W
    return nn.cross_entropy(Z, y) + np.sum(V**2)


def scalars(x: "N", w: "", c: "", k: "int", on: "bool") -> Any:
    shifted = np.where(on, w * x + c, x * k)
    return np.mean(np.tanh(shifted) ** 2)


def constants(x: "N 3", w: "3") -> Any:
    return np.mean(np.tanh(x * w * GAINS) ** 2)


def gathered(E: "V D", ids: "int N T", w: "D") -> Any:
    e = np.take(E, ids, axis=0)
    return np.mean(np.tanh(e @ w)), {"e": e}


def guarded(x: "N", w: "N") -> Any:
    y = np.log(x)
    safe = np.where(x > 0, y * w, -x * w)
    return np.sum(safe), {"safe": safe}


def colliding(
    dW: "N K", saved: "N", np: "K", dtype: "N", read: "", grads: "K", range: "N", n: "N", k: "K",
    W: "K", sigmoid: "N", forward: "K", backward: "", float: "bool N", slice: "int N",
) -> Any:
    import numpy

    h = numpy.tanh(dW @ W) * saved * n
    L = nn.sigmoid(h) * dtype * sigmoid
    dL = numpy.where(float, L, 0) * slice
    return numpy.sum(dL) * read + numpy.sum(grads * k * np * forward) + (
        numpy.sum(range) * backward)


def convolution(x: "N C Y X", K: "O C 3 3") -> Any:
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    return np.mean(np.tanh(np.einsum("ncijpq,ocpq->noij", windows, K)) ** 2)


def recurrent(x: "T N K", h0: "N H", U: "H H", V: "K H") -> Any:
    def step(h: Any, x_t: Any) -> Any:
        h = np.tanh(h @ U + x_t @ V)
        return h, h

    _, hs = symprop.scan(step, h0, x)
    return np.mean(hs**2)


MODELS = {f.__name__: f for f in (
    mlp, nested, dataclassed, static, composite, scalars, constants, gathered, colliding,
    convolution, recurrent)}


@cache
def derivation(name: str) -> Any:
    function = {**MODELS, "guarded": guarded}[name]
    facts = [symprop.sums_to_one("Y", axis=1)] if name == "mlp" else []
    return symprop.derive(symprop.trace(function, facts=facts))


@cache
def module(name: str) -> GeneratedModule:
    return symprop.generate(derivation(name))


def generated(function: Callable[..., Any], **options: Any) -> GeneratedModule:
    return symprop.generate(symprop.trace(function, **options))


def body(source: str, function: str) -> str:
    """The text of one function of a module."""
    start = source.index(f"def {function}(")
    return source[start: source.find("\n\n\n", start)]


def inputs(seed: int = 0) -> dict[str, Any]:
    """Inputs of the mlp."""
    r = np.random.default_rng(seed)
    return {"X": r.normal(size=(5, 3)), "Y": r.dirichlet(np.ones(4), 5),
            "W1": r.normal(size=(3, 2)), "b1": r.normal(size=2), "W2": r.normal(size=(2, 4)),
            "b2": r.normal(size=4), "unused": r.normal(size=3)}
