"""Learning to rank one scorer from Bradley-Terry comparisons and from ListNet relevance lists."""
import numpy as np


def scorer(x, W, b, v):
    return np.maximum(x @ W + b, 0) @ v


def bradley_terry(s, winners, losers):
    return np.mean(np.log1p(np.exp(-(s[winners] - s[losers]))))


def top_one(scores):
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def listnet(scores, relevance):
    return -(top_one(relevance) * np.log(top_one(scores))).sum(axis=-1).mean()


def loss(items: "M D", winners: "int P", losers: "int P",
         docs: "Q L D", relevance: "Q L",
         W: "D H", b: "H", v: "H", mix=0.5):
    pairwise = bradley_terry(scorer(items, W, b, v), winners, losers)
    listwise = listnet(scorer(docs, W, b, v), relevance)
    return mix * pairwise + (1 - mix) * listwise


def example(rng):
    M, D, P, Q, L, H = 5, 3, 7, 2, 4, 6
    pairs = np.array([rng.choice(M, 2, replace=False) for _ in range(P)])
    return {
        "items": rng.normal(size=(M, D)),
        "winners": pairs[:, 0],
        "losers": pairs[:, 1],
        "docs": rng.normal(size=(Q, L, D)),
        "relevance": rng.integers(0, 4, size=(Q, L)).astype(float),
        "W": rng.normal(size=(D, H)),
        "b": rng.normal(size=H),
        "v": rng.normal(size=H),
    }
