"""Dense mixture of experts: every expert runs, a softmax gate mixes them; with a load-balancing term."""
import numpy as np


def softmax(x, axis):
    x = np.exp(x - x.max(axis=axis, keepdims=True))
    return x / x.sum(axis=axis, keepdims=True)


def expert(x, W1, b1, W2, b2):
    return np.maximum(x @ W1 + b1, 0) @ W2 + b2


def loss(x: "N D", y: "N O", Wg: "D E",
         W1: "E D H", b1: "E H", W2: "E H O", b2: "E O", balance=0.01):
    n_experts = W1.shape[0]
    gates = softmax(x @ Wg, axis=1)                                     # N, E
    outputs = np.stack([expert(x, W1[e], b1[e], W2[e], b2[e]) for e in range(n_experts)], axis=1)
    pred = (gates[:, :, None] * outputs).sum(axis=1)                    # N, O
    mse = np.mean((pred - y) ** 2)
    importance = gates.sum(axis=0)
    cv_squared = np.var(importance) / (np.mean(importance) ** 2)
    return mse + balance * cv_squared


def example(rng):
    N, D, H, O, E = 6, 3, 4, 2, 3
    return {
        "x": rng.normal(size=(N, D)),
        "y": rng.normal(size=(N, O)),
        "Wg": rng.normal(size=(D, E)),
        "W1": rng.normal(size=(E, D, H)),
        "b1": rng.normal(size=(E, H)),
        "W2": rng.normal(size=(E, H, O)),
        "b2": rng.normal(size=(E, O)),
    }
