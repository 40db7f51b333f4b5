"""What is compared: forward passes as a user writes them, and the arrays that they are called with.

In: the name of a workload, a dtype. Out: a `Workload`, and its arrays, the same in every process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from symprop import nn, scan

Draw = Callable[[np.random.Generator], dict[str, Any]]
BLOCK = {
    "g1": "D", "b1": "D", "Wqkv": "D 3*D", "bqkv": "3*D", "Wo": "D D", "bo": "D",
    "g2": "D", "b2": "D", "W1": "D F", "c1": "F", "W2": "F D", "c2": "D",
}
HEADS = 4


# ---- forward passes ---------------------------------------------------------------------------


def tiny(x: "N D", y: "N M", W1: "D H", b1: "H", W2: "H M", b2: "M") -> Any:
    """Exclusive or: what remains is the cost of calls."""
    h = np.tanh(x @ W1 + b1)
    return np.mean((nn.sigmoid(h @ W2 + b2) - y) ** 2)


def mlp(x: "N D", y: "int N", W1: "D H", b1: "H", W2: "H F", b2: "F", W3: "F M", b3: "M") -> Any:
    """Three layers, tanh, cross-entropy."""
    h1 = np.tanh(x @ W1 + b1)
    h2 = np.tanh(h1 @ W2 + b2)
    return nn.cross_entropy(h2 @ W3 + b3, y)


def lenet(
    x: "N 1 28 28", y: "int N", K1: "6 1 5 5", c1: "6", K2: "16 6 5 5", c2: "16",
    W1: "400 120", b1: "120", W2: "120 84", b2: "84", W3: "84 10", b3: "10",
) -> Any:
    """Two convolutions with relu and max pooling, three dense layers."""
    a1 = nn.max_pool2d(nn.relu(nn.conv2d(x, K1, c1, padding=2)), 2)
    a2 = nn.max_pool2d(nn.relu(nn.conv2d(a1, K2, c2)), 2)
    h1 = nn.relu(np.reshape(a2, (x.shape[0], 400)) @ W1 + b1)
    h2 = nn.relu(h1 @ W2 + b2)
    return nn.cross_entropy(h2 @ W3 + b3, y)


def lstm(x: "T N D", y: "int T N", Wx: "D 4*H", Wh: "H 4*H", b: "4*H", Wo: "H M", bo: "M") -> Any:
    """One layer from zero state, a class at every step."""
    H = Wh.shape[0]

    def step(carry: Any, x_t: Any) -> Any:
        h, c = carry
        z = x_t @ Wx + h @ Wh + b
        i, f, o = (nn.sigmoid(z[:, k * H : (k + 1) * H]) for k in (0, 1, 3))
        g = np.tanh(z[:, 2 * H : 3 * H])
        c = f * c + i * g
        h = o * np.tanh(c)
        return (h, c), h

    start = np.zeros((x.shape[1], H))
    _, h = scan(step, (start, start), x)
    return nn.cross_entropy(h @ Wo + bo, y, axis=-1)


def _block(x: Any, w: Any) -> Any:
    D = x.shape[-1]
    h = nn.layer_norm(x, D, w["g1"], w["b1"])
    q, k, v = (nn.split_heads(part, HEADS)
               for part in np.split(h @ w["Wqkv"] + w["bqkv"], 3, axis=-1))
    a = nn.merge_heads(nn.scaled_dot_product_attention(q, k, v, is_causal=True))
    x = x + a @ w["Wo"] + w["bo"]
    u = nn.layer_norm(x, D, w["g2"], w["b2"])
    return x + nn.gelu(u @ w["W1"] + w["c1"], approximate="tanh") @ w["W2"] + w["c2"]


def block(x: "N T D", t: "N T D", blocks: [BLOCK]) -> Any:
    """A causal Transformer block with the norms first; half the mean squared error."""
    return 0.5 * np.mean((_block(x, blocks[0]) - t) ** 2)


def gpt(
    tok: "int N T", y: "int N T", wte: "M D", wpe: "T D", blocks: [BLOCK, BLOCK],
    gf: "D", bf: "D", Wh: "D M",
) -> Any:
    """Two blocks between an embedding and a head of its own."""
    x = wte[tok] + wpe
    for w in blocks:
        x = _block(x, w)
    return nn.cross_entropy(nn.layer_norm(x, x.shape[-1], gf, bf) @ Wh, y, axis=-1)


def logreg(X: "N D", y: "N", w: "D", b: "1") -> Any:
    """Logistic regression, labels -1 and 1."""
    return np.mean(np.logaddexp(0, -y * (X @ w + b)))


def gmm(x: "N D", alpha: "K", mu: "K D", q: "K D", low: "K D*(D-1)//2") -> Any:
    """Gaussians with full covariances and a Wishart prior: the likelihood, up to a constant.

    `low` is what stands under the diagonal of each inverse root, column by column; exp(q) its
    diagonal.
    """
    N, D = x.shape
    columns, rows = np.triu_indices(D, 1)
    L = np.zeros((q.shape[0], D, D))
    np.add.at(L, (slice(None), rows, columns), low)
    e = np.exp(q)
    c = x[:, None, :] - mu
    z = e * c + np.einsum("kij,nkj->nki", L, c)
    inner = alpha + np.sum(q, axis=1) - 0.5 * np.sum(z * z, axis=2)
    fit = np.sum(nn.logsumexp(inner, axis=1)) - N * nn.logsumexp(alpha, axis=0)
    return fit - 0.5 * (np.sum(e * e) + np.sum(low * low))


# ---- arrays -----------------------------------------------------------------------------------


def _dense(rng: np.random.Generator, *widths: int) -> dict[str, Any]:
    layers: dict[str, Any] = {}
    for k, (wide, narrow) in enumerate(pairwise(widths), start=1):
        layers[f"W{k}"] = rng.normal(size=(wide, narrow)) / np.sqrt(wide)
        layers[f"b{k}"] = 0.1 * rng.normal(size=narrow)
    return layers


def _of_block(rng: np.random.Generator, D: int) -> dict[str, Any]:
    def near(one: float, *shape: int) -> Any:
        return one + 0.1 * rng.normal(size=shape)

    return {
        "g1": near(1, D), "b1": near(0, D), "Wqkv": near(0, D, 3 * D), "bqkv": near(0, 3 * D),
        "Wo": near(0, D, D), "bo": near(0, D), "g2": near(1, D), "b2": near(0, D),
        "W1": near(0, D, 4 * D), "c1": near(0, 4 * D), "W2": near(0, 4 * D, D), "c2": near(0, D),
    }


def _tiny(rng: np.random.Generator) -> dict[str, Any]:
    x = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    return {"x": x, "y": x[:, :1] != x[:, 1:], **_dense(rng, 2, 4, 1)}


def _mlp(batch: int) -> Draw:
    return lambda rng: {"x": rng.normal(size=(batch, 784)), "y": rng.integers(0, 10, batch),
                        **_dense(rng, 784, 256, 128, 10)}


def _lenet(rng: np.random.Generator) -> dict[str, Any]:
    return {"x": rng.normal(size=(64, 1, 28, 28)), "y": rng.integers(0, 10, 64),
            "K1": rng.normal(size=(6, 1, 5, 5)) / 5, "c1": 0.1 * rng.normal(size=6),
            "K2": rng.normal(size=(16, 6, 5, 5)) / 12, "c2": 0.1 * rng.normal(size=16),
            **_dense(rng, 400, 120, 84, 10)}


def _lstm(rng: np.random.Generator) -> dict[str, Any]:
    T, N, D, H, M = 64, 32, 64, 128, 64
    return {"x": rng.normal(size=(T, N, D)), "y": rng.integers(0, M, (T, N)),
            "Wx": rng.normal(size=(D, 4 * H)) / 8, "Wh": rng.normal(size=(H, 4 * H)) / 11,
            "b": 0.1 * rng.normal(size=4 * H), "Wo": rng.normal(size=(H, M)) / 11,
            "bo": 0.1 * rng.normal(size=M)}


def _one_block(rng: np.random.Generator) -> dict[str, Any]:
    shape = (8, 128, 128)
    return {"x": rng.normal(size=shape), "t": rng.normal(size=shape),
            "blocks": [_of_block(rng, 128)]}


def _gpt(rng: np.random.Generator) -> dict[str, Any]:
    N, T, D, M = 8, 128, 128, 1000
    return {"tok": rng.integers(0, M, (N, T)), "y": rng.integers(0, M, (N, T)),
            "wte": 0.5 * rng.normal(size=(M, D)), "wpe": 0.5 * rng.normal(size=(T, D)),
            "blocks": [_of_block(rng, D), _of_block(rng, D)],
            "gf": 1 + 0.1 * rng.normal(size=D), "bf": 0.1 * rng.normal(size=D),
            "Wh": 0.1 * rng.normal(size=(D, M))}


def _logreg(rng: np.random.Generator) -> dict[str, Any]:
    return {"X": rng.normal(size=(10000, 200)), "y": np.where(rng.random(10000) < 0.5, -1.0, 1.0),
            "w": 0.1 * rng.normal(size=200), "b": 0.1 * rng.normal(size=1)}


def _gmm(D: int, K: int) -> Draw:
    return lambda rng: {"x": rng.normal(size=(1000, D)), "alpha": rng.normal(size=K),
                        "mu": rng.uniform(size=(K, D)), "q": 0.3 * rng.normal(size=(K, D)),
                        "low": rng.normal(size=(K, D * (D - 1) // 2)) / np.sqrt(D)}


@dataclass(frozen=True)
class Workload:
    """A forward pass, its parameters, and how its arrays are drawn."""

    function: Callable[..., Any]
    wrt: tuple[str, ...]
    draw: Draw

    def arrays(self, dtype: str) -> dict[str, Any]:
        """The arguments, floats in the dtype."""
        return _cast(self.draw(np.random.default_rng(7)), np.dtype(dtype))


def _cast(item: Any, dtype: np.dtype[Any]) -> Any:
    if isinstance(item, dict):
        return {k: _cast(v, dtype) for k, v in item.items()}
    if isinstance(item, list):
        return [_cast(v, dtype) for v in item]
    return np.ascontiguousarray(item, item.dtype if item.dtype.kind == "i" else dtype)


def leaves(item: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The arrays of a tree, by names like blocks.0.W1."""
    inside = item.items() if isinstance(item, dict) else enumerate(item) \
        if isinstance(item, (list, tuple)) else None
    if inside is None:
        yield name, item
    else:
        for key, value in inside:
            yield from leaves(value, f"{name}.{key}" if name else str(key))


_LAYERS = ("W1", "b1", "W2", "b2", "W3", "b3")
_MIXTURE = ("alpha", "mu", "q", "low")
WORKLOADS = {
    "tiny": Workload(tiny, ("W1", "b1", "W2", "b2"), _tiny),
    "mlp64": Workload(mlp, _LAYERS, _mlp(64)),
    "mlp1024": Workload(mlp, _LAYERS, _mlp(1024)),
    "lenet": Workload(lenet, ("K1", "c1", "K2", "c2", *_LAYERS), _lenet),
    "lstm": Workload(lstm, ("Wx", "Wh", "b", "Wo", "bo"), _lstm),
    "block": Workload(block, ("blocks",), _one_block),
    "gpt": Workload(gpt, ("wte", "wpe", "blocks", "gf", "bf", "Wh"), _gpt),
    "logreg": Workload(logreg, ("w", "b"), _logreg),
    "gmm": Workload(gmm, _MIXTURE, _gmm(10, 25)),
    "gmm_big": Workload(gmm, _MIXTURE, _gmm(64, 100)),
}
