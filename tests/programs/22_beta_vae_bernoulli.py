"""Beta-VAE with a Bernoulli likelihood written on the logits, averaged over several noise samples."""
import numpy as np


def softplus(x):
    return np.logaddexp(0, x)


def bce_with_logits(logits, x):
    return softplus(logits) - x * logits


def mlp(x, layers):
    *hidden, last = layers
    for W, b in hidden:
        x = x @ W + b
        x = np.maximum(0.1 * x, x)   # leaky relu
    W, b = last
    return x @ W + b


def loss(
    x: "B D",
    noise: "S B Z",
    enc: [("D H", "H"), ("H 2*Z", "2*Z")],
    dec: [("Z H", "H"), ("H D", "D")],
    beta=4.0,
):
    stats = mlp(x, enc)
    mu, log_sigma = np.split(stats, 2, axis=-1)
    sigma = np.exp(log_sigma)
    z = mu + sigma * noise                               # S, B, Z
    logits = mlp(z, dec)
    log_px = -bce_with_logits(logits, x).sum(-1).mean(0)
    kl = (0.5 * (mu**2 + sigma**2 - 1) - log_sigma).sum(-1)
    elbo = log_px - beta * kl
    return -elbo.mean()


def example(rng):
    B, D, H, Z, S = 3, 6, 5, 2, 2
    dense = lambda i, o: (rng.normal(size=(i, o)) / np.sqrt(i), 0.1 * rng.normal(size=o))
    return {
        "x": (rng.random((B, D)) > 0.5).astype(float),
        "noise": rng.normal(size=(S, B, Z)),
        "enc": [dense(D, H), dense(H, 2 * Z)],
        "dec": [dense(Z, H), dense(H, D)],
    }
