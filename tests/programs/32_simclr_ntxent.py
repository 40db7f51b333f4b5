"""SimCLR: NT-Xent loss on the projections of two augmented views of a batch."""
import numpy as np
from scipy.special import logsumexp


def normalize(z):
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def nt_xent(z1, z2, temperature):
    n = z1.shape[0]
    z = normalize(np.concatenate([z1, z2], axis=0))
    sim = z @ z.T / temperature
    sim[np.arange(2 * n), np.arange(2 * n)] = -1e9          # no self-similarity
    pos = np.concatenate([np.diag(sim, n), np.diag(sim, -n)])
    return np.mean(-pos + logsumexp(sim, axis=1))


def loss(x1: "N D", x2: "N D", W: "D H", b: "H", P1: "H H", P2: "H Z", temperature=0.5):
    def project(x):
        h = np.tanh(x @ W + b)                              # encoder
        return np.maximum(h @ P1, 0) @ P2                   # projection head

    return nt_xent(project(x1), project(x2), temperature)


def example(rng):
    N, D, H, Z = 4, 6, 5, 3
    base = rng.normal(size=(N, D))
    return {
        "x1": base + 0.1 * rng.normal(size=(N, D)),
        "x2": base + 0.1 * rng.normal(size=(N, D)),
        "W": rng.normal(size=(D, H)) / np.sqrt(D),
        "b": 0.1 * rng.normal(size=H),
        "P1": rng.normal(size=(H, H)),
        "P2": rng.normal(size=(H, Z)),
    }
