"""Five networks with a backward written by hand, as a student would write it; all are right."""

import numpy as np

import symprop


def mlp(X: "N K", y: "int N", W1: "K H", b1: "H", W2: "H M", b2: "M"):
    Z1 = X @ W1 + b1
    A1 = np.maximum(Z1, 0)
    Z2 = A1 @ W2 + b2
    E = np.exp(Z2 - Z2.max(axis=1, keepdims=True))
    P = E / E.sum(axis=1, keepdims=True)
    return -np.mean(np.log(P[np.arange(y.shape[0]), y]))


def mlp_gradient(X, y, W1, b1, W2, b2):
    N = len(y)
    Z1 = X @ W1 + b1
    A1 = np.maximum(Z1, 0)
    Z2 = A1 @ W2 + b2
    E = np.exp(Z2 - Z2.max(axis=1, keepdims=True))
    P = E / E.sum(axis=1, keepdims=True)
    Y = np.eye(W2.shape[1])[y]
    dZ2 = (P - Y) / N
    dW2 = A1.T @ dZ2
    db2 = dZ2.sum(axis=0)
    dA1 = dZ2 @ W2.T
    dZ1 = dA1 * (Z1 > 0)
    dW1 = X.T @ dZ1
    db1 = dZ1.sum(axis=0)
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


def batch_norm(X: "N D", T: "N D", gamma: "D", beta: "D"):
    mu = X.mean(axis=0)
    C = X - mu
    s = np.sqrt((C * C).mean(axis=0) + 1e-5)
    Xhat = C / s
    R = gamma * Xhat + beta - T
    return (R * R).sum() / X.shape[0]


def batch_norm_gradient(X, T, gamma, beta):
    N = len(X)
    C = X - X.mean(axis=0)
    s = np.sqrt((C * C).mean(axis=0) + 1e-5)
    Xhat = C / s
    R = gamma * Xhat + beta - T
    dR = 2 * R / N
    dbeta = dR.sum(axis=0)
    dgamma = (dR * Xhat).sum(axis=0)
    dXhat = dR * gamma
    m1 = dXhat.mean(axis=0)
    m2 = (dXhat * Xhat).mean(axis=0)
    dX = (dXhat - m1 - Xhat * m2) / s
    return {"X": dX, "gamma": dgamma, "beta": dbeta}


def rnn(X: "T N K", Y: "N H", U: "K H", V: "H H", b: "H"):
    def step(h, x):
        h = np.tanh(x @ U + h @ V + b)
        return h, h

    h, _ = symprop.scan(step, np.zeros((X.shape[1], V.shape[0])), X)
    return ((h - Y) ** 2).mean()


def rnn_gradient(X, Y, U, V, b):
    steps, N = X.shape[0], X.shape[1]
    H = np.zeros((steps + 1, N, V.shape[0]))
    for t in range(steps):
        H[t + 1] = np.tanh(X[t] @ U + H[t] @ V + b)
    dU, dV, db = np.zeros_like(U), np.zeros_like(V), np.zeros_like(b)
    dh = 2 * (H[steps] - Y) / Y.size
    for t in reversed(range(steps)):
        dz = dh * (1 - H[t + 1] ** 2)
        dU += X[t].T @ dz
        dV += H[t].T @ dz
        db += dz.sum(axis=0)
        dh = dz @ V.T
    return {"U": dU, "V": dV, "b": db}


def attention(X: "T D", Y: "T E", Wq: "D E", Wk: "D E", Wv: "D E"):
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    S = Q @ K.T / np.sqrt(Wq.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    P = E / E.sum(axis=1, keepdims=True)
    return ((P @ V - Y) ** 2).sum() / 2


def attention_gradient(X, Y, Wq, Wk, Wv):
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    scale = 1 / np.sqrt(Wq.shape[1])
    S = Q @ K.T * scale
    E = np.exp(S - S.max(axis=1, keepdims=True))
    P = E / E.sum(axis=1, keepdims=True)
    dO = P @ V - Y
    dV = P.T @ dO
    dP = dO @ V.T
    dS = P * (dP - (dP * P).sum(axis=1, keepdims=True))
    dQ = dS @ K * scale
    dK = dS.T @ Q * scale
    return {"Wq": X.T @ dQ, "Wk": X.T @ dK, "Wv": X.T @ dV}


def convolution(x: "N L", k: "3", w: "L-2", c: "", y: "N"):
    Z = x[:, :-2] * k[0] + x[:, 1:-1] * k[1] + x[:, 2:] * k[2]
    A = np.tanh(Z)
    q = A @ w + c
    p = 1 / (1 + np.exp(-q))
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def convolution_gradient(x, k, w, c, y):
    Z = x[:, :-2] * k[0] + x[:, 1:-1] * k[1] + x[:, 2:] * k[2]
    A = np.tanh(Z)
    q = A @ w + c
    p = 1 / (1 + np.exp(-q))
    dq = (p - y) / len(y)
    dw = A.T @ dq
    dc = dq.sum()
    dA = np.outer(dq, w)
    dZ = dA * (1 - A ** 2)
    dk0 = (dZ * x[:, :-2]).sum()
    dk1 = (dZ * x[:, 1:-1]).sum()
    dk2 = (dZ * x[:, 2:]).sum()
    dk = np.array([dk0, dk1, dk2])
    return {"k": dk, "w": dw, "c": dc}


NETWORKS = {
    "mlp": (mlp, mlp_gradient, ("W1", "b1", "W2", "b2"), ()),
    "batch norm": (batch_norm, batch_norm_gradient, ("X", "gamma", "beta"), ()),
    "rnn": (rnn, rnn_gradient, ("U", "V", "b"), ()),
    "attention": (attention, attention_gradient, ("Wq", "Wk", "Wv"), ()),
    "convolution": (
        convolution, convolution_gradient, ("k", "w", "c"), (symprop.in_range("y", 0, 1),)
    ),
}
