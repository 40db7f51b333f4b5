"""LSTM sequence tagger with one-hot inputs and a softmax over tags at every time step."""
import numpy as np


def sigmoid(a):
    return 1.0 / (1.0 + np.exp(-a))


def softmax(a):
    e = np.exp(a - np.max(a))
    return e / e.sum()


def lstm_step(x, h, c, Wf, bf, Wi, bi, Wc, bc, Wo, bo):
    z = np.concatenate([h, x])
    f = sigmoid(Wf @ z + bf)
    i = sigmoid(Wi @ z + bi)
    c_bar = np.tanh(Wc @ z + bc)
    c = f * c + i * c_bar
    o = sigmoid(Wo @ z + bo)
    h = o * np.tanh(c)
    return h, c


def loss(X: "T V", Y: "T K",
         Wf: "H H+V", bf: "H", Wi: "H H+V", bi: "H",
         Wc: "H H+V", bc: "H", Wo: "H H+V", bo: "H",
         Wy: "K H", by: "K"):
    H = bf.shape[0]
    h, c = np.zeros(H), np.zeros(H)
    total = 0.0
    for t in range(X.shape[0]):
        h, c = lstm_step(X[t], h, c, Wf, bf, Wi, bi, Wc, bc, Wo, bo)
        p = softmax(Wy @ h + by)
        total -= np.sum(Y[t] * np.log(p))
    return total / X.shape[0]


def example(rng):
    T, V, K, H = 6, 5, 3, 4
    args = {
        "X": np.eye(V)[rng.integers(0, V, T)],
        "Y": np.eye(K)[rng.integers(0, K, T)],
        "Wy": rng.normal(size=(K, H)),
        "by": 0.1 * rng.normal(size=K),
    }
    for g in ("f", "i", "c", "o"):
        args["W" + g] = rng.normal(size=(H, H + V)) / np.sqrt(H + V)
        args["b" + g] = np.full(H, 1.0 if g == "f" else 0.05)
    return args
