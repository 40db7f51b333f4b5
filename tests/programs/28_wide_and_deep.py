"""Wide & Deep: a linear part on crossed features plus an MLP on concatenated field embeddings."""
import numpy as np


def relu(x):
    return np.maximum(x, 0.0)


def deep(cats, dense, tables, mlp):
    embs = [table[cats[:, f]] for f, table in enumerate(tables)]
    h = np.concatenate(embs + [dense], axis=1)
    for layer in mlp:
        h = relu(h @ layer["W"] + layer["b"])
    return h


def loss(
    cats: "int N 3",
    dense: "N C",
    wide: "N P",
    clicks: "N",
    tables: ["V1 E", "V2 E", "V3 E"],
    mlp: [{"W": "3*E+C H", "b": "H"}, {"W": "H G", "b": "G"}],
    w_wide: "P",
    w_deep: "G",
    bias: "",
):
    logit = wide @ w_wide + deep(cats, dense, tables, mlp) @ w_deep + bias
    # numerically stable binary cross entropy
    bce = np.maximum(logit, 0) - logit * clicks + np.log1p(np.exp(-np.abs(logit)))
    return bce.mean()


def example(rng):
    N, C, P, E, H, G = 5, 2, 4, 3, 6, 4
    vocab = [4, 3, 5]
    return {
        "cats": np.stack([rng.integers(0, v, N) for v in vocab], axis=1),
        "dense": rng.normal(size=(N, C)),
        "wide": rng.integers(0, 2, size=(N, P)).astype(float),
        "clicks": rng.integers(0, 2, size=N).astype(float),
        "tables": [rng.normal(size=(v, E)) for v in vocab],
        "mlp": [
            {"W": rng.normal(size=(3 * E + C, H)) / 3, "b": 0.1 * rng.normal(size=H)},
            {"W": rng.normal(size=(H, G)) / 2, "b": 0.1 * rng.normal(size=G)},
        ],
        "w_wide": rng.normal(size=P),
        "w_deep": rng.normal(size=G),
        "bias": -0.1,
    }
