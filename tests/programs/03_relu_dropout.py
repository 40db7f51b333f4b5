"""Two-layer ReLU network in the CS231n style with a precomputed inverted-dropout mask."""
import numpy as np


def loss(X: "N D", y: "int N", W1: "D H", b1: "H", W2: "H C", b2: "C", mask: "N H",
         keep_prob=0.8, reg=1e-3):
    N = X.shape[0]

    # hidden layer
    h = np.maximum(0, X.dot(W1) + b1)
    h *= mask / keep_prob
    scores = h.dot(W2) + b2

    # softmax loss
    shift = scores - scores.max(axis=1, keepdims=True)
    exp_scores = np.exp(shift)
    probs = exp_scores / exp_scores.sum(axis=1, keepdims=True)
    correct_logprobs = -np.log(probs[range(N), y])
    data_loss = np.sum(correct_logprobs) / N
    reg_loss = 0.5 * reg * np.sum(W1 * W1) + 0.5 * reg * np.sum(W2 * W2)
    return data_loss + reg_loss


def example(rng):
    N, D, H, C = 5, 4, 7, 3
    return {
        "X": rng.normal(size=(N, D)),
        "y": rng.integers(0, C, N),
        "W1": rng.normal(size=(D, H)),
        "b1": rng.normal(size=H),
        "W2": rng.normal(size=(H, C)),
        "b2": rng.normal(size=C),
        "mask": (rng.random((N, H)) < 0.8).astype(float),
    }
