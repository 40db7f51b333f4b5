"""Matrices that are declared symmetric or positive definite, and those that are by definition."""

from __future__ import annotations

import numpy as np
import pytest

import symprop
from symprop import positive_definite, symmetric
from symprop.algebra.canonical import collect, expand
from symprop.algebra.expr import Expr
from symprop.check.domains import draw as drawn_by_check
from symprop.check.domains import read_facts
from symprop.cli.words import read_facts as read_words
from symprop.errors import FactError
from symprop.interpret import draw
from symprop.shapes import parse_spec


def quadratic(H: "N N", x: "N"):
    return x @ H @ x


def stack(H: "B N N", x: "B N"):
    return np.sum(np.einsum("bi,bij,bj->b", x, H, x) ** 2)


def gaussian(A: "N N", b: "N"):
    L = np.linalg.cholesky(A)
    y = np.linalg.solve(L, b)
    return np.sum(y**2) / 2 + np.sum(np.log(np.diag(L)))


FACTS = [(quadratic, symmetric("H"), "H"), (stack, symmetric("H"), "H"),
         (gaussian, positive_definite("A"), "A")]


def holds(fact, matrix: np.ndarray) -> None:
    np.testing.assert_array_equal(matrix, np.swapaxes(matrix, -1, -2))
    assert np.abs(matrix).max() > 0.1
    if fact.kind == "positive_definite":
        assert np.linalg.eigvalsh(matrix).min() > 0.1


@pytest.mark.parametrize(("function", "fact", "name"), FACTS)
def test_every_draw_is_what_the_fact_says(function, fact, name):
    system = symprop.trace(function, facts=[fact])
    for seed in range(3):
        holds(fact, draw(system, seed, positive=seed == 1)[1][name])
    specs = {name: parse_spec(function.__annotations__[name], name)}
    domain = read_facts([fact], specs)[name]
    sizes = {"N": 4, "B": 3}
    holds(fact, drawn_by_check(specs[name], domain, sizes, np.random.default_rng(0)))


@pytest.mark.parametrize(("function", "fact", "name"), FACTS)
def test_the_module_tests_and_checks_the_fact(function, fact, name, tmp_path):
    path = tmp_path / "module.py"
    module = symprop.generate(symprop.trace(function, facts=[fact]), path)
    assert symprop.check(path).passed
    inputs = draw(symprop.trace(function, facts=[fact]), 0)[1]
    module.forward(**inputs)
    with pytest.raises(ValueError, match=f"{name} must be symmetric"):
        module.forward(**{**inputs, name: inputs[name] + np.triu(np.ones_like(inputs[name]), 1)})
    if fact.kind == "positive_definite":
        with pytest.raises(ValueError, match=f"{name} must be positive definite"):
            module.forward(**{**inputs, name: -inputs[name]})
    assert module.self_check() == 0


def test_a_quadratic_form_has_one_product():
    derivation = symprop.derive(symprop.trace(quadratic, wrt=["x"], facts=[symmetric("H")]))
    derivation.verify()
    text = derivation.text(detail="full")
    assert "x̄    = 2 xH" in text and "fold, (F1), fact 1" in text and "H[n,i] = H[i,n]" in text
    assert any("symmetric(H)" in step.because for step in derivation.steps)
    plain = symprop.derive(symprop.trace(quadratic, wrt=["x"]))
    assert not any("symmetric(H)" in step.because for step in plain.steps)
    assert sum(derivation.operations({"N": 64}).values()) < sum(
        plain.operations({"N": 64}).values())


def test_what_is_symmetric_by_definition_needs_no_fact():
    def gram(X: "N K", v: "N"):
        S = X @ X.T
        return v @ S @ v + np.sum(S)
    derivation = symprop.derive(symprop.trace(gram, wrt=["v"]))
    derivation.verify()
    assert "v̄" in derivation.text() and len(derivation.gradients["v"].rhs.args) > 0
    assert any(step.rule in ("symmetry", "fold") and "F1" in step.because
               for step in derivation.steps)


@pytest.mark.parametrize("make", [symmetric, positive_definite])
def test_a_fact_that_fits_no_matrix_is_refused(make):
    def function(A: "N M", x: "N", k: "int N N"):
        return np.sum(A) + np.sum(x) + 0.0 * np.sum(k)
    for name in ("A", "x", "k"):
        with pytest.raises(FactError, match=make.__name__):
            symprop.trace(function, facts=[make(name)], wrt=["x"])
    assert read_words([f"{make.__name__}(A)"]) == [make("A")]


def gram(X: "N D"):
    return np.sum((X @ X.T) ** 2)


def named_gram(X: "N D"):
    G = X @ X.T
    return np.sum(G**2)


def weighted_gram(X: "N D", c: ""):
    G = X @ X.T
    return np.sum(np.exp(-c * G) * G)


def stacked_gram(X: "B N D"):
    G = np.einsum("bnd,bmd->bnm", X, X)
    return np.sum(np.tanh(G))


def shifted_by_a_fact(X: "N D", S: "N N"):
    return np.sum((X @ X.T - S) ** 2)


def terms_of(derivation, array):
    (found,) = (a for a in derivation.adjoints if a.primal == array)
    return found.rhs.terms


SYMMETRIC = [(gram, []), (named_gram, []), (weighted_gram, []), (stacked_gram, []),
             (shifted_by_a_fact, [symmetric("S")])]


@pytest.mark.parametrize(("function", "facts"), SYMMETRIC)
def test_the_two_sides_of_a_gram_matrix_are_one_term(function, facts):
    """Ḡ is symmetric because G is: Ḡ X + Ḡᵀ X is 2 Ḡ X."""
    derivation = symprop.derive(symprop.trace(function, wrt=["X"], facts=facts))
    derivation.verify()
    (term,) = terms_of(derivation, "X")
    assert term.coef.denominator == 1 and term.coef % 2 == 0


@pytest.mark.parametrize("function", [gram, named_gram])
def test_the_textbook_form(function):
    """X̄ = 4 X Xᵀ X: the product has a name."""
    derivation = symprop.derive(symprop.trace(function, wrt=["X"]))
    product = derivation.system.equations[0].array
    assert f"X̄      = 4 {product} X" in derivation.text()


def test_without_the_fact_nothing_merges():
    derivation = symprop.derive(symprop.trace(shifted_by_a_fact, wrt=["X"]))
    assert len(collect(expand(Expr(terms_of(derivation, "X")))).terms) == 2
