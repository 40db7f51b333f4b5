"""Square brackets, take, take_along_axis: reading at positions is a view, never an equation.

In: traced arrays and keys as NumPy takes them. Out: traced arrays whose body reads at affine
positions, or at the entries of an integer array; that such entries lie within the axis is noted
and tested at the door of the module.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symprop.algebra.build import ONE, ZERO, add, idx, iverson, mul, neg, number, sub
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Access, Apply, Expr, Index, Size, accesses, atoms
from symprop.algebra.integers import mod, most, nonnegative, within
from symprop.errors import DTypeError, IndexRangeError, ShapeError, TraceError, UnsupportedError
from symprop.trace.arithmetic import add as add_arrays
from symprop.trace.booleans import guarded, is_mask
from symprop.trace.coerce import as_traced
from symprop.trace.context import located, source_line
from symprop.trace.creation import listed
from symprop.trace.elementwise import named
from symprop.trace.entries import no_index, permitted
from symprop.trace.limits import ends_of, ranged
from symprop.trace.registry import function, method
from symprop.trace.running import current
from symprop.trace.shapes_of import (
    broadcast,
    from_end,
    new_axes,
    normal_axis,
    positions,
    steps_between,
)
from symprop.trace.sizes import offset, size_expr
from symprop.trace.tensor import Traced
from symprop.trace.text import size_text


@dataclass
class _Reading:
    """What a key has settled so far: result axes, positions, and index arrays with their axis."""

    axes: list[Index] = field(default_factory=list)
    at: list[Expr] = field(default_factory=list)
    arrays: list[tuple[int, Traced]] = field(default_factory=list)  # (axis of the source, array)
    # Where integers and index arrays stood: among the axes of the result, and in the key.
    places: list[int] = field(default_factory=list)
    items: list[int] = field(default_factory=list)


def getitem(array: Traced, key: Any) -> Traced:
    """array[key] with integers, slices, None, ..., integer arrays."""
    return array.view(*read(array, key if isinstance(key, tuple) else (key,)))


def read(array: Traced, key: tuple[Any, ...]) -> tuple[list[Index], list[Expr]]:
    """(the axes of array[key], the positions in the array that its entry reads)."""
    parts = _spelled_out(array, _without_masks(tuple(map(listed, key))))
    reading = _Reading()
    axis = 0
    for item, part in enumerate(parts):
        if part is None:
            reading.axes.append(Index("i", ONE))
            continue
        if part is Ellipsis:  # what stood on both sides of it is not together
            continue
        _read(array, axis, part, item, reading)
        axis += 1
    _place_arrays(reading)
    return reading.axes, reading.at


def _without_masks(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """Plain arrays of truth values as the places at which they are true."""
    found: list[Any] = []
    for part in key:
        if is_mask(part) and not isinstance(part, Traced):
            found.extend(np.nonzero(part))
        else:
            found.append(part)
    return tuple(found)


def _spelled_out(array: Traced, key: tuple[Any, ...]) -> list[Any]:
    """The key with one part for every axis: the ellipsis and missing axes become slices.

    An ellipsis that stands for no axis stays.
    """
    used = sum(1 for k in key if k is not None and k is not Ellipsis)
    if used > array.ndim:
        raise located(IndexRangeError, f"{used} indices are too many for {array.described()}")
    dots = [k for k, part in enumerate(key) if part is Ellipsis]
    if len(dots) > 1:
        raise located(IndexRangeError, "an index can hold only one ellipsis (...)")
    full: list[Any] = [slice(None)] * (array.ndim - used)
    if not dots:
        return [*key, *full]
    return [*key[:dots[0]], *(full or [Ellipsis]), *key[dots[0] + 1:]]


def _read(array: Traced, axis: int, part: Any, item: int, reading: _Reading) -> None:
    """One axis read by one part of the key."""
    size = array.sizes[axis]
    if isinstance(part, slice):
        index, position = _sliced(array, axis, part)
        reading.axes.append(index)
        reading.at.append(position)
        return
    whole = size_expr(part) if not isinstance(part, np.ndarray) else None
    # Among index arrays an integer is one of them: it says where their axes come to stand.
    reading.places.append(len(reading.axes))
    reading.items.append(item)
    if whole is not None and not (isinstance(part, Traced) and part.ndim):
        reading.at.append(_place(array, axis, whole))
        return
    positions_ = _index_array(array, axis, part)
    if positions_.kind == "int" and not positions_.ndim and positions_.body.number is not None:
        reading.at.append(_place(array, axis, positions_.body))
        return
    reading.arrays.append((axis, _checked_range(array, axis, positions_, size)))
    reading.at.append(ZERO)


def _index_array(array: Traced, axis: int, part: Any) -> Traced:
    if isinstance(part, bool | np.bool_) or not isinstance(
            part, Traced | np.ndarray | list | tuple | np.generic):
        raise located(TraceError, f"{part!r} cannot index {array.described()}")
    found = as_traced(_non_negative(array, axis, part))
    if found.kind == "bool":
        raise located(TraceError, (
            "a boolean mask as an index gives a shape that depends on the numbers: use "
            "np.where(mask, x, 0)"))
    if found.kind != "int":
        raise located(DTypeError, no_index(found))
    return found


def _non_negative(array: Traced, axis: int, part: Any) -> Any:
    """Plain positions counted from the end as positions from the start."""
    if isinstance(part, Traced):
        return part
    given = np.asarray(part)
    if isinstance(part, list | tuple) and not given.size:  # x[[]] reads nothing
        given = given.astype(int)
    size = array.sizes[axis].number
    if given.dtype.kind not in "iu" or not given.size:
        return given
    if size is not None:
        low, high = int(given.min()), int(given.max())
        if low < -size or high >= size:
            worst = low if low < -size else high
            raise located(IndexRangeError, (
                f"index {worst} is outside axis {axis} of {array.described()}"))
        named = isinstance(part, np.ndarray) and low >= 0  # the array itself, which has a name
        return part if named else np.where(given < 0, given + int(size), given)
    for end in (int(given.max()) + 1, -int(given.min())):
        current().at_least(array.sizes[axis], number(end))
    if (given < 0).all():
        last = Traced(array.tracer, (), array.sizes[axis], "int")
        return add_arrays(last, given)
    if (given < 0).any():
        constant = as_traced(given)
        return Traced(array.tracer, constant.axes, mod(constant.body, array.sizes[axis]), "int")
    return given


def _place(array: Traced, axis: int, whole: Expr) -> Expr:
    """One position on an axis; a negative one counts from the end."""
    size = array.sizes[axis]
    position = from_end(whole, size)
    left = current().size_normal(sub(size, add(position, ONE)))
    if any(n is not None and n < 0 for n in (position.number, left.number)):
        raise located(IndexRangeError, (
            f"index {size_text(whole)} is outside axis {axis} of {array.described()}"))
    current().at_least(position, ZERO)
    current().at_least(size, add(position, ONE))
    turns = current().turns
    counted = turns.value(position) if turns is not None and array.pieces else None
    return position if counted is None else number(counted)  # of what is written entry by entry


# ---- slices -------------------------------------------------------------------------------


def _sliced(array: Traced, axis: int, part: slice) -> tuple[Index, Expr]:
    """(the index of the result's axis, the position that it reads)."""
    size, turns = array.sizes[axis], current().turns
    if turns is not None:
        turns.grows((part.start, part.stop), source_line())
    step = 1 if part.step is None else part.step
    if not isinstance(step, int) or step == 0:
        raise located(TraceError, f"the step of a slice is {step!r}, not a whole number")
    ends = [None if e is None else _bound(e) for e in (part.start, part.stop)]
    if size.number is not None and all(e is None or e.number is not None for e in ends):
        return _plain_slice(int(size.number), part)
    if step < 0:  # from the start down to one above the stop
        top = sub(size, ONE) if ends[0] is None else from_end(ends[0], size)
        top = sub(size, ONE) if nonnegative(normal(sub(top, size))) else top
        bottom = number(-1) if ends[1] is None else from_end(ends[1], size)
        low, high = add(bottom, ONE), add(top, ONE)
    else:
        low = ZERO if ends[0] is None else from_end(ends[0], size)
        high = _clipped(size if ends[1] is None else from_end(ends[1], size), size)
    if nonnegative(normal(sub(low, high))):
        return new_axes([ZERO])[0], ZERO
    current().at_least(size, high)
    lowest = ends[0] if step > 0 else ends[1]
    if lowest is not None and not nonnegative(lowest):
        current().at_least(low, ZERO)
    count = steps_between(low, high, abs(step))
    if step > 0:  # what would end before it begins is empty
        count = current().size_normal(most(count, ZERO))
    else:
        current().at_least(high, low)
    (index,) = new_axes([count])
    first = low if step > 0 else sub(high, ONE)
    return index, normal(add(first, mul(number(step), idx(index))))


def _clipped(stop: Expr, size: Expr) -> Expr:
    """The end of a slice: what lies beyond the axis for certain ends with it."""
    return size if nonnegative(normal(sub(stop, size))) else stop


def _bound(value: Any) -> Expr:
    expr = size_expr(value)
    if expr is None:
        raise located(TraceError, (
            f"the end {value!r} of a slice is neither an integer nor the size of an axis"))
    return expr


def _plain_slice(size: int, part: slice) -> tuple[Index, Expr]:
    first, last = (
        None if e is None else int(_bound(e).number or 0) for e in (part.start, part.stop))
    start, stop, step = slice(first, last, part.step).indices(size)
    count = len(range(start, stop, step))
    (index,) = new_axes([number(count)])
    return index, normal(add(number(start), mul(number(step), idx(index))))


# ---- integer arrays -----------------------------------------------------------------------


def _place_arrays(reading: _Reading) -> None:
    """Puts the axes of the index arrays where NumPy puts them."""
    if not reading.arrays:
        return
    indices = [i for _, i in reading.arrays]
    shared = broadcast(indices, "integer arrays as an index")
    for axis, index in reading.arrays:
        reading.at[axis] = normal(index.aligned(shared))
    together = reading.items == list(range(reading.items[0], reading.items[-1] + 1))
    place = reading.places[0] if together else 0
    reading.axes[place:place] = shared


def _checked_range(array: Traced, axis: int, index: Traced, size: Expr) -> Traced:
    """The index array, its range noted or known. Raises UnsupportedError where it is neither."""
    body = current().size_normal(index.body)
    span = ranged(index)
    if not any(isinstance(a, Access) for a in atoms(span)):
        index = index if within(span, size) else _check_ends(array, axis, index, span)
        return _noted(index, size)
    offset: list[Expr] = []
    reads: list[Access] = []
    for term in body.terms:
        inner = [a for a, e in term.factors if isinstance(a, Access) and e == 1]
        if len(term.factors) == 1 and len(inner) == 1 and term.coef == 1 and not reads:
            reads.append(inner[0])
        elif any(not isinstance(a, Size) for a, _ in term.factors):
            return _provable(array, axis, index, size)
        else:
            offset.append(Expr((term,)))
    shift = add(*offset)
    if not reads or not nonnegative(shift):
        return _provable(array, axis, index, size)
    if reads[0].array in index.tracer.drafts:
        return _provable(array, axis, index, size)
    elif reads[0].array not in index.tracer.constants:
        index.tracer.index_range(reads, normal(sub(size, shift)))
    return index


def _noted(index: Traced, size: Expr) -> Traced:
    """Positions that lie in an axis, noted as an array's own where they are calculated from one."""
    if within(index.body, size) or all(
            a.array in index.tracer.constants for a in accesses(index.body)):
        return index
    index = index if isinstance(index.body.single_atom, Access) else named(index, "place")
    entry = index.body.single_atom
    assert isinstance(entry, Access)
    index.tracer.index_range([Access(entry.array, ())], size)
    return index


def _provable(array: Traced, axis: int, index: Traced, size: Expr) -> Traced:
    if within(index.body, size) or _is_rest(index.body, size):
        return index
    ends = permitted(index, size)
    if ends is not None:
        index.tracer.index_range(
            ends.read, normal(add(ends.high, ONE)), ends.low, ends.ignored)
        return _noted(index, size)
    raise located(UnsupportedError, (
        f"whether an index calculated from an integer array lies within axis {axis} of "
        f"{array.described()} cannot be tested at the door: pass the index itself as an input"))


def _is_rest(body: Expr, size: Expr) -> bool:
    atom = body.single_atom
    return isinstance(atom, Apply) and atom.function == "mod" and within(body, size)


def _check_ends(array: Traced, axis: int, index: Traced, span: Expr) -> Traced:
    """Positions that are index arithmetic: what is not known of their range becomes a test.

    Those that count from the end as well are taken by their remainder.
    """
    size = array.sizes[axis]
    low, high = ends_of(span)
    if low is None or high is None:  # a division: at its ends it is at the ends of its indices
        low = normal(index.at([ZERO] * index.ndim))
        high = normal(index.at([sub(a.size, ONE) for a in index.axes]))
    wraps = nonnegative(normal(neg(low))) and not low.is_zero
    for end in (low, high):
        value, limit = end.number, size.number
        if value is not None and limit is not None and not -limit <= value < limit:
            raise located(IndexRangeError, (
                f"index {size_text(end)} is outside axis {axis} of {array.described()}"))
    current().at_least(add(low, size) if wraps else low, ZERO)
    current().at_least(size, add(high, ONE))
    if not wraps:
        return index
    return Traced(index.tracer, index.axes, mod(index.body, size), "int")


@function("take")
@method("take")
def take(a: Any, indices: Any, axis: Any = None, out: Any = None, mode: Any = "raise") -> Traced:
    """Entries looked up along an axis."""
    array = as_traced(a)
    if out is not None or mode != "raise":
        raise located(UnsupportedError, "np.take is traced without out= and mode=")
    if axis is None:
        array, axis = array.ravel(), 0
    place = normal_axis(axis, array.ndim, "take")
    return getitem(array, (*[slice(None)] * place, indices))


@function("take_along_axis")
def take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Traced:
    """Entries looked up along an axis, at positions that vary with the other axes."""
    array, index = as_traced(arr), as_traced(indices)
    if axis is None:
        array, axis = array.ravel(), 0
    return array.view(*along(array, index, normal_axis(axis, array.ndim, "take_along_axis")))


def along(array: Traced, index: Traced, place: int) -> tuple[tuple[Index, ...], list[Expr]]:
    """(the axes of the entries at positions on one axis, the positions that they read)."""
    if index.ndim != array.ndim:
        raise located(ShapeError, (
            f"take_along_axis: {array.described()} and {index.described()} have not as many axes"))
    if index.kind != "int":
        raise located(DTypeError, no_index(index))
    rest = [Traced(array.tracer, [x if k != place else Index("i", ONE)
                                  for k, x in enumerate(array.axes)], ONE, "int"),
            index]
    axes = broadcast(rest, "take_along_axis")
    index = _checked_range(array, place, index, array.sizes[place])
    at = positions(axes)
    at[place] = normal(index.aligned(axes))
    return axes, at


def _triangle(lower: bool) -> Any:
    def keep(m: Any, k: Any = 0) -> Traced:
        array = as_traced(m)
        if array.ndim < 2:
            raise located(ShapeError, f"{array.described()} has no triangle")
        row, column = (idx(a) for a in array.axes[-2:])
        edge = normal(add(row, offset(k, "tril" if lower else "triu")))
        inside = iverson("<=", column, edge) if lower else iverson("<=", edge, column)
        body = guarded(inside, array.body)
        return Traced(array.tracer, array.axes, body, array.kind)

    keep.__doc__ = f"What lies on or {'below' if lower else 'above'} diagonal number k."
    return keep


for _name in ("tril", "triu"):
    function(_name)(_triangle(_name == "tril"))

