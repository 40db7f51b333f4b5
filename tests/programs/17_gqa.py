"""Grouped-query attention: several query heads share one key and value head."""
import numpy as np


def repeat_kv(x, n_rep):
    # B, T, KV, hd -> B, T, KV * n_rep, hd
    if n_rep == 1:
        return x
    return np.repeat(x, n_rep, axis=2)


def softmax(x, axis=-1):
    x_max = x.max(axis=axis, keepdims=True)
    unnormalized = np.exp(x - x_max)
    return unnormalized / unnormalized.sum(axis=axis, keepdims=True)


def grouped_query_attention(x, Wq, Wk, Wv, Wo, n_heads, n_kv_heads):
    B, T, D = x.shape
    hd = Wq.shape[1] // n_heads
    q = (x @ Wq).reshape(B, T, n_heads, hd)
    k = (x @ Wk).reshape(B, T, n_kv_heads, hd)
    v = (x @ Wv).reshape(B, T, n_kv_heads, hd)

    k = repeat_kv(k, n_heads // n_kv_heads)
    v = repeat_kv(v, n_heads // n_kv_heads)

    scores = np.einsum("bthd,bshd->bhts", q, k) / np.sqrt(hd)
    causal = np.tril(np.ones((T, T), dtype=bool))
    scores = np.where(causal, scores, -1e9)
    out = np.einsum("bhts,bshd->bthd", softmax(scores), v)
    return out.reshape(B, T, n_heads * hd) @ Wo


def loss(x: "B T D", target: "B T D",
         Wq: "D 4*K", Wk: "D 2*K", Wv: "D 2*K", Wo: "4*K D",
         n_heads=4, n_kv_heads=2):
    y = grouped_query_attention(x, Wq, Wk, Wv, Wo, n_heads, n_kv_heads)
    return np.mean(np.square(y - target))


def example(rng):
    B, T, D, K = 2, 4, 5, 3
    return {
        "x": rng.normal(size=(B, T, D)),
        "target": rng.normal(size=(B, T, D)),
        "Wq": rng.normal(size=(D, 4 * K)),
        "Wk": rng.normal(size=(D, 2 * K)),
        "Wv": rng.normal(size=(D, 2 * K)),
        "Wo": rng.normal(size=(4 * K, D)) / np.sqrt(4 * K),
    }
