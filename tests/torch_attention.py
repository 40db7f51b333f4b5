"""The zoo's attention and Transformers, in PyTorch's own layers.

In: tensors in float64. Out: the loss.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F


def _heads(x: Any, heads: int) -> Any:
    return x.unflatten(-1, (heads, -1)).transpose(-2, -3)


def _merged(x: Any) -> Any:
    return x.transpose(-2, -3).flatten(-2)


def attention(X: Any, Y: Any, Wq: Any, Wk: Any, Wv: Any) -> Any:
    return F.mse_loss(F.scaled_dot_product_attention(X @ Wq, X @ Wk, X @ Wv), Y)


def transformer_block(
    x: Any, target: Any, Wq: Any, bq: Any, Wk: Any, bk: Any, Wv: Any, bv: Any, Wo: Any, bo: Any,
    g1: Any, b1: Any, W1: Any, c1: Any, W2: Any, c2: Any, g2: Any, b2: Any,
) -> Any:
    layer = torch.nn.TransformerEncoderLayer(
        x.shape[2], 2, len(c1), dropout=0.0, batch_first=True, dtype=x.dtype)
    weights = {
        "self_attn.in_proj_weight": torch.cat([Wq.T, Wk.T, Wv.T]),
        "self_attn.in_proj_bias": torch.cat([bq, bk, bv]),
        "self_attn.out_proj.weight": Wo.T, "self_attn.out_proj.bias": bo,
        "norm1.weight": g1, "norm1.bias": b1, "norm2.weight": g2, "norm2.bias": b2,
        "linear1.weight": W1.T, "linear1.bias": c1, "linear2.weight": W2.T, "linear2.bias": c2,
    }
    return F.mse_loss(torch.func.functional_call(layer, weights, (x,)), target)


def _gpt(
    tok: Any, following: Any, E: Any, P: Any, blocks: Any, g: Any, b: Any, head: Any
) -> Any:
    x = F.embedding(tok, E) + P[: tok.shape[1]]
    for p in blocks:
        h = F.layer_norm(x, x.shape[-1:], p["g1"], p["b1"])
        q, k, v = (_heads(h @ p[name], 2) for name in ("Wq", "Wk", "Wv"))
        o = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + _merged(o) @ p["Wo"] + p["bo"]
        u = F.layer_norm(x, x.shape[-1:], p["g2"], p["b2"])
        hidden = F.gelu(u @ p["W1"] + p["c1"], approximate="tanh")
        x = x + hidden @ p["W2"] + p["c2"]
    logits = F.layer_norm(x, x.shape[-1:], g, b) @ head
    return F.cross_entropy(logits.flatten(0, 1), following.flatten())


def gpt(
    tok: Any, following: Any, E: Any, P: Any, blocks: Any, g: Any, b: Any, W: Any
) -> Any:
    return _gpt(tok, following, E, P, blocks, g, b, W)


def gpt_tied(tok: Any, following: Any, E: Any, P: Any, blocks: Any, g: Any, b: Any) -> Any:
    return _gpt(tok, following, E, P, blocks, g, b, E.T)


def _rotated(x: Any) -> Any:
    """Rotary positions by complex numbers: the pairs (x[i], x[i + E/2]) as x[i] + i x[i + E/2]."""
    T, E = x.shape[-2:]
    frequencies = 10000.0 ** (-torch.arange(E // 2, dtype=x.dtype) / (E // 2))
    turn = torch.exp(1j * torch.outer(torch.arange(T, dtype=x.dtype), frequencies))
    z = torch.complex(x[..., : E // 2], x[..., E // 2 :]) * turn
    return torch.cat([z.real, z.imag], dim=-1)


def llama_block(
    x: Any, target: Any, g1: Any, Wq: Any, Wk: Any, Wv: Any, Wo: Any, g2: Any, Wgate: Any,
    Wup: Any, Wdown: Any,
) -> Any:
    h = F.rms_norm(x, x.shape[-1:], g1, eps=1e-6)
    q, k, v = _heads(h @ Wq, 4), _heads(h @ Wk, 2), _heads(h @ Wv, 2)
    o = F.scaled_dot_product_attention(
        _rotated(q), _rotated(k), v, is_causal=True, enable_gqa=True)
    u = x + _merged(o) @ Wo
    z = F.rms_norm(u, x.shape[-1:], g2, eps=1e-6)
    return F.mse_loss(u + (F.silu(z @ Wgate) * (z @ Wup)) @ Wdown, target)


def vision_transformer(
    images: Any, label: Any, Wp: Any, bp: Any, cls: Any, P: Any, g1: Any, b1: Any, Wq: Any,
    Wk: Any, Wv: Any, Wo: Any, g2: Any, b2: Any, W1: Any, c1: Any, W2: Any, c2: Any, W: Any,
    c: Any,
) -> Any:
    kernel = Wp.T.unflatten(1, (images.shape[1], 2, 2))
    patches = F.conv2d(images, kernel, bp, stride=2).flatten(2).transpose(1, 2)
    token = cls.expand(len(images), 1, -1)
    x = torch.cat([token, patches], dim=1) + P
    h = F.layer_norm(x, x.shape[-1:], g1, b1)
    o = F.scaled_dot_product_attention(*(_heads(h @ weight, 2) for weight in (Wq, Wk, Wv)))
    u = x + _merged(o) @ Wo
    hidden = F.gelu(F.layer_norm(u, x.shape[-1:], g2, b2) @ W1 + c1)
    return F.cross_entropy((u + hidden @ W2 + c2)[:, 0] @ W + c, label)


MODELS = (attention, transformer_block, gpt, gpt_tied, llama_block, vision_transformer)
