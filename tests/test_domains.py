"""No gradient is defined at fewer points than the function: factors may be zero, or tiny.

The oracle is a complex step through the user's own NumPy function.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest
from gains import GAINS

import symprop
from symprop.algebra.expr import Expr, Paren, Size
from symprop.emit.module import GeneratedModule
from symprop.errors import InputError

STEP = 1e-80
EVERY = pytest.mark.parametrize("name", GAINS)


@cache
def module_of(name: str) -> tuple[symprop.Derivation, GeneratedModule]:
    derivation = symprop.derive(symprop.trace(GAINS[name].function))
    return derivation, symprop.generate(derivation)


def true_gradients(function: Any, inputs: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for name, value in inputs.items():
        gradient = np.zeros(np.shape(value))
        for at in np.ndindex(*np.shape(value)):
            moved = np.array(value, dtype=complex)
            moved[at] += 1j * STEP
            gradient[at] = np.imag(function(**{**inputs, name: moved[()]})) / STEP
        found[name] = gradient
    return found


def degenerate(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Arguments with factors at zero or tiny: each, all, one entry or row; then all arguments."""
    row = GAINS[name]
    inputs = row.drawn()
    for value, factor in itertools.product((0.0, 1e-200), row.factors):
        yield f"{factor} = {value}", {**inputs, factor: np.full_like(inputs[factor], value)}
        if np.ndim(inputs[factor]):
            some = inputs[factor].copy()
            some[0] = value
            yield f"{factor}[0] = {value}", {**inputs, factor: some}
    yield "all factors are zero", {
        **inputs, **{f: np.zeros_like(inputs[f]) for f in row.factors}}
    yield "everything is zero", {n: np.zeros_like(v) for n, v in inputs.items()}


@EVERY
def test_gradients_where_a_factor_is_zero(name: str) -> None:
    row, (_, module) = GAINS[name], module_of(name)
    for case, inputs in [("ordinary", row.drawn()), *degenerate(name)]:
        expected = true_gradients(row.function, inputs)
        with np.errstate(all="raise", under="ignore"):
            _, gradients = module.value_and_grad(**inputs)
        for key, value in expected.items():
            np.testing.assert_allclose(
                gradients[key], value, rtol=1e-9, atol=1e-12, err_msg=f"{key} where {case}")


@EVERY
def test_gradients_of_tiny_factors_in_single_precision(name: str) -> None:
    """A product that underflows is no divisor: a gain of 1e-38 on inputs of 1e-8."""
    row, (_, module) = GAINS[name], module_of(name)
    inputs = {n: np.float32(1e-38 if n in row.factors else 1e-8) * np.ones(s, np.float32)
              for n, s in row.shapes.items()}
    exact = {n: np.asarray(v, np.float64) for n, v in inputs.items()}
    _, gradients = module.value_and_grad(**inputs)
    for key, value in true_gradients(row.function, exact).items():
        np.testing.assert_allclose(gradients[key], value, rtol=1e-4, atol=1e-29, err_msg=key)


def divisors(expr: Expr) -> Iterator[str]:
    """What an expression divides by, but for sizes and sums that hold a number."""
    for term in expr.terms:
        for item, exponent in term.factors:
            constant = isinstance(item, Paren) and any(not t.factors for t in item.body.terms)
            if Fraction(exponent) < 0 and not isinstance(item, Size) and not constant:
                yield repr(item)
            for child in item.children:
                yield from divisors(child)


PRODUCTS = [n for n in GAINS if not {"temperature", "gained_attention", "gained_norm", "logistic",
                                     "gate_by_sigmoid", "root_beside"} & {n}]


@pytest.mark.parametrize("name", PRODUCTS)
def test_a_program_without_divisions_has_gradients_without_divisions(name: str) -> None:
    derivation, _ = module_of(name)
    for step in derivation.steps:
        assert not list(divisors(step.after)), f"({step.equation}) {step.reason}: {step.after}"


def test_a_sum_that_counts_in_one_case_only_is_not_named_in_the_other() -> None:
    """s = Σ x where a flag is set: without the flag Σ x is still Σ x."""
    def loss(flag: "", x: "N", w: ""):
        s = np.where(flag > 0, np.sum(x), 0.0)
        t = w * np.sum(x)
        return s**2 + t

    def both(flag: "", x: "N", w: "N"):
        s = np.sum(np.where(flag > 0, x, 0.0))
        t = np.sum(x * (w[:, None] + x[None, :]).sum(axis=1))
        return s**2 + np.tanh(t)

    for function, w in ((loss, np.asarray(0.3)), (both, np.array([0.1, -0.2, 0.3]))):
        module = symprop.generate(symprop.derive(symprop.trace(function)))
        for flag in (1.0, -1.0):
            inputs = {"flag": np.asarray(flag), "x": np.array([0.5, -0.2, 0.4]), "w": w}
            expected = true_gradients(function, inputs)
            _, gradients = module.value_and_grad(**inputs)
            for key in ("x", "w"):
                np.testing.assert_allclose(gradients[key], expected[key], rtol=1e-10, atol=1e-14)


def test_a_quotient_is_not_a_name_for_its_sum() -> None:
    """s = Σ x / g exists only where g is not 0; Σ x elsewhere stays Σ x."""
    def loss(g: "", x: "N", w: "N"):
        s = np.sum(x / g)
        t = np.sum(x * (w[:, None] + x[None, :]).sum(axis=1))
        return np.where(g != 0, s, 0.0) + np.tanh(t)

    derivation = symprop.derive(symprop.trace(loss, wrt=["w", "x"]))
    assert not any("s" in e.reads for e in derivation.adjoints if e.primal == "w")


def test_a_factor_stays_behind_the_brackets_that_keep_it_finite() -> None:
    """[x > 0] q + [x > 1] q b is not q ([x > 0] + [x > 1] b): 0 times infinity is no 0."""
    def reciprocal(x: "N", a: "N", b: "N"):
        return np.sum(np.where(x > 0, a / x, 0) + np.where(x > 1, a * b / x, 0))

    def logarithm(x: "N", a: "N", b: "N"):
        return np.sum(np.where(x > 0, a * np.log(x), 0) + np.where(x > 1, a * b * np.log(x), 0))

    x, a, b = np.array([0.0, 0.5, 2.0]), np.ones(3), np.array([3.0, 4.0, 5.0])
    for function, value in ((reciprocal, [0, 2, 3]), (logarithm, [0, np.log(0.5), 6 * np.log(2)])):
        module = symprop.generate(symprop.derive(symprop.trace(function, wrt=["a"])))
        with np.errstate(all="ignore"):
            _, gradients = module.value_and_grad(x=x, a=a, b=b)
        np.testing.assert_allclose(gradients["a"], value)


def test_a_root_is_not_a_name_for_its_square() -> None:
    """s = √v; where v < 0 is read too, v is not s²."""
    def loss(v: "N", a: "N", b: "N"):
        s = np.sqrt(v)
        return np.sum(np.where(v > 0, s * b * a, 0.0) + v * a)

    module = symprop.generate(symprop.derive(symprop.trace(loss, wrt=["a"])))
    v, b = np.array([4.0, -1.0]), np.array([3.0, 3.0])
    with np.errstate(all="ignore"):
        _, gradients = module.value_and_grad(v=v, a=np.ones(2), b=b)
    np.testing.assert_allclose(gradients["a"], [10.0, -1.0])


@pytest.mark.parametrize("two", [False, True])
def test_what_needs_a_positive_definite_matrix_says_so(two: bool) -> None:
    def loss(x, A, B):
        second = np.linalg.cholesky(B) if two else B
        return np.sum(x @ np.linalg.cholesky(A)) + np.sum(second)

    shapes = {"x": "N", "A": "N N", "B": "N N"}
    names = ["A"] + ["B"] * two
    asked = " and ".join(f"positive_definite\\({n}\\)" for n in names)
    with pytest.raises(InputError, match=f"Declare the domain of the inputs, {asked}$"):
        symprop.derive(symprop.trace(loss, shapes)).verify()
    facts = [symprop.positive_definite(n) for n in names]
    symprop.derive(symprop.trace(loss, shapes, facts=facts)).verify()


@pytest.mark.parametrize("gram", [lambda X: X.T @ X, lambda X: X @ X.T])
def test_check_draws_sizes_at_which_a_gram_matrix_is_regular(gram) -> None:
    """At others its determinant is what rounding has left, and says nothing of the gradient."""
    module = symprop.generate(symprop.trace(lambda X: np.linalg.slogdet(gram(X))[1], {"X": "N K"}))
    report = symprop.check(module)
    assert report.passed, str(report)
