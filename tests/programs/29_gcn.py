"""Two-layer graph convolutional network (Kipf & Welling) on a dense adjacency, semi-supervised."""
import numpy as np


def normalize_adj(A):
    A_hat = A + np.eye(A.shape[0])
    d = A_hat.sum(axis=1)
    D_inv_sqrt = np.diag(d**-0.5)
    return D_inv_sqrt @ A_hat @ D_inv_sqrt


def log_softmax(x):
    x = x - x.max(axis=1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def loss(A: "N N", X: "N F", Y: "N C", train_mask: "N",
         W0: "F H", W1: "H C", weight_decay=5e-4):
    S = normalize_adj(A)
    H = np.maximum(S @ X @ W0, 0)
    logp = log_softmax(S @ H @ W1)
    nll = -(Y * logp).sum(axis=1)
    masked = (train_mask / train_mask.mean()) * nll
    return masked.mean() + weight_decay * 0.5 * np.sum(W0**2)


def example(rng):
    N, F, H, C = 6, 4, 5, 3
    upper = np.triu(rng.random((N, N)) < 0.4, 1).astype(float)
    mask = np.zeros(N)
    mask[:3] = 1
    return {
        "A": upper + upper.T,
        "X": rng.normal(size=(N, F)),
        "Y": np.eye(C)[rng.integers(0, C, N)],
        "train_mask": mask,
        "W0": rng.normal(size=(F, H)),
        "W1": rng.normal(size=(H, C)),
    }
