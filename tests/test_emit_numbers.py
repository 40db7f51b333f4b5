"""What generated code computes: dtypes, aliasing, branches that are not taken."""

from __future__ import annotations

import ast
import warnings
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from emitted_models import MODELS, body, generated, inputs, mlp, module

from symprop.emit.module import GeneratedModule
from symprop.emit.targets.numpy.numerals import numeral
from symprop.files.load import load_text


@pytest.mark.parametrize("name", MODELS)
def test_float32_everywhere(name: str) -> None:
    """No statement widens: every array that forward saves is of the module's dtype."""
    made = module(name)
    given = drawn(made, np.float32)
    loss, saved = made.forward(*given)
    assert np.asarray(loss).dtype == np.float32
    for item in saved:
        if isinstance(item, np.ndarray) and item.dtype.kind == "f":  # NumPy 1 widens scalars
            assert item.dtype == np.float32
    for leaf in leaves(made.backward(saved)):
        assert isinstance(leaf, np.ndarray) and leaf.dtype == np.float32
    for leaf in leaves(made.value_and_grad(*drawn(made, np.float64))[1]):
        assert leaf.dtype == np.float64


def drawn(made: GeneratedModule, dtype: Any) -> list[Any]:
    """The arguments that the module draws for its own check."""
    given = made.draw_inputs(0)
    given = made._module.arguments(given) if hasattr(made._module, "arguments") else given

    def cast(tree: Any) -> Any:
        if isinstance(tree, dict):
            return {k: cast(v) for k, v in tree.items()}
        if isinstance(tree, list | tuple):
            return type(tree)(map(cast, tree))
        tree = np.asarray(tree)
        return tree.astype(dtype) if tree.dtype.kind == "f" else tree

    return [cast(v) for v in given.values()]


def leaves(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        return [x for v in tree.values() for x in leaves(v)]
    return [x for v in tree for x in leaves(v)] if isinstance(tree, list | tuple) else [tree]


def test_python_numbers_and_scalars() -> None:
    x = np.array([0.5, -1.0, 2.0], np.float32)
    made = module("scalars")
    loss, grads = made.value_and_grad(x, 0.5, 1, 2, True)
    assert loss.dtype == np.float32 and grads["x"].dtype == np.float32
    assert grads["w"].shape == () and grads["c"].dtype == np.float64
    zero_d = made.value_and_grad(x, np.array(0.5, np.float32), np.float32(1), np.int64(2),
                                 np.bool_(True))
    assert zero_d[0] == pytest.approx(loss, rel=1e-6)
    assert zero_d[1]["w"].dtype == np.float32


def test_mixed_input_computes_as_numpy_does() -> None:
    given = {**inputs(), "X": inputs()["X"].astype(np.float32)}
    loss, grads = module("mlp").value_and_grad(**given)
    assert np.asarray(loss).dtype == np.float64 and grads["X"].dtype == np.float32
    whole = {**inputs(), "Y": np.eye(4, dtype=int)[[0, 1, 2, 3, 0]]}
    assert np.isfinite(generated(mlp, wrt=["W1"]).value_and_grad(**whole)[0])


def test_views_are_taken_and_arrays_are_left_alone() -> None:
    base = inputs()
    r = np.random.default_rng(1)
    strange = {
        "X": r.normal(size=(3, 5)).T, "Y": np.full((5, 4), 0.25)[::-1],
        "W1": r.normal(size=(6, 4))[::-2, ::2], "b1": np.broadcast_to(np.array(0.3), (2,)),
        "W2": np.asfortranarray(base["W2"]), "b2": base["b2"][::-1], "unused": base["unused"]}
    plain = {n: np.array(a) for n, a in strange.items()}
    loss, grads = module("mlp").value_and_grad(**strange)
    wanted_loss, wanted = module("mlp").value_and_grad(**plain)
    assert loss == pytest.approx(wanted_loss, rel=1e-14)
    for key, array in plain.items():
        np.testing.assert_array_equal(strange[key], array)
        np.testing.assert_allclose(grads[key], wanted[key], rtol=1e-12, atol=1e-15)


def test_gradients_are_arrays_of_their_own() -> None:
    def f(x: "N", y: "N", W: "N K") -> Any:
        z = x + y
        return np.sum(z * z) + np.sum(W * W) + np.sum(x[:-1])

    def g(x: "N K", c: "N K") -> Any:
        return np.sum(c.T * x.T)

    for made, given in ((generated(f), (np.ones(3), np.ones(3), np.ones((3, 2)))),
                        (generated(g), (np.ones((3, 2)), np.ones((3, 2))))):
        grads = list(made.value_and_grad(*given)[1].values())
        for gradient in grads:
            assert gradient.flags.writeable
            assert not any(np.shares_memory(gradient, a) for a in given)


def test_the_branch_not_taken_leaves_no_trace() -> None:
    x, w = np.array([1.0, -2.0, 0.0, 3.0]), np.array([1.0, 2.0, 3.0, 4.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loss, grads = module("guarded").value_and_grad(x, w)
    assert np.isfinite(loss)
    np.testing.assert_allclose(grads["x"], [1.0, -2.0, -3.0, 4 / 3])
    np.testing.assert_allclose(grads["w"], [0.0, 2.0, 0.0, np.log(3.0)], atol=1e-15)
    assert 'with np.errstate(all="ignore"):' in body(module("guarded").source, "forward")
    assert "np.errstate" not in module("mlp").source


@pytest.mark.parametrize("dtype, size", [(np.float64, 1e3), (np.float32, 1e2)])
def test_large_logits_do_not_warn(dtype: Any, size: float) -> None:
    given = {n: a.astype(dtype) for n, a in inputs().items()}
    given["b2"] = np.array([size, -size, size, 0], dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loss, grads = module("mlp").value_and_grad(**given)
    assert np.isfinite(loss) and all(np.isfinite(g).all() for g in grads.values())


@pytest.mark.parametrize("value", [
    Fraction(1, 3), Fraction(2, 3), Fraction(107032224408900379083, 10**21), Fraction(1, 7) ** 9,
    Fraction(44715, 10**6), Fraction(10**30 + 1, 3), Fraction(5, 2**40), Fraction(1, 10**300),
])
def test_a_number_is_the_shortest_text_of_the_same_bits(value: Fraction) -> None:
    for number in (value, -value, 1 / value):
        text = ast.unparse(numeral(number))
        assert load_text(f"value = {text}", "number").value == float(number)
        assert len(text) <= len(repr(float(number)))
