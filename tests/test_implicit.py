"""Arrays given by linear systems: differentiated by the system, solved once more transposed."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from built_models import single
from complex_numpy import complex_gradients

import symprop
from symprop.errors import InputError
from symprop.shapes import parse_spec


def columns(A: "N N", B: "N K", w: "N K") -> Any:
    X = np.linalg.solve(A, B)
    return np.sum(np.sin(X) * w)


def vector(A: "N N", b: "N") -> Any:
    x = np.linalg.solve(A.T @ A + np.eye(A.shape[0]), A.T @ b)
    return np.sum((A @ x - b) ** 2)


def stack_of_vectors(A: "M N N", b: "N", w: "M N") -> Any:
    return np.sum(np.tanh(np.linalg.solve(A, b[None, :, None])[..., 0]) * w)


def one_matrix(A: "N N", B: "M N K", w: "M N K") -> Any:
    return np.sum(np.linalg.solve(A, B) ** 2 * w)


def inverse(A: "N N", w: "N N") -> Any:
    return np.sum(np.linalg.inv(A) * w)


def determinants(A: "M N N", w: "M") -> Any:
    return np.sum(np.linalg.det(A) * w)


def mahalanobis(x: "B N", mu: "M N", S: "M N N") -> Any:
    """The Gaussian log-density of B points under M means, up to a constant."""
    C = np.einsum("mij,mkj->mik", S, S) + np.eye(S.shape[1])
    away = (x[:, None, :] - mu).transpose(1, 2, 0)
    return np.sum(away * np.linalg.solve(C, away)) + np.sum(np.log(np.linalg.det(C)))


def kalman(z: "T N", P0: "N N", Q: "N N", R: "N N") -> Any:
    """The covariances of a Kalman filter: a system in every step of a recurrence."""
    def step(P: Any, z_t: Any) -> Any:
        S = P @ P.T + R @ R.T + np.eye(P.shape[0])
        K = np.linalg.solve(S, P).T
        return P - K @ P + Q, z_t @ np.linalg.solve(S, z_t)

    P, fit = symprop.scan(step, P0, z)
    return np.sum(fit) + np.sum(P)


MODELS: dict[str, Callable[..., Any]] = {f.__name__: f for f in (
    columns, vector, stack_of_vectors, one_matrix, inverse, determinants, mahalanobis, kalman)}
SIZES = [{"N": 4, "K": 3, "M": 2, "B": 3, "T": 3}, {"N": 1, "K": 1, "M": 1, "B": 1, "T": 1},
         {"N": 2, "K": 1, "M": 3, "B": 1, "T": 2}]


def inputs(function: Callable[..., Any], sizes: dict[str, int]) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    shapes = {n: parse_spec(a, n) for n, a in function.__annotations__.items() if n != "return"}
    return {n: rng.normal(size=tuple(d.evaluate(sizes) for d in s.dims))
            for n, s in shapes.items()}


@pytest.mark.parametrize("name", MODELS)
def test_gradients_are_those_of_complex_steps(name: str) -> None:
    function = MODELS[name]
    derivation = symprop.derive(symprop.trace(function))
    derivation.verify()
    module = symprop.generate(derivation)
    for sizes in SIZES:
        given = inputs(function, sizes)
        loss, found = module.value_and_grad(**given)
        assert loss == pytest.approx(function(**given), rel=1e-12)
        expected = complex_gradients(function, given, list(given))
        for key, right in expected.items():
            np.testing.assert_allclose(found[key], right, rtol=1e-9, atol=1e-10 * (
                1 + np.abs(right).max()), err_msg=module.source)
        loss, found = module.value_and_grad(**single(given))
        assert {np.asarray(a).dtype for a in (loss, *found.values())} == {np.dtype("float32")}


def test_the_adjoint_of_a_system_is_the_transposed_system() -> None:
    derivation = symprop.derive(symprop.trace(columns))
    text = derivation.text()
    sine = "".join(c + "\u0305" for c in "sin")
    for line in ("A X = B", f"Aᵀ X̄ = {sine}_X ⊙ cos(X)", "Ā = -X̄ Xᵀ", "B̄ = X̄"):
        assert unicodedata.normalize("NFD", line) in unicodedata.normalize(
            "NFD", " ".join(text.split())), text
    source = symprop.generate(derivation).source
    for line in ("X = np.linalg.solve(A, B)", "dX = np.linalg.solve(A.T, dsin_X * np.cos(X))",
                 "dA = -(dX @ X.T)"):
        assert line in source, source
    assert "np.linalg.inv(A)" in symprop.generate(symprop.trace(inverse)).source


def test_log_determinants_have_the_inverse_as_their_gradient() -> None:
    def loss(A: "N N"):
        sign, size = np.linalg.slogdet(A)
        return sign * size

    module = symprop.generate(symprop.trace(loss))
    rng = np.random.default_rng(0)
    for n in (1, 2, 5, 8):
        A = rng.normal(size=(n, n))
        value, found = module.value_and_grad(A=A)
        sign, size = np.linalg.slogdet(A)
        assert value == pytest.approx(sign * size)
        np.testing.assert_allclose(found["A"], sign * np.linalg.inv(A).T, rtol=1e-9)


def test_a_system_that_is_always_singular_is_named() -> None:
    def loss(x: "N", b: "N"):
        return np.sum(np.linalg.solve(x[:, None] * x, b))

    with pytest.raises(InputError, match=r"not finite .* in \(F2\)"):
        symprop.derive(symprop.trace(loss)).verify()
