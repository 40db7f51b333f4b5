"""GloVe: weighted least squares on the logarithm of a dense co-occurrence matrix."""
import numpy as np


def weighting(X, x_max=100.0, alpha=0.75):
    return np.where(X < x_max, (X / x_max) ** alpha, 1.0)


def loss(X: "V V", W: "V D", W_tilde: "V D", b: "V", b_tilde: "V"):
    f = weighting(X) * (X > 0)
    log_X = np.log(np.where(X > 0, X, 1.0))
    diff = W @ W_tilde.T + b[:, np.newaxis] + b_tilde[np.newaxis, :] - log_X
    return 0.5 * np.sum(f * diff**2)


def example(rng):
    V, D = 6, 3
    counts = rng.poisson(20, size=(V, V)).astype(float)
    counts = counts + counts.T
    counts[rng.random((V, V)) < 0.2] = 0.0
    counts[0, 1] = 150.0
    return {
        "X": counts,
        "W": rng.normal(size=(V, D)),
        "W_tilde": rng.normal(size=(V, D)),
        "b": rng.normal(size=V),
        "b_tilde": rng.normal(size=V),
    }
