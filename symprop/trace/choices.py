"""Choices among arrays, and counts and truths of conditions.

In: conditions and arrays. Out: traced arrays; what is not chosen is not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symprop.algebra.build import ONE, ZERO, idx, iverson
from symprop.algebra.expr import Index
from symprop.errors import InputError, TraceError, UnsupportedError
from symprop.trace.arithmetic import add, multiply, subtract
from symprop.trace.booleans import as_condition, less_equal, logical_not, where
from symprop.trace.coerce import as_traced
from symprop.trace.context import located
from symprop.trace.elementwise import row
from symprop.trace.indexing_ops import getitem
from symprop.trace.joining import stack
from symprop.trace.reductions import sum_
from symprop.trace.registry import function, method, ufunc
from symprop.trace.shapes_of import broadcast
from symprop.trace.tensor import Traced


@function("select")
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Traced:
    """The choice of the first condition that holds, else the default."""
    if len(condlist) != len(choicelist):
        raise located(InputError, "np.select: as many conditions as choices, please")
    result = as_traced(default)
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        result = where(condition, choice, result)
    return result


@function("piecewise", calls=True)
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Traced:
    """Each function where its condition holds; the last condition that holds decides."""
    array = as_traced(x)
    conditions = list(condlist) if isinstance(condlist, list | tuple) else [condlist]
    values = [f(array, *args, **kw) if callable(f) else f for f in funclist]
    if len(values) not in (len(conditions), len(conditions) + 1):
        raise located(InputError, "np.piecewise: as many functions as conditions, or one more")
    result = as_traced(values[-1] if len(values) > len(conditions) else 0)
    for condition, value in zip(conditions, values, strict=False):
        result = where(condition, value, result)
    return result


@function("choose")
@method("choose")
def choose(a: Any, choices: Any, out: Any = None, mode: Any = "raise") -> Traced:
    """The entry of the choice whose number stands in a."""
    if out is not None or mode != "raise":
        raise located(UnsupportedError, "np.choose is traced without out= and mode=")
    index = as_traced(a)
    parts = [as_traced(c) for c in choices]
    axes = broadcast((index, *parts), "choose")
    table = stack([Traced(p.tracer, axes, p.aligned(axes), p.kind) for p in parts])
    whole = Traced(index.tracer, axes, index.aligned(axes), index.kind)
    places = [Traced(index.tracer, [x if j == k else Index("i", ONE) for j, x in
                                    enumerate(axes)], idx(x), "int")
              for k, x in enumerate(axes)]
    return getitem(table, (whole, *places))


@function("count_nonzero")
def count_nonzero(a: Any, axis: Any = None, *, keepdims: Any = False) -> Traced:
    """How many entries are not 0: an integer, whose derivative is 0."""
    return sum_(as_condition(a), axis=axis, keepdims=keepdims)


@ufunc("logical_or.reduce")
@function("any")
@method("any")
def any_(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False,
         **options: Any) -> Traced:
    """Whether an entry is not 0, for np.where: no `if` can ask for it."""
    _plain("any", {**options, "out": out})
    count = count_nonzero(a, axis, keepdims=keepdims)
    return Traced(count.tracer, count.axes, iverson("<", ZERO, count.body), "bool")


@ufunc("logical_and.reduce")
@function("all")
@method("all")
def all_(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False,
         **options: Any) -> Traced:
    """Whether no entry is 0, for np.where: no `if` can ask for it."""
    _plain("all", {**options, "out": out})
    count = sum_(logical_not(a), axis=axis, keepdims=keepdims)
    return Traced(count.tracer, count.axes, iverson("==", count.body, ZERO), "bool")


def _plain(what: str, options: dict[str, Any]) -> None:
    for key, value in options.items():
        if value is not None and value is not True and "no value" not in repr(value):
            raise located(TraceError, f"the option {key}= of np.{what} cannot be traced")


@function("isclose")
def isclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: Any = False) -> Traced:
    """|a - b| <= atol + rtol |b|, for finite numbers."""
    distance = row("abs", subtract(a, b))
    return less_equal(  # type: ignore[no-any-return]
        distance, add(atol, multiply(rtol, row("abs", as_traced(b)))))
