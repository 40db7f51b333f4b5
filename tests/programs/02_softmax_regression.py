"""Multinomial (softmax) regression trained on one-hot labels with a stable softmax."""
import numpy as np


def softmax(z):
    z = z - np.max(z, axis=1, keepdims=True)
    e = np.exp(z)
    return e / np.sum(e, axis=1, keepdims=True)


def cross_entropy(probs, targets, eps=1e-12):
    return -np.mean(np.sum(targets * np.log(probs + eps), axis=1))


def loss(X: "N D", T: "N C", W: "D C", b: "C"):
    scores = X.dot(W) + b
    probs = softmax(scores)
    return cross_entropy(probs, T)


def example(rng):
    N, D, C = 6, 4, 3
    labels = rng.integers(0, C, size=N)
    return dict(
        X=rng.standard_normal((N, D)),
        T=np.eye(C)[labels],
        W=0.5 * rng.standard_normal((D, C)),
        b=0.1 * rng.standard_normal(C),
    )
