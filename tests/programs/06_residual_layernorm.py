"""Pre-norm residual MLP for regression, with the parameters of its blocks in a list of dicts."""
import numpy as np


def layer_norm(x, g, b, eps=1e-5):
    mean = np.mean(x, axis=-1, keepdims=True)
    variance = np.var(x, axis=-1, keepdims=True)
    return g * (x - mean) / np.sqrt(variance + eps) + b


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def block(x, p):
    h = layer_norm(x, p["g"], p["b"])
    h = gelu(h @ p["W1"] + p["b1"])
    return x + h @ p["W2"] + p["b2"]


def loss(
    x: "N D",
    y: "N",
    blocks: [
        {"g": "D", "b": "D", "W1": "D H", "b1": "H", "W2": "H D", "b2": "D"},
        {"g": "D", "b": "D", "W1": "D H", "b1": "H", "W2": "H D", "b2": "D"},
        {"g": "D", "b": "D", "W1": "D H", "b1": "H", "W2": "H D", "b2": "D"},
    ],
    head: {"w": "D", "b": ""},
):
    for p in blocks:
        x = block(x, p)
    pred = x @ head["w"] + head["b"]
    return 0.5 * np.mean((pred - y) ** 2)


def example(rng):
    N, D, H, L = 4, 3, 5, 3

    def init():
        return {
            "g": 1 + 0.1 * rng.normal(size=D), "b": 0.1 * rng.normal(size=D),
            "W1": rng.normal(size=(D, H)) / np.sqrt(D), "b1": 0.1 * rng.normal(size=H),
            "W2": rng.normal(size=(H, D)) / np.sqrt(H), "b2": 0.1 * rng.normal(size=D),
        }

    return dict(
        x=rng.normal(size=(N, D)),
        y=rng.normal(size=N),
        blocks=[init() for _ in range(L)],
        head={"w": rng.normal(size=D), "b": 0.3},
    )
