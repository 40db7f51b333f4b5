"""The zoo and the proofs once more, in PyTorch.

In: tensors in float64. Out: the loss. Written by hand with torch's own losses and layers, so
that nothing of the package stands behind them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F


def linear_regression(X: Any, y: Any, w: Any, b: Any) -> Any:
    return F.mse_loss(X @ w + b, y)


def perceptron(X: Any, y: Any, w: Any, b: Any) -> Any:
    return F.soft_margin_loss(X @ w + b, y)


def logistic_regression(X: Any, y: Any, w: Any, b: Any) -> Any:
    return F.binary_cross_entropy_with_logits(X @ w + b, y)


def softmax_regression(X: Any, y: Any, W: Any, b: Any) -> Any:
    return F.cross_entropy(X @ W + b, y)


def matrix_factorization(R: Any, mask: Any, U: Any, V: Any) -> Any:
    error = mask * (U @ V.T - R)
    return (error**2).sum() / 2 + 0.05 * ((U**2).sum() + (V**2).sum())


def mlp(X: Any, Y: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    hidden = torch.tanh(F.linear(X, W1.T, b1))
    return F.cross_entropy(F.linear(hidden, W2.T, b2), Y)


def mlp_sigmoid_mse(x: Any, y: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    a1 = torch.sigmoid(F.linear(x.T, W1, b1[:, 0]))
    a2 = torch.sigmoid(F.linear(a1, W2, b2[:, 0]))
    return F.mse_loss(a2, y.T, reduction="sum") / (2 * x.shape[1])


def deep_mlp(X: Any, y: Any, **weights: Any) -> Any:
    hidden = X
    for layer in range(1, 6):
        hidden = F.relu(F.linear(hidden, weights[f"W{layer}"].T, weights[f"b{layer}"]))
    return F.cross_entropy(F.linear(hidden, weights["W6"].T, weights["b6"]), y)


def autoencoder(X: Any, **weights: Any) -> Any:
    hidden = X
    for layer in range(1, 5):
        hidden = F.linear(hidden, weights[f"W{layer}"].T, weights[f"b{layer}"])
        hidden = torch.tanh(hidden) if layer < 4 else hidden
    return F.mse_loss(hidden, X)


def convolution(x: Any, K: Any, b: Any, target: Any) -> Any:
    y = F.conv2d(x, K, b, stride=2, padding=1)
    return F.mse_loss(torch.tanh(y), target[:, :, ::2, ::2])


def layer_norm(x: Any, g: Any, b: Any, w: Any) -> Any:
    return (w * torch.tanh(F.layer_norm(x, x.shape[-1:], g, b, eps=1e-5))).sum()


def lstm(
    x: Any, h0: Any, c0: Any, Wx: Any, Wh: Any, b: Any, V: Any, y: Any
) -> Any:
    cell = torch.nn.LSTM(x.shape[2], h0.shape[1], dtype=torch.float64)
    weights = {"weight_ih_l0": Wx.T, "weight_hh_l0": Wh.T, "bias_ih_l0": b,
               "bias_hh_l0": torch.zeros_like(b)}
    outputs, _ = torch.func.functional_call(cell, weights, (x, (h0[None], c0[None])))
    scores = outputs @ V
    return F.cross_entropy(scores.flatten(0, 1), y.flatten())


MODELS: dict[str, Callable[..., Any]] = {f.__name__: f for f in (
    linear_regression, perceptron, logistic_regression, softmax_regression,
    matrix_factorization, mlp, mlp_sigmoid_mse, deep_mlp, autoencoder, convolution,
    layer_norm, lstm)}


def torch_gradients(
    function: Callable[..., Any], inputs: dict[str, Any], names: tuple[str, ...]
) -> tuple[float, dict[str, Any]]:
    """Loss and gradients by PyTorch's autograd, in float64."""
    tensors = {n: torch.tensor(a) for n, a in inputs.items()}
    for name in names:
        tensors[name].requires_grad_()
    loss = function(**tensors)
    gradients = torch.autograd.grad(loss, [tensors[n] for n in names])
    return loss.item(), {n: g.numpy() for n, g in zip(names, gradients, strict=True)}
