"""Denoising and variational autoencoders; the plain one stands with the perceptrons.

In: arrays. Out: a scalar loss and what `predict` returns; MODELS, the family's part of the zoo.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop import nn
from symprop.trace.facts import in_range, one_of
from symprop.zoo.model import Model


def denoising_autoencoder(X: "N D", mask: "N D", W: "D H", b: "H", c: "D") -> Any:
    """Some entries are blanked out; one matrix codes, and its transpose restores them.

    X holds numbers between 0 and 1, read as the probability of a pixel.
    """
    blanked = mask * X
    code = nn.sigmoid(blanked @ W + b)
    logits = code @ W.T + c
    loss = nn.binary_cross_entropy_with_logits(logits, X)
    return loss, {"restored": nn.sigmoid(logits)}


def variational_autoencoder(
    X: "N D", noise: "N K",
    W1: "D H", b1: "H", W_mu: "H K", b_mu: "K", W_var: "H K", b_var: "K",
    W2: "K H", b2: "H", W3: "H D", b3: "D",
) -> Any:
    """Kingma and Welling: a code drawn as μ + σ ε, Bernoulli pixels, the bound of the evidence.

    `noise` is ε, drawn from N(0, 1) outside, so that the gradient goes through μ and σ.
    """
    hidden = np.tanh(X @ W1 + b1)
    mu = hidden @ W_mu + b_mu
    log_var = hidden @ W_var + b_var
    code = mu + np.exp(log_var / 2) * noise
    logits = np.tanh(code @ W2 + b2) @ W3 + b3
    N = X.shape[0]
    restoring = nn.binary_cross_entropy_with_logits(logits, X, reduction="sum") / N
    kl = -np.sum(1 + log_var - mu**2 - np.exp(log_var)) / (2 * N)
    return restoring + kl, {"mu": mu}


MODELS = (
    Model("denoising_autoencoder", "Denoising autoencoder, tied weights, cross-entropy",
          denoising_autoencoder, ("W", "b", "c"), (in_range("X", 0, 1), one_of("mask", 0, 1)),
          shown=False),
    Model("variational_autoencoder", "Variational autoencoder, reparameterised",
          variational_autoencoder,
          ("W1", "b1", "W_mu", "b_mu", "W_var", "b_var", "W2", "b2", "W3", "b3"),
          (in_range("X", 0, 1),), unbounded=("W_var", "b_var")),
)
