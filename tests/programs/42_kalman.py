"""Log likelihood of a linear Gaussian state-space model by the Kalman filter."""
import numpy as np
from numpy.linalg import inv, slogdet


def predict(m, P, A, Q):
    return A @ m, A @ P @ A.T + Q


def update(m, P, y, C, R):
    v = y - C @ m                       # innovation
    S = C @ P @ C.T + R
    K = P @ C.T @ inv(S)
    m = m + K @ v
    P = P - K @ S @ K.T
    _, logdet = slogdet(S)
    ll = -0.5 * (v @ inv(S) @ v + logdet + len(v) * np.log(2 * np.pi))
    return m, P, ll


def loss(ys: "T M", A: "D D", C: "M D", Lq: "D D", log_r: "M", m0: "D"):
    D = A.shape[0]
    Q = Lq @ Lq.T
    R = np.diag(np.exp(log_r))
    m, P = m0, np.eye(D)
    total = 0
    for y in ys:
        m, P = predict(m, P, A, Q)
        m, P, ll = update(m, P, y, C, R)
        total += ll
    return -total


def example(rng):
    T, D, M = 6, 3, 2
    return {
        "ys": rng.normal(size=(T, M)),
        "A": 0.8 * np.eye(D) + 0.1 * rng.normal(size=(D, D)),
        "C": rng.normal(size=(M, D)),
        "Lq": np.tril(rng.normal(size=(D, D))) * 0.5,
        "log_r": np.log(rng.uniform(0.2, 0.5, M)),
        "m0": rng.normal(size=D),
    }
