"""The zoo's linear models, in PyTorch.

In: tensors in float64. Out: the loss.
"""

from __future__ import annotations

from typing import Any

from torch.nn import functional as F


def linear_regression(X: Any, y: Any, w: Any, b: Any) -> Any:
    return F.mse_loss(X @ w + b, y)


def perceptron(X: Any, y: Any, w: Any, b: Any) -> Any:
    return F.soft_margin_loss(X @ w + b, y)


def adaline(X: Any, y: Any, w: Any, b: Any) -> Any:
    return F.mse_loss(X @ w + b, y, reduction="sum") / 2


def svm(X: Any, y: Any, W: Any, b: Any) -> Any:
    scores = X @ W + b
    hinge = F.multi_margin_loss(scores, y) * scores.shape[1]  # torch divides by the classes
    return hinge + 0.005 * (W**2).sum()


def logistic_regression(X: Any, y: Any, w: Any, b: Any) -> Any:
    return F.binary_cross_entropy_with_logits(X @ w + b, y)


def softmax_regression(X: Any, y: Any, W: Any, b: Any) -> Any:
    return F.cross_entropy(X @ W + b, y)


def matrix_factorization(R: Any, mask: Any, U: Any, V: Any) -> Any:
    error = mask * (U @ V.T - R)
    return (error**2).sum() / 2 + 0.05 * ((U**2).sum() + (V**2).sum())


MODELS = (linear_regression, perceptron, adaline, svm, logistic_regression,
          softmax_regression, matrix_factorization)
