"""Models without a hidden layer: regression and the classifiers of one matrix.

In: arrays. Out: a scalar loss and what `predict` returns; MODELS, the family's part of the zoo.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop import nn
from symprop.trace.facts import one_of
from symprop.zoo.model import Model


def linear_regression(X: "N D", y: "N", w: "D", b: "") -> Any:
    """Least squares: 1/N Σ (X w + b - y)²."""
    prediction = X @ w + b
    r = prediction - y
    loss = np.mean(r**2)
    return loss, {"prediction": prediction}


def perceptron(X: "N D", y: "N", w: "D", b: "") -> Any:
    """The perceptron's criterion max(0, -y z), made smooth: log(1 + exp(-y z)), y = -1 or 1."""
    z = X @ w + b
    margin = y * z
    loss = np.mean(nn.softplus(-margin))
    return loss, {"z": z}


def adaline(X: "N D", y: "N", w: "D", b: "") -> Any:
    """Widrow and Hoff's neuron: the squared error of the net input, before the threshold."""
    net = X @ w + b
    error = y - net
    loss = np.sum(error**2) / 2
    return loss, {"label": np.sign(net)}


def svm(X: "N D", y: "int N", W: "D M", b: "M") -> Any:
    """A linear multi-class machine: hinge loss of Weston and Watkins, margin 1, L2 penalty."""
    scores = X @ W + b
    right = np.take_along_axis(scores, y[:, None], axis=1)
    margins = np.maximum(scores - right + 1, 0)
    hinge = np.mean(np.sum(margins, axis=1) - 1)  # the right class has a margin of 1
    loss = hinge + 0.01 / 2 * nn.l2_penalty(W)
    return loss, {"scores": scores}


def logistic_regression(X: "N D", y: "N", w: "D", b: "") -> Any:
    """Binary cross-entropy of a = σ(X w + b) with labels 0 and 1."""
    z = X @ w + b
    a = nn.sigmoid(z)
    loss = nn.binary_cross_entropy_with_logits(z, y)
    return loss, {"probability": a}


def softmax_regression(X: "N D", y: "int N", W: "D M", b: "M") -> Any:
    """Cross-entropy of softmax(X W + b) with integer labels."""
    Z = X @ W + b
    loss = nn.cross_entropy(Z, y)
    return loss, {"logits": Z}


def matrix_factorization(R: "N M", mask: "N M", U: "N K", V: "M K") -> Any:
    """Squared error of U Vᵀ on the observed entries, with weight decay."""
    error = mask * (U @ V.T - R)
    loss = np.sum(error**2) / 2 + 0.05 * nn.l2_penalty(U, V)
    return loss, {"ratings": U @ V.T}


MODELS = (
    Model("linear_regression", "Linear regression, least squares",
          linear_regression, ("w", "b")),
    Model("perceptron", "Perceptron with a smooth loss",
          perceptron, ("w", "b"), (one_of("y", -1, 1),)),
    Model("adaline", "Adaline: the delta rule",
          adaline, ("w", "b"), (one_of("y", -1, 1),), shown=False),
    Model("svm", "Linear support vector machine, multi-class hinge loss",
          svm, ("W", "b"), shown=False),
    Model("logistic_regression", "Logistic regression",
          logistic_regression, ("w", "b"), (one_of("y", 0, 1),)),
    Model("softmax_regression", "Softmax regression, integer labels",
          softmax_regression, ("W", "b")),
    Model("matrix_factorization", "Matrix factorisation with a mask and weight decay",
          matrix_factorization, ("U", "V"), (one_of("mask", 0, 1),)),
)
