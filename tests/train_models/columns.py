"""A sigmoid network in the column convention, examples as columns: a = sigmoid(W a + b)."""

import numpy as np

WRT = ("W1", "b1", "W2", "b2")


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(x: "K N", y: "M N", W1: "H K", b1: "H 1", W2: "M H", b2: "M 1", validate=True):
    a1 = sigmoid(W1 @ x + b1)
    a2 = sigmoid(W2 @ a1 + b2)
    error = a2 - y
    return np.sum(error * error) / (2 * x.shape[1]), (x, a1, a2, W2, error)


def backward(saved, dL=1.0):
    x, a1, a2, W2, error = saved
    d2 = error * a2 * (1 - a2) * (dL / x.shape[1])
    d1 = W2.T @ d2 * a1 * (1 - a1)
    return {
        "W1": d1 @ x.T,
        "b1": d1.sum(axis=1, keepdims=True),
        "W2": d2 @ a1.T,
        "b2": d2.sum(axis=1, keepdims=True),
    }


def value_and_grad(x, y, W1, b1, W2, b2, validate=True):
    loss, saved = forward(x, y, W1, b1, W2, b2, validate)
    return loss, backward(saved)


def predict(x, W1, b1, W2, b2):
    return {"a": sigmoid(W2 @ sigmoid(W1 @ x + b1) + b2)}
