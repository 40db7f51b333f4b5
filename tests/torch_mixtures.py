"""Mixtures of Gaussians and of experts, in PyTorch.

In: tensors in float64. Out: the loss.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal
from torch.nn import functional as F


def gaussian_mixture(X: Any, mu: Any, log_sigma: Any, logits: Any) -> Any:
    parts = Independent(Normal(mu, torch.exp(log_sigma)), 1)
    return -MixtureSameFamily(Categorical(logits=logits), parts).log_prob(X).mean()


def mixture_of_experts(
    X: Any, y: Any, W_gate: Any, W1: Any, b1: Any, W2: Any, b2: Any
) -> Any:
    gate = F.softmax(X @ W_gate, dim=1)
    experts = [F.linear(torch.tanh(F.linear(X, W1[e].T, b1[e])), W2[e].T, b2[e])
               for e in range(len(W1))]
    return F.mse_loss(sum(gate[:, e, None] * expert for e, expert in enumerate(experts)), y)


MODELS = (gaussian_mixture, mixture_of_experts)
