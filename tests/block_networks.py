"""Networks in natural style whose helpers are called again and again."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

import symprop
from symprop import nn
from symprop.by_blocks import BlockDerivation
from symprop.system import System


def softmax(z: Any) -> Any:
    z = z - z.max(axis=-1, keepdims=True)
    e = np.exp(z)
    return e / e.sum(axis=-1, keepdims=True)


def layer_norm(x: Any, g: Any, b: Any) -> Any:
    c = x - x.mean(axis=-1, keepdims=True)
    v = (c * c).mean(axis=-1, keepdims=True)
    return g * (c / np.sqrt(v + 1e-5)) + b


def head(q: Any, k: Any, v: Any) -> Any:
    return softmax(q @ k.T / np.sqrt(q.shape[-1])) @ v


def attention(x: Any, W: Any) -> Any:
    q, k, v = np.split(x @ W, 3, axis=-1)
    return np.concatenate([head(q[:, c], k[:, c], v[:, c])
                           for c in (slice(0, 2), slice(2, 4))], axis=-1)


def block(x: Any, p: Any) -> Any:
    h = x + attention(layer_norm(x, p["g"], p["b"]), p["W"])
    return h + np.tanh(layer_norm(h, p["c"], p["d"]) @ p["V"])


ONE = {"g": "4", "b": "4", "W": "4 12", "c": "4", "d": "4", "V": "4 4"}


def transformer(depth: int) -> System:
    def loss(tok: Any, E: Any, blocks: Any, g: Any, b: Any) -> Any:
        x = E[tok]
        for p in blocks:
            x = block(x, p)
        return (softmax(layer_norm(x, g, b) @ E.T) ** 2).mean()

    shapes = {"tok": "int T", "E": "M 4", "blocks": [ONE] * depth, "g": "4", "b": "4"}
    return symprop.trace(loss, shapes)


def widths() -> System:
    """Layers of unequal widths, the first of which needs no gradient of its input."""
    def dense(x: Any, W: Any, b: Any) -> Any:
        z = x @ W + b
        a = np.tanh(z)
        return a / np.sqrt(1 + a * a)

    def loss(x: "N A", U: "A B", b: "B", V: "B C", c: "C", W: "C D", d: "D"):
        return (dense(dense(dense(x, U, b), V, c), W, d) ** 2).mean()

    return symprop.trace(loss, wrt=["U", "b", "V", "c", "W", "d"])


def steps() -> System:
    """Unrolled steps that read rows of one array; parameters are shared, one result is unread."""
    def step(x: Any, h: Any, c: Any, W: Any) -> Any:
        i, f, g, o = np.split(np.concatenate([x, h]) @ W, 4)
        c = nn.sigmoid(f) * c + nn.sigmoid(i) * np.tanh(g)
        return nn.sigmoid(o) * np.tanh(c), c

    def loss(X: "2 K", h: "H", c: "H", W: "K+H 4*H"):
        for t in range(2):
            h, c = step(X[t], h, c, W)
        return (h * h).sum()

    return symprop.trace(loss)


def residual() -> System:
    def unit(x: Any, W: Any, g: Any) -> Any:
        h = x @ W
        h = g * h / np.sqrt((h * h).mean(axis=0) + 1e-5)
        return np.maximum(h, 0) + x

    def loss(x: "N D", U: "D D", V: "D D", W: "D D", g: "D", y: "int N", w: "D M"):
        h = unit(unit(unit(x, U, g), V, g), W, g)
        return nn.cross_entropy(h @ w, y)

    return symprop.trace(loss)


def inline() -> System:
    """The body of a loop, in no helper."""
    def loss(x: Any, layers: Any) -> Any:
        for W, b, g in layers:
            h = x @ W + b
            h = h / np.sqrt((h * h).mean(axis=1, keepdims=True) + 1e-5)
            x = x + np.tanh(g * h)
        return (x * x).sum()

    return symprop.trace(loss, {"x": "N D", "layers": [("D D", "D", "D")] * 3})


def unrolled() -> System:
    """Steps whose results are read one by one as well; the parameters are shared."""
    def step(x: Any, h: Any, W: Any) -> Any:
        z = x + h @ W
        return z / np.sqrt(1 + z * z)

    def loss(X: "3 H", h: "H", W: "H H"):
        h1 = step(X[0], h, W)
        h2 = step(X[1], h1, W)
        h3 = step(X[2], h2, W)
        return (h1 * h2 * h3).sum()

    return symprop.trace(loss)


def in_turn() -> System:
    """Two blocks in turn, three times, written out."""
    def one(x: Any, w: Any) -> Any:
        z = x * w
        return z / np.sqrt(1 + z * z)

    def other(x: Any, w: Any) -> Any:
        z = x + w
        return z / np.sqrt(2 + z * z)

    def loss(x: "N", a: "N", b: "N", c: "N", d: "N", e: "N", f: "N"):
        x = other(one(x, a), b)
        x = other(one(x, c), d)
        return (other(one(x, e), f) ** 2).sum()

    return symprop.trace(loss)


def scaled(x: Any, w: Any, by: Any = 1.0) -> Any:
    z = x * w
    s = np.sqrt(1 + z * z)
    return by * (z / s)


def pair(second: Callable[..., Any] = scaled, **options: Any) -> Callable[..., Any]:
    def loss(x: "N", y: "N", w: "N"):
        return scaled(x, w).sum() + (second(y, w, **options) ** 2).sum()
    return loss


def three_blocks() -> System:
    return transformer(3)


@cache
def by_blocks(make: Callable[[], System]) -> BlockDerivation:
    """The derivation of a network, once for all tests of a file."""
    return symprop.derive(make())
