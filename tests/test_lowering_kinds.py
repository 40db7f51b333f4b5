"""Gathers, zeros around, windows, flips and differences on one another, at sizes from 1 to 4.

The oracle is the user's own function in NumPy: its value, and central differences of it along a
random direction. Each module has been compared with its equations already, when it was generated.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

import symprop
from symprop.close.sizes import fitting
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
        inputs = draw(system, seed, sizes)[1]
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            true = loss(**inputs)
        if not np.isfinite(true):
            continue  # a mean of nothing
        value, gradients = module.value_and_grad(**inputs)
        assert abs(value - true) <= 1e-11 * (1 + abs(value)), (moves, sizes)
        way = {n: rng.standard_normal(np.shape(inputs[n])) for n in gradients}

        def along(step: float, inputs: Any = inputs, way: Any = way) -> Any:
            return loss(**{n: a + step * way[n] if n in way else a for n, a in inputs.items()})

        h = 1e-3
        wide, narrow = ((along(s) - along(-s)) / (2 * s) for s in (h, h / 2))
        slope = (4 * narrow - wide) / 3
        told = sum(np.sum(gradients[n] * way[n]) for n in way)
        assert abs(told - slope) <= 1e-7 * (1 + abs(slope)), (moves, sizes, told, slope)


@pytest.mark.parametrize("seed", range(12))
def test_moves_on_one_another(seed: int) -> None:
    check(seed)


@pytest.mark.fuzz
@pytest.mark.parametrize("seed", range(12, 300))
def test_many_moves_on_one_another(seed: int) -> None:
    check(seed)
