"""A table of scores looked up by whole numbers: L = 1/N sum (E[t] - s)^2, s a scalar."""

import numpy as np

WRT = ("E",)
FACTS = (("index", "t", "V"), ("positive", "E"))


def forward(t: "int N", s: "", E: "V", validate=True):
    if validate and (t.min() < 0 or t.max() >= len(E)):
        raise ValueError("t: indices must be in 0 <= t < V")
    error = E[t] - s
    return np.mean(error * error), (t, E, error)


def backward(saved, dL=1.0):
    t, E, error = saved
    dE = np.zeros_like(E)
    np.add.at(dE, t, error * (2 * dL / len(t)))
    return {"E": dE}


def value_and_grad(t, s, E, validate=True):
    loss, saved = forward(t, s, E, validate)
    return loss, backward(saved)
