"""Arguments of layers: numbers for every axis, and shapes that must fit together.

In: what the user handed over. Out: tuples, or an error of one sentence that names the layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symprop.errors import InputError, ShapeError
from symprop.trace.context import located


def per_axis(value: Any, count: int, name: str, least: int = 1) -> tuple[int, ...]:
    """One whole number for every spatial axis. InputError for anything else."""
    given = tuple(value) if isinstance(value, tuple | list) else (value,) * count
    whole = all(isinstance(v, int | np.integer) and not isinstance(v, bool) for v in given)
    if len(given) == 1:
        given = given * count
    if len(given) != count or not whole or any(v < least for v in given):
        raise located(InputError, (
            f"{name} is one whole number or {count} of them, each at least {least}, "
            f"not {value!r}"))
    return given


def expect_rank(array: Any, ranks: Sequence[int], form: str, name: str) -> None:
    """Raises ShapeError unless an array has one of these numbers of axes."""
    if isinstance(array, tuple | dict):
        raise located(InputError, (
            f"{name} is a {type(array).__name__} of {len(array)}: hand its arrays over one by "
            "one"))
    if np.ndim(array) not in ranks:
        raise located(ShapeError, (
            f"{name} is of shape {form}, but has {np.ndim(array)} axes"))


def expect_size(array: Any, axis: int, size: Any, what: str, name: str) -> None:
    """Raises ShapeError unless an axis of `array` has that size."""
    found = np.shape(array)[axis]
    if found != size:
        raise located(ShapeError, f"{name} has size {found} on axis {axis}, but {what} is {size}")


def expect_vector(array: Any, size: Any, what: str, name: str) -> None:
    """Raises ShapeError unless `array` is absent or a vector of that size."""
    if array is not None:
        expect_rank(array, (1,), "(size,)", name)
        expect_size(array, 0, size, what, name)


def expect_divides(divisor: Any, size: Any, what: str, name: str) -> None:
    """Raises ShapeError unless `divisor` divides a size (a symbolic one is tested at the door)."""
    if size % divisor != 0:
        raise located(ShapeError, f"{name} is {divisor}, which does not divide {what}, {size}")


def is_one(size: Any) -> bool:
    """Whether a size or a number is 1; a named axis is not, whatever its size will be."""
    return isinstance(size, int | np.integer) and int(size) == 1


def along(vector: Any, axis: int, rank: int) -> Any:
    """A vector to be broadcast along `axis` of an array of `rank` axes."""
    places = tuple(k for k in range(rank) if k != axis % rank)
    return np.expand_dims(vector, places) if places else vector
