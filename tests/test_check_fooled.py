"""Modules that pass a check which looks only once, at one place: each must fail, and say why."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from symprop.check import CheckReport, check

WRT = ("W1", "b1", "W2", "b2")
Module = SimpleNamespace
Grads = dict[str, np.ndarray]


def forward(X: "N K", y: "N M", W1: "K H", b1: "H", W2: "H M", b2: "M", validate=True):
    Z = X @ W1 + b1
    A = np.maximum(Z, 0)
    R = A @ W2 + b2 - y
    return (R * R).sum() / X.dtype.type(len(X)), (X, Z, A, W2, R)


def backward(saved, dL=1.0):
    return slopes(saved, dL, lambda Z: Z > 0)


def slopes(saved: Any, dL: float, mask: Callable[[np.ndarray], np.ndarray]) -> Grads:
    X, Z, A, W2, R = saved
    dR = 2 * R * X.dtype.type(dL) / X.dtype.type(len(X))
    dZ = dR @ W2.T * mask(Z)
    return {"W1": X.T @ dZ, "b1": dZ.sum(0), "W2": A.T @ dR, "b2": dR.sum(0)}


def module(wrong_backward: Callable[..., Any] = backward, **more: Any) -> Module:
    parts = {"__name__": "net", "forward": forward, "backward": wrong_backward, "WRT": WRT}
    return SimpleNamespace(**{**parts, **more})


def doubled(grads: Grads, when: Any = True) -> Grads:
    return {n: 2 * g if n == "W1" and when else g for n, g in grads.items()}


def right_until(calls: int) -> Module:
    count = [0]

    def wrong(saved, dL=1.0):
        count[0] += 1
        return doubled(backward(saved, dL), count[0] > calls)

    return module(wrong)


def reads_the_last_forward() -> Module:
    last: list[Any] = []

    def keeps(X: "N K", y: "N M", W1: "K H", b1: "H", W2: "H M", b2: "M", validate=True):
        loss, saved = forward(X, y, W1, b1, W2, b2)
        last[:] = [saved]
        return loss, saved

    return module(lambda saved, dL=1.0: backward(last[0], dL), forward=keeps)


def overwrites_saved() -> Module:
    def wrong(saved, dL=1.0):
        grads = backward(saved, dL)
        saved[4][...] *= 2
        return grads

    return module(wrong)


def one_buffer() -> Module:
    def loss(x: "N", y: "N", validate=True):
        return (x + y) @ (x + y), (x + y,)

    def shared(saved, dL=1.0):
        d = 2 * saved[0] * dL
        return {"x": d, "y": d}

    return module(shared, forward=loss, WRT=("x", "y"))


def wrong_where(fault: Callable[[Any], Any]) -> Module:
    """The gradient of W1 is doubled where `fault` of saved says so."""
    return module(lambda saved, dL=1.0: doubled(backward(saved, dL), fault(saved)))


def masked(mask: Callable[[np.ndarray], np.ndarray]) -> Module:
    return module(lambda saved, dL=1.0: slopes(saved, dL, mask))


def size_of_5() -> Module:
    def wrong(saved, dL=1.0):
        grads = backward(saved, dL)
        return {**grads, "b2": grads["b2"] * (len(saved[0]) / 5)}

    return module(wrong)


def steps() -> Module:
    def loss(a: "N", w: "N", validate=True):
        return np.floor(1000 * a).sum() + w @ w, (a, w)

    def slope_of_1000(saved, dL=1.0):
        a, w = saved
        return {"a": np.full_like(a, 1000 * dL), "w": 2 * w * dL}

    return module(slope_of_1000, forward=loss, WRT=("a", "w"))


TWELVE = {
    "right at its first call only": (lambda: right_until(1), "W1 .*as in its first call"),
    "right for 39 calls": (lambda: right_until(39), "calls later.* keeps something between calls"),
    "reads a global": (reads_the_last_forward, "reads something that is not in saved"),
    "overwrites saved": (overwrites_saved, r"changes what forward saved \(array 4 in saved"),
    "one buffer": (one_buffer, "gradients of x and y share memory"),
    "float32 values": (
        lambda: wrong_where(lambda saved: saved[0].dtype == np.float32),
        "gradient of W1 in float32 is .* in float64 it is",
    ),
    "N is 1": (
        lambda: wrong_where(lambda saved: len(saved[0]) == 1),
        "W1: at N=1 .* 2 times the right one",
    ),
    "N from 64 on": (
        lambda: wrong_where(lambda saved: len(saved[0]) >= 64),
        "W1: at N=67 .* 2 times the right one",
    ),
    "N is 5": (size_of_5, "b2: at N=.* times the right one"),
    "relu from 1e-4 on": (lambda: masked(lambda Z: Z > 1e-4), "differences say"),
    "relu cut at 3": (lambda: masked(lambda Z: (Z > 0) & (Z < 3)), "differences say"),
    "slope of a staircase": (steps, r"a: 1000 at \[0\], differences say 0"),
}


def said(report: CheckReport) -> str:
    return " | ".join([*(f"{r.name}: {r.note}" for r in report.rows if r.note), *report.problems])


def test_the_right_module_passes() -> None:
    report = check(module())
    assert report.passed, str(report)
    assert "; N, K, M or H=1;" in report.also and "N, K, M or H=67" in report.also


@pytest.mark.parametrize("name", TWELVE)
@pytest.mark.parametrize("seed", [1])
def test_a_module_that_fooled_a_check_fails(name: str, seed: int) -> None:
    make, sentence = TWELVE[name]
    report = check(make(), seed=seed)
    assert not report.passed
    with pytest.raises(AssertionError, match=sentence):
        raise AssertionError(said(report))


def test_the_drawn_sizes_come_from_the_seed() -> None:
    assert check(module()).also != check(module(), seed=1).also


def test_a_nan_of_no_axes_is_named() -> None:
    def loss(s: "", validate=True):
        return s * s, (s,)

    wrong = module(lambda saved, dL=1.0: {"s": np.array(np.nan)}, forward=loss, WRT=("s",))
    (row,) = check(wrong).rows
    assert row.status == "FAIL" and row.note.startswith("nan, and no number is right")
