"""Linear-chain CRF negative log likelihood on top of a linear emission layer."""
import numpy as np
from scipy.special import logsumexp


def log_partition(emissions, transitions, start, end):
    alpha = start + emissions[0]
    for e in emissions[1:]:
        alpha = logsumexp(alpha[:, None] + transitions + e[None, :], axis=0)
    return logsumexp(alpha + end)


def path_score(emissions, tags, transitions, start, end):
    T = len(tags)
    score = start[tags[0]] + end[tags[-1]]
    score += emissions[np.arange(T), tags].sum()
    score += transitions[tags[:-1], tags[1:]].sum()
    return score


def loss(x: "T D", tags: "int T", W: "D K", b: "K", transitions: "K K", start: "K", end: "K"):
    emissions = x @ W + b
    crf = (transitions, start, end)
    return log_partition(emissions, *crf) - path_score(emissions, tags, *crf)


def example(rng):
    T, D, K = 6, 4, 3
    return dict(
        x=rng.normal(size=(T, D)),
        tags=rng.integers(0, K, T),
        W=rng.normal(size=(D, K)),
        b=rng.normal(size=K),
        transitions=rng.normal(size=(K, K)),
        start=rng.normal(size=K),
        end=rng.normal(size=K),
    )
