"""Simultaneous quantile regression with the pinball loss; increments keep the quantiles from crossing."""
import numpy as np

QUANTILES = np.array([0.1, 0.5, 0.9])


def pinball(y, q_hat, tau):
    diff = y[:, None] - q_hat
    return np.maximum(tau * diff, (tau - 1) * diff)


def loss(X: "N D", y: "N", W: "D 3", b: "3"):
    raw = X @ W + b
    steps = np.concatenate([raw[:, :1], np.logaddexp(0.0, raw[:, 1:])], axis=1)
    q_hat = np.cumsum(steps, axis=1)
    return pinball(y, q_hat, QUANTILES).sum(axis=1).mean()


def example(rng):
    N, D = 9, 3
    return {
        "X": rng.normal(size=(N, D)),
        "y": rng.normal(size=N),
        "W": rng.normal(size=(D, 3)),
        "b": np.array([-1.0, 0.3, 0.4]),
    }
