"""Every traced operation means what NumPy means: traced and evaluated equals run."""

import inspect

import numpy as np
import pytest
from trace_cases import CASES

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


@pytest.mark.parametrize(("function", "shapes"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
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


def test_ufuncs_of_scipy_that_are_rows():
    special = pytest.importorskip("scipy.special")
    names = ("expit", "log_expit", "erf", "erfc", "log1p", "expm1", "xlogy", "logit")
    for name in (n for n in names if hasattr(special, n)):
        call = getattr(special, name)

        def function(x, call=call):
            y = 0.1 + 0.8 * x * x / (1 + x * x)
            return call(y, y) if call.nin == 2 else call(y)

        system = trace(with_loss(function, {"x": "N"}), {"x": "N"})
        x = np.linspace(-2, 2, 7)
        got = run(system, {"x": x}, {"N": 7})[dict(system.outputs)["out"]]
        np.testing.assert_allclose(got, function(x), rtol=1e-12)
