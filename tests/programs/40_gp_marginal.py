"""Negative log marginal likelihood of a Gaussian process with an ARD RBF kernel (Rasmussen, Alg. 2.1)."""
import numpy as np


def rbf(A, B, lengthscale, variance):
    A, B = A / lengthscale, B / lengthscale
    sqdist = np.sum(A**2, 1).reshape(-1, 1) + np.sum(B**2, 1) - 2 * np.dot(A, B.T)
    return variance * np.exp(-0.5 * sqdist)


def loss(X: "N D", y: "N", log_ell: "D", log_sf: "", log_sn: ""):
    N = X.shape[0]
    K = rbf(X, X, np.exp(log_ell), np.exp(2 * log_sf))
    K += np.exp(2 * log_sn) * np.eye(N)
    L = np.linalg.cholesky(K)
    alpha = np.linalg.solve(L.T, np.linalg.solve(L, y))
    return 0.5 * y @ alpha + np.log(np.diagonal(L)).sum() + 0.5 * N * np.log(2 * np.pi)


def example(rng):
    N, D = 7, 2
    X = rng.uniform(-2, 2, size=(N, D))
    return {
        "X": X,
        "y": np.sin(X[:, 0]) + 0.1 * rng.normal(size=N),
        "log_ell": np.array([0.1, 0.4]),
        "log_sf": 0.2,
        "log_sn": -1.0,
    }
