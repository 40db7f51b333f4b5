"""Triplet margin loss (FaceNet) on L2-normalised embeddings of anchor, positive and negative."""
import numpy as np


def embed(x, W1, b1, W2):
    h = np.maximum(0, x @ W1 + b1)
    e = h @ W2
    return e / np.sqrt(np.sum(e**2, axis=1, keepdims=True) + 1e-12)


def triplet_loss(anchor, positive, negative, alpha=0.2):
    pos_dist = np.sum(np.square(anchor - positive), axis=-1)
    neg_dist = np.sum(np.square(anchor - negative), axis=-1)
    basic_loss = pos_dist - neg_dist + alpha
    return np.sum(np.maximum(basic_loss, 0.0))


def loss(a: "N D", p: "N D", n: "N D", W1: "D H", b1: "H", W2: "H E"):
    return triplet_loss(*(embed(x, W1, b1, W2) for x in (a, p, n)), alpha=0.5)


def example(rng):
    N, D, H, E = 5, 4, 6, 3
    a = rng.normal(size=(N, D))
    return dict(
        a=a,
        p=a + 0.3 * rng.normal(size=(N, D)),
        n=rng.normal(size=(N, D)),
        W1=rng.normal(size=(D, H)),
        b1=0.1 + 0.1 * rng.random(H),
        W2=rng.normal(size=(H, E)),
    )
