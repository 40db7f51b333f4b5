"""Derivations written out in scalar symbols: SymPy itself differentiates the whole loss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
import sympy
from built_models import built

import symprop
from symprop.errors import InputError
from symprop.interpret.draw import draw

TEN_SMALLEST = ("linear_regression", "adaline", "perceptron", "logistic_regression", "deep_mlp",
                "matrix_factorization", "mlp_sigmoid_mse", "word2vec", "state_space", "svm")
LARGER = ("denoising_autoencoder", "softmax_regression", "mlp", "attention", "elman_rnn",
          "gaussian_mixture", "mixture_of_experts", "mlp_batch_norm")


def entries(array: Any) -> list[sympy.Expr]:
    return sympy.flatten(array) if isinstance(array, sympy.NDimArray) else [array]


def drawn(derivation: Any, found: Any, seed: int = 0) -> dict[sympy.Symbol, float]:
    """A number for every symbol, from the declared domains."""
    _, inputs = draw(derivation.system, seed, found.sizes)
    flat = {name: np.ravel(values) for name, values in inputs.items()}
    return {symbol: flat[name][k].item() for name, array in found.symbols.items()
            for k, symbol in enumerate(entries(array)) if symbol.is_Symbol}


def numbers(expressions: list[sympy.Expr], at: Mapping[sympy.Symbol, float]) -> Any:
    return sympy.lambdify(list(at), expressions, "numpy", cse=True)(*at.values())


def pairs(found: Any) -> Iterator[tuple[sympy.Expr, sympy.Symbol]]:
    for name, gradient in found.gradients.items():
        yield from zip(entries(gradient), entries(found.symbols[name]), strict=True)


def agree(derivation: Any, sizes: Mapping[str, int]) -> None:
    found = derivation.explicit(sizes)
    at = drawn(derivation, found)
    mine = numbers([gradient for gradient, _ in pairs(found)], at)
    sympys = numbers([found.loss.diff(symbol) for _, symbol in pairs(found)], at)
    np.testing.assert_allclose(mine, sympys, rtol=1e-9, atol=1e-12)
    assert max(map(abs, sympys)) > 1e-6
    kinds = {type(node).__module__.split(".")[0]
             for gradient, _ in pairs(found) for node in sympy.preorder_traversal(gradient)}
    assert kinds == {"sympy"}


@pytest.mark.parametrize("name", TEN_SMALLEST)
def test_gradients_are_sympys_derivatives_of_the_loss(name: str) -> None:
    derivation = built(name).derivation
    agree(derivation, {axis: 1 if axis == "N" else 2 for axis in derivation.system.sizes})


@pytest.mark.deep
@pytest.mark.parametrize("name", LARGER)
def test_gradients_of_larger_models_are_sympys(name: str) -> None:
    derivation = built(name).derivation
    agree(derivation, dict.fromkeys(derivation.system.sizes, 2))


def solved(A: "N N", b: "N", w: "N"):
    return np.sum(np.tanh(np.linalg.solve(A, w * b)))


def scanned(x: "T", w: "", h: ""):
    def step(h, x):
        h = np.tanh(w * x + h)
        return h, h
    return np.sum(symprop.scan(step, h, x)[1] ** 2)


def picked(E: "V D", word: "int N"):
    return np.mean(np.sum(E[word] ** 3, axis=1))


def largest(x: "N K", w: "K"):
    return np.sum(np.max(x * w, axis=1)) + np.log(np.linalg.det(x.T @ x * np.exp(w)))


@pytest.mark.parametrize(("function", "wrt", "sizes"), [
    (solved, ["A", "w"], {"N": 2}), (scanned, ["w", "h"], {"T": 3}),
    (picked, ["E"], {"N": 2, "V": 3, "D": 2}), (largest, ["w", "x"], {"N": 3, "K": 2}),
], ids=lambda value: getattr(value, "__name__", ""))
def test_every_kind_of_equation(function: Any, wrt: list[str], sizes: dict[str, int]) -> None:
    agree(symprop.derive(symprop.trace(function, wrt=wrt)), sizes)


def test_the_numbers_are_those_of_the_derivation() -> None:
    derivation = built("mlp").derivation
    sizes = {"N": 2, "K": 2, "H": 2, "M": 3}
    found = derivation.explicit(sizes)
    _, inputs = draw(derivation.system, 3, sizes)
    exact = derivation.evaluate(inputs)
    at = drawn(derivation, found, 3)
    mine = numbers([found.loss, *(g for g, _ in pairs(found))], at)
    right = [exact.loss, *np.concatenate([g.ravel() for g in exact.gradients.values()])]
    np.testing.assert_allclose(mine, right, rtol=1e-12)


def test_a_user_goes_on_with_it() -> None:
    derivation = built("linear_regression").derivation
    found = derivation.explicit({"N": 1, "D": 2})
    w = found.symbols["w"]
    assert sympy.expand(found.gradients["w"][1] - found.loss.diff(w[1])) == 0
    assert found.loss.subs(dict.fromkeys(found.loss.free_symbols, 0)) == 0
    assert found.gradients["w"].shape == (2,)
    assert "frac" in found._repr_latex_() or "left" in found._repr_latex_()
    assert repr(found) == "<Explicit: N=1 D=2, gradients of w, b>"
    assert derivation.explicit({"N": 1, "D": 2}) == found


def test_a_fact_leaves_no_symbol_for_what_it_fixes() -> None:
    found = built("mlp").derivation.explicit({"N": 1, "K": 1, "H": 1, "M": 2})
    one, other = entries(found.symbols["Y"])
    assert other == 1 - one


@pytest.mark.parametrize(("sizes", "said"), [
    ({"N": 2}, "size of the axis D is missing"), ({"N": 2, "D": 0}, "whole number from 1"),
    ({"N": 2, "D": 2, "Q": 1}, "Q is no axis"), ({"N": 2000, "D": 2000}, "smaller sizes"),
])
def test_sizes_that_do_not_fit_are_refused(sizes: dict[str, int], said: str) -> None:
    with pytest.raises(InputError, match=said):
        built("linear_regression").derivation.explicit(sizes)
