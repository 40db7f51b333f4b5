"""Modern Hopfield retrieval: a few updates from a noisy query, then its error plus its final energy."""
import numpy as np
from scipy.special import logsumexp, softmax


def energy(xi, X, beta):
    """E(xi) = -lse(beta, X xi) + xi.xi / 2 + log(N) / beta + M^2 / 2"""
    N = X.shape[0]
    M = np.max(np.linalg.norm(X, axis=1))
    lse = logsumexp(beta * X @ xi) / beta
    return -lse + 0.5 * xi @ xi + np.log(N) / beta + 0.5 * M**2


def update(xi, X, beta):
    return X.T @ softmax(beta * (X @ xi))


def loss(raw: "N D", query: "D", target: "D", P: "D K", log_beta: "", steps=3, gamma=0.1):
    beta = np.exp(log_beta)
    X = np.tanh(raw @ P)
    xi = np.tanh(query @ P)
    for _ in range(steps):
        xi = update(xi, X, beta)
    return np.sum((xi - np.tanh(target @ P)) ** 2) + gamma * energy(xi, X, beta)


def example(rng):
    N, D, K = 5, 6, 4
    raw = rng.normal(size=(N, D))
    return {
        "raw": raw,
        "query": raw[2] + 0.5 * rng.normal(size=D),
        "target": raw[2].copy(),
        "P": rng.normal(size=(D, K)) / np.sqrt(D),
        "log_beta": 0.5,
    }
