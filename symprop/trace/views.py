"""Views: transposes, new axes, diagonals, flips, windows, padding. None makes an equation.

In: traced arrays and NumPy's arguments. Out: traced arrays with the same body at other
positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symprop.algebra.build import ONE, ZERO, add, idx, iverson, mul, neg, sub
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Expr, Index
from symprop.algebra.integers import guard, mod, most
from symprop.errors import ShapeError, TraceError, UnsupportedError
from symprop.trace.booleans import as_condition, guarded
from symprop.trace.coerce import as_traced
from symprop.trace.context import located
from symprop.trace.elementwise import row
from symprop.trace.registry import attribute, function, method
from symprop.trace.running import current
from symprop.trace.shapes_of import axis_tuple, new_axes, normal_axis, positions, shape_exprs
from symprop.trace.sizes import offset as offset_of
from symprop.trace.sizes import same_size
from symprop.trace.tensor import Traced
from symprop.trace.text import size_text

Pad = tuple[Expr, Expr]


def permuted(array: Traced, order: Sequence[int]) -> Traced:
    """The array with its axes in another order."""
    return Traced(array.tracer, [array.axes[k] for k in order], array.body, array.kind)


@function("transpose")
def transpose(a: Any, axes: Any = None) -> Traced:
    """The axes in reverse, or in the order that `axes` says."""
    array = as_traced(a)
    if axes is None:
        return permuted(array, range(array.ndim)[::-1])
    order = axis_tuple(tuple(axes), array.ndim, "transpose")
    if len(order) != array.ndim:
        raise located(ShapeError, f"transpose: {axes} does not name all {array.ndim} axes")
    return permuted(array, order)


@method("transpose")
def _transpose_method(array: Traced, *axes: Any) -> Traced:
    """The axes in reverse, or in the order given."""
    given = axes[0] if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], tuple | list)) \
        else axes or None
    return transpose(array, given)


attribute("T")(transpose)


@attribute("mT")
@function("matrix_transpose", "linalg.matrix_transpose")
def matrix_transpose(a: Any) -> Traced:
    """The last two axes exchanged."""
    return swapaxes(a, -1, -2)


@function("swapaxes")
@method("swapaxes")
def swapaxes(a: Any, axis1: Any, axis2: Any) -> Traced:
    """Two axes exchanged."""
    array = as_traced(a)
    i, j = (normal_axis(x, array.ndim, "swapaxes") for x in (axis1, axis2))
    order = list(range(array.ndim))
    order[i], order[j] = j, i
    return permuted(array, order)


@function("moveaxis")
def moveaxis(a: Any, source: Any, destination: Any) -> Traced:
    """Axes moved to other places, the others in their order."""
    array = as_traced(a)
    origin = axis_tuple(source, array.ndim, "moveaxis")
    target = axis_tuple(destination, array.ndim, "moveaxis")
    if len(origin) != len(target):
        raise located(ShapeError, "moveaxis: source and destination are not of one length")
    order = [k for k in range(array.ndim) if k not in origin]
    for place, axis in sorted(zip(target, origin, strict=True)):
        order.insert(place, axis)
    return permuted(array, order)


@function("rollaxis")
def rollaxis(a: Any, axis: Any, start: Any = 0) -> Traced:
    """One axis moved before another."""
    array = as_traced(a)
    place = normal_axis(axis, array.ndim, "rollaxis")
    end = start + array.ndim if start < 0 else start
    return moveaxis(array, place, end - 1 if place < end else end)


@function("expand_dims")
def expand_dims(a: Any, axis: Any) -> Traced:
    """New axes of size 1."""
    array = as_traced(a)
    count = len(axis) if isinstance(axis, tuple | list) else 1
    places = axis_tuple(axis, array.ndim + count, "expand_dims")
    old = iter(array.axes)
    axes = [Index("i", ONE) if k in places else next(old) for k in range(array.ndim + count)]
    return Traced(array.tracer, axes, array.body, array.kind)


@function("squeeze")
@method("squeeze")
def squeeze(a: Any, axis: Any = None) -> Traced:
    """Axes of size 1 taken away."""
    array = as_traced(a)
    if axis is None:
        gone = tuple(k for k, s in enumerate(array.sizes) if s == ONE)
    else:
        gone = axis_tuple(axis, array.ndim, "squeeze")
    for k in gone:
        if array.sizes[k] != ONE:
            raise located(ShapeError, (
                f"squeeze: axis {k} of {array.described()} is not of size 1"))
    kept = [x for k, x in enumerate(array.axes) if k not in gone]
    return Traced(array.tracer, kept, array.body, array.kind)


@function("atleast_1d")
def atleast_1d(a: Any) -> Traced:
    """A scalar with one axis."""
    array = as_traced(a)
    return array if array.ndim else expand_dims(array, 0)


@function("atleast_2d")
def atleast_2d(a: Any) -> Traced:
    """A vector as one row."""
    array = atleast_1d(a)
    return array if array.ndim > 1 else expand_dims(array, 0)


@function("diagonal", "linalg.diagonal")
@method("diagonal")
def diagonal(a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Traced:
    """The entries at equal positions of two axes, as the last axis."""
    array = as_traced(a)
    i, j = (normal_axis(x, array.ndim, "diagonal") for x in (axis1, axis2))
    rows, columns = array.sizes[i], array.sizes[j]
    down, up = _apart(offset_of(offset, "diagonal"))
    if not same_size(rows, columns):
        rows, columns = _known_sizes(array, i, j)
    rows, columns = normal(sub(rows, down)), normal(sub(columns, up))
    if rows.number is not None and columns.number is not None:
        size = min(rows, columns, key=lambda e: e.number or 0)
    else:  # a square: the shift takes as much away as it moves
        size = rows if up.is_zero else columns if down.is_zero else sub(columns, down)
        current().at_least(size, ONE)
    (axis,) = new_axes([normal(size)])
    kept = [x for k, x in enumerate(array.axes) if k not in (i, j)]
    places = iter(positions(kept))
    at = [next(places) if k not in (i, j) else ZERO for k in range(array.ndim)]
    at[i], at[j] = (normal(add(idx(axis), s)) for s in (down, up))
    return array.view([*kept, axis], at)


def _apart(shift: Expr) -> Pad:
    """(how far below the main diagonal, how far above it)."""
    return most(normal(neg(shift)), ZERO), most(shift, ZERO)


def _known_sizes(array: Traced, i: int, j: int) -> Pad:
    rows, columns = array.sizes[i], array.sizes[j]
    if rows.number is None or columns.number is None:
        raise located(ShapeError, (
            f"diagonal: axes {i} and {j} of {array.described()} are not known to be equal"))
    return rows, columns


@function("diag")
def diag(v: Any, k: Any = 0) -> Traced:
    """The diagonal of a matrix, or a matrix with a given diagonal."""
    array = as_traced(v)
    if array.ndim == 2:
        return diagonal(array, k)
    if array.ndim != 1:
        raise located(ShapeError, f"diag: {array.described()} is neither vector nor matrix")
    apart = _apart(offset_of(k, "diag"))
    size = normal(add(array.sizes[0], *apart))
    axes = new_axes([size, size])
    row, column = (normal(sub(idx(a), s)) for a, s in zip(axes, apart, strict=True))
    inside = _product(guard(row, array.sizes[0]) + guard(column, array.sizes[0]))
    on = mul(iverson("==", row, column), inside)
    return Traced(array.tracer, axes, guarded(on, array.at([row])), array.kind)


def _product(brackets: Sequence[Expr]) -> Expr:
    return mul(ONE, *brackets)


@function("flip")
def flip(m: Any, axis: Any = None) -> Traced:
    """The order along axes reversed."""
    array = as_traced(m)
    places = axis_tuple(axis, array.ndim, "flip")
    at = [normal(sub(sub(a.size, ONE), idx(a))) if k in places else idx(a)
          for k, a in enumerate(array.axes)]
    return array.view(array.axes, at)


@function("flipud")
def flipud(m: Any) -> Traced:
    """The first axis reversed."""
    return flip(m, 0)


@function("fliplr")
def fliplr(m: Any) -> Traced:
    """The second axis reversed."""
    return flip(m, 1)


@function("roll")
def roll(a: Any, shift: Any, axis: Any = None) -> Traced:
    """The entries moved along an axis, those that fall out put in at the other end."""
    array = as_traced(a)
    if axis is None:
        if array.ndim != 1:
            flat = roll(array.ravel(), shift, 0)
            return flat.reshape(array.shape)  # type: ignore[no-any-return]
        axis = 0
    shifts = shift if isinstance(shift, tuple | list) else (shift,)
    places = axis_tuple(axis, array.ndim, "roll")
    if len(shifts) == 1:
        shifts = tuple(shifts) * len(places)
    at = positions(array.axes)
    for k, by in zip(places, shifts, strict=True):
        (moved,) = shape_exprs(by, "roll")
        at[k] = mod(normal(sub(at[k], moved)), array.sizes[k])
    return array.view(array.axes, at)


@function("lib.stride_tricks.sliding_window_view")
def sliding_window_view(x: Any, window_shape: Any, axis: Any = None, **options: Any) -> Traced:
    """Every window of given sizes, as new last axes."""
    array = as_traced(x)
    windows = shape_exprs(window_shape, "sliding_window_view")
    places = axis_tuple(axis, array.ndim, "sliding_window_view")
    if len(places) != len(windows):
        raise located(ShapeError, "sliding_window_view: one window size for each axis, please")
    sizes = list(array.sizes)
    for k, window in zip(places, windows, strict=True):
        if window.number is not None and window.number < 1:
            raise located(ShapeError, f"a window of {size_text(window)} entries")
        current().at_least(sizes[k], window)
        sizes[k] = current().size_normal(add(sub(sizes[k], window), ONE))
        if sizes[k].number is not None and sizes[k].number <= 0:  # type: ignore[operator]
            raise located(ShapeError, f"a window of {size_text(window)} is longer than axis {k}")
    outer, inner = new_axes(sizes), new_axes(windows)
    at = positions(outer)
    for k, index in zip(places, inner, strict=True):
        at[k] = add(at[k], idx(index))
    return array.view([*outer, *inner], at)


@method("view")
def _view_method(array: Traced, *args: Any) -> Traced:
    """The array itself; of no other dtype."""
    if args:
        raise located(UnsupportedError, "x.view(dtype) reads the bits of numbers as others: for "
                                           "another shape use x.reshape(...)")
    return array


@method("copy", "conj", "conjugate")
@function("copy")
def copy(a: Any, *args: Any, **options: Any) -> Traced:
    """The same entries in an array of its own, that writes into the other do not reach."""
    array = as_traced(a)
    return Traced(array.tracer, array.axes, array.body, array.kind)


@function("real")
def real(a: Any) -> Traced:
    """The array itself."""
    return as_traced(a)


@function("shape")
def shape_of(a: Any) -> tuple[Any, ...]:
    """The sizes of the axes."""
    return as_traced(a).shape


@function("ndim")
def ndim(a: Any) -> int:
    """The number of axes."""
    return as_traced(a).ndim


@function("size")
def size_of(a: Any, axis: Any = None) -> Any:
    """The number of entries, or the size of one axis."""
    array = as_traced(a)
    return array.size if axis is None else array.shape[normal_axis(axis, array.ndim, "size")]


@method("astype")
def astype(array: Traced, dtype: Any, *args: Any, **options: Any) -> Traced:
    """Another kind of number; every width of float computes as the inputs do."""
    kind = {"f": "float", "i": "int", "u": "int", "b": "bool"}.get(np.dtype(dtype).kind)
    if kind is None:
        raise located(TraceError, f"astype({dtype!r}): symprop computes with real numbers")
    if kind == array.kind or kind == "float" or (kind == "int" and array.kind == "bool"):
        return Traced(array.tracer, array.axes, array.body, kind)
    if kind == "bool":
        return as_condition(array)
    return _whole(array)


def _whole(array: Traced) -> Traced:
    """The whole part of floats as integers: piecewise constant, with the derivative 0."""
    draft = array.draft
    is_whole = draft is not None and draft.op in ("floor", "ceil", "trunc", "rint")
    found = array if is_whole else row("trunc", array)
    body, _ = array.tracer.define(found.body, found.axes, "int", "whole", force=True)
    return Traced(array.tracer, found.axes, body, "int")


@attribute("real")
def _real(array: Traced) -> Traced:
    """The array itself."""
    return array
