"""Gaussian variational autoencoder with the reparameterisation noise passed in."""
import numpy as np


def encoder(x, p):
    h = np.tanh(x @ p["W"] + p["b"])
    mu = h @ p["W_mu"] + p["b_mu"]
    logvar = h @ p["W_lv"] + p["b_lv"]
    return mu, logvar


def decoder(z, p):
    h = np.tanh(z @ p["W"] + p["b"])
    return h @ p["W_x"] + p["b_x"]


def loss(
    x: "B D",
    eps: "B Z",
    enc: {"W": "D H", "b": "H", "W_mu": "H Z", "b_mu": "Z", "W_lv": "H Z", "b_lv": "Z"},
    dec: {"W": "Z H", "b": "H", "W_x": "H D", "b_x": "D"},
):
    mu, logvar = encoder(x, enc)
    z = mu + np.exp(0.5 * logvar) * eps
    x_hat = decoder(z, dec)
    recon = np.sum((x - x_hat) ** 2, axis=1)
    kl = -0.5 * np.sum(1 + logvar - mu**2 - np.exp(logvar), axis=1)
    return np.mean(recon + kl)


def example(rng):
    B, D, H, Z = 4, 5, 6, 2
    r = lambda *s: 0.4 * rng.standard_normal(s)
    return dict(
        x=rng.standard_normal((B, D)),
        eps=rng.standard_normal((B, Z)),
        enc={"W": r(D, H), "b": r(H), "W_mu": r(H, Z), "b_mu": r(Z), "W_lv": r(H, Z), "b_lv": r(Z)},
        dec={"W": r(Z, H), "b": r(H), "W_x": r(H, D), "b_x": r(D)},
    )
