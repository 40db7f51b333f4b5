"""Cholesky's factor: a recurrence that reads all columns before, in memory for one matrix."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np
import pytest

import symprop
from symprop.errors import UnsupportedError


def lower(K: "N N", c: "N N"):
    return np.sum(np.linalg.cholesky(K) * c)


def upper(K: "N N", c: "N N"):
    return np.sum(np.linalg.cholesky(K, upper=True) * c)


def stack(K: "B N N", c: "B N N"):
    return np.sum(np.linalg.cholesky(K) * c)


def number(K: "3 3", c: "3 3"):
    return np.sum(np.linalg.cholesky(K) * c)


def computed(X: "N D", y: "N", s: ""):
    K = X @ X.T + (s**2 + 0.1) * np.eye(X.shape[0])
    L = np.linalg.cholesky(K)
    a = np.linalg.solve(L, y)
    return 0.5 * a @ a + np.sum(np.log(np.diag(L)))


def before_a_loop(P: "N N", x: "T N"):
    L = np.linalg.cholesky(P @ P.T + np.eye(P.shape[0]))
    h = np.zeros(P.shape[0])
    for t in range(x.shape[0]):
        h = np.tanh(L @ h + x[t])
    return np.sum(h**2)


def in_a_loop(P: "3 3", Q: "T 3 3", c: "3 3"):
    S, total = P @ P.T + np.eye(3), 0.0
    for t in range(Q.shape[0]):
        L = np.linalg.cholesky(S)
        S = 0.5 * L @ L.T + Q[t] @ Q[t].T + np.eye(3)
        total = total + np.sum(L * c)
    return total


def in_a_scan(P: "3 3", Q: "T 3 3", c: "3 3"):
    def step(S, q):
        L = np.linalg.cholesky(S)
        return 0.5 * L @ L.T + q @ q.T + np.eye(3), np.sum(L * c)

    return np.sum(symprop.scan(step, P @ P.T + np.eye(3), Q)[1])


# NumPy has `upper` from 2.0 on.
NAMED = (upper,) if "upper" in inspect.signature(np.linalg.cholesky).parameters else ()
GIVEN = (lower, *NAMED, stack, number)
FUNCTIONS = (*GIVEN, computed, before_a_loop, in_a_loop, in_a_scan)


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_its_gradient_is_that_of_the_function(function: Callable[..., object], style: str) -> None:
    facts = [symprop.positive_definite("K")] if function in GIVEN else []
    module = symprop.generate(symprop.derive(symprop.trace(function, facts=facts)), style=style)
    assert symprop.check(module).passed


def test_all_that_is_kept_are_matrices() -> None:
    """A column needs those before it, no copy of what is left of the matrix at every step."""
    system = symprop.trace(computed)
    assert max(len(a.shape) for a in system.arrays.values()) == 2
    source = symprop.generate(system).source
    assert "L1[:n].T @ L1[:n, n]" in source  # and no mask over what is not there yet
    assert "[n + 1:]" in source and "np.where(n <" not in source


def test_a_matrix_of_a_named_size_is_not_factored_in_a_loop() -> None:
    def loss(S: "N N", Q: "T N N"):
        for t in range(Q.shape[0]):
            S = np.linalg.cholesky(S) + Q[t]
        return np.sum(S)

    with pytest.raises(UnsupportedError, match=r"cholesky of a matrix of the size N within"):
        symprop.trace(loss)
