"""The denoising and the variational autoencoder, in PyTorch.

In: tensors in float64. Out: the loss.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F


def denoising_autoencoder(X: Any, mask: Any, W: Any, b: Any, c: Any) -> Any:
    code = torch.sigmoid(F.linear(mask * X, W.T, b))
    return F.binary_cross_entropy_with_logits(F.linear(code, W, c), X)


def variational_autoencoder(X: Any, noise: Any, **w: Any) -> Any:
    hidden = torch.tanh(F.linear(X, w["W1"].T, w["b1"]))
    mu = F.linear(hidden, w["W_mu"].T, w["b_mu"])
    sigma = torch.sqrt(torch.exp(F.linear(hidden, w["W_var"].T, w["b_var"])))
    decoded = torch.tanh(F.linear(mu + sigma * noise, w["W2"].T, w["b2"]))
    logits = F.linear(decoded, w["W3"].T, w["b3"])
    restoring = F.binary_cross_entropy_with_logits(logits, X, reduction="sum")
    posterior, prior = Normal(mu, sigma), Normal(torch.zeros_like(mu), torch.ones_like(mu))
    return (restoring + kl_divergence(posterior, prior).sum()) / len(X)


MODELS = (denoising_autoencoder, variational_autoencoder)
