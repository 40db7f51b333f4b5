"""Robust heteroscedastic regression: Huber loss on residuals scaled by a predicted noise level."""
import numpy as np


def huber(r, delta=1.0):
    a = np.abs(r)
    return np.where(a <= delta, 0.5 * r**2, delta * (a - 0.5 * delta))


def net(x, W1, b1, W2, b2):
    h = np.tanh(x @ W1 + b1)
    out = h @ W2 + b2
    mean, raw = out[:, 0], out[:, 1]
    scale = np.log1p(np.exp(raw)) + 1e-3       # softplus keeps it positive
    return mean, scale


def loss(x: "N D", y: "N", W1: "D H", b1: "H", W2: "H 2", b2: "2", delta=1.345):
    mean, scale = net(x, W1, b1, W2, b2)
    r = (y - mean) / scale
    return np.mean(huber(r, delta) + np.log(scale))


def example(rng):
    N, D, H = 8, 2, 5
    return dict(
        x=rng.normal(size=(N, D)),
        y=2 * rng.standard_t(3, size=N),
        W1=rng.normal(size=(D, H)),
        b1=rng.normal(size=H),
        W2=rng.normal(size=(H, 2)),
        b2=rng.normal(size=2),
    )
