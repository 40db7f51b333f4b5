"""Binary logistic regression with an L2 penalty on the weights (not the bias)."""
import numpy as np


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def predict_proba(X, w, b):
    return sigmoid(np.dot(X, w) + b)


def loss(X: "N D", y: "N", w: "D", b: "", lam=0.1):
    m = X.shape[0]
    p = predict_proba(X, w, b)
    cost = -1 / m * np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))
    reg = lam / (2 * m) * np.sum(np.square(w))
    return cost + reg


def example(rng):
    N, D = 8, 3
    X = rng.normal(size=(N, D))
    return {
        "X": X,
        "y": (X[:, 0] + 0.5 * rng.normal(size=N) > 0).astype(np.float64),
        "w": rng.normal(size=D),
        "b": 0.2,
    }
