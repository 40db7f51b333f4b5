"""nanoGPT in NumPy: token and position embeddings, a stack of causal blocks, tied output weights."""
from dataclasses import dataclass

import numpy as np


@dataclass
class GPTConfig:
    n_layer: int = 2
    n_head: int = 2
    bias: bool = False


def layer_norm(x, w, eps=1e-5):
    mu = x.mean(-1, keepdims=True)
    return (x - mu) / np.sqrt(x.var(-1, keepdims=True) + eps) * w


def gelu(x):
    return 0.5 * x * (1.0 + np.tanh(0.7978845608028654 * (x + 0.044715 * np.power(x, 3))))


def softmax(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def causal_self_attention(x, p, config):
    B, T, C = x.shape
    nh = config.n_head
    q, k, v = np.split(x @ p["c_attn"], 3, axis=-1)
    q = q.reshape(B, T, nh, C // nh).transpose(0, 2, 1, 3)  # (B, nh, T, hs)
    k = k.reshape(B, T, nh, C // nh).transpose(0, 2, 1, 3)
    v = v.reshape(B, T, nh, C // nh).transpose(0, 2, 1, 3)
    att = (q @ k.transpose(0, 1, 3, 2)) * (1.0 / np.sqrt(k.shape[-1]))
    mask = np.tril(np.ones((T, T)))
    att = np.where(mask == 0, -np.inf, att)
    y = softmax(att) @ v
    y = y.transpose(0, 2, 1, 3).reshape(B, T, C)
    return y @ p["c_proj"]


def mlp(x, p):
    return gelu(x @ p["c_fc"]) @ p["c_proj2"]


BLOCK = {"ln_1": "C", "c_attn": "C 3*C", "c_proj": "C C", "ln_2": "C", "c_fc": "C 4*C", "c_proj2": "4*C C"}


def loss(idx: "int B T", targets: "int B T", wte: "V C", wpe: "P C", blocks: [BLOCK, BLOCK], ln_f: "C",
         config=GPTConfig()):
    B, T = idx.shape
    x = wte[idx] + wpe[np.arange(T)]
    for p in blocks:
        x = x + causal_self_attention(layer_norm(x, p["ln_1"]), p, config)
        x = x + mlp(layer_norm(x, p["ln_2"]), p)
    logits = layer_norm(x, ln_f) @ wte.T
    logits = logits.reshape(B * T, -1)
    logp = np.log(softmax(logits))
    return -logp[np.arange(B * T), targets.reshape(-1)].mean()


def example(rng):
    B, T, V, P, C = 2, 4, 7, 6, 4
    n = lambda *s: 0.3 * rng.normal(size=s)
    make = lambda: {"ln_1": 1 + n(C), "c_attn": n(C, 3 * C), "c_proj": n(C, C), "ln_2": 1 + n(C),
                    "c_fc": n(C, 4 * C), "c_proj2": n(4 * C, C)}
    return {"idx": rng.integers(0, V, (B, T)), "targets": rng.integers(0, V, (B, T)), "wte": n(V, C),
            "wpe": n(P, C), "blocks": [make(), make()], "ln_f": 1 + n(C)}
