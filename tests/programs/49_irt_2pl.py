"""Two-parameter logistic item response model: MAP objective with missing answers masked out."""
from typing import NamedTuple

import numpy as np


class Items(NamedTuple):
    log_disc: np.ndarray
    difficulty: np.ndarray


def irt_logits(ability, items):
    a = np.exp(items.log_disc)
    return a[None, :] * (ability[:, None] - items.difficulty[None, :])


def log_bernoulli(y, logits):
    return y * logits - np.logaddexp(0, logits)


def loss(responses: "P I", observed: "P I", ability: "P", log_disc: "I", difficulty: "I"):
    items = Items(log_disc, difficulty)
    ll = np.sum(observed * log_bernoulli(responses, irt_logits(ability, items)))
    log_prior = -0.5 * np.sum(ability**2) - 0.5 * np.sum(items.log_disc**2) / 0.25
    log_prior += -0.5 * np.sum(items.difficulty**2) / 4
    return -(ll + log_prior)


def example(rng):
    P, I = 6, 4
    return dict(
        responses=rng.integers(0, 2, size=(P, I)).astype(float),
        observed=(rng.random((P, I)) < 0.85).astype(float),
        ability=rng.normal(size=P),
        log_disc=0.3 * rng.normal(size=I),
        difficulty=rng.normal(size=I),
    )
