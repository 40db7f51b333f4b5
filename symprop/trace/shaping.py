"""Reshape and what repeats or joins arrays.

In: traced arrays and shapes. Out: views whose positions are index arithmetic (a // n, a % n),
and, for joined arrays, one equation of guarded pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symprop.algebra.build import ONE, ZERO, add, idx, mul
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Expr, Index
from symprop.algebra.integers import floordiv, mod
from symprop.errors import ShapeError, UnsupportedError
from symprop.trace.coerce import as_traced
from symprop.trace.context import located
from symprop.trace.elementwise import named
from symprop.trace.registry import METHODS, function, method
from symprop.trace.running import current
from symprop.trace.shapes_of import (
    broadcast,
    new_axes,
    normal_axis,
    positions,
    shape_exprs,
)
from symprop.trace.sizes import as_size, fits, same_size
from symprop.trace.tensor import Traced
from symprop.trace.text import shape_text, size_text


def _product(sizes: Sequence[Expr]) -> Expr:
    return current().size_normal(mul(ONE, *sizes))


@function("reshape")
def reshape(a: Any, shape: Any = None, order: Any = "C", **options: Any) -> Traced:
    """The same entries, row by row, under another shape; one size may be -1."""
    array = as_traced(a)
    if order == "F":  # the first axis runs fastest: as C, with all axes in reverse
        sizes = shape_exprs(options.get("newshape", shape), "reshape")
        turned = reshape(_reversed(array), tuple(as_size(s) for s in reversed(sizes)))
        return _reversed(turned)
    if order not in ("C", "A", "K"):
        raise located(UnsupportedError, f"reshape has no order {order!r}")
    sizes = _completed(array, shape_exprs(options.get("newshape", shape), "reshape"))
    axes = new_axes(sizes)
    at: list[Expr] = []
    for old, new in _groups(array.axes, axes):
        at.extend(_unravelled(_ravelled(new), [o.size for o in old]))
    return array.view(axes, at)


def _reversed(array: Traced) -> Traced:
    return Traced(array.tracer, array.axes[::-1], array.body, array.kind)


@method("reshape")
def _reshape_method(array: Traced, *shape: Any, **options: Any) -> Traced:
    """The same entries, row by row, under another shape; one size may be -1."""
    return reshape(array, shape[0] if len(shape) == 1 else shape, **options)


def _completed(array: Traced, sizes: list[Expr]) -> list[Expr]:
    """The sizes with -1 worked out. ShapeError where the number of entries does not fit."""
    total = _product(array.sizes)
    unknown = [k for k, s in enumerate(sizes) if s.number == -1]
    known = _product([s for s in sizes if s.number != -1])
    if len(unknown) > 1:
        raise located(ShapeError, "reshape: only one size can be -1")
    if unknown:
        if total.number is not None and known.number and total.number % known.number:
            raise _wrong_count(array, sizes)
        sizes[unknown[0]] = current().exact_quotient(total, known)
    elif not fits(total, known):
        raise _wrong_count(array, sizes)
    return sizes


def _wrong_count(array: Traced, sizes: Sequence[Expr]) -> Exception:
    asked = size_text(_product([s for s in sizes if s.number != -1]))
    relation = "not a multiple of" if any(s.number == -1 for s in sizes) else "not"
    return located(ShapeError, (
        f"{array.described()} cannot be reshaped to {shape_text(sizes)}: its "
        f"{size_text(_product(array.sizes))} entries are {relation} {asked}"))


Group = tuple[list[Index], list[Index]]


def _groups(old: Sequence[Index], new: Sequence[Index]) -> list[Group]:
    """The shortest runs of old and new axes with equal numbers of entries, from the left."""
    groups: list[Group] = []
    left, right = list(old), list(new)
    while left or right:
        mine, theirs = left[:1], right[:1]
        taken, given = 1 if left else 0, 1 if right else 0
        cut = _first_match(left, right)
        if cut is not None:
            taken, given = cut
            mine, theirs = left[:taken], right[:given]
        else:
            mine, theirs, taken, given = left, right, len(left), len(right)
        groups.append((mine, theirs))
        left, right = left[taken:], right[given:]
    return groups


def _first_match(left: Sequence[Index], right: Sequence[Index]) -> tuple[int, int] | None:
    for total in range(1, len(left) + len(right) + 1):
        for i in range(min(total, len(left)) + 1):
            j = total - i
            if j > len(right):
                continue
            if same_size(_product([x.size for x in left[:i]]),
                         _product([x.size for x in right[:j]])):
                return i, j
    return None


def _ravelled(axes: Sequence[Index]) -> Expr:
    """The number of an entry, counted row by row."""
    flat = ZERO
    for axis in axes:
        flat = add(mul(flat, axis.size), idx(axis)) if not flat.is_zero else idx(axis)
    return normal(flat)


def _unravelled(flat: Expr, sizes: Sequence[Expr]) -> list[Expr]:
    """The position whose number is `flat`."""
    found: list[Expr] = []
    for k, size in enumerate(sizes):
        stride = _product(sizes[k + 1:])
        if size == ONE:
            found.append(ZERO)
            continue
        whole = floordiv(flat, stride)
        leading = all(s == ONE for s in sizes[:k])
        found.append(whole if leading else mod(whole, size))
    return found


@function("ravel")
@method("ravel", "flatten")
def ravel(a: Any, order: Any = "C") -> Traced:
    """All entries in one axis."""
    return reshape(a, -1, order)


@function("broadcast_to")
def broadcast_to(array: Any, shape: Any, subok: Any = False) -> Traced:
    """The array repeated along new axes and along axes of size 1."""
    x = as_traced(array)
    axes = new_axes(shape_exprs(shape, "broadcast_to"))
    own = axes[len(axes) - x.ndim:] if len(axes) >= x.ndim else ()
    if len(own) != x.ndim or not all(
            s == ONE or same_size(s, o.size) for s, o in zip(x.sizes, own, strict=True)):
        raise located(ShapeError, (
            f"{x.described()} does not broadcast to {shape_text(a.size for a in axes)}"))
    return x.view(axes, positions(own))


@function("broadcast_arrays")
def broadcast_arrays(*arrays: Any, **options: Any) -> tuple[Traced, ...]:
    """Every array in the shape to which all broadcast."""
    from_all = [as_traced(a) for a in arrays]
    axes = broadcast(from_all, "broadcast_arrays")
    return tuple(Traced(a.tracer, axes, a.aligned(axes), a.kind) for a in from_all)


@function("tile")
def tile(A: Any, reps: Any) -> Traced:
    """The whole array repeated along its axes."""
    array = as_traced(A)
    counts = shape_exprs(reps, "tile")
    rank = max(array.ndim, len(counts))
    counts = [ONE] * (rank - len(counts)) + counts
    old = [ONE] * (rank - array.ndim) + list(array.sizes)
    axes = new_axes([current().size_normal(mul(s, c)) for s, c in zip(old, counts, strict=True)])
    at = [mod(idx(a), s) if s != ONE else ZERO for a, s in zip(axes, old, strict=True)]
    return named(array.view(axes, at[rank - array.ndim:]), "tile")


@function("repeat")
@method("repeat")
def repeat(a: Any, repeats: Any, axis: Any = None) -> Traced:
    """Every entry repeated along one axis."""
    array = as_traced(a)
    if axis is None:
        array, axis = ravel(array), 0
    place = normal_axis(axis, array.ndim, "repeat")
    counts = shape_exprs(repeats.tolist() if isinstance(repeats, np.ndarray) else repeats,
                         "repeat")
    if len(counts) != 1:
        return _repeated_apart(array, counts, place)
    sizes = list(array.sizes)
    sizes[place] = current().size_normal(mul(sizes[place], counts[0]))
    axes = new_axes(sizes)
    at = positions(axes)
    at[place] = floordiv(at[place], counts[0]) if array.sizes[place] != ONE else ZERO
    return named(array.view(axes, at), "repeat")  # a copy, of which windows can be views


def _repeated_apart(array: Traced, counts: Sequence[Expr], place: int) -> Traced:
    """Entries repeated by a number of their own each, along an axis given as a number."""
    numbers = [c.number for c in counts]
    if array.sizes[place].number != len(counts) or any(n is None for n in numbers):
        raise located(UnsupportedError, (
            "repeat is traced with one number of repeats, or with one for each entry of an axis "
            "given as a number"))
    places = [k for k, n in enumerate(numbers) for _ in range(int(n or 0))]
    return METHODS["__getitem__"](  # type: ignore[no-any-return]
        array, (*[slice(None)] * place, np.array(places)))
