"""Whole gradients at kinks: constant rows, zeros, axes of size 1; and programs without one."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import symprop
from symprop.errors import InputError

EPS = 1e-2
ROWS = np.array([[2.0, 2.0, 2.0], [1.0, 2.0, 4.0], [0.0, 0.0, 0.0]])
SCALED = (ROWS - ROWS.mean(axis=1, keepdims=True)) / 3  # of it the slope of a variance is made


def std(x: "N M"):
    return np.sum(np.std(x, axis=1))


def std_of_all(x: "N M"):
    return x.std()


def var(x: "N M"):
    return np.sum(np.var(x, axis=1))


def std_one_less(x: "N M"):
    return np.sum(np.std(x, axis=1, ddof=1))


def norms(x: "N M"):
    return np.sum(np.linalg.norm(x, axis=1))


def norm_squared(x: "N M"):
    return np.linalg.norm(x) ** 2


def scaled(x: "N M"):
    h = (x - x.mean(axis=1, keepdims=True)) / (x.std(axis=1, keepdims=True) + EPS)
    return np.sum(h * np.arange(x.shape[1]) + 0 * x)


def safe(values: np.ndarray) -> np.ndarray:
    """1/values, and 0 where there is none."""
    return np.divide(1.0, values, out=np.zeros_like(values), where=values != 0)


def slope_of_scaled(x: np.ndarray) -> np.ndarray:
    c, s = x - x.mean(axis=1, keepdims=True), x.std(axis=1, keepdims=True)
    t = np.broadcast_to(np.arange(3.0), x.shape)
    spread = (t * c).sum(axis=1, keepdims=True) * c * safe(3 * s) / (s + EPS)
    return (t - t.mean(axis=1, keepdims=True) - spread) / (s + EPS)


SPREAD = ROWS.std(axis=1, keepdims=True)
LENGTH = np.linalg.norm(ROWS, axis=1, keepdims=True)
WHOLE = [  # the function, where, and what torch gives there
    (std, ROWS, SCALED * safe(SPREAD)),
    (std, np.full((2, 3), 0.5), np.zeros((2, 3))),
    (std, ROWS[:, :1], np.zeros((3, 1))),
    (std_of_all, np.full((2, 3), 0.5), np.zeros((2, 3))),
    (std_of_all, ROWS[:1, :1], np.zeros((1, 1))),
    (var, ROWS, 2 * SCALED),
    (var, ROWS[:, :1], np.zeros((3, 1))),
    (std_one_less, ROWS, 1.5 * SCALED * safe(SPREAD * np.sqrt(1.5))),
    (norms, ROWS, ROWS * safe(LENGTH)),
    (norms, np.zeros((2, 1)), np.zeros((2, 1))),
    (norm_squared, ROWS, 2 * ROWS),
    (norm_squared, 0 * ROWS, 0 * ROWS),
    (scaled, ROWS, slope_of_scaled(ROWS)),
]
MODULES: dict[str, symprop.pipeline.GeneratedModule] = {}


def module_of(function):
    name = function.__name__
    if name not in MODULES:
        MODULES[name] = symprop.generate(symprop.trace(function))
    return MODULES[name]


@pytest.mark.parametrize(("function", "x", "right"), WHOLE)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_gradient_is_what_torch_gives(function, x, right, dtype):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loss, gradients = module_of(function).value_and_grad(x.astype(dtype))
    tolerance = 1e-12 if dtype is np.float64 else 1e-5
    np.testing.assert_allclose(loss, function(x), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(gradients["x"], right, rtol=tolerance, atol=10 * tolerance)


def one_less(x: "N M"):
    return np.sum(np.var(x, axis=1, ddof=1))


def one_less_of_all(x: "N M"):
    return np.var(x, ddof=1) + 0 * np.std(x, ddof=1)


def covariance(x: "N M"):
    return np.sum(np.cov(x))


@pytest.mark.parametrize("function", [one_less, one_less_of_all, covariance, std_one_less])
def test_what_numpy_calls_no_number_is_none(function):
    x = np.array([[0.3]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loss, gradients = module_of(function).value_and_grad(x)
        assert np.isnan(function(x))
    assert np.isnan(loss) and np.isnan(gradients["x"]).all()


def test_linspace_of_one_point_is_its_start():
    def start(a: "", b: ""):
        return np.sum(np.linspace(a, b, 1) ** 2)
    loss, gradients = symprop.generate(symprop.trace(start)).value_and_grad(0.5, 2.0)
    assert (loss, gradients["a"], gradients["b"]) == (0.25, 1.0, 0.0)


# ---- programs that are finite and have no derivative ------------------------------------------


def distances(x: "N D"):
    s = np.sum((x[:, None] - x[None]) ** 2, axis=2)
    return np.sum(np.sqrt(s))


def clipped_root(x: "N", z: "N"):
    return np.sum(np.sqrt(np.maximum(0, x**2 - z**2)))


def power_of_a_relu(x: "N M"):
    r = np.maximum(x, 0)
    return np.sum(r**0.5 * x)


@pytest.mark.parametrize("function", [distances, clipped_root, power_of_a_relu])
def test_a_root_at_zero_is_named_with_its_line_and_the_remedy(function):
    line = function.__code__.co_firstlineno
    with pytest.raises(InputError, match=r"is 0, where its derivative by .*np\.where") as caught:
        symprop.derive(symprop.trace(function)).verify()
    named = int(str(caught.value).split(".py:")[1].split(":")[0])
    assert line < named <= line + 2
    assert "\n" not in str(caught.value)


def test_the_remedy_helps():
    def remedied(x: "N D"):
        s = np.sum((x[:, None] - x[None]) ** 2, axis=2)
        near = np.where(s > 0, s, 1.0)
        return np.sum(np.where(s > 0, np.sqrt(near), 0.0))
    module = symprop.generate(symprop.trace(remedied))
    _, gradients = module.value_and_grad(np.array([[0.0, 0.0], [3.0, 4.0]]))
    np.testing.assert_allclose(gradients["x"], [[-1.2, -1.6], [1.2, 1.6]], rtol=1e-12)


# ---- draws at which the forward pass is regular -----------------------------------------------


def gram_of_columns(X: "N K"):
    return np.linalg.slogdet(X.T @ X)[1]


def gram_of_rows(X: "N K"):
    return np.linalg.slogdet(X @ X.T)[1]


def masked_entropy(p: "N", m: "bool N"):
    q = np.where(m, np.exp(p), 0)
    q = q / q.sum()
    return np.sum(np.where(q > 0, q * np.log(q), 0))


@pytest.mark.parametrize("function", [gram_of_columns, gram_of_rows, masked_entropy])
def test_sizes_and_values_are_drawn_at_which_the_program_is_regular(function):
    symprop.derive(symprop.trace(function)).verify()
