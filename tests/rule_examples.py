"""Small functions whose derivations take every rule once: docs/rules.md shows a step of each.

In: nothing. Out: functions, each with what it is derived with.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import symprop

# mypy: ignore-errors


def network(X: "N K", Y: "N M", W: "K H", V: "H M"):
    """A tanh layer and softmax with cross-entropy."""
    P = symprop.nn.softmax(np.tanh(X @ W) @ V)
    return -np.sum(Y * np.log(P)) / X.shape[0]


def two_layers(X: "N K", Y: "N M", W: "K H", V: "H G", U: "G M"):
    """Two tanh layers and squared errors."""
    A = np.tanh(X @ W)
    B = np.tanh(A @ V)
    return np.sum((B @ U - Y) ** 2) / (2 * X.shape[0])


def written_out(x: "N", w: ""):
    """A relu as many write it."""
    return np.sum(np.maximum(w * x, 0))


def centred(x: "N", w: "N"):
    """A mean that is subtracted."""
    z = w * x
    c = z - z.mean()
    return np.sum(c / np.sqrt(np.mean(c ** 2)))


def standardised(x: "N D", g: "D"):
    """A layer norm with weights behind it."""
    c = x - x.mean(axis=1, keepdims=True)
    h = c / np.sqrt(np.mean(c ** 2, axis=1, keepdims=True) + 1)
    return np.sum(h * g)


def mixture(x: "N", m: "K"):
    """A mixture of normal distributions of one width."""
    e = np.exp(-0.5 * (x[:, None] - m) ** 2)
    p = e / e.sum(axis=1, keepdims=True)
    return -np.log(e.sum(axis=1)).mean() + np.sum(p.mean(axis=0) ** 2)


def gate(x: "N", w: ""):
    """A gate by way of tanh, as gelu has it."""
    z = w * x
    t = np.tanh(z)
    s = 1 + t
    return np.sum((z * s / 2) ** 2)


def both_sides(x: "N", w: "", y: "N"):
    """Cross-entropy of two classes, by log σ at an argument and at its negative."""
    z = w * x
    return -np.sum(y * symprop.nn.log_sigmoid(z) + (1 - y) * symprop.nn.log_sigmoid(-z))


def odds(x: "N", w: ""):
    """A quotient by 1 + e."""
    e = np.exp(w * x)
    s = 1 + e
    a = e / s
    return np.sum(a * a)


def gram(X: "N D"):
    """All products of rows."""
    return np.sum((X @ X.T) ** 2)


def volume(A: "N N"):
    """The logarithm of a determinant."""
    return np.linalg.slogdet(A)[1]


PLAIN: dict[Any, dict[str, Any]] = {
    network: {"wrt": ["W", "V"], "facts": [symprop.sums_to_one("Y", axis=1)]},
    two_layers: {"wrt": ["W", "V", "U"]},
    written_out: {"wrt": ["w"]},
    centred: {"wrt": ["w"]},
    standardised: {"wrt": ["x"]},
    mixture: {"wrt": ["m"]},
    gate: {"wrt": ["w"]},
    both_sides: {"wrt": ["w"]},
    odds: {"wrt": ["w"]},
    gram: {"wrt": ["X"]},
    volume: {"wrt": ["A"]},
}
RULES = ("fa", "dfa", "dtp")  # of two_layers
CHINESE = {
    network: "一个 tanh 层，再加 softmax 与交叉熵。",
    two_layers: "两个 tanh 层与平方误差。",
    written_out: "许多人这样写 relu。",
    centred: "减去均值。",
    standardised: "层归一化，后面带权重。",
    mixture: "方差相同的若干正态分布的混合。",
    gate: "用 tanh 表示的门，如 gelu 中那样。",
    both_sides: "两类的交叉熵，用到 log σ 在某处及其相反数处的值。",
    odds: "除以 1 + e 的商。",
    gram: "各行两两之积。",
    volume: "行列式的对数。",
}
