"""One LLaMA block with RMSNorm, rotary embeddings and SwiGLU, and the next-token loss."""
import numpy as np


def rmsnorm(x, w, eps=1e-5):
    z = np.mean(x**2, axis=-1, keepdims=True) + eps
    return x / np.sqrt(z) * w


def silu(x):
    return x * (1 / (1 + np.exp(-x)))


def softmax(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def compute_cos_sin(head_dim, max_len, base=10000.0):
    inv_freq = 1.0 / (base ** (np.arange(0, head_dim, 2)[: head_dim // 2] / head_dim))
    t = np.arange(max_len)
    freqs = np.outer(t, inv_freq)
    return np.cos(freqs), np.sin(freqs)


def apply_rotary(x, cos, sin):
    # x: L, H, hd -> pairs
    xr = x.reshape(x.shape[:-1] + (-1, 2))
    x_r, x_i = xr[..., 0], xr[..., 1]
    cos, sin = cos[:, None, :], sin[:, None, :]
    out_r = x_r * cos - x_i * sin
    out_i = x_r * sin + x_i * cos
    return np.stack([out_r, out_i], axis=-1).reshape(x.shape)


def attention(x, wq, wk, wv, wo, n_heads, head_dim):
    L = x.shape[0]
    q, k, v = (
        (x @ w).reshape(L, n_heads, head_dim) for w in (wq, wk, wv)
    )
    cos, sin = compute_cos_sin(head_dim, L)
    q, k = apply_rotary(q, cos, sin), apply_rotary(k, cos, sin)
    q, k, v = q.transpose(1, 0, 2), k.transpose(1, 0, 2), v.transpose(1, 0, 2)
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(head_dim)
    scores = scores + np.triu(np.full((L, L), -1e9), k=1)
    out = softmax(scores) @ v
    return out.transpose(1, 0, 2).reshape(L, -1) @ wo


def loss(tokens: "int L", targets: "int L", embed: "V 8",
         wq: "8 8", wk: "8 8", wv: "8 8", wo: "8 8",
         w_gate: "8 F", w_up: "8 F", w_down: "F 8",
         attn_norm: "8", ffn_norm: "8", out_norm: "8", lm_head: "8 V",
         n_heads=2, head_dim=4):
    h = embed[tokens]
    h = h + attention(rmsnorm(h, attn_norm), wq, wk, wv, wo, n_heads, head_dim)
    z = rmsnorm(h, ffn_norm)
    h = h + (silu(z @ w_gate) * (z @ w_up)) @ w_down
    logits = rmsnorm(h, out_norm) @ lm_head
    logprobs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    return -np.mean(logprobs[np.arange(len(targets)), targets])


def example(rng):
    L, V, D, F = 5, 7, 8, 6
    w = lambda *s: rng.normal(size=s) / np.sqrt(s[0])
    return dict(tokens=rng.integers(0, V, L), targets=rng.integers(0, V, L), embed=rng.normal(size=(V, D)),
                wq=w(D, D), wk=w(D, D), wv=w(D, D), wo=w(D, D), w_gate=w(D, F), w_up=w(D, F),
                w_down=w(F, D), attn_norm=rng.uniform(0.8, 1.2, D), ffn_norm=rng.uniform(0.8, 1.2, D),
                out_norm=rng.uniform(0.8, 1.2, D), lm_head=w(D, V))
