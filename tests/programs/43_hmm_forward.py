"""Negative log likelihood of a discrete hidden Markov model by the scaled forward algorithm."""
import numpy as np


def softmax(x, axis=-1):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def forward(obs, pi, A, B):
    T, K = len(obs), len(pi)
    alpha = np.zeros((T, K))
    c = np.zeros(T)
    alpha[0] = pi * B[:, obs[0]]
    c[0] = alpha[0].sum()
    alpha[0] /= c[0]
    for t in range(1, T):
        alpha[t] = (alpha[t - 1] @ A) * B[:, obs[t]]
        c[t] = alpha[t].sum()
        alpha[t] /= c[t]
    return alpha, c


def loss(obs: "int T", start_logits: "K", trans_logits: "K K", emit_logits: "K V"):
    pi = softmax(start_logits)
    A = softmax(trans_logits)
    B = softmax(emit_logits)
    _, c = forward(obs, pi, A, B)
    return -np.sum(np.log(c))


def example(rng):
    T, K, V = 7, 3, 4
    return {
        "obs": rng.integers(0, V, size=T),
        "start_logits": rng.normal(size=K),
        "trans_logits": rng.normal(size=(K, K)),
        "emit_logits": rng.normal(size=(K, V)),
    }
