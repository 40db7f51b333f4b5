"""Ordinal regression with cumulative logits and ordered cut points built from positive increments."""
import numpy as np
from scipy.special import expit


def cutpoints(theta0, log_gaps):
    return theta0 + np.concatenate([np.zeros(1), np.cumsum(np.exp(log_gaps))])


def loss(X: "N D", y: "int N", w: "D", theta0: "", log_gaps: "K"):
    theta = cutpoints(theta0, log_gaps)                         # K + 1 cuts, K + 2 classes
    cdf = expit(theta[None, :] - (X @ w)[:, None])
    n = len(y)
    cdf = np.hstack([np.zeros((n, 1)), cdf, np.ones((n, 1))])
    prob = cdf[np.arange(n), y + 1] - cdf[np.arange(n), y]
    return -np.mean(np.log(np.maximum(prob, 1e-15)))


def example(rng):
    N, D, K = 8, 3, 2
    return {
        "X": rng.normal(size=(N, D)),
        "y": rng.integers(0, K + 2, size=N),
        "w": rng.normal(size=D),
        "theta0": -0.8,
        "log_gaps": rng.normal(size=K) * 0.3,
    }
