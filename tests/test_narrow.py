"""Programs whose axes are long numbers are looked at through a narrow twin."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import symprop
from symprop import nn
from symprop.algebra.build import mul, number
from symprop.errors import VerificationError
from symprop.interpret import draw, run
from symprop.interpret import narrow as narrowing
from symprop.interpret.budget import work
from symprop.interpret.narrow import narrow
from symprop.verify.trial import Trial


def network(x: "N 3 48 48", y: "int N", w: "64 3 3 3", v: "96 64 3 3", W: "96 1000") -> Any:
    h = nn.relu(nn.conv2d(x, w, stride=2, padding=1))
    h = nn.relu(nn.conv2d(h, v, padding=1))
    return nn.cross_entropy(h.mean(axis=(2, 3)) @ W, y)


SYSTEM = symprop.trace(network, wrt=("w", "v", "W"))


def test_channels_and_classes_become_few_and_pictures_stay() -> None:
    twin = narrow(SYSTEM)
    assert twin is not None
    lengths = {n: [s.number for s in a.shape] for n, a in twin.system.arrays.items()}
    assert lengths["v"] == [7, 6, 3, 3]
    assert lengths["W"] == [7, 8]
    assert lengths["x"][1:] == [3, 48, 48]
    sizes, inputs = draw(twin.system, 0)
    arrays = run(twin.system, inputs, sizes)
    assert np.isfinite(arrays[SYSTEM.loss])
    assert work(twin.system, sizes) < work(SYSTEM, sizes) / 50


def test_what_is_small_has_no_twin() -> None:
    def small(x: "N 64", w: "64 64") -> Any:
        return ((x @ w) ** 2).sum()

    assert narrow(symprop.trace(small, wrt=("w",))) is None


@pytest.mark.parametrize("reckoned", [
    lambda h: h[:, 1:] - h[:, :-1],  # positions beside each other
    lambda h: np.where(np.arange(64) % 2 == 0, h, 0.0),  # a bracket on the index
    lambda h: h.reshape(-1, 8, 8).sum(axis=2),
    lambda h: h.mean(axis=1),
])
def test_a_length_that_is_reckoned_with_stays(
    reckoned: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def loss(x: "N 32", w: "32 64") -> Any:
        return (reckoned(x @ w) ** 2).sum()

    monkeypatch.setattr(narrowing, "AS_IT_IS", 0)
    twin = narrow(symprop.trace(loss, wrt=("w",)))
    assert twin is not None
    assert [s.number for s in twin.system.arrays["w"].shape] == [6, 64]


def test_a_mean_over_a_long_axis_is_verified_in_full() -> None:
    """In the twin, where the axis is short, 1/3000 is no mean: what it refutes does not count."""
    def loss(x: "N 700", w: "700 3000") -> Any:
        h = np.tanh(x @ w)
        c = h - h.mean(axis=1, keepdims=True)
        return (c**4).sum()

    symprop.derive(symprop.trace(loss, wrt=("w",))).verify()


def test_a_wrong_line_is_refuted_in_the_twin_and_in_full() -> None:
    derivation = symprop.derive(SYSTEM)
    derivation.verify()
    adjoints = list(derivation.adjoints)
    k = next(k for k, a in enumerate(adjoints) if a.primal == "v")
    steps = list(adjoints[k].steps)
    steps[-1] = replace(steps[-1], after=mul(number(2), steps[-1].after))
    adjoints[k] = replace(adjoints[k], steps=tuple(steps), rhs=steps[-1].after)
    twin = narrow(SYSTEM, adjoints)
    assert twin is not None
    with pytest.raises(VerificationError, match=adjoints[k].number):
        Trial(twin, 0).check(points=False)


def test_the_function_is_compared_at_few_channels() -> None:
    """What is traced is not what runs: seen although the declared sizes are long."""
    def loss(x: "N 3 32 32", w: "256 3 5 5", W: "256 1000") -> Any:
        h = nn.conv2d(x, w)
        if isinstance(h, np.ndarray) and type(h) is np.ndarray:
            h = h + 1
        return (np.tanh(h.mean(axis=(2, 3)) @ W) ** 2).sum()

    with pytest.raises(VerificationError, match="not the function"):
        symprop.trace(loss, wrt=("w", "W"))
