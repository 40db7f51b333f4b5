"""Layers in a list: x <- tanh(x W) for each of them, then a read-out; data nested as well."""

import numpy as np

WRT = ("layers", "v")


def forward(
    data: {"x": "N D", "y": "N"}, layers: [{"W": "D D"}, {"W": "D D"}], v: "D", validate=True
):
    x0 = data["x"]
    x1 = np.tanh(x0 @ layers[0]["W"])
    x2 = np.tanh(x1 @ layers[1]["W"])
    error = x2 @ v - data["y"]
    return np.mean(error * error), (x0, x1, x2, layers[1]["W"], v, error)


def backward(saved, dL=1.0):
    x0, x1, x2, W, v, error = saved
    d_error = error * (2 * dL / len(error))
    d2 = np.outer(d_error, v) * (1 - x2 * x2)
    d1 = d2 @ W.T * (1 - x1 * x1)
    return {"layers": [{"W": x0.T @ d1}, {"W": x1.T @ d2}], "v": x2.T @ d_error}


def value_and_grad(data, layers, v, validate=True):
    loss, saved = forward(data, layers, v, validate)
    return loss, backward(saved)
