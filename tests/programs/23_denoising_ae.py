"""Denoising autoencoder with tied weights (Vincent et al.) and a masking corruption given as input."""
import numpy as np


def sigmoid(x):
    return 1.0 / (1 + np.exp(-x))


class dA:
    def __init__(self, W, vbias, hbias):
        self.W = W
        self.W_prime = W.T
        self.vbias = vbias
        self.hbias = hbias

    def get_hidden_values(self, x):
        return sigmoid(np.dot(x, self.W) + self.hbias)

    def get_reconstructed_input(self, y):
        return sigmoid(np.dot(y, self.W_prime) + self.vbias)

    def negative_log_likelihood(self, x, tilde_x):
        y = self.get_hidden_values(tilde_x)
        z = self.get_reconstructed_input(y)
        return -np.mean(np.sum(x * np.log(z) + (1 - x) * np.log(1 - z), axis=1))


def loss(x: "N V", keep: "N V", W: "V H", vbias: "V", hbias: "H"):
    da = dA(W, vbias, hbias)
    return da.negative_log_likelihood(x, keep * x)


def example(rng):
    N, V, H = 5, 8, 3
    return {
        "x": rng.random((N, V)),
        "keep": rng.binomial(1, 0.7, size=(N, V)).astype(float),
        "W": rng.uniform(-1, 1, size=(V, H)),
        "vbias": 0.1 * rng.normal(size=V),
        "hbias": 0.1 * rng.normal(size=H),
    }
