"""Bidirectional tanh RNN; the two last states are concatenated and classified."""
import numpy as np


def rnn(xs, W, U, b):
    """xs is T x B x D, the return value the last hidden state, B x H."""
    h = np.zeros((xs.shape[1], U.shape[0]))
    for x in xs:
        h = np.tanh(x @ W + h @ U + b)
    return h


def loss(x: "T B D", y: "int B",
         fwd: {"W": "D H", "U": "H H", "b": "H"},
         bwd: {"W": "D H", "U": "H H", "b": "H"},
         V: "2*H C", c: "C"):
    h_f = rnn(x, **fwd)
    h_b = rnn(x[::-1], **bwd)
    h = np.concatenate((h_f, h_b), axis=-1)
    logits = h @ V + c
    logits -= logits.max(-1, keepdims=True)
    logp = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    return -np.mean(logp[np.arange(y.shape[0]), y])


def example(rng):
    T, B, D, H, C = 4, 3, 2, 3, 4

    def cell():
        return {"W": rng.normal(size=(D, H)), "U": 0.5 * rng.normal(size=(H, H)),
                "b": 0.1 * rng.normal(size=H)}

    return {"x": rng.normal(size=(T, B, D)), "y": rng.integers(0, C, size=B),
            "fwd": cell(), "bwd": cell(),
            "V": rng.normal(size=(2 * H, C)), "c": rng.normal(size=C)}
