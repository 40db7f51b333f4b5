"""Matrix factorisation with user and item biases on a list of ratings, as in the Netflix prize."""
import numpy as np


def loss(users: "int R", items: "int R", ratings: "R",
         P: "U K", Q: "I K", bu: "U", bi: "I", mu: "", reg=0.02):
    pu, qi = P[users], Q[items]
    pred = mu + bu[users] + bi[items] + np.sum(pu * qi, axis=1)
    err = ratings - pred
    penalty = reg * (np.sum(pu**2) + np.sum(qi**2) + np.sum(bu[users] ** 2) + np.sum(bi[items] ** 2))
    return np.sum(err**2) + penalty


def example(rng):
    U, I, K, R = 4, 5, 3, 9
    return {
        "users": rng.integers(0, U, R),
        "items": rng.integers(0, I, R),
        "ratings": rng.integers(1, 6, R).astype(float),
        "P": 0.3 * rng.normal(size=(U, K)),
        "Q": 0.3 * rng.normal(size=(I, K)),
        "bu": 0.1 * rng.normal(size=U),
        "bi": 0.1 * rng.normal(size=I),
        "mu": 3.2,
    }
