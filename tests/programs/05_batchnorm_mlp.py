"""A deep MLP with batch normalisation before every ReLU, its layers kept in a list of tuples."""
import numpy as np


def batchnorm(x, gamma, beta, eps=1e-5):
    mu = x.mean(axis=0)
    var = x.var(axis=0)
    xhat = (x - mu) / np.sqrt(var + eps)
    return gamma * xhat + beta


def relu(x):
    return np.where(x > 0, x, 0.0)


def forward(x, layers):
    for W, gamma, beta in layers:
        x = relu(batchnorm(x @ W, gamma, beta))
    return x


def loss(
    x: "N D",
    y: "N K",
    layers: [("D H1", "H1", "H1"), ("H1 H2", "H2", "H2"), ("H2 H3", "H3", "H3")],
    Wout: "H3 K",
    bout: "K",
):
    h = forward(x, layers)
    pred = h @ Wout + bout
    return ((pred - y) ** 2).sum(axis=1).mean()


def example(rng):
    N, K = 6, 2
    sizes = [3, 5, 4, 4]
    layers = []
    for n_in, n_out in zip(sizes[:-1], sizes[1:]):
        W = rng.normal(size=(n_in, n_out)) * np.sqrt(2 / n_in)
        layers.append((W, rng.uniform(0.5, 1.5, n_out), 0.1 * rng.normal(size=n_out)))
    return {
        "x": rng.normal(size=(N, sizes[0])),
        "y": rng.normal(size=(N, K)),
        "layers": layers,
        "Wout": rng.normal(size=(sizes[-1], K)),
        "bout": np.zeros(K) + 0.1,
    }
