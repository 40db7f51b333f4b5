"""What a trace cannot follow raises, with the user's line and the way out."""

import math

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from symprop.errors import (
    DTypeError,
    FactError,
    IndexRangeError,
    InputError,
    NameRuleError,
    ShapeError,
    SympropError,
    TraceError,
    UnsupportedError,
)
from symprop.trace.facts import in_range, one_of, positive, sums_to_one
from symprop.trace.scan import scan
from symprop.trace.trace import trace

TABLE = np.arange(12.0).reshape(4, 3) ** 2
HIDDEN = [np.array, np.asarray, math.sqrt]  # where no trace sees their names
RNG = np.random.default_rng(0)


def write_entry(W):
    W[0] = 1
    return W.sum()


def write_plus(W):
    W += 1
    return W.sum()


def write_into_global(W):
    global TABLE
    TABLE += W
    return TABLE.sum()


def write_row_of_plain(W):
    row = np.ones((2, 3))[0]
    row[0] = W[0, 0]
    return row.sum()


def write_floats_into_integers(W):
    counts = np.zeros(3, dtype=int)
    counts[0] = W.sum()
    return counts.sum() + W.sum()


def write_where_positions_repeat(W):
    rows = np.zeros((4, 3))
    rows[np.argmax(W, axis=1)] = W
    return rows.sum()


def write_many_behind_a_mask(W):
    h = W * 2
    h[h < 0] = W[0]
    return h.sum()


def write_what_does_not_fit(W):
    h = W[0] * 2
    h += W
    return h.sum()


def leak(x):
    kept = []

    def step(h, a):
        kept.append(np.tanh(h + a))
        return h + a, None

    scan(step, 0.0, x)
    return np.sum(kept[0])


TRAPS = [
    (lambda W: HIDDEN[0]([W, W]).sum(), "N K", TraceError, "np.array"),
    (lambda W: HIDDEN[0]([W[0, 0], W[0, 1]]).sum(), "2 3", TraceError, "np.stack"),
    (lambda W: HIDDEN[1](W).sum(), "N K", TraceError, "np.asarray"),
    (lambda W: W.sum() if W.sum() > 0 else -W.sum(), "N K", TraceError, "np.where"),
    (lambda W: max(W[0], W[1]).sum(), "3 2", TraceError, "np.maximum"),
    (lambda W: max([W[0], W[1]]), "3", TraceError, "np.maximum"),
    (lambda W: float(W.sum()), "N K", TraceError, "float"),
    (lambda W: math.exp(W), "N", TraceError, "math"),
    (lambda W: round(W.sum()), "N K", TraceError, "round"),
    (lambda W: sum(w.sum() * k**2 for k, w in enumerate(W)), "N K", TraceError, "symprop.scan"),
    (lambda W: sum(W[i].sum() * (i % 3) for i in range(W.shape[0])), "N K", TraceError, "range"),
    (lambda W: W.sum() ** int(W.shape[0]), "N K", TraceError, "int(N)"),
    (lambda W: W.sum() if W.shape[0] > 3 else 0, "N K", TraceError, "size N"),
    (lambda W: W.sum() if W.shape[0] == 3 else 0, "N K", TraceError, "N and 3"),
    (lambda W: W.sum() if W.shape[0] == W.shape[1] else 0, "N K", TraceError, "same name"),
    (lambda W: HIDDEN[2](W.shape[0]) * W.sum(), "N", TraceError, "np.sqrt"),
    (lambda W: np.bincount(np.argmax(W, axis=1)).sum() * W.sum(), "N K", TraceError, "minlength"),
    (write_entry, "N K", TraceError, "np.where"),
    (write_plus, "N K", TraceError, "x = x + y"),
    (write_into_global, "4 3", TraceError, "x.copy()"),
    (write_row_of_plain, "2 3", TraceError, "x[i, j] = value"),
    (write_floats_into_integers, "2 3", DTypeError, "kind int"),
    (write_where_positions_repeat, "2 3", TraceError, "np.add.at"),
    (write_many_behind_a_mask, "N 3", TraceError, "depends on the numbers"),
    (write_what_does_not_fit, "N 3", ShapeError, "(3,)"),
    (lambda W: np.exp(W, where=W > 0).sum(), "3", TraceError, "where="),
    (lambda W: W[W > 0].reshape(2, -1).sum(), "N", TraceError, "np.where"),
    (lambda W: (W[W > 0] * W[W > 1]).sum(), "N", TraceError, "np.where"),
    (lambda W: np.where(W > 0)[0].sum(), "N", TraceError, "two branches"),
    (lambda W: W.sum() if 3 in W else 0, "N", TraceError, "branch"),
    (lambda W: (W * np.nan).sum(), "N", TraceError, "nan"),
    (lambda W: np.random.randn() * W.sum(), "N", TraceError, "np.random.randn"),
    (lambda W: np.random.default_rng(0).normal() * W.sum(), "N", TraceError, "default_rng"),
    (lambda W: (RNG.normal(size=W.shape) * W).sum(), "N", TraceError, "random"),
    (leak, "T", TraceError, "as part of y"),
    (lambda W: np.fft.rfft(W).sum(), "N", UnsupportedError, "np.fft.rfft"),
    (lambda W: np.linalg.pinv(W).sum(), "N N", UnsupportedError, "np.linalg.pinv"),
    (lambda W: W.item(), "", UnsupportedError, "item"),
    (lambda W: np.isnan(W).sum() * W.sum(), "N", UnsupportedError, "np.isnan"),
    (lambda W: W.sum() if W.any() else 0, "N", TraceError, "np.where"),
    (lambda W: np.max(W, initial=0), "N", TraceError, "initial="),
    (lambda W: W[5], "3", IndexRangeError, "index 5"),
    (lambda W: W[W.shape[0]], "N", IndexRangeError, "index N"),
    (lambda W: np.full((W.shape[0], 3), W).sum(), "N", ShapeError, "(N, 3)"),
    (lambda W: W.sum(dtype=int), "N", TraceError, "round"),
    (lambda W: W[[0, -4]].sum(), "3", IndexRangeError, "index -4"),
    (lambda W: W[0, 0], "3", IndexRangeError, "too many"),
    (lambda W: W.reshape(4, -1).sum(), "3 3", ShapeError, "not a multiple of 4"),
    (lambda W: W.reshape(4, 5).sum(), "N 3", ShapeError, "not 20"),
    (lambda W: np.sum(W, axis=5), "N N", ShapeError, "no axis 5"),
    (lambda W: W @ 3, "N", ShapeError, "no axes"),
    (lambda W: np.einsum("ij,jk", W, W).sum(), "N K", ShapeError, "size N"),
    (lambda W: np.concatenate([W, W[0]]).sum(), "N K", ShapeError, "(K,)"),
    (lambda W: np.squeeze(W, 0).sum(), "N K", ShapeError, "not of size 1"),
    (lambda W: (W * np.array(["a"])).sum(), "3", DTypeError, "<U1"),
    (lambda W: W[W], "N", DTypeError, "not of integers"),
    (lambda W: W.sum() / 0, "N", InputError, "division"),
    (lambda W: scan(lambda h, a: (a, h), 0.0, W)[0].sum(), "N K", ShapeError, "(K,)"),
    (lambda W: scan(lambda h, a: (h, h, a), 0.0, W)[0].sum(), "N K", TraceError, "(carry, y)"),
    (lambda W: scan(lambda h: h, 0.0, W)[0].sum(), "N K", InputError, "(carry, x)"),
    (lambda W: scan(3, 0.0, W)[0].sum(), "N K", InputError, "(carry, x)"),
    (lambda W: scan(lambda h, a: (h, h), W, None, length=-1)[1].sum(), "N", ShapeError, "size -1"),
    (lambda W: np.repeat(W, -2).sum(), "N", ShapeError, "the size -2*N"),
    (lambda W: np.pad(W, -1).sum(), "N", ShapeError, "negative"),
    (lambda W: sliding_window_view(W, 0).sum(), "N", ShapeError, "0 entries"),
    (lambda W: (W * 1j).sum(), "N", DTypeError, "complex"),
]


@pytest.mark.parametrize(("function", "shape", "error", "words"), TRAPS)
def test_traps_raise_with_the_line(function, shape, error, words):
    with pytest.raises(error) as found:
        trace(function, {"W" if "W" in function.__code__.co_varnames else "x": shape})
    message = str(found.value)
    assert isinstance(found.value, SympropError)
    assert words in message
    assert "test_trace_errors.py:" in message or "random numbers" in message
    assert "\n" not in message


TWO = [
    (lambda X, W: (X @ W).sum(), "N K", "M H",
     "axis 1 of X of shape (N, K) has size K, but axis 0 of W of shape (M, H) has size M"),
    (lambda X, W: (X + W).sum(), "N K", "N", "X of shape (N, K) and W of shape (N,)"),
    (lambda X, W: (X + W).sum(), "N 3", "N 4", "the sizes 3 and 4"),
    (lambda X, W: np.stack([X, W]).sum(), "N", "K", "differ in shape"),
    (lambda X, W: scan(lambda h, a: (h, a), 0.0, (X, W))[0], "N", "K", "N and K steps"),
]


@pytest.mark.parametrize(("function", "left", "right", "words"), TWO)
def test_shapes_that_do_not_fit_name_arrays_axis_and_sizes(function, left, right, words):
    with pytest.raises(ShapeError) as found:
        trace(function, {"X": left, "W": right})
    assert words in str(found.value)
    assert isinstance(found.value, ValueError)


def test_an_index_calculated_beyond_reach_is_refused():
    with pytest.raises(UnsupportedError, match="door"):
        trace(lambda x, y: x[y * y].sum(), {"x": "N", "y": "int M"})


LOSSES = [
    (lambda x: x, ShapeError, "scalar"),
    (lambda x: x[:1], ShapeError, "(1,)"),
    (lambda x: 3.0, TraceError, "float"),
    (lambda x: None, TraceError, "nothing"),
    (lambda x: x.shape[0], TraceError, "size"),
    (lambda x: (x > 0).sum(), DTypeError, "integer"),
    (lambda x: x.astype(int).sum(), DTypeError, "integer"),
    (lambda x: [x.sum(), x], InputError, "(loss, {name: array})"),
    (lambda x: (x, x.sum()), ShapeError, "scalar"),
    (lambda x: (x.sum(), {"a b": x}), NameRuleError, "output"),
]


@pytest.mark.parametrize(("function", "error", "words"), LOSSES)
def test_what_is_no_loss(function, error, words):
    with pytest.raises(error) as found:
        trace(function, {"x": "N"})
    assert words in str(found.value)


def plain(x, y):
    return np.sum(x * y)


CALLS = [
    ({"shapes": {"x": "N"}}, ShapeError, "argument y has no shape"),
    ({"shapes": {"x": "N", "z": "N"}}, InputError, "'z'"),
    ({"shapes": ["x"]}, InputError, "mapping"),
    ({"shapes": {"x": "N+", "y": "N"}}, ShapeError, "'N+'"),
    ({"shapes": {"x": "1-2", "y": "1"}}, ShapeError, "less than 0"),
    ({"wrt": ["z"]}, InputError, "'z'"),
    ({"wrt": ["x", "x"]}, InputError, "twice"),
    ({"wrt": []}, InputError, "empty"),
    ({"wrt": ["y"], "shapes": {"x": "N", "y": "int N"}}, DTypeError, "int N"),
    ({"shapes": {"x": "int N", "y": "int N"}}, DTypeError, "no floating"),
    ({"static": {"q": 1}}, InputError, "'q'"),
    ({"static": {"x": 1}}, InputError, "shapes and in static"),
    ({"facts": [positive("q")]}, FactError, "q"),
    ({"facts": ["positive"]}, FactError, "sums_to_one"),
    ({"facts": [sums_to_one("x", axis=1)]}, FactError, "axis 1"),
]


@pytest.mark.parametrize(("options", "error", "words"), CALLS)
def test_bad_calls(options, error, words):
    with pytest.raises(error) as found:
        trace(plain, **{"shapes": {"x": "N", "y": "N"}, **options})
    assert words in str(found.value)


def test_bad_names_of_arguments():
    with pytest.raises(NameRuleError, match="double underscore"):
        trace(lambda a__b: np.sum(a__b), {"a__b": "N"})
    with pytest.raises(InputError, match="any number"):
        trace(lambda *xs: np.sum(xs[0]))
    with pytest.raises(InputError, match="function"):
        trace(3)
    with pytest.raises(NameRuleError, match="a_b"):
        trace(lambda a, a_b: np.sum(a_b), {"a": {"b": "N"}, "a_b": "N"})


@pytest.mark.parametrize("make", [
    lambda: in_range("x", 1, 0), lambda: in_range("x", math.nan, 1), lambda: one_of("x"),
    lambda: one_of("x", "a"), lambda: sums_to_one("x", axis=None), lambda: sums_to_one("x", True),
])
def test_bad_facts(make):
    with pytest.raises(FactError):
        make()


def test_arrays_do_not_outlive_their_trace():
    kept = []
    trace(lambda x: kept.append(x) or np.sum(x), {"x": "N"})
    with pytest.raises(TraceError, match="ended"):
        kept[0] + 1
    with pytest.raises(TraceError, match="another trace"):
        trace(lambda x: trace(lambda z: np.sum(z * x), {"z": "N"}) and np.sum(x), {"x": "N"})


def test_other_exceptions_of_the_function_come_through():
    def loss(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        trace(loss, {"x": "N"})
