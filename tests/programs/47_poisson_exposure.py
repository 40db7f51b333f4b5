"""Poisson regression of claim counts with a log-exposure offset and group random effects."""
import numpy as np
from scipy.special import gammaln


def loss(X: "N D", group: "int N", counts: "N", exposure: "N",
         beta: "D", intercept: "", u: "G", log_tau: ""):
    eta = intercept + X @ beta + u[group] + np.log(exposure)
    nll = np.sum(np.exp(eta) - counts * eta + gammaln(counts + 1))
    # u ~ N(0, tau^2)
    tau = np.exp(log_tau)
    prior = 0.5 * np.sum((u / tau) ** 2) + u.size * log_tau
    return nll + prior


def example(rng):
    N, D, G = 10, 3, 4
    X = rng.normal(size=(N, D))
    exposure = rng.uniform(0.5, 2.0, N)
    return {
        "X": X,
        "group": rng.integers(0, G, N),
        "counts": rng.poisson(exposure * np.exp(0.3 * X[:, 0])).astype(float),
        "exposure": exposure,
        "beta": 0.3 * rng.normal(size=D),
        "intercept": -0.2,
        "u": 0.3 * rng.normal(size=G),
        "log_tau": -0.7,
    }
