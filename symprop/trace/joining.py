"""Arrays joined, and lists of arrays as arrays.

In: sequences of arrays. Out: one equation of guarded pieces, each behind the brackets of where
it lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symprop.algebra.build import ONE, ZERO, add, idx, iverson, mul, number, sub
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Expr, Index
from symprop.errors import ShapeError, TraceError
from symprop.trace.booleans import guarded
from symprop.trace.coerce import as_traced
from symprop.trace.context import located
from symprop.trace.elementwise import defined, result_kind
from symprop.trace.fillable import Fillable
from symprop.trace.registry import function
from symprop.trace.running import current
from symprop.trace.shapes_of import new_axes, normal_axis, positions
from symprop.trace.shaping import ravel
from symprop.trace.sizes import fits, same_size
from symprop.trace.tensor import Traced
from symprop.trace.views import astype, atleast_1d, atleast_2d, copy, expand_dims


@function("concatenate", "concat")
def concatenate(arrays: Any, axis: Any = 0, out: Any = None, **options: Any) -> Traced:
    """Arrays one after the other along an axis."""
    _no_out(out)
    parts = [as_traced(a) for a in arrays]
    if not parts:
        raise located(ShapeError, "concatenate: no arrays to join")
    if axis is None:
        parts, axis = [ravel(p) for p in parts], 0
    place = normal_axis(axis, parts[0].ndim, "concatenate")
    for part in parts[1:]:
        if part.ndim != parts[0].ndim or not all(
                k == place or fits(a, b)
                for k, (a, b) in enumerate(zip(part.sizes, parts[0].sizes, strict=True))):
            raise located(ShapeError, (
                f"concatenate: {parts[0].described()} and {part.described()} differ in more "
                f"than axis {place}"))
    if len(parts) == 1:
        return copy(parts[0])
    sizes = list(parts[0].sizes)
    sizes[place] = current().size_normal(add(*(p.sizes[place] for p in parts)))
    if all(p.sizes[place] == ONE for p in parts):
        sizes[place] = _count(parts)
    axes = new_axes(sizes)
    body = _pieces(parts, axes, place)
    return defined(body, axes, result_kind(parts), "concatenate")


def _no_out(out: Any) -> None:
    if out is not None:
        raise located(TraceError, "out= writes into an existing array, which cannot be traced")


def _pieces(parts: Sequence[Traced], axes: Sequence[Index], place: int) -> Expr:
    """Every part behind the brackets of where it lies."""
    pieces = []
    start: Expr = ZERO
    position = idx(axes[place])
    for number_, part in enumerate(parts):
        end = normal(add(start, part.sizes[place]))
        inside = ONE
        if number_:
            inside = mul(inside, iverson("<=", start, position))
        if number_ < len(parts) - 1:
            inside = mul(inside, iverson("<", position, end))
        at = positions(axes)
        at[place] = normal(sub(position, start))
        pieces.append(guarded(inside, part.at(at)))
        start = end
    return add(*pieces)


@function("stack")
def stack(arrays: Any, axis: Any = 0, out: Any = None, **options: Any) -> Traced:
    """Arrays of one shape along a new axis."""
    _no_out(out)
    parts = [as_traced(a) for a in arrays]
    if not parts:
        raise located(ShapeError, "stack: no arrays to join")
    _expect_one_shape("stack", parts)
    place = normal_axis(axis, parts[0].ndim + 1, "stack")
    own = new_axes(parts[0].sizes)
    (new,) = new_axes([_count(parts)])
    pieces = [guarded(iverson("==", idx(new), number(k)), p.at(positions(own)))
              for k, p in enumerate(parts)]
    axes = [*own[:place], new, *own[place:]]
    return defined(add(*pieces), axes, result_kind(parts), "stack")


def _count(parts: Sequence[Traced]) -> Expr:
    """How many arrays there are: as many as a named axis has entries, where a loop made them."""
    turns = current().turns
    if turns is None:
        return number(len(parts))
    if not any(p.body.arrays for p in parts):  # [2.0 ** -k for k in range(N)]
        return turns.counted(len(parts))
    return turns.length(len(parts), [current().turn_of(p.body) for p in parts])


@function("vstack")
def vstack(tup: Any, **options: Any) -> Traced:
    """Rows under one another."""
    parts = [as_traced(a) for a in tup]
    return concatenate([p if p.ndim > 1 else p.reshape(1, -1) for p in parts], 0)


@function("hstack")
def hstack(tup: Any, **options: Any) -> Traced:
    """Arrays side by side."""
    parts = [atleast_1d(a) for a in tup]
    return concatenate(parts, 0 if parts[0].ndim == 1 else 1)


@function("column_stack")
def column_stack(tup: Any) -> Traced:
    """Vectors as columns."""
    parts = [as_traced(a) for a in tup]
    return concatenate([p if p.ndim > 1 else p.reshape(-1, 1) for p in parts], 1)


@function("append")
def append(arr: Any, values: Any, axis: Any = None) -> Traced:
    """Two arrays one after the other."""
    return concatenate([arr, values], axis)


@function("dstack")
def dstack(tup: Any, **options: Any) -> Traced:
    """Arrays behind one another, along a third axis."""
    return concatenate([atleast_3d(a) for a in tup], 2)


@function("atleast_3d")
def atleast_3d(a: Any) -> Traced:
    """At least three axes: a vector lies in the middle one, a matrix in the first two."""
    array = as_traced(a)
    if array.ndim > 2:
        return array
    return expand_dims(atleast_2d(array), 2)


@function("block")
def block(arrays: Any) -> Traced:
    """Nested lists of blocks: the innermost list side by side, the next one under one another."""
    depth = _depth_of(arrays)
    rank = max(depth, *(as_traced(leaf).ndim for leaf in _leaves(arrays)))
    return _blocks(arrays, depth, rank)


def _depth_of(arrays: Any) -> int:
    return 1 + max(map(_depth_of, arrays)) if isinstance(arrays, list) else 0


def _leaves(arrays: Any) -> list[Any]:
    return [leaf for a in arrays for leaf in _leaves(a)] if isinstance(arrays, list) else [arrays]


def _blocks(arrays: Any, depth: int, rank: int) -> Traced:
    if not isinstance(arrays, list):
        array = as_traced(arrays)
        return expand_dims(array, tuple(range(rank - array.ndim))) if array.ndim < rank else array
    return concatenate([_blocks(a, depth - 1, rank) for a in arrays], rank - depth)


# ---- lists of arrays ----------------------------------------------------------------------


@function("asarray", "asanyarray", "ascontiguousarray", "asfortranarray")
def asarray(a: Any, dtype: Any = None, *args: Any, **options: Any) -> Traced:
    """An array as it is; a list of numbers and arrays of one shape as their stack."""
    found = of_list(a) if isinstance(a, list | tuple) else as_traced(a)
    found = found if dtype is None else astype(found, dtype)
    while found.ndim < (options.get("ndmin") or 0):
        found = expand_dims(found, 0)
    return found


@function("array")
def array(object: Any, dtype: Any = None, *args: Any, **options: Any) -> Traced:
    """The same as an array of its own."""
    return copy(asarray(object, dtype, *args, **options))


def of_list(items: Sequence[Any]) -> Traced:
    """A list, nested or not, as NumPy's conversion reads it: one equation."""
    shape, leaves = _nested(items)
    parts = [p for _, p in leaves]
    _expect_one_shape("np.array", parts)
    lead = new_axes([_count(parts), *map(number, shape[1:])] if len(shape) == 1
                    else list(map(number, shape)))
    own = new_axes(parts[0].sizes)
    pieces = [
        guarded(mul(ONE, *(iverson("==", idx(x), number(k)) for x, k in
                           zip(lead, place, strict=True))), part.at(positions(own)))
        for place, part in leaves]
    return defined(add(*pieces), [*lead, *own], result_kind(parts), "stack")


Leaf = tuple[tuple[int, ...], Traced]


def _nested(items: Sequence[Any]) -> tuple[tuple[int, ...], list[Leaf]]:
    """(the shape of nested lists, what stands in them with its place)."""
    if not items:
        raise located(ShapeError, "an empty list of arrays has no shape")
    shapes: set[tuple[int, ...]] = set()
    leaves: list[Leaf] = []
    for k, item in enumerate(items):
        inner: tuple[int, ...] = ()
        found: list[Leaf] = [((), as_traced(item))] if isinstance(item, Traced | Fillable) else []
        if isinstance(item, list | tuple):
            inner, found = _nested(item)
        elif not found:
            found = [((), as_traced(item))]
        shapes.add(inner)
        leaves += [((k, *place), leaf) for place, leaf in found]
    if len(shapes) > 1:
        raise located(ShapeError, "np.array: the lists in a list are not of one shape")
    return (len(items), *shapes.pop()), leaves


def _expect_one_shape(what: str, parts: Sequence[Traced]) -> None:
    for part in parts[1:]:
        if part.ndim != parts[0].ndim or not all(
                map(same_size, part.sizes, parts[0].sizes)):
            raise located(ShapeError, (
                f"{what}: {parts[0].described()} and {part.described()} differ in shape"))
