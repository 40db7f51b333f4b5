"""A GRU that reads a batch of sequences and regresses a scalar from its last hidden state."""
import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gru_cell(x, h, params):
    z = sigmoid(x @ params["Wz"] + h @ params["Uz"] + params["bz"])
    r = sigmoid(x @ params["Wr"] + h @ params["Ur"] + params["br"])
    h_tilde = np.tanh(x @ params["Wh"] + (r * h) @ params["Uh"] + params["bh"])
    return (1 - z) * h + z * h_tilde


def loss(
    X: "B T D",
    y: "B",
    params: {
        "Wz": "D H", "Uz": "H H", "bz": "H",
        "Wr": "D H", "Ur": "H H", "br": "H",
        "Wh": "D H", "Uh": "H H", "bh": "H",
        "Wo": "H 1", "bo": "1",
    },
):
    B, T, _ = X.shape
    H = params["Uz"].shape[0]
    h = np.zeros((B, H))
    for t in range(T):
        h = gru_cell(X[:, t, :], h, params)
    y_hat = (h @ params["Wo"] + params["bo"]).squeeze(-1)
    return np.mean((y_hat - y) ** 2)


def example(rng):
    B, T, D, H = 3, 5, 2, 4
    params = {}
    for gate in "zrh":
        params["W" + gate] = rng.normal(size=(D, H)) / np.sqrt(D)
        params["U" + gate] = rng.normal(size=(H, H)) / np.sqrt(H)
        params["b" + gate] = 0.1 * rng.normal(size=H)
    params["Wo"] = rng.normal(size=(H, 1))
    params["bo"] = 0.1 * rng.normal(size=1)
    return {"X": rng.normal(size=(B, T, D)), "y": rng.normal(size=B), "params": params}
