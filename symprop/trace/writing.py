"""Writes in place: the array has another body from then on, for every name that holds it.

In: a traced array, a key as NumPy takes it, a value. Out: the same array with

    x += y, out=x              another equation, x_2
    x[i, j] = v                x_2[p, q] = [p = i] [q = j] v + [p ≠ i or q ≠ j] x[p, q]
    x[x < 0] = v               x_2 = where(x < 0, v, x)
    np.add.at(x, k, v)         x_2[p] = x[p] + Σ_n [k[n] = p] v[n]

What is written into zeros piece by piece becomes one equation when it is read as a whole. A view
that was taken before is not written along: the comparison with the function itself finds whether
anything has read it since.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symprop.algebra.build import (
    ONE,
    ZERO,
    add,
    atom,
    idx,
    iverson,
    mul,
    neg,
    negation,
    sub,
    substitute,
    sum_over,
)
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Expr, Index, Iverson, Term, accesses, free_indices
from symprop.algebra.integers import coefficient, exclude, floordiv, guard, mod
from symprop.errors import DTypeError, ShapeError, TraceError
from symprop.trace.arithmetic import negative
from symprop.trace.booleans import as_condition, guarded, is_mask, opposite
from symprop.trace.booleans import where as choose
from symprop.trace.choices import any_
from symprop.trace.coerce import as_traced
from symprop.trace.context import located, source_line
from symprop.trace.elementwise import defined
from symprop.trace.fillable import Fillable, is_symbolic
from symprop.trace.indexing_ops import along, read
from symprop.trace.ordering import sort
from symprop.trace.registry import function, method, ufunc
from symprop.trace.running import current
from symprop.trace.selected import Selected, spread
from symprop.trace.shapes_of import broadcast, new_axes, normal_axis, positions, shape_exprs
from symprop.trace.sizes import same_size
from symprop.trace.tensor import Traced, settled
from symprop.trace.text import shape_text

_MOST_PIECES = 64  # written into one array before they become an equation
_MOST_IN_TURNS = 1024  # the same in loops over named axes, of which few are left


# ---- whole arrays ---------------------------------------------------------------------------


@method("__become__")
def become(target: Any, value: Any) -> Any:
    """What x += y leaves: an array of the same shape and kind with other entries.

    A scalar is a number, which other names keep.
    """
    new = as_traced(value)
    if isinstance(target, Traced) and not target.ndim and not new.ndim and not target.is_input:
        return _of_kind(new, target)
    array = _target(target, "x = x + y")
    if new.ndim > array.ndim:
        raise _misfit(array, new)
    array.body, array.pieces = _fitting(array, new, array.axes), False
    return target


def _target(target: Any, instead: str) -> Traced:
    """The traced array behind what is written into."""
    array = target.writable() if isinstance(target, Fillable) else target
    if not isinstance(array, Traced):
        raise located(TraceError, (
            "a traced value is written into a plain array that was not made in the function: "
            "begin with a copy of it, x = x.copy()"))
    if array.is_input:
        raise located(TraceError, (
            f"{array.described()} is an argument, and writing into it would change it for the "
            f"caller: write into a copy, x = x.copy(), or build a new array, as in {instead}"))
    array.tracer.written.append(source_line())
    return array


def _of_kind(value: Traced, target: Traced) -> Traced:
    """The value as NumPy's same-kind casting puts it into the target."""
    order = ("bool", "int", "float")
    if order.index(value.kind) > order.index(target.kind):
        raise located(DTypeError, (
            f"{value.described()} holds numbers of kind {value.kind}, and is written into "
            f"{target.described()} of kind {target.kind}: make that one an array of floats"))
    return Traced(value.tracer, value.axes, value.body, target.kind)


def _fitting(target: Traced, value: Traced, axes: Sequence[Index]) -> Expr:
    """The entry of a value over axes to which it must broadcast."""
    value = _of_kind(value, target)
    while value.ndim > len(axes) and value.sizes[0] == ONE:
        value = Traced(value.tracer, value.axes[1:], value.body, value.kind)
    there = Traced(target.tracer, axes, ONE, target.kind)
    if value.ndim > len(axes):
        raise _misfit(there, value)
    for one, both in zip(axes, broadcast((there, value), "a write in place"), strict=True):
        if not same_size(one.size, both.size):
            raise _misfit(there, value)
    return value.aligned(axes)


def _misfit(there: Traced, value: Traced) -> Exception:
    return located(ShapeError, (
        f"{value.described()} is written to a place of shape {shape_text(there.sizes)}, to which "
        "it does not broadcast"))


@method("fill")
def fill(array: Traced, value: Any) -> None:
    """One number everywhere."""
    setitem(array, (Ellipsis,), value)


@function("copyto")
def copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    """The entries of another array, where a condition holds."""
    become(dst, choose(where, src, as_traced(dst)))


@method("sort")
def sort_in_place(array: Traced, axis: Any = -1, **options: Any) -> None:
    """The entries in order along an axis."""
    become(array, sort(array, axis, **options))


@function("putmask")
def putmask(a: Any, mask: Any, values: Any) -> None:
    """The values of an array of the same shape, or one value, where a condition holds."""
    array, new = as_traced(a), as_traced(values)
    if new.ndim and not (new.ndim == array.ndim and all(map(same_size, new.sizes, array.sizes))):
        raise located(ShapeError, (
            f"putmask: {new.described()} is not of the shape of {array.described()}"))
    become(a, choose(mask, new, array))


@function("place")
def place(arr: Any, mask: Any, vals: Any) -> None:
    """One value where a condition holds."""
    setitem(arr, (as_traced(mask),), vals)


# ---- parts ----------------------------------------------------------------------------------


@method("__setitem__")
def setitem(target: Any, key: Any, value: Any) -> None:
    """target[key] = value."""
    array = _target(target, "np.where, np.concatenate or np.stack")
    parts = key if isinstance(key, tuple) else (key,)
    if any(map(is_mask, parts)):
        _masked(array, parts, value)
        return
    place = _Place.of(array, *read(array, parts))
    _write(array, place, as_traced(value), _are_distinct(array, parts))


def _are_distinct(array: Traced, parts: Sequence[Any]) -> bool:
    """Whether positions that are all numbers, such as np.tril_indices(3), name no entry twice."""
    found = [(p, array.sizes[k].number) for k, p in enumerate(parts[:array.ndim])
             if not isinstance(p, slice)]
    plain = all(isinstance(p, np.ndarray | list) and not is_symbolic(p) for p, _ in found)
    if not found or not plain or any(size is None for _, size in found):
        return False
    places = np.broadcast_arrays(*(np.asarray(p).astype(int) % int(n or 1) for p, n in found))
    flat = np.stack([p.ravel() for p in places])
    return bool(np.unique(flat, axis=1).shape[1] == flat.shape[1])


def _masked(array: Traced, parts: tuple[Any, ...], value: Any) -> None:
    """A value where a mask holds, which stands first in the key."""
    mask, *others = (p for p in parts if p is not Ellipsis)
    if not is_mask(mask) or any(o != slice(None) for o in others):
        raise located(TraceError, (
            "a boolean mask in a key with other parts cannot be written to: use "
            "np.where(mask, value, x)"))
    mask = as_traced(mask)
    if isinstance(value, Selected) and value.has(mask):
        become(array, choose(spread(mask, array.ndim), value.values, array))
        return
    new = as_traced(value)
    rest = array.ndim - mask.ndim
    if rest < 0 or not all(map(same_size, mask.sizes, array.sizes)):
        raise located(ShapeError, (
            f"the mask {mask.described()} does not fit {array.described()}"))
    if new.ndim > rest and not (new.ndim == rest + 1 and new.sizes[0] == ONE):
        raise located(TraceError, (
            "how many entries a boolean mask chooses depends on the numbers, and so does which "
            "of the values goes where: write one value, or use np.where(mask, value, x)"))
    entry = _fitting(array, new, array.axes[mask.ndim:])
    values = Traced(array.tracer, array.axes[mask.ndim:], entry, array.kind)
    result = choose(spread(mask, array.ndim), values, settled(array))
    array.body = result.aligned(array.axes)


@dataclass(frozen=True)
class _Place:
    """Where a key leads to, seen from the array's own axes.

    inside: the brackets of the entries that are written; back: the position in the value of each
    of the key's axes; left: the key's axes that the entry does not settle (those of x[y] = v).
    """

    formals: tuple[Index, ...]
    axes: tuple[Index, ...]
    inside: Expr
    back: dict[Index, Expr]
    left: tuple[Index, ...]

    @classmethod
    def of(cls, array: Traced, axes: Sequence[Index], at: Sequence[Expr]) -> _Place:
        """The place of array[key], whose entry over `axes` is the array's at `at`."""
        formals = new_axes(array.sizes)
        back: dict[Index, Expr] = {}
        brackets: list[Expr] = []
        for formal, position in zip(formals, at, strict=True):
            if formal.size == ONE:
                continue
            index = _lone(position, back)
            if index is None:
                brackets.append(iverson("==", idx(formal), position))
                continue
            step = coefficient(position, index)
            assert step is not None
            back[index], whole = _solved(idx(formal), position, index, step)
            brackets += [whole, *(g for g in guard(back[index], index.size)
                                  if not _implied(whole, g))]
        inside = mul(ONE, *(substitute(b, back) for b in brackets))
        left = tuple(a for a in axes if a.size != ONE and a not in back)
        return cls(formals, tuple(axes), inside, back, left)


def _lone(position: Expr, known: Iterable[Index]) -> Index | None:
    """The index in which a position is linear, and that is not known yet."""
    if any(accesses(position)):
        return None
    free = [i for i in free_indices(position) if i not in known]
    if len(free) != 1 or len(free_indices(position)) != 1:
        return None
    step = coefficient(position, free[0])
    return free[0] if step is not None and step.number else None


def _solved(entry: Expr, position: Expr, index: Index, step: Expr) -> tuple[Expr, Expr]:
    """The index at which position = entry, and the bracket of where it is a whole number.

    2 i + 1 = p is i = p // 2 where p % 2 = 1.
    """
    start = normal(sub(position, mul(step, idx(index))))
    up = step.number is None or step.number > 0
    step = step if up else normal(neg(step))
    rest = mod(start, step)
    if rest.number is None:
        start, entry, rest = ZERO, normal(sub(entry, start)), ZERO
    steps = sub(floordiv(entry, step), floordiv(start, step))
    return normal(steps if up else neg(steps)), iverson("==", mod(entry, step), rest)


def _implied(known: Expr, claim: Expr) -> bool:
    """Whether a bracket holds wherever another one does."""
    one, other = (known.single_atom, None if claim.number is not None else claim.single_atom)
    if not isinstance(one, Iverson) or not isinstance(other, Iverson):
        return False
    opposed = negation(other).single_atom
    return isinstance(opposed, Iverson) and exclude(one, opposed)


def _write(array: Traced, place: _Place, value: Traced, distinct: bool = False) -> None:
    """The value at a place, what was there before elsewhere."""
    entry = substitute(_fitting(array, value, place.axes), place.back)
    inside = place.inside
    if place.left:
        if free_indices(entry) & set(place.left) and distinct:
            entry = sum_over(guarded(inside, entry), place.left)  # of which one is not 0
        elif free_indices(entry) & set(place.left):
            raise located(TraceError, (
                "the positions of an integer array may repeat, and then the last value written "
                "stays, which no equation says: np.add.at(x, i, v) adds up what goes to one "
                "place"))
        inside = _anywhere(array, place)
    old = array.at(positions(place.formals))
    if array.kind == "bool":
        entry = as_condition(Traced(array.tracer, place.formals, entry, "bool")).body
    body = add(*(_kept(t, inside) for t in old.terms), guarded(inside, entry))
    array.axes = place.formals
    array.body = body
    most = _MOST_PIECES if array.tracer.turns is None else _MOST_IN_TURNS
    array.pieces = len(body.terms) <= most and not any(accesses(inside))
    if not array.pieces:
        array.body = defined(body, place.formals, array.kind, "where").body


def _anywhere(array: Traced, place: _Place) -> Expr:
    """Whether one of the positions is that of the entry."""
    every = Traced(array.tracer, (*place.formals, *place.left), place.inside, "bool")
    found = any_(every, axis=tuple(range(len(place.formals), every.ndim)))
    return as_condition(found).at(positions(place.formals))


def _kept(term: Term, inside: Expr) -> Expr:
    """What is left of a term of the old entry outside of the place that is written."""
    own = [a for a, _ in term.factors if isinstance(a, Iverson)]
    (case,) = inside.terms if len(inside.terms) == 1 else (None,)
    whole = Expr((term,))
    if case is None:
        return guarded(opposite(inside), whole)
    new = [a for a, _ in case.factors if isinstance(a, Iverson)]
    if any(exclude(a, b) for a in own for b in new):
        return whole
    kept = []
    held: list[Iverson] = []  # outside: one bracket is wrong, those before it hold
    for bracket in new:
        wrong = negation(bracket)
        opposed = wrong.single_atom
        if not (isinstance(opposed, Iverson) and any(exclude(a, opposed) for a in own)):
            kept.append(mul(*map(atom, held), wrong, whole))
        held.append(bracket)
    return add(*kept)


# ---- positions that may repeat, diagonals -----------------------------------------------------


def _added(target: Any, indices: Any, values: Any) -> None:
    array = settled(_target(target, "a sum over np.where(i == p, v, 0)"))
    place = _Place.of(array, *read(array, indices if isinstance(indices, tuple) else (indices,)))
    entry = substitute(_fitting(array, as_traced(values), place.axes), place.back)
    more = sum_over(guarded(place.inside, entry), place.left)
    old = array.at(positions(place.formals))
    array.axes = place.formals
    array.body = defined(add(old, more), place.formals, array.kind, "scatter").body


@ufunc("add.at")
def add_at(target: Any, indices: Any, values: Any, **options: Any) -> None:
    """Every value added to the entry at its position, which may stand there several times."""
    _added(target, indices, values)


@ufunc("subtract.at")
def subtract_at(target: Any, indices: Any, values: Any, **options: Any) -> None:
    """Every value taken off the entry at its position."""
    _added(target, indices, negative(values))


@function("bincount")
def bincount(x: Any, weights: Any = None, minlength: Any = 0) -> Traced:
    """How often 0 to minlength - 1 stand in x, or the sum of their weights."""
    (size,) = shape_exprs(minlength, "bincount")
    if size.is_zero:
        raise located(TraceError, (
            "how many entries np.bincount gives depends on the numbers: say it by minlength=, "
            "which all entries must be below"))
    axes = new_axes([size])
    counts = Traced(current(), axes, ZERO, "int" if weights is None else "float")
    _added(counts, x, 1 if weights is None else weights)
    return counts


@function("put_along_axis")
def put_along_axis(arr: Any, indices: Any, values: Any, axis: Any) -> None:
    """Values written along an axis, at positions that vary with the other axes."""
    array = _target(arr, "np.where")
    place = normal_axis(axis, array.ndim, "put_along_axis")
    _write(array, _Place.of(array, *along(array, as_traced(indices), place)), as_traced(values))


@function("fill_diagonal")
def fill_diagonal(a: Any, val: Any, wrap: Any = False) -> None:
    """Values on the entries whose positions are all equal."""
    array = _target(a, "np.where(np.eye(n) == 1, value, x)")
    if array.ndim < 2 or not all(same_size(s, array.sizes[0]) for s in array.sizes):
        raise located(ShapeError, (
            f"fill_diagonal: the axes of {array.described()} are not known to be equal"))
    (axis,) = new_axes(array.sizes[:1])
    place = _Place.of(array, (axis,), [idx(axis)] * array.ndim)
    _write(array, place, as_traced(val))
