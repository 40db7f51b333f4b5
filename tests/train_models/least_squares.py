"""Linear regression with a bias, by hand: L = 1/N sum (X w + b - y)^2."""

import numpy as np

WRT = ("w", "b")


def forward(X: "N K", y: "N", w: "K", b: "", validate=True):
    error = X @ w + b - y
    return np.mean(error * error), (X, error)


def backward(saved, dL=1.0):
    X, error = saved
    d_error = error * (2 * dL / len(error))
    return {"w": X.T @ d_error, "b": d_error.sum()}


def value_and_grad(X, y, w, b, validate=True):
    loss, saved = forward(X, y, w, b, validate)
    return loss, backward(saved)


def predict(X, w, b):
    return {"y_hat": X @ w + b}
