"""Sums, means, extrema over axes.

In: a traced array and NumPy's `axis`, `keepdims`, `ddof`. Out: traced arrays; the reduced axes
become bound indices, and a kept one an axis of size 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symprop.algebra.build import (
    ONE,
    extremum,
    idx,
    iverson,
    mul,
    number,
    power,
    sub,
    sum_over,
)
from symprop.algebra.expr import Expr, Index, free_indices
from symprop.errors import TraceError
from symprop.trace.arithmetic import divide, multiply, square, subtract
from symprop.trace.coerce import as_traced
from symprop.trace.context import located
from symprop.trace.elementwise import atomic, defined, row
from symprop.trace.registry import NAMED, UFUNCS, function, method, ufunc
from symprop.trace.shapes_of import axis_tuple, expect_entries, new_axes, normal_axis
from symprop.trace.tensor import Traced

_MISSING = "<no value>"


_OF_TORCH = {"dim": "axis", "keepdim": "keepdims", "unbiased": "ddof", "correction": "ddof"}


def _checked(what: str, options: dict[str, Any]) -> None:
    for key, value in options.items():
        if value is None or (value is True and key == "where") or key in ("dtype", "correction"):
            continue
        if repr(value) == _MISSING or key == "mean":
            continue
        if key in _OF_TORCH:
            raise located(TraceError, f"np.{what} has no option {key}: it is called "
                                      f"{_OF_TORCH[key]} here")
        raise located(TraceError, f"the option {key}= of np.{what} cannot be traced")


def _split(array: Traced, axes: Sequence[int]) -> tuple[list[Index], list[Index], Expr]:
    """(kept formal axes, fresh bound indices of the reduced ones, the entry over both)."""
    fresh = new_axes(array.sizes)
    body = array.at([idx(f) for f in fresh])
    kept = [f for k, f in enumerate(fresh) if k not in axes]
    bound = [f for k, f in enumerate(fresh) if k in axes]
    return kept, bound, body


def shaped(result: Traced, array: Traced, axes: Sequence[int], keepdims: Any) -> Traced:
    """The result with its reduced axes back as axes of size 1, if `keepdims` says so."""
    if repr(keepdims) == _MISSING or not keepdims:
        return result
    kept = iter(result.axes)
    full = [Index("i", ONE) if k in axes else next(kept) for k in range(array.ndim)]
    return Traced(result.tracer, full, result.body, result.kind)


def summed(body: Expr, bound: Sequence[Index]) -> Expr:
    """The sum over `bound`; an index that does not occur counts its size."""
    free = free_indices(body)
    total = sum_over(body, [b for b in bound if b in free])
    for index in bound:
        if index not in free and index.size != ONE:
            total = mul(index.size, total)
    return total


def summed_kind(array: Traced, dtype: Any) -> str:
    """The kind of a sum: truth values count, and `dtype` may ask for floats."""
    kind = "int" if array.kind == "bool" else array.kind
    if dtype is None or np.dtype(dtype).kind == "f":
        return kind if dtype is None else "float"
    if kind == "float":
        raise located(TraceError, f"dtype={dtype!r} would round, which has no derivative")
    return kind


@function("sum")
@method("sum")
@ufunc("add.reduce")
def sum_(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
         **options: Any) -> Traced:
    """The sum over axes; `where` says which entries count."""
    chosen = options.pop("where", True)
    _checked("sum", {**options, "out": out})
    array = as_traced(a) if chosen is True else NAMED["where"](chosen, a, 0)
    axes = axis_tuple(axis, array.ndim, "sum")
    kept, bound, body = _split(array, axes)
    kind = summed_kind(array, dtype)
    return shaped(defined(summed(body, bound), kept, kind, "sum"), array, axes, keepdims)


@ufunc("add.accumulate")
@function("cumsum")
@method("cumsum")
def cumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Traced:
    """Running sums: the sum of what stands at or before each place."""
    _checked("cumsum", {"out": out})
    array = as_traced(a)
    if axis is None:
        array, axis = array.ravel(), 0
    place = normal_axis(axis, array.ndim, "cumsum")
    fresh = new_axes(array.sizes)
    bound = new_axes([array.sizes[place]])[0]
    positions = [idx(f) for f in fresh]
    before = iverson("<=", idx(bound), idx(fresh[place]))
    positions[place] = idx(bound)
    rhs = sum_over(mul(before, array.at(positions)), [bound])
    kind = summed_kind(array, dtype)
    return defined(rhs, fresh, kind, "cumsum")


def _count(bound: Sequence[Index]) -> Expr:
    return mul(ONE, *(b.size for b in bound))


@function("mean")
@method("mean")
def mean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
         **options: Any) -> Traced:
    """The sum over axes divided by their sizes."""
    chosen = options.pop("where", True)
    _checked("mean", {**options, "out": out})
    array = as_traced(a)
    if chosen is not True:
        mask = NAMED["broadcast_to"](chosen, array.shape)
        total = sum_(a, axis, dtype, keepdims=keepdims, where=mask)
        found: Traced = UFUNCS["divide"](total, sum_(mask, axis, keepdims=keepdims))
        return found
    axes = axis_tuple(axis, array.ndim, "mean")
    expect_entries(array, axes, "mean")
    kept, bound, body = _split(array, axes)
    free = free_indices(body)
    live = [b for b in bound if b in free]
    rhs = mul(power(_count(live), -1), sum_over(body, live))
    return shaped(defined(rhs, kept, "float", "mean"), array, axes, keepdims)


@function("average")
def average(a: Any, axis: Any = None, weights: Any = None, returned: Any = False,
            keepdims: Any = False) -> Any:
    """The mean, or the weighted mean; with `returned` the sum of the weights too."""
    array = as_traced(a)
    if weights is None:
        result = mean(array, axis=axis, keepdims=keepdims)
        count = sum_(Traced(array.tracer, array.axes, ONE, "float"), axis=axis, keepdims=keepdims)
        return (result, count) if returned else result
    factor = as_traced(weights)
    if factor.ndim == 1 and array.ndim > 1 and isinstance(axis, int):
        place = normal_axis(axis, array.ndim, "average")
        axes = [factor.axes[0] if k == place else Index("i", ONE) for k in range(array.ndim)]
        factor = Traced(array.tracer, axes, factor.body, factor.kind)
    total = sum_(multiply(array, factor), axis=axis, keepdims=keepdims)
    weight = sum_(factor, axis=axis, keepdims=keepdims)
    result = divide(total, weight)
    return (result, weight) if returned else result


@function("var")
@method("var")
def var(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
        keepdims: Any = False, **options: Any) -> Traced:
    """The mean of the squares of what is left when the mean is taken off."""
    _checked("var", {**options, "out": out})
    if options.get("correction") is not None and repr(options["correction"]) != _MISSING:
        ddof = options["correction"]
    array = as_traced(a)
    axes = axis_tuple(axis, array.ndim, "var")
    centred = subtract(array, mean(array, axis=axes, keepdims=True))
    kept, bound, body = _split(square(centred), axes)
    count = sub(_count(bound), number(ddof))
    rhs = mul(power(count, -1), summed(body, bound))
    return shaped(defined(rhs, kept, "float", "var"), array, axes, keepdims)


@function("std")
@method("std")
def std(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
        keepdims: Any = False, **options: Any) -> Traced:
    """The root of the variance, with the derivative 0 where nothing varies."""
    return row("root", var(a, axis, dtype, out, ddof, keepdims, **options))


def _extreme(kind: str) -> Any:
    def reduce(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False,
               **options: Any) -> Traced:
        _checked(kind, {**options, "out": out})
        array = atomic(as_traced(a))
        axes = axis_tuple(axis, array.ndim, kind)
        expect_entries(array, axes, kind)
        kept, bound, body = _split(array, axes)
        free = free_indices(body)
        rhs = extremum(kind, body, [b for b in bound if b in free and b.size != ONE])
        return shaped(defined(rhs, kept, array.kind, kind), array, axes, keepdims)

    reduce.__doc__ = f"The {'largest' if kind == 'max' else 'smallest'} entry over axes."
    return reduce


def reduced(
    kind: str, array: Traced, place: int, entry: Callable[[Sequence[Index]], Expr], dtype: str,
    op: str,
) -> Traced:
    """The extremum over one axis of an entry made from the indices of all axes."""
    expect_entries(array, (place,), op)
    axes = new_axes(array.sizes)
    rhs = extremum(kind, entry(axes), [axes[place]] if axes[place].size != ONE else [])
    kept = [x for k, x in enumerate(axes) if k != place]
    return defined(rhs, kept, dtype, op)


max_ = method("max")(function("max", "amax")(_extreme("max")))
min_ = method("min")(function("min", "amin")(_extreme("min")))


def _ufunc_reduce(reducer: Any) -> Any:
    def apply(a: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: Any = False,
              **options: Any) -> Any:
        return reducer(a, axis=axis, out=out, keepdims=keepdims, **options)

    apply.__doc__ = reducer.__doc__
    return apply


ufunc("add.reduce")(_ufunc_reduce(sum_))
ufunc("maximum.reduce")(_ufunc_reduce(max_))
ufunc("minimum.reduce")(_ufunc_reduce(min_))


@function("ptp")
def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Traced:
    """The maximum less the minimum."""
    return subtract(max_(a, axis, out, keepdims), min_(a, axis, out, keepdims))
