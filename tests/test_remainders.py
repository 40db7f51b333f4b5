"""%, //, divmod, np.mod, np.fmod: NumPy's own values to the last digit, the piece's derivative."""

import inspect
import itertools

import numpy as np
import pytest

import symprop
from symprop.interpret.functions import value

SPECIAL = (0.0, 1.0, -1.0, 0.1, -0.1, 0.3, 3.0, -5.0, 1e17, -1e17, 1e-300, np.inf, -np.inf, np.nan)
X, Y = (np.array(column) for column in zip(*itertools.product(SPECIAL, SPECIAL), strict=True))

FUNCTIONS = {
    "%": lambda x, y: x % y, "//": lambda x, y: x // y, "divmod": lambda x, y: divmod(x, y)[0],
    "divmod rest": lambda x, y: divmod(x, y)[1], "np.divmod": lambda x, y: np.divmod(x, y)[1],
    "np.mod": np.mod, "np.remainder": np.remainder, "np.fmod": np.fmod,
    "np.floor_divide": np.floor_divide, "% number": lambda x, y: x % 0.1,
    "number %": lambda x, y: 1.0 % y, "np.fmod number": lambda x, y: np.fmod(x, -3.0),
    "% inf": lambda x, y: x % np.inf}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_are_numpy_s_at_special_points_and_slopes_those_of_the_piece(name):
    function = FUNCTIONS[name]

    def loss(x, y):
        out = function(x, y)
        return np.sum(np.sin(out) * x) + np.sum(y), {"out": out}

    module = symprop.generate(symprop.derive(symprop.trace(loss, {"x": "N", "y": "N"})))
    read = inspect.signature(module.predict).parameters  # not both, where one is a number
    for kind in (np.float64, np.float32):
        inputs = {"x": X.astype(kind), "y": Y.astype(kind)}
        got = module.predict(**{n: inputs[n] for n in read})["out"]
        np.testing.assert_array_equal(got, function(*inputs.values()))
    for sign in (1.0, -1.0):
        x = np.array([-7.33, -2.15, 0.44, 2.97, 8.71])
        y = sign * np.array([2.0, 0.7, 3.0, 1.3, 2.2])
        _, gradients = module.value_and_grad(x, y)
        for k, array in enumerate((x, y)):
            step = 1e-6 * np.eye(5)
            for j in range(5):
                at = [[x, y][m] + s * step[j] * (m == k) for s in (1, -1) for m in (0, 1)]
                slope = (loss(*at[:2])[0] - loss(*at[2:])[0]) / 2e-6
                if np.isfinite(slope):  # -2 % inf is inf
                    assert gradients["xy"[k]][j] == pytest.approx(slope, abs=1e-7), array


def test_the_interpreter_takes_numpy_s_values_too():
    with np.errstate(all="ignore"):
        for name in ("remainder", "fmod", "floor_divide"):
            np.testing.assert_array_equal(value(name, (X, Y)), getattr(np, name)(X, Y))
            stepped = value(name, (X[:30] + 1e-30j, Y[:30]))
            np.testing.assert_array_equal(stepped.real, getattr(np, name)(X, Y)[:30])
