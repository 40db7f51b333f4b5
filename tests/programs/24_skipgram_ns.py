"""word2vec skip-gram with negative sampling on a batch of (centre, context, negatives)."""
import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def neg_sampling_loss(v_c, u_o, U_neg):
    pos = np.log(sigmoid(u_o @ v_c))
    neg = np.sum(np.log(sigmoid(-U_neg @ v_c)))
    return -(pos + neg)


def loss(center: "int B", context: "int B", negatives: "int B K",
         W_in: "V D", W_out: "V D"):
    total = 0.0
    for b in range(center.shape[0]):
        total += neg_sampling_loss(W_in[center[b]], W_out[context[b]], W_out[negatives[b]])
    return total / center.shape[0]


def example(rng):
    V, D, B, K = 10, 4, 5, 3
    return dict(
        center=rng.integers(0, V, size=B),
        context=rng.integers(0, V, size=B),
        negatives=rng.integers(0, V, size=(B, K)),
        W_in=rng.uniform(-0.5, 0.5, size=(V, D)),
        W_out=rng.uniform(-0.5, 0.5, size=(V, D)),
    )
