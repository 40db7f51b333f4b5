"""Mixtures: of Gaussians, and of experts.

In: arrays. Out: a scalar loss and what `predict` returns; MODELS, the family's part of the zoo.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from symprop import nn
from symprop.zoo.model import Model


def gaussian_mixture(X: "N D", mu: "K D", log_sigma: "K D", logits: "K") -> Any:
    """The negative log-likelihood of K Gaussians with diagonal covariances."""
    scaled = (X[:, None, :] - mu) * np.exp(-log_sigma)
    log_density = -np.sum(scaled**2 / 2 + log_sigma + math.log(2 * math.pi) / 2, axis=2)
    log_joint = log_density + nn.log_softmax(logits, axis=0)
    loss = -np.mean(nn.logsumexp(log_joint, axis=1))
    return loss, {"log_joint": log_joint}


def mixture_of_experts(
    X: "N K", y: "N M", W_gate: "K E", W1: "E K H", b1: "E H", W2: "E H M", b2: "E M"
) -> Any:
    """E two-layer perceptrons, weighted by a softmax of the input; squared error."""
    gate = nn.softmax(X @ W_gate, axis=1)
    H1 = np.tanh(np.einsum("nk,ekh->neh", X, W1) + b1)
    experts = np.einsum("neh,ehm->nem", H1, W2) + b2
    prediction = np.einsum("ne,nem->nm", gate, experts)
    loss = nn.mse_loss(prediction, y)
    return loss, {"prediction": prediction}


MODELS = (
    Model("gaussian_mixture", "Gaussian mixture, log-likelihood",
          gaussian_mixture, ("mu", "log_sigma", "logits"), shown=False,
          unbounded=("log_sigma",)),
    Model("mixture_of_experts", "Mixture of experts, soft routing",
          mixture_of_experts, ("W_gate", "W1", "b1", "W2", "b2"), shown=False,
          sizes=({"N": 5, "K": 3, "E": 4, "H": 7, "M": 2},
                 {"N": 2, "K": 4, "E": 2, "H": 3, "M": 5})),
)
