"""Which borders are opened: what they would cost, or make infinite; and which are kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from block_networks import softmax, transformer

import symprop
from symprop import nn
from symprop.blocks import outline


def cross_entropy(p: Any, y: Any) -> Any:
    return -np.log(np.take_along_axis(p, y[:, None], axis=-1)).mean()


def two_heads(z: "N M", w: "N M", y: "int N", u: "int N"):
    return cross_entropy(softmax(z), y) + cross_entropy(softmax(w), u)


def sigmoid(z: Any) -> Any:
    e = np.exp(-z)
    s = 1 + e
    return 1 / s


def entropy(p: Any, y: Any) -> Any:
    gain = y * np.log(p)
    loss = (1 - y) * np.log(1 - p)
    return -(gain + loss).mean()


def two_gates(z: "N", w: "N", y: "N", u: "N"):
    return entropy(sigmoid(z), y) + entropy(sigmoid(w), u)


def log_softmax(z: Any) -> Any:
    c = z - z.max(axis=-1, keepdims=True)
    return c - np.log(np.exp(c).sum(axis=-1, keepdims=True))


def likelihood(p: Any, y: Any) -> Any:
    return -np.take_along_axis(p, y[:, None], axis=-1).mean()


def two_likelihoods(z: "N M", w: "N M", y: "int N", u: "int N"):
    return likelihood(log_softmax(z), y) + likelihood(log_softmax(w), u)


def two_in_line(z: "N M", w: "N M", y: "int N", u: "int N"):
    a, b = log_softmax(z), log_softmax(w)
    return -a[np.arange(a.shape[0]), y].mean() - b[np.arange(b.shape[0]), u].mean()


def two_of_nn(z: "N M", w: "N M", y: "int N", u: "int N"):
    return nn.nll_loss(nn.log_softmax(z, 1), y) + nn.nll_loss(nn.log_softmax(w, 1), u)


def made_by_an_equation(z: "N", w: "N", y: "N", u: "N"):
    return entropy(np.exp(-z * z), y) + entropy(np.exp(-w * w), u)


@pytest.mark.parametrize("loss, line", [
    (two_gates, r"z̄    = \(\w+ - y\)/N"),
    (two_heads, r"z̄ += \(p\S* - onehot\(y\)\)/N"),
    (two_likelihoods, r"z̄ += \(diag\(s\S*\)⁻¹ e\S* - onehot\(y\)\)/N"),
    (two_in_line, r"z̄ += \(diag\(s\S*\)⁻¹ e\S* - onehot\(y\)\)/N"),
    (two_of_nn, r"z̄ += \(p\S* - onehot\(y\)\)/N"),
    (made_by_an_equation, r"z̄"),
], ids=["sigmoid and entropy", "softmax and cross-entropy", "log_softmax and nll",
        "log_softmax and nll in line", "those of nn", "what divides by its port"])
def test_a_border_that_costs_is_opened(loss: Callable[..., Any], line: str) -> None:
    """p - y, which is finite where p has underflowed, though each is used twice."""
    derivation = symprop.derive(symprop.trace(loss, wrt=["z", "w"]))
    assert not derivation.lemmas and re.search(line, derivation.text(detail="full"))


# ---- kept -----------------------------------------------------------------------------------


def relu(x: Any) -> Any:
    m = np.where(x > 0, x, 0.01 * x)
    return m / (1 + np.abs(m))


def norm(x: Any, g: Any) -> Any:
    v = (x * x).mean(axis=-1, keepdims=True)
    return x / np.sqrt(v + 1e-5) * g


def rotary(x: Any) -> Any:
    half = x.shape[-1] // 2
    angle = np.arange(x.shape[-2])[:, None] * 100.0 ** (-np.arange(half) / half)
    left, right, cos, sin = x[..., :half], x[..., half:], np.cos(angle), np.sin(angle)
    return np.concatenate([left * cos - right * sin, right * cos + left * sin], axis=-1)


def attention(x: Any, Wq: Any, Wk: Any, Wv: Any) -> Any:
    q, k = rotary(x @ Wq), rotary(x @ Wk)
    return softmax(q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1])) @ (x @ Wv)


def mlp(x: Any, W: Any, V: Any) -> Any:
    return relu(x @ W) @ V


BLOCK = {"g": "D", "Wq": "D D", "Wk": "D D", "Wv": "D D", "h": "D", "W": "D F", "V": "F D"}


def llama(x: "N T D", y: "int N T", blocks: [BLOCK, BLOCK, BLOCK], W: "D M"):
    for b in blocks:
        x = x + attention(norm(x, b["g"]), b["Wq"], b["Wk"], b["Wv"])
        x = x + mlp(norm(x, b["h"]), b["W"], b["V"])
    return -np.log(np.take_along_axis(softmax(x @ W), y[..., None], axis=-1)).mean()


def residual(x: "N D", Ws: ["D D", "D D", "D D"], g: "D", y: "N D"):
    def unit(x: Any, W: Any) -> Any:
        return x + relu(norm(x @ W, g))

    for W in Ws:
        x = unit(x, W)
    return ((relu(norm(x, g)) - y) ** 2).mean()


def linear(x: Any, W: Any, b: Any) -> Any:
    z = x @ W + b
    return relu(z)


def layers(x: "N A", U: "A B", u: "B", V: "B C", v: "C", y: "N C"):
    return ((linear(linear(x, U, u), V, v) - y) ** 2).mean()


def convolution(x: Any, W: Any, b: Any) -> Any:
    y = nn.conv2d(x, W, padding=1)
    return relu(y + b[:, None, None])


def convolutions(x: "N C Y X", U: "C C 3 3", u: "C", V: "C C 3 3", v: "C"):
    return (convolution(convolution(x, U, u), V, v) ** 2).mean()


@pytest.mark.parametrize("loss, kept", [
    (llama, {"norm", "rotary", "attention", "block"}),
    (residual, {"relu", "unit"}),
    (layers, {"linear"}),
    (convolutions, {"convolution"}),
])
def test_other_borders_are_kept(loss: Callable[..., Any], kept: set[str]) -> None:
    """Every block in one variant, however many layers there are; tables are made outside."""
    parameters = [n for n in loss.__annotations__ if n not in ("x", "y")]
    derivation = symprop.derive(symprop.trace(loss, wrt=parameters))
    names = [m.block.name for m in derivation.lemmas]
    assert kept <= set(names) and len(names) == len(set(names))
    derivation.verify()


@pytest.mark.deep
def test_ninety_six_blocks_have_one_variant_of_each() -> None:
    names = [b.name for b in outline(transformer(96)).below]
    assert sorted(names) == ["attention", "block", "head", "layer_norm"]


def test_a_lemma_of_a_narrow_domain_is_verified_where_it_is_used() -> None:
    """A logarithm of x w - 4: both are at least 3 here, though nothing says so of the ports."""
    def gain(x: Any, w: Any) -> Any:
        t = x * w - 4
        s = np.log(t)
        return s / np.sqrt(1 + s * s)

    def loss(x: "N", w: "N"):
        a, b, c = 3 + x * x, 3 + w * w, 3 + x * x * w * w
        return gain(a, b).sum() + (gain(b, c) * x).sum()

    derivation = symprop.derive(symprop.trace(loss))
    assert [m.block.name for m in derivation.lemmas] == ["gain"]
    derivation.verify()
