"""Terms that are equal to others before they are collected, and definitions opened in a solve."""

from __future__ import annotations

import numpy as np
import pytest

import symprop
from symprop.interpret import draw, run


def twice_by_cases(t: "K K", q: "K", u: "int K"):
    a = np.where(u[:, None] == np.arange(t.shape[1]), t, 0.1 * t)
    r = a - q
    return np.mean(a**2) + np.mean(r**2)


def twice_by_sums(x: "N", y: "N", z: "N"):
    c = x - y
    d = c - z
    return np.sum(c**2) + np.sum(d**2) + np.sum(c * x)


def inverse(v: "N"):
    return np.sum(np.linalg.inv(np.outer(v, v) + 2 * np.eye(v.shape[0])) ** 2)


def inverse_of_a_sum(X: "N K", w: "N"):
    A = X @ X.T + 3 * np.eye(X.shape[0])
    return np.sum(np.tanh(np.linalg.solve(A, w)))


def inverse_by_rows(v: "B N", w: "B N"):
    A = v[:, :, None] * w[:, None, :] + 4 * np.eye(v.shape[1])
    return np.sum(np.sin(np.linalg.inv(A)))


@pytest.mark.parametrize(
    "function", [twice_by_cases, twice_by_sums, inverse, inverse_of_a_sum, inverse_by_rows])
def test_the_gradient_is_that_of_the_function(function):
    wrt = [n for n, s in function.__annotations__.items() if "int" not in s]
    system = symprop.trace(function, wrt=wrt)
    derivation = symprop.derive(system)
    derivation.verify()
    sizes, inputs = draw(system, 3)
    loss, gradients = symprop.generate(derivation).value_and_grad(**inputs)
    np.testing.assert_allclose(loss, function(**inputs), rtol=1e-12)
    rng = np.random.default_rng(0)
    for name in wrt:
        step = rng.standard_normal(inputs[name].shape)
        moved = run(system, {**inputs, name: inputs[name] + 1e-30j * step}, sizes)
        slope = np.imag(moved[system.loss]) / 1e-30
        np.testing.assert_allclose(np.sum(step * gradients[name]), slope, rtol=1e-9, atol=1e-12)
