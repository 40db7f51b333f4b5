"""Second-order factorisation machine for click prediction, pairwise term in linear time."""
import numpy as np


def fm(X, w0, w, V):
    linear = w0 + X @ w
    square_of_sum = (X @ V) ** 2
    sum_of_square = (X**2) @ (V**2)
    return linear + 0.5 * (square_of_sum - sum_of_square).sum(axis=1)


def loss(X: "N D", y: "N", w0: "", w: "D", V: "D K", l2_w=0.01, l2_v=0.01):
    # y in {-1, +1}
    margin = y * fm(X, w0, w, V)
    logloss = np.log1p(np.exp(-margin)).mean()
    return logloss + l2_w * (w**2).sum() + l2_v * (V**2).sum()


def example(rng):
    N, D, K = 7, 5, 2
    return dict(
        X=rng.normal(size=(N, D)),
        y=np.where(rng.random(N) < 0.5, -1.0, 1.0),
        w0=0.1,
        w=0.3 * rng.normal(size=D),
        V=0.3 * rng.normal(size=(D, K)),
    )
