"""Multilayer perceptrons.

In: arrays. Out: a scalar loss and what `predict` returns; MODELS, the family's part of the zoo.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop import nn
from symprop.trace.facts import one_of, sums_to_one
from symprop.trace.scan import scan
from symprop.zoo.model import Model


def mlp(X: "N K", Y: "N M", W1: "K H", b1: "H", W2: "H M", b2: "M") -> Any:
    """One hidden layer, tanh, softmax with cross-entropy; examples as rows."""
    A1 = np.tanh(X @ W1 + b1)
    Z2 = A1 @ W2 + b2
    return nn.cross_entropy(Z2, Y), {"logits": Z2}


def mlp_sigmoid_mse(
    x: "K N", y: "M N", W1: "H K", b1: "H 1", W2: "M H", b2: "M 1"
) -> Any:
    """Nielsen's network: z = W a + b, a = σ(z), quadratic cost; examples as columns."""
    z1 = W1 @ x + b1
    a1 = nn.sigmoid(z1)
    z2 = W2 @ a1 + b2
    a2 = nn.sigmoid(z2)
    N = x.shape[1]
    C = np.sum((a2 - y) ** 2) / (2 * N)
    return C, {"a2": a2}


def deep_mlp(x: "H N", y: "H N", W: "L H H", b: "L H") -> Any:
    """L equal layers z[l] = W[l] a[l-1] + b[l], a[l] = σ(z[l]), quadratic cost; L is a symbol.

    The adjoint of z is Nielsen's δ[l] = (W[l+1]ᵀ δ[l+1]) ⊙ σ'(z[l]), for every l at once.
    """

    def layer(a: Any, weights: Any) -> Any:
        W_l, b_l = weights
        z = W_l @ a + b_l[:, None]
        a = nn.sigmoid(z)
        return a, a

    a_last, _ = scan(layer, x, (W, b))
    N = x.shape[1]
    C = np.sum((a_last - y) ** 2) / (2 * N)
    return C, {"output": a_last}


def six_layer_mlp(
    X: "N K", y: "int N",
    W1: "K H", b1: "H", W2: "H H", b2: "H", W3: "H H", b3: "H",
    W4: "H H", b4: "H", W5: "H H", b5: "H", W6: "H M", b6: "M",
) -> Any:
    """Five hidden layers, relu, cross-entropy with integer labels."""
    A1 = nn.relu(X @ W1 + b1)
    A2 = nn.relu(A1 @ W2 + b2)
    A3 = nn.relu(A2 @ W3 + b3)
    A4 = nn.relu(A3 @ W4 + b4)
    A5 = nn.relu(A4 @ W5 + b5)
    Z6 = A5 @ W6 + b6
    return nn.cross_entropy(Z6, y), {"logits": Z6}


def mlp_batch_norm(
    X: "N K", y: "int N", W1: "K H", b1: "H", gain: "H", shift: "H", W2: "H M", b2: "M"
) -> Any:
    """Batch norm before relu: b1 has no effect, and its gradient is found to be 0."""
    Z1 = X @ W1 + b1
    A1 = nn.relu(nn.batch_norm(Z1, None, None, gain, shift, training=True))
    Z2 = A1 @ W2 + b2
    return nn.cross_entropy(Z2, y), {"logits": Z2}


def mlp_dropout(
    X: "N K", y: "int N", mask: "N H", W1: "K H", b1: "H", W2: "H M", b2: "M"
) -> Any:
    """relu with dropout of one unit in five (`mask` holds the draws), and weight decay."""
    A1 = nn.relu(X @ W1 + b1)
    D1 = nn.dropout(A1, mask, p=0.2)
    Z2 = D1 @ W2 + b2
    loss = nn.cross_entropy(Z2, y) + 1e-3 / 2 * nn.l2_penalty(W1, W2)
    return loss, {"logits": Z2}


def autoencoder(
    X: "N D", W1: "D H", b1: "H", W2: "H K", b2: "K", W3: "K H", b3: "H", W4: "H D", b4: "D"
) -> Any:
    """D -> H -> K -> H -> D with tanh; mean squared error of the reconstruction."""
    H1 = np.tanh(X @ W1 + b1)
    code = np.tanh(H1 @ W2 + b2)
    H3 = np.tanh(code @ W3 + b3)
    reconstruction = H3 @ W4 + b4
    loss = nn.mse_loss(reconstruction, X)
    return loss, {"code": code, "reconstruction": reconstruction}


def _layers(count: int) -> tuple[str, ...]:
    """W1, b1, ..., the parameters of so many layers."""
    return tuple(f"{kind}{layer}" for layer in range(1, count + 1) for kind in "Wb")


MODELS = (
    Model("mlp", "Two-layer perceptron, tanh, softmax with cross-entropy",
          mlp, _layers(2), (sums_to_one("Y", axis=1),)),
    Model("mlp_sigmoid_mse", "Two-layer perceptron in the column convention, quadratic cost",
          mlp_sigmoid_mse, _layers(2)),
    Model("deep_mlp", "L equal layers, L a symbol: Nielsen's formulas, quadratic cost",
          deep_mlp, ("W", "b"),
          sizes=({"L": 4, "H": 5, "N": 3}, {"L": 1, "H": 3, "N": 2}, {"L": 2, "H": 2, "N": 4})),
    Model("six_layer_mlp", "Five hidden layers, relu, integer labels",
          six_layer_mlp, _layers(6)),
    Model("mlp_batch_norm", "Two-layer perceptron with batch norm",
          mlp_batch_norm, ("W1", "b1", "gain", "shift", "W2", "b2"), shown=False,
          sizes=({"N": 7, "K": 3, "H": 5, "M": 4}, {"N": 5, "K": 6, "H": 3, "M": 2})),
    Model("mlp_dropout", "Two-layer perceptron, relu, dropout, weight decay",
          mlp_dropout, _layers(2), (one_of("mask", 0, 1),), shown=False),
    Model("autoencoder", "Autoencoder, tanh, mean squared error",
          autoencoder, _layers(4)),
)
