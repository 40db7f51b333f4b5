"""Attention: one head, Transformer blocks, language models, images as sequences of patches.

In: arrays, examples first (N T D). Out: a scalar loss and what `predict` returns;
MODELS, the family's part of the zoo.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop import nn
from symprop.zoo.model import Model


def attention(X: "N T D", Y: "N T E", Wq: "D H", Wk: "D H", Wv: "D E") -> Any:
    """One head of scaled dot-product attention, mean squared error."""
    H = Wq.shape[1]
    Q = X @ Wq
    K = X @ Wk
    V = X @ Wv
    S = Q @ np.swapaxes(K, 1, 2) / np.sqrt(H)
    A = nn.softmax(S, axis=-1)
    Z = A @ V
    return nn.mse_loss(Z, Y), {"A": A, "Z": Z}


def transformer_block(
    x: "N T D", target: "N T D",
    Wq: "D D", bq: "D", Wk: "D D", bk: "D", Wv: "D D", bv: "D", Wo: "D D", bo: "D",
    g1: "D", b1: "D", W1: "D F", c1: "F", W2: "F D", c2: "D", g2: "D", b2: "D",
    heads: int = 2,
) -> Any:
    """An encoder block as in "Attention is all you need": the norm after each residual sum."""
    D = x.shape[-1]
    q = nn.split_heads(x @ Wq + bq, heads)
    k = nn.split_heads(x @ Wk + bk, heads)
    v = nn.split_heads(x @ Wv + bv, heads)
    attended = nn.merge_heads(nn.scaled_dot_product_attention(q, k, v)) @ Wo + bo
    u = nn.layer_norm(x + attended, D, g1, b1)
    f = nn.relu(u @ W1 + c1) @ W2 + c2
    y = nn.layer_norm(u + f, D, g2, b2)
    return nn.mse_loss(y, target), {"y": y}


GPT_BLOCK = {
    "g1": "D", "b1": "D", "Wq": "D D", "Wk": "D D", "Wv": "D D", "Wo": "D D", "bo": "D",
    "g2": "D", "b2": "D", "W1": "D F", "c1": "F", "W2": "F D", "c2": "D",
}


def _gpt_block(x: Any, block: dict[str, Any], heads: int) -> Any:
    D = x.shape[-1]
    h = nn.layer_norm(x, D, block["g1"], block["b1"])
    q = nn.split_heads(h @ block["Wq"], heads)
    k = nn.split_heads(h @ block["Wk"], heads)
    v = nn.split_heads(h @ block["Wv"], heads)
    attended = nn.merge_heads(nn.scaled_dot_product_attention(q, k, v, is_causal=True))
    x = x + attended @ block["Wo"] + block["bo"]
    u = nn.layer_norm(x, D, block["g2"], block["b2"])
    hidden = nn.gelu(u @ block["W1"] + block["c1"], approximate="tanh")  # as in GPT-2
    return x + hidden @ block["W2"] + block["c2"]


def _gpt_body(tok: Any, E: Any, P: Any, blocks: Any, g: Any, b: Any, heads: int) -> Any:
    x = E[tok] + P[: tok.shape[1]]
    for block in blocks:
        x = _gpt_block(x, block, heads)
    return nn.layer_norm(x, x.shape[-1], g, b)


def gpt(
    tok: "int N T", following: "int N T", E: "M D", P: "C D", blocks: [GPT_BLOCK, GPT_BLOCK],
    g: "D", b: "D", W: "D M", heads: int = 2,
) -> Any:
    """GPT with two blocks and a head of its own; C is the longest text it can read."""
    h = _gpt_body(tok, E, P, blocks, g, b, heads)
    logits = h @ W
    return nn.cross_entropy(logits, following, axis=-1), {"logits": logits}


def gpt_tied(
    tok: "int N T", following: "int N T", E: "M D", P: "C D", blocks: [GPT_BLOCK, GPT_BLOCK],
    g: "D", b: "D", heads: int = 2,
) -> Any:
    """GPT with two blocks whose head is the token embedding E once more."""
    h = _gpt_body(tok, E, P, blocks, g, b, heads)
    logits = h @ E.T
    return nn.cross_entropy(logits, following, axis=-1), {"logits": logits}


def _rotary(x: Any, theta: float = 10000.0) -> Any:
    """Rotates the pairs (x[i], x[i + E/2]) of position t by t θ^(-2i/E)."""
    T, E = x.shape[-2:]
    half = E // 2
    angle = np.arange(T)[:, None] * theta ** (-np.arange(half) / half)
    left, right = x[..., :half], x[..., half:]
    cos, sin = np.cos(angle), np.sin(angle)
    return np.concatenate([left * cos - right * sin, right * cos + left * sin], axis=-1)


def llama_block(
    x: "N T D", target: "N T D", g1: "D", Wq: "D 4*E", Wk: "D 2*E", Wv: "D 2*E", Wo: "4*E D",
    g2: "D", Wgate: "D F", Wup: "D F", Wdown: "F D", heads: int = 4, groups: int = 2,
) -> Any:
    """A LLaMA block: RMSNorm, rotary positions, keys shared by groups of heads, SwiGLU."""
    D = x.shape[-1]
    h = nn.rms_norm(x, D, g1, eps=1e-6)
    q = _rotary(nn.split_heads(h @ Wq, heads))
    k = _rotary(nn.split_heads(h @ Wk, groups))
    v = nn.split_heads(h @ Wv, groups)
    o = nn.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
    u = x + nn.merge_heads(o) @ Wo
    z = nn.rms_norm(u, D, g2, eps=1e-6)
    y = u + (nn.silu(z @ Wgate) * (z @ Wup)) @ Wdown
    return nn.mse_loss(y, target), {"y": y}


def vision_transformer(
    images: "N C 2*R 2*S", label: "int N", Wp: "C*4 D", bp: "D", cls: "D", P: "R*S+1 D",
    g1: "D", b1: "D", Wq: "D D", Wk: "D D", Wv: "D D", Wo: "D D",
    g2: "D", b2: "D", W1: "D F", c1: "F", W2: "F D", c2: "D", W: "D M", c: "M", heads: int = 2,
) -> Any:
    """Patches of 2 x 2 pixels and a class token through one block; the token is classified."""
    N, C, Y, X = images.shape
    R, S, D = Y // 2, X // 2, Wp.shape[1]
    pixels = images.reshape(N, C, R, 2, S, 2).transpose(0, 2, 4, 1, 3, 5)
    patches = pixels.reshape(N, R * S, C * 4)
    token = np.broadcast_to(cls, (N, 1, D))
    x = np.concatenate([token, patches @ Wp + bp], axis=1) + P
    h = nn.layer_norm(x, D, g1, b1)
    q, k, v = (nn.split_heads(h @ weight, heads) for weight in (Wq, Wk, Wv))
    u = x + nn.merge_heads(nn.scaled_dot_product_attention(q, k, v)) @ Wo
    z = u + nn.gelu(nn.layer_norm(u, D, g2, b2) @ W1 + c1) @ W2 + c2
    logits = z[:, 0] @ W + c
    return nn.cross_entropy(logits, label), {"logits": logits}


_NORMS = ("g1", "b1", "g2", "b2")
_SIZES = (
    {"N": 2, "T": 3, "D": 4, "E": 2, "H": 5, "F": 5, "M": 3, "C": 4, "R": 2, "S": 3},
    {"N": 3, "T": 1, "D": 4, "E": 4, "H": 3, "F": 2, "M": 2, "C": 1, "R": 1, "S": 2},
)

MODELS = (
    Model("attention", "One head of scaled dot-product attention",
          attention, ("Wq", "Wk", "Wv"), sizes=_SIZES),
    Model("transformer_block", "Transformer encoder block, the norm after the residual sum",
          transformer_block,
          ("Wq", "bq", "Wk", "bk", "Wv", "bv", "Wo", "bo", "W1", "c1", "W2", "c2", *_NORMS),
          sizes=_SIZES),
    Model("gpt", "GPT with two blocks, a head of its own",
          gpt, ("E", "P", "blocks", "g", "b", "W"), sizes=_SIZES),
    Model("gpt_tied", "GPT with two blocks, the head tied to the embedding",
          gpt_tied, ("E", "P", "blocks", "g", "b"), sizes=_SIZES, shown=False),
    Model("llama_block", "LLaMA block: RMSNorm, rotary positions, grouped queries, SwiGLU",
          llama_block, ("g1", "Wq", "Wk", "Wv", "Wo", "g2", "Wgate", "Wup", "Wdown"),
          sizes=_SIZES),
    Model("vision_transformer", "Vision transformer: patches, a class token, one block",
          vision_transformer,
          ("Wp", "bp", "cls", "P", "Wq", "Wk", "Wv", "Wo", "W1", "c1", "W2", "c2", "W", "c",
           *_NORMS), sizes=_SIZES, shown=False),
)
