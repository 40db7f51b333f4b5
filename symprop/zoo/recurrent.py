"""Recurrent networks: `symprop.scan` runs a step over a symbolic number of times T.

In: arrays, time first (T N ...). Out: a scalar loss and what `predict` returns; MODELS,
the family's part of the zoo.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop import nn
from symprop.trace.scan import scan
from symprop.zoo.model import Model


def elman_rnn(
    x: "T N K", y: "int N", h0: "N H", U: "K H", V: "H H", b: "H", W: "H M", c: "M"
) -> Any:
    """Elman's network reads a sequence, and its last state h classifies it."""

    def step(h: Any, x_t: Any) -> Any:
        h = np.tanh(x_t @ U + h @ V + b)
        return h, h

    h, _ = scan(step, h0, x)
    logits = h @ W + c
    return nn.cross_entropy(logits, y), {"logits": logits}


def lstm(
    text: "int T N", following: "int T N", h0: "N H", c0: "N H",
    E: "M D", U: "D 4*H", V: "H 4*H", b: "4*H", W: "H M", d: "M",
) -> Any:
    """A character language model: embedding E, one LSTM layer (gates i, f, g, o), cross-entropy.

    `following[t]` is the character after `text[t]`; `predict` also returns the last state, from
    which the next call goes on.
    """
    H = h0.shape[1]

    def step(carry: Any, x: Any) -> Any:
        h, c = carry
        z = x @ U + h @ V + b
        i = nn.sigmoid(z[:, :H])
        f = nn.sigmoid(z[:, H : 2 * H])
        g = np.tanh(z[:, 2 * H : 3 * H])
        o = nn.sigmoid(z[:, 3 * H :])
        c = f * c + i * g
        h = o * np.tanh(c)
        return (h, c), h

    (h_last, c_last), h = scan(step, (h0, c0), E[text])
    logits = h @ W + d
    loss = nn.cross_entropy(logits, following, axis=-1)
    return loss, {"logits": logits, "h_last": h_last, "c_last": c_last}


def gru(
    x: "T N K", y: "T N M", h0: "N H", U: "K 3*H", V: "H 3*H", b: "3*H", d: "H", W: "H M", c: "M"
) -> Any:
    """A gated recurrent unit (gates r, z, n as in PyTorch) that predicts a series."""
    H = h0.shape[1]

    def step(h: Any, x_t: Any) -> Any:
        u = x_t @ U + b
        v = h @ V
        r = nn.sigmoid(u[:, :H] + v[:, :H])
        z = nn.sigmoid(u[:, H : 2 * H] + v[:, H : 2 * H])
        n = np.tanh(u[:, 2 * H :] + r * (v[:, 2 * H :] + d))
        h = (1 - z) * n + z * h
        return h, h

    _, h = scan(step, h0, x)
    prediction = h @ W + c
    return nn.mse_loss(prediction, y), {"prediction": prediction}


def bidirectional_rnn(
    x: "T N K", y: "int T N", h0: "N H", g0: "N H",
    U: "K H", V: "H H", b: "H", P: "K H", Q: "H H", d: "H", W: "2*H M", c: "M",
) -> Any:
    """Labels every time from two Elman networks, h from the left and g from the right."""

    def forwards(h: Any, x_t: Any) -> Any:
        h = np.tanh(x_t @ U + h @ V + b)
        return h, h

    def backwards(g: Any, x_t: Any) -> Any:
        g = np.tanh(x_t @ P + g @ Q + d)
        return g, g

    _, h = scan(forwards, h0, x)
    _, g = scan(backwards, g0, x[::-1])
    both = np.concatenate([h, g[::-1]], axis=-1)
    logits = both @ W + c
    return nn.cross_entropy(logits, y, axis=-1), {"logits": logits}


def attention_rnn(
    x: "S N K", text: "int T N", following: "int T N", s0: "N H", E: "M D",
    U: "K H", V: "H H", b: "H",
    Wa: "H A", Ua: "H A", v: "A",
    P: "D H", Q: "H H", C: "H H", d: "H", W: "H M", c: "M",
) -> Any:
    """Bahdanau's attention: a decoder s that looks at all states h of an encoder.

    e[t, r] = v · tanh(Wa s[t-1] + Ua h[r]), and a = softmax e weighs the states into a context.
    """

    def encode(h: Any, x_r: Any) -> Any:
        h = np.tanh(x_r @ U + h @ V + b)
        return h, h

    _, h = scan(encode, np.zeros_like(s0), x)
    keys = h @ Ua

    def decode(s: Any, word: Any) -> Any:
        e = np.tanh(s @ Wa + keys) @ v
        a = nn.softmax(e, axis=0)
        context = np.einsum("rn,rnh->nh", a, h)
        s = np.tanh(word @ P + s @ Q + context @ C + d)
        return s, (s, a)

    _, (s, a) = scan(decode, s0, E[text])
    logits = s @ W + c
    loss = nn.cross_entropy(logits, following, axis=-1)
    return loss, {"logits": logits, "attention": a}


_SIZES = (
    {"T": 4, "S": 3, "N": 2, "K": 5, "H": 3, "M": 4, "D": 2, "A": 6},
    {"T": 1, "S": 2, "N": 3, "K": 2, "H": 2, "M": 3, "D": 1, "A": 4},
)

MODELS = (
    Model("elman_rnn", "Elman network that classifies a sequence",
          elman_rnn, ("U", "V", "b", "W", "c"), sizes=_SIZES),
    Model("lstm", "LSTM language model over characters",
          lstm, ("E", "U", "V", "b", "W", "d"), sizes=_SIZES),
    Model("gru", "Gated recurrent unit that predicts a series",
          gru, ("U", "V", "b", "d", "W", "c"), sizes=_SIZES, shown=False),
    Model("bidirectional_rnn", "Two Elman networks, one in each direction",
          bidirectional_rnn, ("U", "V", "b", "P", "Q", "d", "W", "c"), sizes=_SIZES, shown=False),
    Model("attention_rnn", "Encoder and decoder with Bahdanau's attention",
          attention_rnn,
          ("E", "U", "V", "b", "Wa", "Ua", "v", "P", "Q", "C", "d", "W", "c"), sizes=_SIZES,
          shown=False),
)
