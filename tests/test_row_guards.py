"""A bracket on one number a row costs one comparison and one choice a row, not one an entry.

Spellings with a root that is 0 at 0 (`np.std`, `np.linalg.norm`) are held against `np.sqrt`,
whose derivative has no bracket; and the gradient is finite where the bracket does not hold.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symprop
from symprop.lower.count import operations
from symprop.lower.program import lower

EPS = 1e-5
SIZES = {"N": 61, "D": 67, "M": 59}


def std_rows(x: "N D", W: "D M", v: "N M"):
    s = x.std(axis=1, keepdims=True) + EPS
    return np.sum(np.tanh((x - x.mean(axis=1, keepdims=True)) / s @ W) * v)


def std_rows_plain(x: "N D", W: "D M", v: "N M"):
    c = x - x.mean(axis=1, keepdims=True)
    s = np.sqrt(np.mean(c**2, axis=1, keepdims=True)) + EPS
    return np.sum(np.tanh(c / s @ W) * v)


def std_columns(x: "N D", W: "D M", v: "N M"):
    s = x.std(axis=0) + EPS
    return np.sum(np.tanh((x - x.mean(axis=0)) / s @ W) * v)


def std_columns_plain(x: "N D", W: "D M", v: "N M"):
    c = x - x.mean(axis=0)
    return np.sum(np.tanh(c / (np.sqrt(np.mean(c**2, axis=0)) + EPS) @ W) * v)


def norm_rows(x: "N D", W: "D M", v: "N M"):
    n = np.linalg.norm(x, axis=1, keepdims=True)
    return np.sum(np.tanh((x / (n + EPS)) @ W) * v)


def norm_rows_plain(x: "N D", W: "D M", v: "N M"):
    n = np.sqrt(np.sum(x**2, axis=1, keepdims=True))
    return np.sum(np.tanh((x / (n + EPS)) @ W) * v)


PAIRS = [(std_rows, std_rows_plain, "N"), (std_columns, std_columns_plain, "D"),
         (norm_rows, norm_rows_plain, "N")]


def backward(function: Any) -> int:
    """The counted operations of the backward pass."""
    derivation = symprop.derive(symprop.trace(function, wrt=["x", "W"]))
    program = lower(derivation.system, derivation.adjoints)
    return sum(operations(program.backward, SIZES).values())


@pytest.mark.parametrize("guarded, plain, axis", PAIRS)
def test_two_operations_a_row(guarded: Any, plain: Any, axis: str) -> None:
    assert backward(guarded) <= backward(plain) + 2 * SIZES[axis]


@pytest.mark.parametrize("guarded", [p[0] for p in PAIRS])
def test_it_still_guards(guarded: Any) -> None:
    derivation = symprop.derive(symprop.trace(guarded, wrt=["x", "W"]))
    module = symprop.generate(derivation)
    rng = np.random.default_rng(0)
    x, W, v = rng.normal(size=(4, 3)), rng.normal(size=(3, 2)), rng.normal(size=(4, 2))
    x[1] = 0
    x[:, 2] = 0
    _, grads = module.value_and_grad(x, W, v)
    assert all(np.isfinite(g).all() for g in grads.values())
