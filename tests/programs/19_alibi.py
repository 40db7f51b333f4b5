"""Causal multi-head attention whose only position information are ALiBi biases."""
import numpy as np
from scipy.special import softmax


def get_slopes(n_heads):
    start = 2 ** (-8 / n_heads)
    return np.array([start ** (i + 1) for i in range(n_heads)])


def alibi_bias(n_heads, T):
    pos = np.arange(T)
    distance = pos[None, :] - pos[:, None]            # j - i, negative in the past
    bias = get_slopes(n_heads)[:, None, None] * distance
    return np.where(distance > 0, -1e9, bias)


def loss(x: "T D", y: "T D", W_qkv: "3 h D k", W_o: "h k D"):
    T = x.shape[0]
    n_heads, _, d_k = W_qkv.shape[1:]
    q, k, v = np.einsum("td,nhdk->nhtk", x, W_qkv)
    scores = q @ k.swapaxes(1, 2) / d_k**0.5 + alibi_bias(n_heads, T)
    heads = softmax(scores, axis=-1) @ v
    out = np.einsum("htk,hkd->td", heads, W_o)
    return ((out - y) ** 2).mean()


def example(rng):
    T, D, h, k = 5, 4, 2, 3
    return dict(
        x=rng.normal(size=(T, D)),
        y=rng.normal(size=(T, D)),
        W_qkv=rng.normal(size=(3, h, D, k)) / np.sqrt(D),
        W_o=rng.normal(size=(h, k, D)) / np.sqrt(h * k),
    )
