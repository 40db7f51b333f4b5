"""The zoo's multilayer perceptrons, in PyTorch.

In: tensors in float64. Out: the loss.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F


def mlp(X: Any, Y: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    hidden = torch.tanh(F.linear(X, W1.T, b1))
    return F.cross_entropy(F.linear(hidden, W2.T, b2), Y)


def mlp_sigmoid_mse(x: Any, y: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    a1 = torch.sigmoid(F.linear(x.T, W1, b1[:, 0]))
    a2 = torch.sigmoid(F.linear(a1, W2, b2[:, 0]))
    return F.mse_loss(a2, y.T, reduction="sum") / (2 * x.shape[1])


def deep_mlp(x: Any, y: Any, W: Any, b: Any) -> Any:
    hidden = x.T
    for weight, bias in zip(W, b, strict=True):
        hidden = torch.sigmoid(F.linear(hidden, weight, bias))
    return F.mse_loss(hidden.T, y, reduction="sum") / (2 * len(hidden))


def six_layer_mlp(X: Any, y: Any, **weights: Any) -> Any:
    hidden = X
    for layer in range(1, 6):
        hidden = F.relu(F.linear(hidden, weights[f"W{layer}"].T, weights[f"b{layer}"]))
    return F.cross_entropy(F.linear(hidden, weights["W6"].T, weights["b6"]), y)


def mlp_batch_norm(
    X: Any, y: Any, W1: Any, b1: Any, gain: Any, shift: Any, W2: Any, b2: Any
) -> Any:
    normalized = F.batch_norm(F.linear(X, W1.T, b1), None, None, gain, shift, training=True)
    return F.cross_entropy(F.linear(F.relu(normalized), W2.T, b2), y)


def mlp_dropout(X: Any, y: Any, mask: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    hidden = F.relu(F.linear(X, W1.T, b1)) * mask / 0.8
    decay = 0.0005 * ((W1**2).sum() + (W2**2).sum())
    return F.cross_entropy(F.linear(hidden, W2.T, b2), y) + decay


def autoencoder(X: Any, **weights: Any) -> Any:
    hidden = X
    for layer in range(1, 5):
        hidden = F.linear(hidden, weights[f"W{layer}"].T, weights[f"b{layer}"])
        hidden = torch.tanh(hidden) if layer < 4 else hidden
    return F.mse_loss(hidden, X)


MODELS = (mlp, mlp_sigmoid_mse, deep_mlp, six_layer_mlp, mlp_batch_norm, mlp_dropout,
          autoencoder)
