"""Arrays cut into parts, entries taken out and put in.

In: traced arrays and NumPy's arguments. Out: views, and for what is put in a joined array.
"""

from __future__ import annotations

import itertools
import operator
from typing import Any

import numpy as np

from symprop.algebra.build import ZERO, add, mul, number, sub
from symprop.algebra.canonical import normal
from symprop.errors import IndexRangeError, ShapeError, TraceError, UnsupportedError
from symprop.trace.coerce import as_traced
from symprop.trace.context import located
from symprop.trace.indexing_ops import getitem
from symprop.trace.joining import concatenate
from symprop.trace.registry import function, method
from symprop.trace.running import current
from symprop.trace.shapes_of import axis_tuple, new_axes, normal_axis, positions, shape_exprs
from symprop.trace.shaping import broadcast_to, ravel
from symprop.trace.tensor import Traced
from symprop.trace.text import size_text


@function("array_split")
def array_split(ary: Any, indices_or_sections: Any, axis: Any = 0) -> list[Traced]:
    """`split`, where an axis given as a number need not divide evenly."""
    array = as_traced(ary)
    size = array.sizes[normal_axis(axis, array.ndim, "array_split")].number
    if size is not None and isinstance(indices_or_sections, int):
        count = indices_or_sections
        short, long = divmod(int(size), count)
        indices_or_sections = [k * short + min(k, long) for k in range(1, count)]
    return split(array, indices_or_sections, axis)


@function("split")
def split(ary: Any, indices_or_sections: Any, axis: Any = 0) -> list[Traced]:
    """An array cut along an axis, into equal parts or at places."""
    array = as_traced(ary)
    (place,) = axis_tuple((axis,), array.ndim, "split")
    size = array.sizes[place]
    if isinstance(indices_or_sections, int):
        count = indices_or_sections
        part = current().exact_quotient(size, number(count))
        if size.number is not None and size.number % count:
            raise located(ShapeError, (
                f"split: axis {place} of size {size_text(size)} has no {count} equal parts"))
        cuts = [normal(mul(number(k), part)) for k in range(count + 1)]
    else:
        cuts = [ZERO, *shape_exprs(tuple(indices_or_sections), "split"), size]
    parts = []
    for start, end in itertools.pairwise(cuts):
        sizes = list(array.sizes)
        sizes[place] = current().size_normal(sub(end, start))
        axes = new_axes(sizes)
        at = positions(axes)
        at[place] = normal(add(start, at[place]))
        parts.append(array.view(axes, at))
    return parts


@function("hsplit")
def hsplit(ary: Any, indices_or_sections: Any) -> list[Traced]:
    """An array cut along its second axis."""
    return split(ary, indices_or_sections, 1 if as_traced(ary).ndim > 1 else 0)


@function("vsplit")
def vsplit(ary: Any, indices_or_sections: Any) -> list[Traced]:
    """An array cut along its first axis."""
    return split(ary, indices_or_sections, 0)


@function("dsplit")
def dsplit(ary: Any, indices_or_sections: Any) -> list[Traced]:
    """An array cut along its third axis."""
    return split(ary, indices_or_sections, 2)


@function("unstack")
def unstack(x: Any, /, *, axis: Any = 0) -> tuple[Traced, ...]:
    """The entries along an axis given as a number."""
    array = as_traced(x)
    place = normal_axis(axis, array.ndim, "unstack")
    size = array.shape[place]
    if not isinstance(size, int):
        raise located(TraceError, f"unstack: the axis {size} has no known number of entries")
    return tuple(getitem(array, (*[slice(None)] * place, k)) for k in range(size))


@function("delete")
def delete(arr: Any, obj: Any, axis: Any = None) -> Traced:
    """The array without one entry along an axis."""
    array, place, at = _entry(arr, obj, axis, "delete")
    before, after = _cut(array, place, at, at + 1)
    return concatenate([p for p in (before, after) if p is not None], place)


@function("insert")
def insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Traced:
    """The array with one entry more along an axis."""
    array, place, at = _entry(arr, obj, axis, "insert")
    shape = list(array.shape)
    del shape[place]
    new = broadcast_to(as_traced(values), tuple(shape))
    middle = getitem(new, (*[slice(None)] * place, None))
    before, after = _cut(array, place, at, at)
    return concatenate([p for p in (before, middle, after) if p is not None], place)


def _entry(arr: Any, obj: Any, axis: Any, what: str) -> tuple[Traced, int, int]:
    """(array, axis, position) of a single entry."""
    array = as_traced(arr)
    if axis is None:
        array, axis = ravel(array), 0
    try:
        return array, normal_axis(axis, array.ndim, what), operator.index(obj)
    except TypeError as error:
        raise located(UnsupportedError, (
            f"np.{what} is traced for one position, a plain integer: join slices by "
            "np.concatenate")) from error


def _cut(array: Traced, place: int, end: int, start: int) -> tuple[Traced | None, Traced | None]:
    """What stands before `end` and from `start` on, None where that is nothing."""
    lead = [slice(None)] * place
    size = array.sizes[place].number
    if size is not None and not -size <= end < size:
        raise located(IndexRangeError, f"position {end} is outside an axis of size {size}")
    if size is None:  # the entry that goes, or the place between two, is there
        current().at_least(array.sizes[place], number(max(-end, end + (start != end))))
    before = None if end == 0 or (size is not None and end == -size) else slice(None, end)
    last = (start == 0 and end < 0) or (size is not None and start == size)
    after = None if last else slice(start, None)
    return (None if before is None else getitem(array, (*lead, before)),
            None if after is None else getitem(array, (*lead, after)))


@function("compress")
@method("compress")
def compress(condition: Any, a: Any, axis: Any = None, out: Any = None) -> Traced:
    """The entries at which a plain array of truth values is true."""
    mask = _plain_mask(condition, "compress")
    array = as_traced(a)
    if axis is None:
        array, axis = ravel(array), 0
    place = normal_axis(axis, array.ndim, "compress")
    return getitem(array, (*[slice(None)] * place, np.flatnonzero(mask)))


@function("extract")
def extract(condition: Any, arr: Any) -> Traced:
    """The entries at which a plain array of truth values is true, in one axis."""
    return getitem(ravel(arr), np.flatnonzero(_plain_mask(condition, "extract")))


def _plain_mask(condition: Any, what: str) -> np.ndarray[Any, Any]:
    if isinstance(condition, Traced):
        raise located(TraceError, (
            f"np.{what} with a traced condition gives a shape that depends on the numbers: use "
            "np.where(condition, x, 0)"))
    return np.asarray(condition, bool).ravel()
