"""Every traced operation means what NumPy means, and goes the whole path.

Traced and evaluated equals run, at three draws of sizes; and the module that is derived,
verified and generated from it agrees with NumPy and with differences of NumPy, in float64 and
in float32.
"""

import inspect

import numpy as np
import pytest
from trace_cases import CASES
from trace_forms import FORMS

import symprop
from symprop.interpret import run
from symprop.shapes import parse_spec
from symprop.trace.trace import trace

SIZES = [
    {"N": 5, "K": 7, "M": 3, "T": 2, "B": 2, "H": 3, "C": 2, "D": 3, "W": 5},
    {"N": 3, "K": 4, "M": 11, "T": 5, "B": 3, "H": 7, "C": 1, "D": 2, "W": 4},
    {"N": 4, "K": 6, "M": 1, "T": 1, "B": 1, "H": 4, "C": 3, "D": 1, "W": 6},
]


def inputs_for(shapes, sizes):
    rng = np.random.default_rng(0)
    found = {}
    for name, text in shapes.items():
        spec = parse_spec(text, name)
        shape = tuple(d.evaluate(sizes) for d in spec.dims)
        if spec.dtype == "int":
            found[name] = rng.integers(0, sizes["M"], shape)
        elif spec.dtype == "bool":
            found[name] = rng.random(shape) < 0.5
        else:
            found[name] = rng.normal(size=shape)
    return found


def with_loss(function, shapes):
    """A function that returns the sum of what `function` returns, and that itself."""

    def loss(*arrays):
        out = function(*arrays)
        return 1.0 * np.sum(out), {"out": out}

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    loss.__signature__ = inspect.Signature([inspect.Parameter(n, kind) for n in shapes])
    return loss


ALL = CASES + FORMS


@pytest.mark.parametrize(("function", "shapes"), [c[1:] for c in ALL], ids=[c[0] for c in ALL])
def test_traced_equals_numpy(function, shapes):
    system = trace(with_loss(function, shapes), shapes)
    for sizes in SIZES:
        inputs = inputs_for(shapes, sizes)
        want = np.asarray(function(*inputs.values()))
        got = run(system, inputs, sizes)
        out = np.asarray(got[dict(system.outputs)["out"]], dtype=float)
        # A computed array keeps no axis of size 1.
        assert np.squeeze(out).shape == np.squeeze(want).shape
        np.testing.assert_allclose(np.squeeze(out), np.squeeze(want), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(got[system.loss], want.sum(), rtol=1e-11, atol=1e-11)


def weighed(function, shapes):
    """A loss whose slope differs from entry to entry of what `function` returns."""

    def loss(*arrays):
        out = function(*arrays)
        return 1.0 * np.sum(out * (0.5 * out + 0.3))

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    loss.__signature__ = inspect.Signature([inspect.Parameter(n, kind) for n in shapes])
    return loss


def slopes(loss, inputs, name, step=1e-5):
    """Richardson's differences of the loss by every entry of one input."""
    found = np.zeros_like(inputs[name])
    for place in np.ndindex(found.shape):
        ends = []
        for h in (step, step / 2):
            values = []
            for sign in (1, -1):
                moved = inputs[name].copy()
                moved[place] += sign * h
                values.append(loss(*{**inputs, name: moved}.values()))
            ends.append((values[0] - values[1]) / (2 * h))
        found[place] = (4 * ends[1] - ends[0]) / 3
    return found


@pytest.mark.parametrize(("function", "shapes"), [
    *(pytest.param(*c[1:], id=c[0], marks=pytest.mark.fuzz) for c in CASES),
    *(pytest.param(*c[1:], id=c[0], marks=[pytest.mark.deep] * (k % 6 > 0))
      for k, c in enumerate(FORMS))])
def test_the_module_agrees_with_numpy(function, shapes):
    loss = weighed(function, shapes)
    module = symprop.generate(symprop.derive(symprop.trace(loss, shapes)))
    for sizes in SIZES[:2]:
        inputs = inputs_for(shapes, sizes)
        floats = [n for n, a in inputs.items() if a.dtype.kind == "f"]
        with np.errstate(all="ignore"):
            want = {n: slopes(loss, inputs, n) for n in floats}
        scale = max(1.0, *(np.abs(w).max() for w in want.values()))
        value, gradients = module.value_and_grad(**inputs)
        np.testing.assert_allclose(value, loss(*inputs.values()), rtol=1e-11)
        for name in floats:
            assert gradients[name].shape == inputs[name].shape
            np.testing.assert_allclose(gradients[name], want[name], rtol=1e-7, atol=1e-7 * scale)
    single = {n: a.astype(np.float32) if n in floats else a for n, a in inputs.items()}
    value, narrow = module.value_and_grad(**single)
    assert value.dtype == np.float32 and {narrow[n].dtype for n in floats} == {np.dtype("f4")}
    for name in floats:
        np.testing.assert_allclose(narrow[name], gradients[name], rtol=1e-3, atol=1e-4 * scale)


def test_a_function_of_scipy_under_another_name_says_what_to_write():
    special = pytest.importorskip("scipy.special")
    softmax = special.softmax
    with pytest.raises(symprop.SympropError, match=r"symprop\.nn\.softmax"):
        trace(lambda x: np.sum(softmax(x)), {"x": "N"})
    assert special.softmax is softmax
