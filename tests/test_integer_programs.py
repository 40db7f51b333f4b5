"""Programs whose positions need the domain of whole numbers: steps, empty slices, labels.

Each is run as it stands, at every size: what the module gives is what NumPy gives, and the
gradient is that of differences.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

import symprop
from symprop.errors import IndexRangeError, InputError, ShapeError, UnsupportedError

Arrays = Mapping[str, Any]
STEP = 1e-5


RNG = np.random.default_rng(0)


def differences(function: Callable[..., Any], arrays: Arrays, name: str) -> Any:
    """The gradient by one array, by central differences."""
    gradient = np.zeros_like(arrays[name])
    for place in np.ndindex(gradient.shape):
        ends = []
        for step in (STEP, -STEP):
            moved = {k: np.array(v) for k, v in arrays.items()}
            moved[name][place] += step
            ends.append(function(**moved))
        gradient[place] = (ends[0] - ends[1]) / (2 * STEP)
    return gradient


def agree(function: Callable[..., Any], module: Any, arrays: Arrays) -> None:
    """The module's loss and gradients are those of the function."""
    loss, saved = module.forward(**arrays)
    assert np.allclose(loss, function(**arrays))
    for name, gradient in module.backward(saved).items():
        assert np.allclose(gradient, differences(function, arrays, name), atol=1e-6), name


def generated(function: Callable[..., Any], **shapes: str) -> Any:
    return symprop.generate(symprop.derive(symprop.trace(function, shapes=shapes)))


# ---- steps ----------------------------------------------------------------------------------

STEPS: dict[str, Callable[..., Any]] = {
    "x[::2] and arange": lambda x: np.sum(np.sin(x[::2]) * np.cos(np.arange(0, x.shape[0], 2))),
    "x[::-2]": lambda x: np.sum(np.sin(x[::-2]) * np.arange(1, x.shape[0] + 1)[::2]),
    "x[::-3]": lambda x: np.sum(np.sin(x[::-3]) ** 2),
    "x[arange by 2]": lambda x: np.sum(np.sin(x[np.arange(0, x.shape[0], 2)]) ** 2),
    "x[arange by 3 from 0]": lambda x: np.sum(np.sin(x[np.arange(0, x.shape[0], 3)]) * x[::3]),
    "x[-1:0:-1]": lambda x: np.sum(np.sin(x[-1:0:-1]) * x[1:]),
    "x[:0:-2]": lambda x: np.sum(np.sin(x[:0:-2]) ** 3),
    "x[1::2]": lambda x: np.sum(np.sin(x[1::2]) ** 2),
    "x[:-1:2]": lambda x: np.sum(np.sin(x[:-1:2]) ** 2),
    "arange downwards": lambda x: np.sum(np.sin(x[np.arange(x.shape[0] - 1, -1, -2)]) ** 2),
    "frequencies": lambda x: np.sum(
        np.sin(x[::2] * 10.0 ** (-np.arange(0, x.shape[0], 2) / x.shape[0]))),
    "x[i // 2]": lambda x: np.sum(x[np.arange(x.shape[0]) // 2] * x),
    "x[(i + 1) % N]": lambda x: np.sum(np.sin(x[(np.arange(x.shape[0]) + 1) % x.shape[0]]) * x),
    "x[|i - j|]": lambda x: np.sum(np.sin(x[np.abs(
        np.arange(x.shape[0])[:, None] - np.arange(x.shape[0]))])),
    "x[max(i - 1, 0)]": lambda x: np.sum(x[np.where(
        np.arange(x.shape[0]) > 0, np.arange(x.shape[0]) - 1, 0)] * x),
    "halves": lambda x: np.sum(np.sin(x[: x.shape[0] - 1: 2][::-1]) ** 2),
}


@pytest.mark.parametrize("name", STEPS)
def test_steps_are_those_of_numpy_at_every_size(name: str) -> None:
    module = generated(STEPS[name], x="D")
    for size in range(1, 7):
        agree(STEPS[name], module, {"x": np.random.default_rng(size).normal(size=size)})


# ---- empty arrays -----------------------------------------------------------------------------

EMPTY: dict[str, Callable[..., Any]] = {
    "a sum": lambda x, w: np.sum(x[:, 3:]),
    "its parts joined": lambda x, w: np.sum(
        np.concatenate([x[:, :3], x[:, 3:]], axis=1) @ w),
    "in the middle": lambda x, w: np.sum(x[:, 2:2] ** 2) + np.sum(np.tanh(x[5:2])),
    "a product of matrices": lambda x, w: np.sum(np.tanh(x[:, 3:]) @ w[3:]),
    "an outer product": lambda x, w: np.sum(x[:, 3:].T @ x) + np.sum(np.outer(w[:0], w)),
    "an einsum": lambda x, w: np.sum(np.einsum("nk,nk->n", x[:, 3:], x[:, :0])),
    "a product": lambda x, w: np.prod(w[3:]) + np.sum(np.prod(x[:, 3:], axis=1) * x[:, 0]),
    "running sums": lambda x, w: np.sum(np.cumsum(w[3:])) + np.sum(np.diff(w[2:])),
    "of a named axis": lambda x, w: np.sum(x[3:3] @ w) + np.sum(np.zeros((0, 3)) @ w),
    "a norm": lambda x, w: np.linalg.norm(x[:, 3:]),
    "padded": lambda x, w: np.sum(np.pad(w[3:], 1, constant_values=2.0)),
    "split": lambda x, w: sum(np.sum(p) for p in np.split(w, [0, 3])),
    "stacked": lambda x, w: np.sum(np.vstack([x, np.zeros((0, 3))]) @ w),
    "reshaped": lambda x, w: np.sum(x[:, 3:].reshape(-1)) + np.sum(np.flip(w[3:])),
    "chosen": lambda x, w: np.sum(np.where(w[3:] > 0, w[3:], 0)) + np.any(w[3:] > 0),
    "read at no places": lambda x, w: np.sum(w[[]]) + np.sum(x[:, np.array([], int)]),
    "made": lambda x, w: np.sum(np.linspace(0, 1, 0)) + np.sum(np.arange(3, 3)),
}


@pytest.mark.parametrize("name", EMPTY)
def test_empty_arrays_are_those_of_numpy(name: str) -> None:
    def function(x: Any, w: Any) -> Any:
        return EMPTY[name](x, w) + np.sum(np.sin(x @ w))

    module = generated(function, x="N 3", w="3")
    for size in (1, 2, 5):
        rng = np.random.default_rng(size)
        agree(function, module, {"x": rng.normal(size=(size, 3)), "w": rng.normal(size=3)})


@pytest.mark.parametrize("reduce", [np.mean, np.max, np.min, np.argmax])
def test_what_has_no_value_without_entries_is_refused_by_name(reduce: Any) -> None:
    with pytest.raises(ShapeError, match="axis 0 of an array of shape \\(0,\\), which has no"):
        symprop.trace(lambda w: np.sum(w) + reduce(w[3:]), shapes={"w": "3"})


def test_a_single_position_of_an_empty_axis_is_refused() -> None:
    with pytest.raises(IndexRangeError):
        symprop.trace(lambda w: w[3:][0], shapes={"w": "3"})


# ---- sizes that are divided ------------------------------------------------------------------

FLOORS: dict[str, Callable[..., Any]] = {
    "two halves": lambda x: np.sum(np.sin(x[:len(x) // 2])) + np.sum(x[len(x) // 2:] ** 3),
    "the middle": lambda x: np.sin(x[len(x) // 2]) * np.sort(x)[(len(x) - 1) // 2] + np.sum(x),
    "groups of three": lambda x: np.sum(
        x[:len(x) // 3 * 3].reshape(len(x) // 3, 3).prod(axis=1) ** 2) + np.sum(x),
    "rounded up": lambda x: np.sum(np.sin(x[:(len(x) + 1) // 2])) + np.sum(x[(len(x) + 1) // 2:]),
    "pairs": lambda x: np.sum(x[2 * np.arange(len(x) // 2)] * x[2 * np.arange(len(x) // 2) + 1]),
    "the inner half": lambda x: np.sum(np.sin(x[len(x) // 4:-(len(x) // 4) - 1])) + np.sum(x),
    "zeros": lambda x: np.sum((np.zeros(len(x) // 2) + x[:len(x) // 2]) ** 2),
}


@pytest.mark.parametrize("name", FLOORS)
def test_half_of_a_size_is_rounded_down(name: str) -> None:
    """No size is turned away: n // 2 of 5 is 2, as in Python; of 1 it is an empty axis."""
    module = generated(FLOORS[name], x="N")
    for size in (1, 2, 3, 5, 6, 7):
        agree(FLOORS[name], module, {"x": np.random.default_rng(size).normal(size=size) + 2})


ENDS: dict[str, Callable[..., Any]] = {
    "the last half": lambda x, w: np.sum(x[-(len(x) // 2):] ** 2) * np.sum(w),
    "all but the last half": lambda x, w: np.sum(x[:-(len(x) // 2)] ** 2) * np.sum(w),
    "as many as w has, less one": lambda x, w: np.sum(x[-(len(w) - 1):] ** 2) * np.sum(w),
    "without as many": lambda x, w: np.sum(x[:-(len(w) - 1)] ** 2) * np.sum(w),
    "one so far from the end": lambda x, w: x[-(len(w) - 1)] ** 2 * np.sum(w) * np.sum(x),
}


@pytest.mark.parametrize("name", ENDS)
def test_what_counts_from_the_end_by_a_size_that_may_be_0_is_tested_at_the_door(name: str) -> None:
    """-0 is the first position, not the one behind the last: refused there, right elsewhere."""
    module = generated(ENDS[name], x="N", w="K")
    refused = 0
    for size in (1, 2, 3, 4):
        for length in (1, 2, 3):
            arrays = {"x": np.arange(1.0, size + 1), "w": np.arange(1.0, length + 1)}
            try:
                agree(ENDS[name], module, arrays)
            except ValueError as error:
                refused += 1
                assert "the sizes do not fit" in str(error)
    assert 0 < refused < 6


def test_a_division_that_shapes_need_exact_is_tested_at_the_door() -> None:
    def heads(x: Any, w: Any) -> Any:
        parts = x.reshape(x.shape[0], 2, x.shape[1] // 2)
        return np.sum(np.sin(parts.sum(axis=1))) * w[w.shape[0] // 2]

    module = generated(heads, x="N D", w="K")
    rng = np.random.default_rng(0)
    agree(heads, module, {"x": rng.normal(size=(3, 4)), "w": rng.normal(size=5)})
    with pytest.raises(ValueError, match="2 must divide D"):
        module.forward(x=rng.normal(size=(3, 5)), w=rng.normal(size=5))


# ---- positions calculated from integer inputs -------------------------------------------------

# name: (function of x "N K" and of y "int N", the least and the largest label for K)
LABELS: dict[str, tuple[Callable[..., Any], int, Callable[[int], int]]] = {
    "counted from 1": (lambda x, r, y: x[r, y - 1], 1, lambda k: k),
    "counted from the end": (lambda x, r, y: x[r, x.shape[1] - 1 - y], 0, lambda k: k - 1),
    "from the end, negative": (lambda x, r, y: x[r, x.shape[1] - y], 1, lambda k: k),
    "negative is ignored": (
        lambda x, r, y: x[r, np.where(y >= 0, y, 0)] * (y >= 0), -9, lambda k: k - 1),
    "negative is ignored, turned round": (
        lambda x, r, y: x[r, np.where(y < 0, 0, y)] * (y >= 0), -3, lambda k: k - 1),
    "-1 is ignored": (
        lambda x, r, y: np.where(y == -1, 0, x[r, np.where(y == -1, 0, y)]), -1, lambda k: k - 1),
    "-1 is ignored, by !=": (
        lambda x, r, y: x[r, np.where(y != -1, y, 0)] * (y != -1), -1, lambda k: k - 1),
    "kept at least 0": (lambda x, r, y: x[r, np.maximum(y, 0)], -5, lambda k: k - 1),
    "clipped": (lambda x, r, y: x[r, np.clip(y, 0, x.shape[1] - 1)], -5, lambda k: k + 5),
    "without its sign": (lambda x, r, y: x[r, np.abs(y)], 0, lambda k: k - 1),
    "halved": (lambda x, r, y: x[r, y // 2], 0, lambda k: 2 * k - 1),
    "its rest": (lambda x, r, y: x[r, y % x.shape[1]], 0, lambda k: 3 * k),
    "in a row of rows": (
        lambda x, r, y: x.ravel()[r * x.shape[1] + y], 0, lambda k: k - 1),
}


def _labelled(pick: Callable[..., Any]) -> Callable[..., Any]:
    def function(x: Any, y: Any) -> Any:
        return np.sum(np.sin(pick(x, np.arange(x.shape[0]), y)) * (1 + np.arange(x.shape[0])))
    return function


@pytest.mark.parametrize("name", LABELS)
def test_positions_calculated_from_labels(name: str) -> None:
    pick, low, high = LABELS[name]
    function = _labelled(pick)
    module = generated(function, x="N K", y="int N")
    for n, k in ((1, 1), (2, 1), (5, 3), (3, 6)):
        rng = np.random.default_rng(n)
        labels = rng.integers(low, high(k) + 1, n)
        labels[0], labels[-1] = low, high(k)
        agree(function, module, {"x": rng.normal(size=(n, k)), "y": labels})


@pytest.mark.parametrize("name", [n for n in LABELS if n not in ("clipped", "its rest")])
def test_labels_beyond_the_axis_are_refused_at_the_door(name: str) -> None:
    pick, low, high = LABELS[name]
    module = generated(_labelled(pick), x="N K", y="int N")
    x = np.ones((2, 3))
    with pytest.raises(IndexError, match="y "):
        module.forward(x, np.array([0, high(3) + 1]))
    if low > -3:
        with pytest.raises(IndexError, match="y "):
            module.forward(x, np.array([low - 1 if name != "without its sign" else -3, 1]))


def test_a_label_that_is_left_out_may_lie_beyond_the_classes() -> None:
    """255, as data for segmentation have it: whether there are so many classes is not known."""
    def function(x: Any, y: Any) -> Any:
        return np.sum(np.sin(x[np.arange(len(y)), np.where(y != 255, y, 0)]) * (y != 255))

    module = generated(function, x="N K", y="int N")
    agree(function, module, {"x": RNG.normal(size=(3, 2)), "y": np.array([1, 255, 0])})
    wide = np.zeros((2, 300))
    wide[:, 255] = 1.0  # a class of its own, and left out all the same
    agree(function, module, {"x": wide, "y": np.array([255, 256])})
    with pytest.raises(IndexError, match="y holds a position outside 0 to K - 1 that is not 255"):
        module.forward(np.ones((2, 3)), np.array([254, 0]))


def test_columns_of_positions_have_axes_of_their_own() -> None:
    """The smallest axis is no limit for the others; in `evaluate` as at the door."""
    def function(k: Any, E: Any, R: Any) -> Any:
        head, relation, tail = k.T
        return np.sum((E[head] + R[relation] - E[tail - 1]) ** 2)

    derivation = symprop.derive(symprop.trace(
        function, shapes={"k": "int N 3", "E": "V D", "R": "U D"}))
    module = symprop.generate(derivation)
    assert symprop.check(module).passed
    arrays = {"k": np.array([[4, 1, 5], [0, 0, 1]]), "E": RNG.normal(size=(5, 2)),
              "R": RNG.normal(size=(2, 2))}
    agree(function, module, arrays)
    assert np.isclose(derivation.evaluate(arrays).loss, function(**arrays))
    for place in ((0, 1), (1, 2)):
        wrong = {**arrays, "k": arrays["k"].copy()}
        wrong["k"][place] = 2 if place[1] == 1 else 0
        with pytest.raises(IndexError, match=rf"k\[:, {place[1]}\]"):
            module.forward(**wrong)
        with pytest.raises(InputError, match=rf"k\[:, {place[1]}\] holds"):
            derivation.evaluate(wrong)


def test_an_integer_input_less_one_is_a_position() -> None:
    def function(x: Any, n: Any) -> Any:
        return np.sum(np.sin(x[n - 1]) * x)

    module = generated(function, x="N K", n="int")
    for size in range(1, 5):
        rng = np.random.default_rng(size)
        for n in range(1, size + 1):
            agree(function, module, {"x": rng.normal(size=(size, 2)), "n": np.array(n)})
    with pytest.raises(IndexError, match="n must lie from 1 on, below N \\+ 1"):
        module.forward(np.ones((2, 2)), np.array(0))


def test_the_generated_module_checks_itself_with_such_labels() -> None:
    module = generated(_labelled(LABELS["counted from 1"][0]), x="N K", y="int N")
    assert symprop.check(module).passed
    module = generated(_labelled(LABELS["-1 is ignored"][0]), x="N K", y="int N")
    assert symprop.check(module).passed


def test_a_bracket_on_twice_a_float_is_no_claim_on_whole_numbers() -> None:
    """[2 x = 1] holds at x = 0.5, where the derivative of the branch is 1."""
    module = generated(lambda x: np.sum(np.where(2 * x == 1, 3 * x, x)), x="N")
    loss, saved = module.forward(np.array([0.5, 1.0]))
    assert loss == 2.5
    assert np.array_equal(module.backward(saved)["x"], [3.0, 1.0])


def test_an_index_squared_is_not_the_index() -> None:
    with pytest.raises(UnsupportedError, match="at the door"):
        symprop.trace(lambda x, y: np.sum(x[y * y]), shapes={"x": "N", "y": "int M"})


@pytest.mark.parametrize("function, wanted", [
    (lambda x: np.sum(np.delete(x, 1, axis=1) ** 2), ["K >= 2"]),
    (lambda x: np.sum(np.insert(x, 2, 0.5, axis=1) ** 2), ["K >= 2"]),
    (lambda x: np.sum(np.ravel(x[:, 2:]) ** 2), []),
    (lambda x: np.sum((x[:, 1:-1] * np.ones(1)).reshape(-1) ** 3), []),
], ids=["delete", "insert", "ravel", "stretched"])
def test_no_size_is_assumed_that_numpy_does_not_ask_for(
    function: Callable[..., Any], wanted: list[str]
) -> None:
    """Two sizes that are compared in passing, or beside a 1, put no condition on the axis."""
    system = symprop.trace(function, {"x": "N K"})
    assert [f"{_size(c.left)} >= {_size(c.right)}" for c in system.conditions] == wanted


def _size(size: Any) -> str:
    return size.single_atom.name if size.single_atom is not None else str(size.number)
