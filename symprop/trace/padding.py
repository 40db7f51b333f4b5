"""np.pad: a border of constants, or of the array's own entries.

In: a traced array, widths, a mode. Out: one equation for a border of constants; else, axis by
axis, the array between slices of itself (reflect: the entries beside the edge in reverse).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symprop.algebra.build import ONE, ZERO, add, idx, mul, sub
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Expr
from symprop.algebra.integers import guard
from symprop.errors import ShapeError, UnsupportedError
from symprop.trace.booleans import choice, guarded
from symprop.trace.coerce import as_traced
from symprop.trace.context import located
from symprop.trace.elementwise import named
from symprop.trace.indexing_ops import getitem
from symprop.trace.joining import concatenate
from symprop.trace.reductions import max_, mean, min_
from symprop.trace.registry import function
from symprop.trace.running import current
from symprop.trace.shapes_of import new_axes, shape_exprs
from symprop.trace.shaping import broadcast_to
from symprop.trace.sizes import as_size, same_size
from symprop.trace.tensor import Traced
from symprop.trace.text import size_text
from symprop.trace.views import flip

Pad = tuple[Expr, Expr]


@function("pad")
def pad(array: Any, pad_width: Any, mode: Any = "constant", **options: Any) -> Traced:
    """The array within a border."""
    x = as_traced(array)
    widths = _widths(pad_width, x.ndim)
    if mode == "constant":
        return _constant(x, widths, options)
    maker = _MODES.get(mode) if isinstance(mode, str) else None
    if maker is None or any(v is not None and v != "even" for v in options.values()):
        raise located(UnsupportedError, (
            f"np.pad is traced with the modes constant, {', '.join(_MODES)} and without further "
            "options"))
    for axis, (before, after) in enumerate(widths):
        left = [] if before.is_zero else [maker(x, axis, before, True)]
        right = [] if after.is_zero else [maker(x, axis, after, False)]
        x = concatenate([*left, x, *right], axis)
    return x


# ---- constants ----------------------------------------------------------------------------


def _constant(x: Traced, widths: Sequence[Pad], options: dict[str, Any]) -> Traced:
    """The array between constants; every axis may have two of its own."""
    given = options.get("constant_values", 0)
    if len(options) > ("constant_values" in options):
        raise located(UnsupportedError, "np.pad takes constant_values with the mode constant")
    if not isinstance(given, list | tuple | np.ndarray) or np.ndim(given) == 0:
        return _bordered(x, widths, as_traced(given))
    values = np.broadcast_to(np.asarray(given), (x.ndim, 2)).tolist()
    for axis, (pair, ends) in enumerate(zip(widths, values, strict=True)):
        for side, value in enumerate(ends):
            width = [(ZERO, ZERO)] * x.ndim
            width[axis] = (pair[0], ZERO) if side == 0 else (ZERO, pair[1])
            if width[axis] != (ZERO, ZERO):
                x = _bordered(x, width, as_traced(value))
    return x


def _bordered(x: Traced, widths: Sequence[Pad], fill: Traced) -> Traced:
    """The array within a border of one number."""
    if fill.ndim:
        raise located(UnsupportedError, "np.pad is traced with numbers as constant_values")
    sizes = [current().size_normal(add(s, a, b)) for s, (a, b) in
             zip(x.sizes, widths, strict=True)]
    axes = new_axes(sizes)
    at, brackets = [], []
    for axis, size, (before, _) in zip(axes, x.sizes, widths, strict=True):
        at.append(normal(sub(idx(axis), before)))
        if not same_size(axis.size, size):
            brackets += guard(at[-1], size)
    inside = mul(ONE, *brackets)
    # The access stays behind its brackets even where its axis has size 1. The padded array is
    # an equation, so that no bracket reaches what is made of it.
    entry = x.at(at)
    body = guarded(inside, entry) if fill.body.is_zero else choice(inside, entry, fill.body)
    return named(Traced(x.tracer, axes, body, x.kind), "pad")


# ---- the array's own entries --------------------------------------------------------------


def _slice(x: Traced, axis: int, start: Any, stop: Any) -> Traced:
    return getitem(x, (*[slice(None)] * axis, slice(start, stop)))


def _checked(x: Traced, axis: int, width: Expr, most: Expr) -> Any:
    """The width as a size. ShapeError where a border needs more entries than there are."""
    left = current().size_normal(sub(most, width))
    if left.number is not None and left.number < 0:
        raise located(ShapeError, (
            f"np.pad: a border of {size_text(width)} is traced for axes of at least so many "
            f"entries beside the edge; axis {axis} has {size_text(x.sizes[axis])}"))
    current().at_least(most, width)
    return as_size(width)


def _reflect(x: Traced, axis: int, width: Expr, first: bool) -> Traced:
    """The entries beside the edge, in reverse."""
    n = as_size(x.sizes[axis])
    w = _checked(x, axis, width, sub(x.sizes[axis], ONE))
    return flip(_slice(x, axis, 1, w + 1) if first else _slice(x, axis, n - w - 1, n - 1), axis)


def _symmetric(x: Traced, axis: int, width: Expr, first: bool) -> Traced:
    """The entries from the edge on, in reverse."""
    n = as_size(x.sizes[axis])
    w = _checked(x, axis, width, x.sizes[axis])
    return flip(_slice(x, axis, 0, w) if first else _slice(x, axis, n - w, n), axis)


def _wrap(x: Traced, axis: int, width: Expr, first: bool) -> Traced:
    """The entries at the other end."""
    n = as_size(x.sizes[axis])
    w = _checked(x, axis, width, x.sizes[axis])
    return _slice(x, axis, n - w, n) if first else _slice(x, axis, 0, w)


def _repeated(entry: Traced, axis: int, width: Expr) -> Traced:
    shape = list(entry.shape)
    shape[axis] = as_size(width)
    return broadcast_to(entry, tuple(shape))


def _edge(x: Traced, axis: int, width: Expr, first: bool) -> Traced:
    """The entry at the edge."""
    n = as_size(x.sizes[axis])
    end = _slice(x, axis, 0, 1) if first else _slice(x, axis, n - 1, n)
    return _repeated(end, axis, width)


def _statistic(reduce: Any) -> Callable[..., Traced]:
    def border(x: Traced, axis: int, width: Expr, first: bool) -> Traced:
        return _repeated(reduce(x, axis=axis, keepdims=True), axis, width)

    return border


_MODES: dict[str, Callable[..., Traced]] = {
    "reflect": _reflect, "edge": _edge, "symmetric": _symmetric, "wrap": _wrap,
    "mean": _statistic(mean), "maximum": _statistic(max_), "minimum": _statistic(min_),
}


def _widths(pad_width: Any, rank: int) -> list[Pad]:
    """The borders before and after every axis."""
    given = pad_width
    if isinstance(given, np.ndarray):
        given = given.tolist()
    if not isinstance(given, list | tuple):
        given = ((given, given),) * rank
    elif not isinstance(given[0], list | tuple):
        pair = tuple(given) if len(given) == 2 else (given[0], given[0])
        given = (pair,) * rank
    elif len(given) == 1:
        given = tuple(given) * rank
    if len(given) != rank:
        raise located(ShapeError, f"pad: {len(given)} borders for an array of {rank} axes")
    found = []
    for part in given:
        exprs = shape_exprs(tuple(part), "pad")
        if any(e.number is not None and e.number < 0 for e in exprs):
            raise located(ShapeError, f"pad: a border of {size_text(exprs[0])} and "
                                      f"{size_text(exprs[-1])}, which cannot be negative")
        found.append((exprs[0], exprs[-1]))
    return found
