"""L = 1/2 sum a (w - c)^2: a valley with its lowest point at c."""

import numpy as np

WRT = ("w",)


def forward(a: "K", c: "K", w: "K", validate=True):
    return np.sum(a * (w - c) ** 2) / 2, (a, c, w)


def backward(saved, dL=1.0):
    a, c, w = saved
    return {"w": dL * a * (w - c)}
