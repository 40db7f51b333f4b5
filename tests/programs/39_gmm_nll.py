"""Negative log likelihood of a Gaussian mixture with diagonal covariances."""
import numpy as np
from scipy.special import logsumexp


def log_gaussian(X, mu, log_sigma):
    # N, K
    z = (X[:, None, :] - mu[None]) / np.exp(log_sigma)[None]
    D = X.shape[1]
    return -0.5 * np.sum(z**2, axis=-1) - log_sigma.sum(axis=-1) - 0.5 * D * np.log(2 * np.pi)


def loss(X: "N D", logits: "K", mu: "K D", log_sigma: "K D"):
    log_pi = logits - logsumexp(logits)
    return -logsumexp(log_pi + log_gaussian(X, mu, log_sigma), axis=1).sum()


def example(rng):
    N, D, K = 10, 2, 3
    return {
        "X": rng.normal(size=(N, D)) + 2 * rng.integers(-1, 2, size=(N, 1)),
        "logits": rng.normal(size=K),
        "mu": 2 * rng.normal(size=(K, D)),
        "log_sigma": 0.2 * rng.normal(size=(K, D)),
    }
