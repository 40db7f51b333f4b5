"""What helpers are handed may be masked by -inf: lemmas hold, and give the gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symprop
from symprop import nn


def causal(s: Any) -> Any:
    t = s / 2 + 1
    return np.where(np.tri(s.shape[0], s.shape[0]) > 0, np.tanh(t) * t, -np.inf)


def weights(z: Any) -> Any:
    z = z - 1
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return p * p / np.sqrt(1 + p * p)


def by_where(U: "M N", V: "M N") -> Any:
    M = U.shape[0]
    masked = np.where(np.tri(M, M) > 0, V @ V.T, -np.inf)
    return np.sum((nn.softmax(U @ U.T, axis=-1) @ U) * (nn.softmax(masked, axis=-1) @ V))


def by_a_bias(U: "M N", V: "M N") -> Any:
    M = U.shape[0]
    bias = np.where(np.tri(M, M) > 0, 0, -np.inf)
    return np.sum((weights(U @ U.T + bias) @ V) ** 2) + np.sum((weights(V @ V.T) @ U) ** 2)


def by_a_helper(U: "M N", V: "M N") -> Any:
    return np.sum((weights(causal(U @ U.T)) @ V) ** 2) + np.sum((weights(causal(V @ V.T)) @ U) ** 2)


def by_a_sum(U: "M N", V: "M N") -> Any:
    both = causal(U @ U.T) + causal(V @ V.T)
    return np.sum((weights(both) @ V) ** 2) + np.sum((weights(U @ V.T) @ U) ** 2)


def in_a_loop(U: "M N", V: "M N") -> Any:
    total = 0
    for W in (U, V, U * V):
        masked = np.where(np.tri(W.shape[0], W.shape[0]) > 0, W @ W.T, -np.inf)
        total = total + np.sum((weights(masked) @ W) ** 2)
    return total


@pytest.mark.parametrize("function", [by_where, by_a_bias, by_a_helper, by_a_sum, in_a_loop])
def test_a_helper_is_handed_minus_infinity(function: Callable[..., Any]) -> None:
    derivation = symprop.derive(symprop.trace(function))
    assert "Lemma 1" in derivation.text()
    module = symprop.generate(derivation)
    rng = np.random.default_rng(0)
    given = {"U": rng.normal(size=(4, 3)), "V": rng.normal(size=(4, 3))}
    way = {n: rng.normal(size=(4, 3)) for n in given}

    def moved(step: float) -> Any:
        return function(**{n: a + step * way[n] for n, a in given.items()})

    value, found = module.value_and_grad(**given)
    slope = (8 * (moved(1e-3) - moved(-1e-3)) - (moved(2e-3) - moved(-2e-3))) / 12e-3
    assert value == pytest.approx(moved(0))
    assert sum(np.sum(found[n] * way[n]) for n in way) == pytest.approx(slope, rel=1e-8)
