"""Determinants: by expansion along a row, singular matrices and other definitions included."""

from __future__ import annotations

import itertools
import math
import tracemalloc
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from built_models import single

import symprop
from symprop.algebra import expansion, rows
from symprop.algebra.rows_row import x, y, z
from symprop.errors import UnsupportedError, VerificationError
from symprop.shapes import parse_spec
from symprop.trace import trace


def logarithm(A: "N N"):
    return np.linalg.slogdet(A)[1]


def written_out(S: "N N"):
    return np.log(np.linalg.det(S))


def of_a_square(S: "N N"):
    return np.log(np.abs(np.linalg.det(S @ S.T)))


def signed(A: "N N"):
    sign, size = np.linalg.slogdet(A)
    return sign * size


def used_twice(S: "N N"):
    D = np.linalg.det(S)
    return np.log(np.abs(D)) + D**2


def densities(S: "M N N"):
    C = np.einsum("mij,mkj->mik", S, S) + np.eye(S.shape[1])
    return np.sum(1 / np.sqrt(np.linalg.det(C)))


def stack(A: "M N N", w: "M"):
    return np.sum(np.linalg.det(A) * w)


def recurrent(A: "N N", z: "T"):
    def step(P, z_t):
        Q = P @ P.T / 4 + z_t**2 * np.eye(A.shape[0])
        return Q, np.linalg.slogdet(Q)[1] + np.linalg.det(P)

    return np.sum(symprop.scan(step, A, z)[1])


def looped(A: "N N", z: "T"):
    P, total = np.eye(A.shape[0]), 0.0
    for t in range(z.shape[0]):
        P = A @ P @ A.T / 4 + z[t]**2 * np.eye(A.shape[0])
        total = total + np.log(np.linalg.det(P))
    return total


def gram(X: "K N"):
    return np.linalg.slogdet(X.T @ X)[1]


def beside_an_inverse(A: "N N", B: "N N"):
    return np.sum(np.sin(np.linalg.det(A @ B) * np.linalg.inv(A)))


def minors(A: "N N"):
    return np.linalg.det(A[1:, 1:]) + np.linalg.det(A.T[::-1])


def number(A: "1 1", B: "3 3"):
    return np.linalg.det(A) ** 2 + np.linalg.slogdet(A)[1] * np.linalg.det(B)


MODELS = {f.__name__: f for f in (
    logarithm, of_a_square, signed, used_twice, densities, stack, recurrent, looped, gram,
    beside_an_inverse, minors, number)}


def drawn(function: Callable[..., Any], sizes: dict[str, int]) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    shapes = {n: parse_spec(a, n) for n, a in function.__annotations__.items()}
    return {n: rng.normal(size=tuple(d.evaluate(sizes) for d in s.dims))
            for n, s in shapes.items()}


def differences(function: Callable[..., Any], given: dict[str, np.ndarray], name: str) -> Any:
    found = np.zeros(given[name].shape)
    for at in np.ndindex(found.shape):
        def value(step: float, at: Any = at) -> float:
            moved = given[name].copy()
            moved[at] += step
            return float(function(**{**given, name: moved}))

        h = 1e-3
        coarse, fine, finest = ((value(s) - value(-s)) / (2 * s) for s in (h, h / 2, h / 4))
        once, twice = (4 * fine - coarse) / 3, (4 * finest - fine) / 3
        found[at] = (16 * twice - once) / 15
    return found


@pytest.mark.parametrize("name", MODELS)
def test_gradients_are_the_slopes_of_the_function(name: str) -> None:
    function = MODELS[name]
    derivation = symprop.derive(symprop.trace(function))
    derivation.verify()
    module = symprop.generate(derivation)
    code = module.source.split("def forward")[1].split("def value_and_grad")[0]
    assert ("\n    for " in code) == (name in ("recurrent", "looped"))
    for n in (4, 1):
        given = drawn(function, {"N": n, "M": 2, "T": 2, "K": 6})
        value, found = module.value_and_grad(**given)
        assert value == pytest.approx(function(**given), rel=1e-10)
        for key, gradient in found.items():
            slopes = differences(function, given, key)
            np.testing.assert_allclose(
                gradient, slopes, rtol=1e-6, atol=1e-7 * (1 + np.abs(slopes).max()))
        value, found = module.value_and_grad(**single(given))
        assert {np.asarray(a).dtype for a in (value, *found.values())} == {np.dtype("float32")}


# ---- what is printed --------------------------------------------------------------------------


@pytest.mark.parametrize("function", [logarithm, written_out])
def test_the_logarithm_has_the_transposed_inverse_in_a_few_lines(function: Any) -> None:
    derivation = symprop.derive(symprop.trace(function))
    last = derivation.adjoints[-1]
    assert len(last.steps) <= 5
    text = unicodedata.normalize("NFD", " ".join(derivation.text().split()))
    assert any(unicodedata.normalize("NFD", f"{a}̄ = {a}_invᵀ") in text for a in "AS")
    source = symprop.generate(derivation).source
    assert "_inv.T" in source
    assert "np.linalg.inv(" in source and "cofactors" not in source


def test_a_gaussian_has_its_textbook_gradient() -> None:
    def loss(v: "N", mu: "N", S: "N N"):
        return (np.linalg.slogdet(S)[1] + (v - mu) @ np.linalg.solve(S, v - mu)) / 2

    module = symprop.generate(symprop.trace(loss))
    rng = np.random.default_rng(2)
    R, v, mu = rng.normal(size=(5, 5)), *rng.normal(size=(2, 5))
    S = R @ R.T + np.eye(5)
    P = np.linalg.inv(S)
    expected = (P - P @ np.outer(v - mu, v - mu) @ P) / 2
    np.testing.assert_allclose(module.value_and_grad(v, mu, S)[1]["S"], expected, rtol=1e-9)


def test_a_sign_has_no_gradient() -> None:
    def loss(A: "N N"):
        return np.linalg.slogdet(A).sign * 3.0

    derivation = symprop.derive(symprop.trace(loss))
    assert derivation.adjoints[-1].rhs.is_zero


# ---- singular and large matrices --------------------------------------------------------------


def by_permutations(A: np.ndarray) -> float:
    total = 0.0
    for order in itertools.permutations(range(len(A))):
        sign = np.linalg.det(np.eye(len(A))[list(order)])
        total += sign * math.prod(A[i, j] for i, j in enumerate(order))
    return total


def cofactors(A: np.ndarray) -> np.ndarray:
    return np.array([[(-1) ** (i + j) * by_permutations(
        np.delete(np.delete(A, i, 0), j, 1)) for j in range(len(A))] for i in range(len(A))])


_RNG = np.random.default_rng(4)
SINGULAR = [
    np.zeros((1, 1)), np.zeros((3, 3)), np.ones((3, 3)), np.diag([1.0, 2.0, 0.0]),
    np.diag([0.0, 0.0, 3.0]), np.arange(9.0).reshape(3, 3), np.eye(4)[[0, 1, 2, 2]],
    _RNG.normal(size=(5, 4)) @ _RNG.normal(size=(4, 5)), np.diag([1e-200, 1e200, 0.0])]


@pytest.mark.parametrize("A", SINGULAR, ids=range(len(SINGULAR)))
def test_cofactors_of_singular_matrices(A: np.ndarray) -> None:
    def loss(A: "N N"):
        return 2 * np.linalg.det(A)

    value, found = symprop.generate(symprop.trace(loss)).value_and_grad(A)
    right = 2 * cofactors(A)
    assert abs(value - 2 * by_permutations(A)) <= 1e-12
    np.testing.assert_allclose(found["A"], right, atol=1e-12 * (1 + np.abs(right).max()))


def test_large_matrices_need_little_memory_and_do_not_overflow() -> None:
    module, plain = (symprop.generate(symprop.trace(f)) for f in (logarithm, stack))
    rng = np.random.default_rng(0)
    A = rng.normal(size=(400, 400)) * 100  # its determinant is beyond 1e308
    tracemalloc.start()
    value, found = module.value_and_grad(A)
    plain.value_and_grad(A[None, :200, :200] / 1400, np.ones(1))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 20 * A.nbytes
    assert value == np.linalg.slogdet(A)[1] and np.isfinite(value)
    np.testing.assert_array_equal(found["A"], np.linalg.inv(A).T)


# ---- other definitions ------------------------------------------------------------------------


def permanent(A: np.ndarray) -> float:
    return sum(math.prod(A[i, j] for i, j in enumerate(order))
               for order in itertools.permutations(range(len(A))))


DEFINITIONS = {
    "permanent": (x * y, permanent),
    "twice": (2 * (1 - 2 * z) * x * y, lambda A: 2 ** len(A) * by_permutations(A))}


def traced(function: Callable[..., Any]) -> Any:
    """The system alone: NumPy's function is another one."""
    return trace.trace(function)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_gradients_follow_another_definition(name: str) -> None:
    definition, right = DEFINITIONS[name]

    def loss(A: "N N", w: "N"):
        return np.linalg.det(A * w) ** 2

    with expansion.defined_by(definition):
        derivation = symprop.derive(traced(loss))
        derivation.verify()
        module = symprop.generate(derivation)
        given = drawn(loss, {"N": 4})
        value, found = module.value_and_grad(**given)

    def plain(A: np.ndarray, w: np.ndarray) -> float:
        return right(A * w) ** 2

    assert value == pytest.approx(plain(**given))
    for key, gradient in found.items():
        np.testing.assert_allclose(gradient, differences(plain, given, key), rtol=1e-6)


def test_a_wrong_definition_is_found() -> None:
    with expansion.defined_by(x * y), pytest.raises(VerificationError, match="cofactors"):
        symprop.derive(traced(logarithm)).verify()
    with expansion.defined_by(x * y + x**2 / 10), pytest.raises(UnsupportedError):
        symprop.derive(traced(stack))


def test_another_function_of_a_determinant_is_not_numpys() -> None:
    row = rows.get("log_abs")
    with rows.override(replace(row, definition=row.definition + x**2 / 10, numpy=None,
                                    derivative=())):
        derivation = symprop.derive(traced(logarithm))
        derivation.verify()
        assert "slogdet" not in symprop.generate(derivation).source


@pytest.mark.parametrize("function", [of_a_square, densities, gram, signed, looped])
def test_what_only_divides_by_a_determinant_needs_no_cofactors(function: Any) -> None:
    assert "cofactors" not in symprop.generate(symprop.trace(function)).source
