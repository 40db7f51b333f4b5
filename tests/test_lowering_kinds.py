"""Gathers, zeros around, windows, flips and differences on one another, at sizes from 1 to 4.

The oracle is the user's own function in NumPy: its value, and central differences of it along a
random direction. Each module has been compared with its equations already, when it was generated.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

import symprop
from symprop.close.sizes import fitting, sets_of_sizes
from symprop.interpret import draw

Given = dict[str, Any]
Move = Callable[[Any, Given], Any]

# Moves on a matrix or a vector; one that does not fit raises, and another is taken.
MOVES: dict[str, Move] = {
    "gather rows": lambda v, g: v[g["rows"]],
    "gather twice": lambda v, g: v[g["pairs"]].sum(axis=1),
    "gather by two": lambda v, g: v[g["pairs"].T][0],
    "label": lambda v, g: v[np.arange(v.shape[0]), g["label"]],
    "along": lambda v, g: np.take_along_axis(v, g["label"][:, None], axis=1),
    "along one": lambda v, g: np.take_along_axis(v, g["label"][:, None], 1)[:, 0],
    "sorted": lambda v, g: np.take_along_axis(v, np.argsort(v, axis=0), axis=0),
    "pad": lambda v, g: np.pad(v, 1),
    "pad two": lambda v, g: np.pad(v, (2, 1)),
    "pad rows": lambda v, g: np.pad(v, ((0, 2), (1, 0))),
    "window": lambda v, g: sliding_window_view(v, 3, axis=-1) @ g["k"],
    "window first": lambda v, g: sliding_window_view(v, 2, axis=0) @ g["k"][:2],
    "windows": lambda v, g: (sliding_window_view(v, (2, 3)) * g["kk"]).sum(axis=(-1, -2)),
    "largest": lambda v, g: np.max(sliding_window_view(v, 2, axis=-1), axis=-1),
    "flip": lambda v, g: v[::-1],
    "flip last": lambda v, g: np.flip(v, -1),
    "diff": lambda v, g: np.diff(v, axis=0),
    "diff last": lambda v, g: np.diff(v, axis=-1),
    "tail": lambda v, g: v[1:],
    "head": lambda v, g: v[..., :-1],
    "every other": lambda v, g: v[::2],
    "pairs": lambda v, g: np.stack([v[..., :-1], v[..., 1:]], axis=-1) @ g["k"][:2],
    "first": lambda v, g: v[..., 0] + v[..., -1],
    "gate": lambda v, g: v * (v > 0),
    "joined": lambda v, g: np.concatenate([v, v[::-1]], axis=0),
    "sums": lambda v, g: np.cumsum(v, axis=0),
    "turned": lambda v, g: np.swapaxes(v, 0, 1),
    "centred": lambda v, g: v - v.mean(axis=0, keepdims=True),
    "twist": lambda v, g: np.sin(v) * 1.5,
}
SHAPES = {"x": "N M", "k": "3", "kk": "2 3", "rows": "int P", "pairs": "int P 2",
          "label": "int N"}
SIZES = (1, 2, 3, 4)


def function(moves: list[str]) -> Callable[..., Any]:
    """Σ sin of all moves, one after the other."""

    def loss(x: Any, k: Any, kk: Any, rows: Any, pairs: Any, label: Any) -> Any:
        value = np.tanh(x) + x
        given = {"k": k, "kk": kk, "rows": rows, "pairs": pairs, "label": label}
        for move in moves:
            value = MOVES[move](value, given)
        return np.sum(np.sin(value)) + np.sqrt(np.sum(value**2) + 1)

    return loss


def random_moves(seed: int) -> list[str] | None:
    """Two to four moves that fit at some sizes."""
    rng = random.Random(seed)
    for _ in range(60):
        moves = rng.sample(list(MOVES), rng.randint(2, 4))
        try:
            result = function(moves)(
                np.ones((5, 5)), np.ones(3), np.ones((2, 3)), np.zeros(5, int),
                np.zeros((5, 2), int), np.zeros(5, int))
        except (ValueError, IndexError):
            continue
        if np.isfinite(result):
            return moves
    return None


def check(seed: int) -> None:
    moves = random_moves(seed)
    assert moves is not None
    loss = function(moves)
    try:
        system = symprop.trace(loss, shapes=SHAPES, wrt=["x", "k", "kk"])
    except symprop.SympropError:
        return  # refused, which is no wrong value
    module = symprop.generate(system)
    rng = np.random.default_rng(seed)
    for _ in range(6):
        sizes = fitting(system, {n: rng.permutation(SIZES).tolist() for n in system.sizes})
        if sizes is None or max(sizes.values()) > 5:
            continue
        agree(loss, system, module, sizes, seed)


def agree(
    loss: Callable[..., Any], system: symprop.System, module: Any, sizes: dict[str, int], seed: int
) -> None:
    """The module's loss is the function's, its gradients are the function's slope."""
    inputs = draw(system, seed, sizes)[1]
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):  # means of nothing
        true = loss(**inputs)
        value, gradients = module.value_and_grad(**inputs)
        if not np.isfinite(true):
            return
        rng = np.random.default_rng(seed)
        way = {n: rng.standard_normal(np.shape(inputs[n])) for n in gradients}
        slope = along(loss, inputs, way)
    told = sum(np.sum(gradients[n] * way[n]) for n in way)
    assert abs(value - true) <= 1e-11 * (1 + abs(value)), sizes
    assert abs(told - slope) <= 1e-7 * (1 + abs(slope)), (sizes, told, slope)


def along(loss: Callable[..., Any], inputs: Given, way: Given) -> Any:
    """The slope of a function along a direction, by differences.

    A step may cross a tie of a sort, a maximum or a clip: of three steps those two are taken that
    agree best.
    """

    def moved(step: float) -> Any:
        return loss(**{n: a + step * way[n] if n in way else a for n, a in inputs.items()})

    def richardson(h: float) -> Any:
        wide, narrow = ((moved(s) - moved(-s)) / (2 * s) for s in (h, h / 2))
        return (4 * narrow - wide) / 3

    found = [richardson(h) for h in (1e-3, 1e-4, 1e-5)]
    return min(pairwise(found), key=lambda pair: abs(pair[1] - pair[0]))[0]


@pytest.mark.parametrize("seed", range(12))
def test_moves_on_one_another(seed: int) -> None:
    check(seed)


@pytest.mark.fuzz
@pytest.mark.parametrize("seed", range(12, 300))
def test_many_moves_on_one_another(seed: int) -> None:
    check(seed)


def padded_labels(x: "N M", y: "int N", k: "3") -> Any:
    """Zeros around a column that is read at another array's entries."""
    p = np.pad(x[np.arange(x.shape[0]), y], 1)
    return np.sum((sliding_window_view(p, 3) @ k) ** 2)


def padded_column(x: "7 5", y: "int 7") -> Any:
    """The same without a window."""
    r = np.take_along_axis(x, y[:, None], 1)[:, 0]
    return np.sum(np.sin(r)) + np.sum(np.pad(r, (2, 2)) ** 2)


def turned_windows(x: "N M", k: "2 3") -> Any:
    """A window of two axes, of which the first runs backwards."""
    return np.sum(np.sin((sliding_window_view(x[::-1], (2, 3)) * k).sum(axis=(-1, -2))))


def twice_turned_windows(x: "N M", k: "2 3") -> Any:
    """Both run backwards."""
    return np.sum(np.sin((sliding_window_view(x[::-1, ::-1], (2, 3)) * k).sum(axis=(-1, -2))))


def bags(m: "V", t: "int N W", y: "N") -> Any:
    """Values of one axis, scattered by an index of two."""
    return np.mean(np.logaddexp(0, -y * m[t].sum(axis=1)))


def squares(m: "V", t: "int N W") -> Any:
    """A scalar for every entry of an index of two axes."""
    return np.sum(m[t]) ** 2


def bags_of_rows(m: "V D", t: "int N W", w: "D") -> Any:
    """Values with a further axis, scattered by an index of two."""
    return np.sum(np.tanh(m[t].sum(axis=1) @ w))


def shared_rows(m: "V D", t: "int N W", w: "D") -> Any:
    """Values that have none of the index's axes."""
    return np.sum(m[t] * w)


def centred_pairs(m: "K", t: "int N 2", y: "int N") -> Any:
    """Values that lack the last axis of the index."""
    r = m[t]
    h = r - r.mean(axis=1, keepdims=True)
    return np.sum(np.sin(np.take_along_axis(h, (y % 2)[:, None], axis=1)))


def gated_difference(x: "M K") -> Any:
    """A difference of an axis of size 1 is empty."""
    s = np.tanh(x * (x > 0))
    return np.mean(s) + np.sqrt(np.sum(np.diff(s, axis=0) ** 2) + 1)


def second_difference(x: "M K") -> Any:
    s = np.tanh(x * (x > 0))
    return np.mean(s) + np.sqrt(np.sum(np.diff(s, n=2, axis=0) ** 2) + 1)


def sorted_pairs(u: "K K", w: "2", c: "K-1 M") -> Any:
    """A sum in brackets on stretches, beside a delta on a bound index."""
    q = np.take_along_axis(u, np.argsort(-u, axis=0), axis=0) * 1.5
    h = np.stack([q[..., :-1], q[..., 1:]], axis=-1) @ w
    return np.sqrt(np.sum((h @ c) ** 2) + 1) + np.mean(h[..., 0] ** 2)


KINDS = (padded_labels, padded_column, turned_windows, twice_turned_windows, bags, squares,
         bags_of_rows, shared_rows, centred_pairs, gated_difference, second_difference,
         sorted_pairs)


@pytest.mark.parametrize("kind", KINDS, ids=[f.__name__ for f in KINDS])
def test_kinds_that_were_wrong(kind: Callable[..., Any]) -> None:
    system = symprop.trace(kind)
    module = symprop.generate(system)
    for seed, sizes in enumerate(sets_of_sizes(system)):
        agree(kind, system, module, sizes, seed)
