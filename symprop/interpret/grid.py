"""Grids of index values: axes, masks, products and sums on them.

In: NumPy arrays with one axis for each index of a `Frame` (length 1 where the value does not
depend on it), or plain numbers. Out: the same kind. A mask of None is true everywhere.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from symprop.algebra.expr import Expr, Index
from symprop.errors import InputError, UnsupportedError

Positions = Mapping[Index, np.ndarray[Any, Any]]  # rising values, where not all are wanted
Value = Any  # an array with one axis for each index of its frame, or a number

# Entries of what a contraction may keep between two of its factors; without room for them NumPy
# takes all factors at once, entry by entry.
_WIDEST = 2**25


class Frame:
    """The axes of a grid: the `place` of each index (of equal ones the innermost), the lengths.

    at: the rising positions that the grid has along an axis, where these are not all.
    """

    __slots__ = ("at", "place", "shape")

    def __init__(
        self, axes: Sequence[tuple[Index, int]] = (),
        at: Positions | None = None,
    ) -> None:
        self.place = {index: k for k, (index, _) in enumerate(axes)}
        self.at = {self.place[i]: found for i, found in at.items()} if at else {}
        self.shape = tuple([len(self.at[k]) if k in self.at else n
                            for k, (_, n) in enumerate(axes)])

    def extended(self, more: Sequence[tuple[Index, int]]) -> Frame:
        """The grid with further axes at the end."""
        wider, outer = Frame(more), len(self.shape)
        wider.place = {**self.place, **{index: outer + k for index, k in wider.place.items()}}
        wider.shape = self.shape + wider.shape
        wider.at = self.at
        return wider

    def axis(self, index: Index) -> int:
        """The axis of an index."""
        try:
            return self.place[index]
        except KeyError:
            raise InputError(f"the index {index!r} is bound by no sum and no equation") from None

    def arange(self, index: Index) -> Value:
        """The values of an index along its axis."""
        axis = self.axis(index)
        shape = [1] * len(self.shape)
        shape[axis] = self.shape[axis]
        values = self.at[axis] if axis in self.at else np.arange(shape[axis])
        return values.reshape(shape)


def view(array: np.ndarray[Any, Any], indices: tuple[Expr, ...], frame: Frame) -> Value:
    """The array itself, turned, where each position is an index that spans the axis; or None."""
    axes: list[int] = []
    shape = [1] * len(frame.shape)
    for index, length in zip(indices, array.shape, strict=True):
        single = index.single_index
        if single is None:
            return None
        axis = frame.axis(single)
        if frame.shape[axis] != length or axis in axes or axis in frame.at:
            return None
        axes.append(axis)
        shape[axis] = length
    if axes != sorted(axes):
        array = array.transpose(sorted(range(len(axes)), key=axes.__getitem__))
    return array if len(axes) == len(shape) else array.reshape(shape)


def both(left: Value, right: Value) -> Value:
    """The conjunction of two masks, of which None is true everywhere."""
    if left is None or right is None:
        return right if left is None else left
    return left & right


def lifted(live: Value, more: int) -> Value:
    """A mask on a grid with further axes."""
    return live if live is None or not more else np.reshape(live, (*np.shape(live), *[1] * more))


def integral(found: Value) -> bool:
    return np.asarray(found).dtype.kind in "iub"


def whole(found: Value) -> Value:
    """Positions as integers. Raises UnsupportedError where they are none."""
    if integral(found):
        return found
    rounded = np.rint(np.real(found))
    if not np.allclose(rounded, found, rtol=0, atol=1e-9):
        raise UnsupportedError("a position is not a whole number")
    return rounded.astype(int)


def full(found: Value, frame: Frame, outer: int) -> Value:
    """The value with full length along the axes that `frame` has beyond `outer`."""
    found = np.asarray(found)
    have = found.shape[:outer] if found.ndim else (1,) * outer
    return np.broadcast_to(found, (*have, *frame.shape[outer:]))


def product(values: Sequence[Value]) -> Value:
    """The product of factors, from left to right."""
    result = values[0]
    multiply = times if any(map(_is_complex, values)) else operator.mul
    for factor in values[1:]:
        result = multiply(result, factor)
    return result


def times(left: Value, right: Value) -> Value:
    """The product; of a real and a complex number by parts, so that -inf keeps its real kind."""
    turned = _is_complex(left)
    if turned == _is_complex(right):
        return left * right
    if turned:
        left, right = right, left
    return left * np.real(right) + 1j * (left * np.imag(right))


def _is_complex(found: Value) -> bool:
    dtype = getattr(found, "dtype", None)  # np.iscomplexobj takes ten times as long
    return isinstance(found, complex) if dtype is None else dtype.kind == "c"


def summed(product: Value, frame: Frame, outer: int) -> Value:
    """The sum over the axes beyond `outer`; a constant axis counts as often as it is long."""
    if len(frame.shape) == outer:
        return product
    if np.ndim(product) == 0:
        return product * math.prod(frame.shape[outer:])
    axes = range(outer, len(frame.shape))
    times = math.prod(frame.shape[k] for k in axes if product.shape[k] != frame.shape[k])
    total = product.sum(axis=tuple(axes))
    return total * times if times != 1 else total


def contracted(
    factors: list[Value], brackets: list[np.ndarray[Any, Any]], frame: Frame, outer: int
) -> Value:
    """The sum of a large product by NumPy's planned contraction; None where that is unsafe.

    A bracket's 0 counts against an infinity. Without brackets an infinity gives one, or nan, in
    any order; which of the two is only looked into where there is room for it.
    """
    narrow = brackets or math.prod(frame.shape) <= _WIDEST
    if narrow and not all(np.all(np.isfinite(v)) for v in factors):
        return None
    whole = all(np.asarray(v).dtype.kind in "iub" for v in factors)  # positions are counted so
    values = [*factors, *(b.astype(float) for b in brackets)]
    operands: list[Any] = []
    used: set[int] = set()
    for factor in values:
        array = np.asarray(factor)
        axes = [k for k, n in enumerate(array.shape) if n != 1]
        used.update(axes)
        operands += [array.reshape([array.shape[k] for k in axes]), axes]
    kept = [k for k in range(outer) if k in used]
    total = np.einsum(*operands, kept, optimize=_path(
        tuple(o.shape for o in operands[::2]), tuple(map(tuple, operands[1::2])), tuple(kept)))
    shape = [frame.shape[k] if k in kept else 1 for k in range(outer)]
    times = math.prod(n for k, n in enumerate(frame.shape) if k >= outer and k not in used)
    total = total.reshape(shape) * times
    return np.rint(total).astype(int) if whole else total


@cache
def _path(
    shapes: tuple[tuple[int, ...], ...], axes: tuple[tuple[int, ...], ...], kept: tuple[int, ...]
) -> list[Any]:
    """The plan of a contraction, which depends on shapes alone."""
    operands: list[Any] = []
    for shape, labels in zip(shapes, axes, strict=True):
        operands += [np.broadcast_to(0.0, shape), list(labels)]
    path: list[Any] = np.einsum_path(*operands, list(kept), optimize=("greedy", _WIDEST))[0]
    return path
