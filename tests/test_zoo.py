"""Every zoo model: derived, verified, generated; checked at sizes that no trace has seen."""

from __future__ import annotations

import ast
from typing import Any

import baseline
import numpy as np
import pytest
from built_models import Built, assert_close, built, single
from test_numbers import longest

import symprop
from symprop.train.signature import leaves_of
from symprop.zoo import models, recurrent

NAMES = tuple(models())


def both_sizes(name: str) -> list[tuple[Built, dict[str, Any]]]:
    """The model with inputs of each of its two sets of sizes."""
    model = built(name)
    return [(model, model.inputs(sizes)) for sizes in model.sizes]


@pytest.mark.parametrize("name", NAMES)
def test_every_step_is_verified(name: str) -> None:
    built(name).derivation.verify()
    assert built(name).derivation.steps


@pytest.mark.parametrize("name", NAMES)
def test_no_operation_no_term_more(name: str, request: pytest.FixtureRequest) -> None:
    """At 64 for every axis, or where that does not fit at the sizes of the tests."""
    model = built(name)
    try:
        found = baseline.measure(model.derivation, dict.fromkeys(model.system.sizes, 64))
    except symprop.SympropError:
        found = baseline.measure(model.derivation, model.sizes[0])
    baseline.hold("zoo", name, found, request)


@pytest.mark.parametrize("name", [n for n, m in models().items() if not m.shown])
def test_no_number_has_many_digits(name: str) -> None:
    """As in tests/test_numbers.py, which reads the gallery."""
    model = built(name)
    assert len(longest(model.derivation.text())) <= 6
    assert len(longest(model.module.source)) <= 17


def test_the_code_of_the_mlp(request: pytest.FixtureRequest) -> None:
    """Its forward and backward, word by word."""
    source = built("mlp").module.source
    text = source[source.index("def forward"):].split("\n\n\n")
    functions = [part for part in text if part.startswith(("def forward", "def backward"))]
    assert len(functions) == 2
    baseline.hold("code", "mlp", "\n\n\n".join(functions), request)


@pytest.mark.parametrize("turn", [0, pytest.param(1, marks=pytest.mark.deep)])
@pytest.mark.parametrize("name", NAMES)
def test_the_check_passes_at_unseen_sizes(name: str, turn: int) -> None:
    model = built(name)
    sizes = model.sizes[-1 - turn % len(model.sizes)]
    known = {axis: size for axis, size in sizes.items() if axis in model.system.sizes}
    report = symprop.check(model.module, sizes=known)
    assert report.passed, str(report)
    assert [row.name for row in report.rows] == list(model.system.wrt)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_that_are_zero_are_found_to_be(name: str) -> None:
    """A bias before batch norm: nothing that is 0 on numbers is computed, or printed, as more."""
    model = built(name)
    largest: dict[str, float] = {}
    for seed, sizes in enumerate((*model.sizes, *model.sizes)):
        _, gradients = model.value_and_grad(model.leaves(sizes, seed))
        for key, gradient in gradients.items():
            largest[key] = max(largest.get(key, 0.0), np.max(np.abs(gradient), initial=0.0))
    rounding = 1e-13 * max(largest.values())
    zero = {key for key, value in largest.items() if value <= rounding}
    assert set(getattr(model.module, "ZERO", ())) == zero
    adjoints = {a.primal: a for a in model.derivation.adjoints}
    assert {key for key in largest if adjoints[key].rhs.is_zero} == zero


@pytest.mark.parametrize("name", NAMES)
def test_forward_and_predict_are_the_users_function(name: str) -> None:
    for model, inputs in both_sizes(name):
        loss, outputs = model.function(**inputs)
        assert model.module.forward(**inputs)[0] == pytest.approx(loss, rel=1e-13)
        code = model.module.predict.__code__
        needed = code.co_varnames[: code.co_argcount]
        predicted = model.module.predict(**{n: a for n, a in inputs.items() if n in needed})
        assert list(predicted) == list(outputs)
        for key, value in outputs.items():
            np.testing.assert_allclose(predicted[key], value, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_float32_stays_float32(name: str) -> None:
    model = built(name)
    for sizes in model.sizes:
        leaves32 = single(model.leaves(sizes))
        leaves = {n: np.float64(a) if np.asarray(a).dtype.kind == "f" else a
                  for n, a in leaves32.items()}
        loss, expected = model.value_and_grad(leaves)
        loss32, gradients = model.value_and_grad(leaves32)
        assert np.asarray(loss32).dtype == np.float32
        assert loss32 == pytest.approx(loss, rel=1e-5)
        for key, gradient in gradients.items():
            assert np.asarray(gradient).dtype == np.float32, key
        assert_close(gradients, expected, 1e-5, share=0.1)


@pytest.mark.parametrize("dtype, large", [(np.float64, 1e3), (np.float32, 1e2)])
@pytest.mark.parametrize("name", NAMES)
def test_large_logits_stay_finite(name: str, dtype: Any, large: float) -> None:
    """Every parameter in turn drives what it feeds to +-`large`: biases, logits, variances."""
    model, unbounded = built(name), models()[name].unbounded
    for sizes in model.sizes:
        leaves = model.leaves(sizes)
        for parameter in (p for p in model.system.wrt if p not in unbounded):
            shape = np.shape(leaves[parameter])
            signs = np.where(np.arange(np.prod(shape, dtype=int)) % 2 == 0, 1.0, -1.0)
            for sign in (1, -1):
                moved = {**leaves, parameter: (sign * large * signs).reshape(shape)}
                moved = {n: np.asarray(a).astype(dtype) if np.asarray(a).dtype.kind == "f" else a
                         for n, a in moved.items()}
                loss, gradients = model.value_and_grad(moved)
                assert np.isfinite(loss), parameter
                assert all(np.isfinite(g).all() for g in gradients.values()), parameter


@pytest.mark.parametrize("name", NAMES)
def test_the_loss_scale_goes_through(name: str) -> None:
    model = built(name)
    inputs = model.inputs(model.sizes[0])
    _, saved = model.module.forward(**inputs)
    once = leaves_of(model.module.backward(saved))
    thrice = leaves_of(model.module.backward(saved, dL=3.0))
    assert_close(thrice, {key: 3 * gradient for key, gradient in once.items()}, 1e-13, share=0.1)


@pytest.mark.parametrize("name", NAMES)
def test_callers_arrays_are_left_alone(name: str) -> None:
    model = built(name)
    leaves = model.leaves(model.sizes[0])
    before = {n: np.copy(a) for n, a in leaves.items()}
    loss, saved = model.module.forward(**model.arranged(leaves))
    first = leaves_of(model.module.backward(saved))
    second = leaves_of(model.module.backward(saved))
    for key, array in before.items():
        np.testing.assert_array_equal(leaves[key], array)
    for key, gradient in first.items():
        np.testing.assert_array_equal(gradient, second[key])
    assert np.isfinite(loss)


def loops_of(name: str, function: str) -> list[ast.For]:
    """The loops of a function of a model's module."""
    body = ast.parse(built(name).module.source).body
    found = next(f for f in body if isinstance(f, ast.FunctionDef) and f.name == function)
    return [node for node in ast.walk(found) if isinstance(node, ast.For)]


def bound_in(loop: ast.For) -> set[str]:
    """The names that a loop assigns, or assigns to parts of."""
    targets = [t.value if isinstance(t, ast.Subscript) else t for t in ast.walk(loop)
               if isinstance(t, ast.Name | ast.Subscript) and isinstance(t.ctx, ast.Store)]
    return {t.id for t in targets if isinstance(t, ast.Name)}


@pytest.mark.parametrize("name", [m.name for m in recurrent.MODELS])
def test_weight_gradients_stand_after_the_loop(name: str) -> None:
    """Only what recurs is in a loop: one product for all times gives each weight's gradient."""
    loops = loops_of(name, "backward")
    assert loops and loops_of(name, "forward")
    gradients = {f"d{parameter}" for parameter in built(name).system.wrt}
    for loop in loops:
        assert not bound_in(loop) & gradients
