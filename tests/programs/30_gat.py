"""A multi-head graph attention layer (GAT) with concatenated heads and a node regression loss."""
import numpy as np


def leaky_relu(x, slope=0.2):
    return np.where(x >= 0, x, slope * x)


def gat_head(H, A, W, a_src, a_dst):
    Wh = H @ W                                         # N, F'
    e = leaky_relu((Wh @ a_src)[:, None] + (Wh @ a_dst)[None, :])
    e = np.where(A > 0, e, -9e15)
    att = np.exp(e - e.max(axis=1, keepdims=True))
    att /= att.sum(axis=1, keepdims=True)
    return att @ Wh


def elu(x):
    return np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1)


def loss(X: "N D", A: "N N", y: "N",
         heads: [{"W": "D F", "a_src": "F", "a_dst": "F"},
                 {"W": "D F", "a_src": "F", "a_dst": "F"},
                 {"W": "D F", "a_src": "F", "a_dst": "F"}],
         w_out: "3*F"):
    outs = [gat_head(X, A, **p) for p in heads]
    Z = elu(np.hstack(outs))
    return np.mean((Z @ w_out - y) ** 2)


def example(rng):
    N, D, F = 5, 4, 3
    A = (rng.random((N, N)) < 0.5).astype(float)
    np.fill_diagonal(A, 1.0)
    return dict(
        X=rng.normal(size=(N, D)),
        A=A,
        y=rng.normal(size=N),
        heads=[
            {"W": rng.normal(size=(D, F)), "a_src": rng.normal(size=F), "a_dst": rng.normal(size=F)}
            for _ in range(3)
        ],
        w_out=rng.normal(size=3 * F),
    )
