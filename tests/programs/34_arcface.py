"""ArcFace: softmax over scaled cosines with an additive angular margin on the true class."""
import numpy as np


def l2_norm(x, axis):
    return x / np.linalg.norm(x, axis=axis, keepdims=True)


def loss(features: "B D", labels: "int B", W: "D C", s=16.0, m=0.5):
    cosine = l2_norm(features, axis=1) @ l2_norm(W, axis=0)
    cosine = np.clip(cosine, -1 + 1e-7, 1 - 1e-7)
    theta = np.arccos(cosine)
    one_hot = np.zeros_like(cosine)
    one_hot[np.arange(labels.shape[0]), labels] = 1.0
    logits = s * np.where(one_hot == 1, np.cos(theta + m), cosine)

    logits = logits - logits.max(axis=1, keepdims=True)
    log_prob = logits - np.log(np.sum(np.exp(logits), axis=1, keepdims=True))
    return -(one_hot * log_prob).sum() / labels.shape[0]


def example(rng):
    B, D, C = 5, 4, 3
    return {
        "features": rng.normal(size=(B, D)),
        "labels": rng.integers(0, C, size=B),
        "W": rng.normal(size=(D, C)),
    }
