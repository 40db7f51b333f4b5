"""Shapes of results: broadcasting, axes, shape arguments.

In: traced arrays, axis and shape arguments as NumPy takes them. Out: sizes, axis numbers; and a
ShapeError that names arrays, axis, sizes and line where they do not fit.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from symprop.algebra.build import ONE, add, idx, neg, number, sub
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Expr, Index, Size, atoms
from symprop.algebra.integers import floordiv, nonnegative
from symprop.errors import ShapeError, TraceError
from symprop.trace.context import located
from symprop.trace.running import current
from symprop.trace.sizes import fits, size_expr
from symprop.trace.tensor import Traced
from symprop.trace.text import size_text


def new_axes(sizes: Sequence[Expr]) -> tuple[Index, ...]:
    """A fresh index for every size; its letter hints at the axis. ShapeError below 0."""
    for size in sizes:
        if nonnegative(normal(sub(neg(size), ONE))):
            raise located(ShapeError, f"an axis cannot have the size {size_text(size)}")
    return tuple(Index(letter(s), s) for s in sizes)


def steps_between(low: Expr, high: Expr, step: int) -> Expr:
    """How many steps there are from `low` to below `high`: (D + 1)//2 from 0 to D by 2."""
    reach = current().size_normal(add(sub(high, low), number(step - 1)))
    return current().size_normal(floordiv(reach, number(step)))


def from_end(whole: Expr, size: Expr) -> Expr:
    """Where a position lies. -(n // 2) counts from the end but for n = 1: -0 is the first one."""
    back = normal(neg(whole))
    if whole.is_zero or not nonnegative(back):
        return current().size_normal(whole)
    current().at_least(back, ONE)
    return current().size_normal(add(size, whole))


def letter(size: Expr) -> str:
    """The hint for an index's letter: the name of the axis in lower case."""
    for item in atoms(size):
        if isinstance(item, Size):
            return item.name.lower()
    return "i"


def positions(axes: Sequence[Index]) -> list[Expr]:
    """The indices as positions."""
    return [idx(a) for a in axes]


def broadcast(arrays: Sequence[Traced], what: str) -> tuple[Index, ...]:
    """Fresh axes of the shape to which NumPy broadcasts the arrays."""
    rank = max((a.ndim for a in arrays), default=0)
    sizes: list[Expr] = []
    for axis in range(-rank, 0):
        chosen, owner = ONE, arrays[0]
        for array in arrays:
            if array.ndim < -axis:
                continue
            size = array.sizes[axis]
            if size == ONE:
                continue
            if chosen == ONE:  # it stretches to any size: nothing is assumed of 1 + max(K - 2, 0)
                chosen, owner = size, array
            elif not fits(size, chosen):
                raise _misfit(what, owner, array, axis, chosen, size)
        sizes.append(chosen)
    return new_axes(sizes)


def _misfit(
    what: str, left: Traced, right: Traced, axis: int, a: Expr, b: Expr
) -> Exception:
    hint = ""
    if a.number is None or b.number is None:
        hint = "; a named axis never broadcasts: declare it as 1, or give equal axes one name"
    return located(ShapeError, (
        f"{what}: {left.described()} and {right.described()} do not broadcast: axis {axis} has "
        f"the sizes {size_text(a)} and {size_text(b)}{hint}"))


def normal_axis(axis: Any, rank: int, what: str) -> int:
    """An axis number from 0 on. ShapeError when there is no such axis."""
    try:
        number = operator.index(axis)
    except TypeError as error:
        raise located(TraceError, f"{what}: axis is {axis!r}, not an integer") from error
    if not -rank <= number < rank:
        raise located(ShapeError, f"{what}: there is no axis {number} in an array of {rank} axes")
    return number % rank


def expect_entries(array: Traced, axes: Sequence[int], what: str) -> None:
    """Raises ShapeError where one of the axes is empty and `what` has no value there.

    That an axis which may be empty is not is tested at the door.
    """
    for axis in axes:
        if array.sizes[axis].is_zero:
            raise located(ShapeError, (
                f"{what} over axis {axis} of {array.described()}, which has no entries, is no "
                "number: leave the empty array out"))
        current().at_least(array.sizes[axis], ONE)


def axis_tuple(axis: Any, rank: int, what: str) -> tuple[int, ...]:
    """The axes that an `axis` argument names; None means all."""
    if axis is None:
        return tuple(range(rank))
    given = axis if isinstance(axis, tuple | list) else (axis,)
    found = tuple(normal_axis(a, rank, what) for a in given)
    if len(set(found)) != len(found):
        raise located(ShapeError, f"{what}: an axis is named twice in {tuple(given)}")
    return found


def shape_exprs(shape: Any, what: str) -> list[Expr]:
    """The sizes that a shape argument asks for; -1 stays as the number -1."""
    parts = shape if isinstance(shape, tuple | list) else (shape,)
    found = []
    for part in parts:
        expr = size_expr(part)
        if expr is None:
            try:
                expr = size_expr(operator.index(part))
            except TypeError as error:
                if isinstance(part, Traced):
                    raise located(TraceError, (
                        f"{what}: the size {part.described()} depends on the numbers in an array, "
                        "which no shape may: give it as a number, or as the size of an "
                        "axis")) from error
                raise located(TraceError, (
                    f"{what}: the size {part!r} is neither an integer nor the size of an axis"
                )) from error
        assert expr is not None
        found.append(expr)
    return found


def expect_same(what: str, left: Traced, axis: int, right: Traced, other: int) -> None:
    """Raises ShapeError unless two axes that are summed together have equal sizes."""
    a, b = left.sizes[axis], right.sizes[other]
    if not fits(a, b):
        raise located(ShapeError, (
            f"{what}: axis {axis} of {left.described()} has size {size_text(a)}, but axis "
            f"{other} of {right.described()} has size {size_text(b)}"))
