"""The table of zoo models. A model is added here and is then covered by every test."""

from __future__ import annotations

from symprop.trace.facts import one_of, sums_to_one
from symprop.zoo import linear, perceptrons
from symprop.zoo.model import Model

_DEEP = tuple(f"{kind}{layer}" for layer in range(1, 7) for kind in "Wb")
_CODER = tuple(f"{kind}{layer}" for layer in range(1, 5) for kind in "Wb")
_TWO_LAYERS = ("W1", "b1", "W2", "b2")

_MODELS = (
    Model("linear_regression", "Linear regression, least squares",
          linear.linear_regression, ("w", "b")),
    Model("perceptron", "Perceptron with a smooth loss",
          linear.perceptron, ("w", "b"), (one_of("y", -1, 1),)),
    Model("logistic_regression", "Logistic regression",
          linear.logistic_regression, ("w", "b"), (one_of("y", 0, 1),)),
    Model("softmax_regression", "Softmax regression, integer labels",
          linear.softmax_regression, ("W", "b")),
    Model("matrix_factorization", "Matrix factorisation with a mask and weight decay",
          linear.matrix_factorization, ("U", "V"), (one_of("mask", 0, 1),)),
    Model("mlp", "Two-layer perceptron, tanh, softmax with cross-entropy",
          perceptrons.mlp, _TWO_LAYERS, (sums_to_one("Y", axis=1),)),
    Model("mlp_sigmoid_mse", "Two-layer perceptron in the column convention, quadratic cost",
          perceptrons.mlp_sigmoid_mse, _TWO_LAYERS),
    Model("deep_mlp", "Five hidden layers, relu, integer labels",
          perceptrons.deep_mlp, _DEEP),
    Model("autoencoder", "Autoencoder, tanh, mean squared error",
          perceptrons.autoencoder, _CODER),
)


def models() -> dict[str, Model]:
    """Every model by name, in the order of the table.

    >>> sorted(models())[0]
    'autoencoder'
    """
    return {model.name: model for model in _MODELS}
