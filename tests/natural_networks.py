"""Networks as people write them: helpers of their own, gates by np.split, rebound variables.

In: arrays. Out: a scalar loss. What their arrays are called in print is counted in
test_natural_names.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import symprop


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def softmax(x: Any) -> Any:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def layer_norm(x: Any, g: Any, b: Any, eps: float = 1e-5) -> Any:
    mean = x.mean(axis=-1, keepdims=True)
    variance = x.var(axis=-1, keepdims=True)
    return g * (x - mean) / np.sqrt(variance + eps) + b


def gelu(x: Any) -> Any:
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def two_layers(X: "N D", y: "int N", W1: "D H", b1: "H", W2: "H C", b2: "C") -> Any:
    """ReLU and softmax, as in the notes of a course on images."""
    hidden = np.maximum(0, X @ W1 + b1)
    scores = hidden @ W2 + b2
    exp_scores = np.exp(scores)
    probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
    correct_logprobs = -np.log(probs[np.arange(X.shape[0]), y])
    return np.sum(correct_logprobs) / X.shape[0] + 0.5 * 1e-3 * np.sum(W1 * W1)


def perceptrons(x: "K", y: "M", w1: "H K", b1: "H", w2: "M H", b2: "M") -> Any:
    """Two layers of sigmoids and the quadratic cost, one example."""
    z1 = w1 @ x + b1
    a1 = sigmoid(z1)
    z2 = w2 @ a1 + b2
    a2 = sigmoid(z2)
    return 0.5 * np.sum((a2 - y) ** 2)


def dense_block(x: "N D", y: "N", W: "D D", v: "D", c: "") -> Any:
    """One variable for every layer."""
    h = np.tanh(x @ W)
    h = np.tanh(h @ W)
    h = h + x
    p = sigmoid(h @ v + c)
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def lstm(
    x: "T N D", y: "N C", W: "D 4*H", U: "H 4*H", b: "4*H", V: "H C", c: "C"
) -> Any:
    """Gates by np.split."""
    H = U.shape[0]

    def step(carry: Any, x_t: Any) -> Any:
        h, c = carry
        z = x_t @ W + h @ U + b
        i, f, o, g = np.split(z, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        return (h, c), h

    start = np.zeros((x.shape[1], H))
    (h, _), _ = symprop.scan(step, (start, start), x)
    logits = h @ V + c
    return -np.mean(np.sum(y * np.log(softmax(logits)), axis=1))


def gru(x: "T N D", y: "N H", Wz: "D H", Uz: "H H", Wr: "D H", Ur: "H H", W: "D H", U: "H H",
        ) -> Any:
    """Update and reset gates."""
    def step(h: Any, x_t: Any) -> Any:
        z = sigmoid(x_t @ Wz + h @ Uz)
        r = sigmoid(x_t @ Wr + h @ Ur)
        h_tilde = np.tanh(x_t @ W + (r * h) @ U)
        return (1 - z) * h + z * h_tilde, None

    h, _ = symprop.scan(step, np.zeros((x.shape[1], U.shape[0])), x)
    return np.mean((h - y) ** 2)


def self_attention(x: Any, W_qkv: Any, W_o: Any) -> Any:
    qkv = x @ W_qkv
    q, k, v = np.split(qkv, 3, axis=-1)
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(k.shape[-1])
    weights = softmax(scores)
    return weights @ v @ W_o


def transformer(
    x: "N T D", target: "N T D", W_qkv: "D 3*D", W_o: "D D", g1: "D", b1: "D",
    W1: "D F", W2: "F D", g2: "D", b2: "D",
) -> Any:
    """A block with the norms in front, everything in helpers."""
    x = x + self_attention(layer_norm(x, g1, b1), W_qkv, W_o)
    x = x + gelu(layer_norm(x, g2, b2) @ W1) @ W2
    return np.mean((x - target) ** 2)


def heads(
    x: "N T D", target: "N T D", W_qkv: "D 3*D", W_o: "D D", num_heads: int = 2
) -> Any:
    """Heads by reshape and a causal mask."""
    N, T, D = x.shape
    qkv = (x @ W_qkv).reshape(N, T, 3, num_heads, D // num_heads)
    q, k, v = np.moveaxis(qkv, (2, 3), (0, 2))
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(D // num_heads)
    mask = np.arange(T)[:, None] >= np.arange(T)
    scores = np.where(mask, scores, -1e9)
    attention = softmax(scores)
    out = (attention @ v).swapaxes(1, 2).reshape(N, T, D)
    return np.mean((out @ W_o - target) ** 2)


def batch_norm(X: "N D", y: "int N", W1: "D H", gain: "H", bias: "H", W2: "H C") -> Any:
    """Batch norm in its parts, as in a lecture that goes through it by hand."""
    n = X.shape[0]
    hprebn = X @ W1
    bnmeani = hprebn.sum(0, keepdims=True) / n
    bndiff = hprebn - bnmeani
    bnvar = (bndiff**2).sum(0, keepdims=True) / (n - 1)
    bnvar_inv = (bnvar + 1e-5) ** -0.5
    bnraw = bndiff * bnvar_inv
    h = np.tanh(gain * bnraw + bias)
    logits = h @ W2
    logit_maxes = logits.max(1, keepdims=True)
    norm_logits = logits - logit_maxes
    counts = np.exp(norm_logits)
    counts_sum = counts.sum(1, keepdims=True)
    probs = counts * counts_sum**-1
    logprobs = np.log(probs)
    return -logprobs[np.arange(n), y].mean()


def variational(
    x: "N D", eps: "N K", W: "D H", W_mu: "H K", W_logvar: "H K", V: "K H", W_out: "H D",
) -> Any:
    """A variational autoencoder with binary pixels."""
    h = np.tanh(x @ W)
    mu = h @ W_mu
    logvar = h @ W_logvar
    z = mu + np.exp(0.5 * logvar) * eps
    x_hat = sigmoid(np.tanh(z @ V) @ W_out)
    bce = -np.sum(x * np.log(x_hat) + (1 - x) * np.log(1 - x_hat))
    kl = -0.5 * np.sum(1 + logvar - mu**2 - np.exp(logvar))
    return (bce + kl) / x.shape[0]


def logistic(X: "m n", y: "m", theta: "n", lam: "") -> Any:
    """Logistic regression with a penalty."""
    m = X.shape[0]
    h = sigmoid(X @ theta)
    J = -np.mean(y * np.log(h) + (1 - y) * np.log(1 - h))
    return J + lam / (2 * m) * np.sum(theta**2)


def skip_gram(center: "int N", context: "int N", E: "V D", U: "V D") -> Any:
    """Words by their neighbours, with the whole softmax."""
    v = E[center]
    scores = v @ U.T
    scores = scores - scores.max(axis=1, keepdims=True)
    logp = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return -logp[np.arange(center.shape[0]), context].mean()


def contrast(images: "N D", texts: "N F", W_i: "D E", W_t: "F E", t: "") -> Any:
    """Pictures and their captions."""
    I_e = images @ W_i
    I_e = I_e / np.sqrt((I_e**2).sum(axis=1, keepdims=True))
    T_e = texts @ W_t
    T_e = T_e / np.sqrt((T_e**2).sum(axis=1, keepdims=True))
    logits = I_e @ T_e.T * np.exp(t)
    labels = np.arange(logits.shape[0])
    p = softmax(logits)
    return -np.log(p[labels, labels]).mean()


def rms_swiglu(x: "N D", y: "N D", g: "D", W1: "D F", W2: "D F", W3: "F D") -> Any:
    """RMS norm and a gated layer."""
    rms = np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-6)
    h = x / rms * g
    gate = h @ W1
    h = gate * sigmoid(gate) * (h @ W2)
    return 0.5 * ((x + h @ W3 - y) ** 2).sum(axis=-1).mean()


NETWORKS = (
    two_layers, perceptrons, dense_block, lstm, gru, transformer, heads, batch_norm, variational,
    logistic, skip_gram, contrast, rms_swiglu,
)
