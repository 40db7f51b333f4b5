"""Kernel ridge regression: validation error as a function of the bandwidth and the ridge."""
import numpy as np


def gaussian_kernel(X, Z, gamma):
    d2 = ((X[:, None, :] - Z[None, :, :]) ** 2).sum(-1)
    return np.exp(-gamma * d2)


def fit(X, y, gamma, lam):
    K = gaussian_kernel(X, X, gamma)
    return np.linalg.solve(K + lam * len(X) * np.eye(len(X)), y)


def loss(X_train: "N D", y_train: "N", X_val: "M D", y_val: "M", log_gamma: "", log_lam: ""):
    gamma, lam = np.exp(log_gamma), np.exp(log_lam)
    coef = fit(X_train, y_train, gamma, lam)
    y_pred = gaussian_kernel(X_val, X_train, gamma) @ coef
    return np.mean((y_pred - y_val) ** 2)


def example(rng):
    N, M, D = 8, 5, 2
    f = lambda X: np.sin(2 * X[:, 0]) * X[:, 1]
    Xt, Xv = rng.normal(size=(N, D)), rng.normal(size=(M, D))
    return dict(
        X_train=Xt, y_train=f(Xt) + 0.1 * rng.normal(size=N),
        X_val=Xv, y_val=f(Xv),
        log_gamma=-0.5, log_lam=-3.0,
    )
