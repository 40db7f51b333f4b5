"""Products and running extrema: recurrences over an axis.

In: a traced array and NumPy's axis arguments. Out: traced arrays.

    p[t] = [t = 0] x[0] + [1 <= t] p[t-1] x[t]

The derivative of a product by one factor is the product of the others, which the adjoint
recurrence finds without a division: it is right where factors are 0. Up to eight factors along
an axis given as a number are written out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symprop.algebra.build import ONE
from symprop.errors import TraceError
from symprop.trace.arithmetic import maximum, minimum, multiply
from symprop.trace.coerce import as_traced
from symprop.trace.context import located
from symprop.trace.indexing_ops import getitem
from symprop.trace.joining import stack
from symprop.trace.reductions import shaped
from symprop.trace.registry import function, method, ufunc
from symprop.trace.scan import recurrence
from symprop.trace.shapes_of import axis_tuple, normal_axis
from symprop.trace.shaping import ravel
from symprop.trace.tensor import Traced
from symprop.trace.views import moveaxis

_WRITTEN_OUT = 8  # factors, no loop
Join = Callable[[Any, Any], Any]


@function("prod")
@method("prod")
def prod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
         **options: Any) -> Traced:
    """The product over axes."""
    _checked("prod", dtype, {**options, "out": out})
    array = as_traced(a)
    axes = axis_tuple(axis, array.ndim, "prod")
    result = array
    if any(array.sizes[k].is_zero for k in axes):  # a product of nothing is 1
        kept = [x for k, x in enumerate(array.axes) if k not in axes]
        return shaped(Traced(array.tracer, kept, ONE, "float"), array, axes, keepdims)
    for place in sorted(axes, reverse=True):
        result = _last(result, place, multiply)
    return shaped(result, array, axes, keepdims)


@ufunc("multiply.reduce")
def _reduced(a: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: Any = False,
             **options: Any) -> Traced:
    """The product over axes."""
    return prod(a, axis, dtype, out, keepdims, **options)


@function("cumprod")
@method("cumprod")
def cumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Traced:
    """The products of all entries up to each one."""
    _checked("cumprod", dtype, {"out": out})
    return _running(a, axis, multiply, "cumprod")


def _accumulated(name: str, join: Join) -> Any:
    def apply(a: Any, axis: Any = 0, dtype: Any = None, out: Any = None) -> Traced:
        _checked(f"{name}.accumulate", dtype, {"out": out})
        return _running(a, axis, join, f"{name}.accumulate")

    apply.__doc__ = f"np.{name} of all entries up to each one."
    return apply


for _name, _join in (("multiply", multiply), ("maximum", maximum), ("minimum", minimum)):
    ufunc(f"{_name}.accumulate")(_accumulated(_name, _join))


def _checked(what: str, dtype: Any, options: dict[str, Any]) -> None:
    if dtype is not None and np.dtype(dtype).kind != "f":
        raise located(TraceError, f"np.{what} is traced in floats, not as {dtype!r}")
    for key, value in options.items():
        if value is not None and value is not True and "no value" not in repr(value):
            raise located(TraceError, f"the option {key}= of np.{what} cannot be traced")


def _running(a: Any, axis: Any, join: Join, what: str) -> Traced:
    """All entries up to each one, joined."""
    array = _floats(as_traced(a))
    if axis is None:
        array, axis = ravel(array), 0
    place = normal_axis(axis, array.ndim, what)
    few = _few(array, place)
    if few:
        joined = [few[0]]
        for entry in few[1:]:
            joined.append(join(joined[-1], entry))
        return moveaxis(stack(joined), 0, place)
    return moveaxis(_recurrence(array, place, join), 0, place)


def _last(array: Traced, place: int, join: Join) -> Traced:
    """All entries along an axis, joined."""
    array = _floats(array)
    few = _few(array, place)
    if few:
        total = few[0]
        for entry in few[1:]:
            total = join(total, entry)
        return total
    return getitem(_recurrence(array, place, join), -1)


def _floats(array: Traced) -> Traced:
    return Traced(array.tracer, array.axes, array.body, "float")


def _few(array: Traced, place: int) -> list[Traced]:
    """The entries along a short axis given as a number; else none."""
    size = array.sizes[place].number
    if size is None or size > _WRITTEN_OUT:
        return []
    return [getitem(array, (*[slice(None)] * place, k)) for k in range(int(size))]


def _recurrence(array: Traced, place: int, join: Join) -> Traced:
    """The running results along an axis, which is the first one here."""
    moved = moveaxis(array, place, 0)
    first = getitem(moved, 0)
    # A running maximum starts from the first entry, which then meets itself.
    start = Traced(first.tracer, first.axes, ONE, "float") if join is multiply else first

    def step(before: Any, entry: Any) -> tuple[Any, Any]:
        joined = join(before, entry)
        return joined, joined

    return recurrence(step, start, moved)[1]  # type: ignore[no-any-return]
