"""NumPy's creation functions on symbolic sizes, in index notation.

In: sizes and traced arrays as shape arguments. Out: traced arrays without equations: arange is
i, eye is [i = j], tri is [j <= i]; `CREATION` holds them by name, for `namespace` to patch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symprop.algebra.build import ONE, ZERO, add, idx, iverson, mul, number, sub
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Expr, Index
from symprop.algebra.integers import most, nonnegative
from symprop.errors import UnsupportedError
from symprop.trace.arithmetic import add as add_arrays
from symprop.trace.arithmetic import divide, maximum, multiply, power, subtract
from symprop.trace.coerce import MOST_NUMBERS, as_traced
from symprop.trace.context import located
from symprop.trace.fillable import Fillable, meant
from symprop.trace.joining import array, asarray
from symprop.trace.registry import function
from symprop.trace.running import current
from symprop.trace.shapes_of import new_axes, shape_exprs, steps_between
from symprop.trace.shaping import broadcast_to
from symprop.trace.sizes import SymbolicRange, as_size, offset, size_expr
from symprop.trace.tensor import Traced
from symprop.trace.triangles import tril_indices, triu_indices

_KINDS = {"f": "float", "i": "int", "u": "int", "b": "bool"}


def _kind(dtype: Any, default: str) -> str:
    if dtype is None:
        return default
    kind = _KINDS.get(np.dtype(dtype).kind)
    if kind is None:
        raise located(UnsupportedError, f"dtype {dtype!r}: symprop computes with real numbers")
    return kind


def _made(axes: tuple[Index, ...], body: Expr, kind: str) -> Traced:
    return Traced(current(), axes, body, kind)


def zeros(shape: Any, dtype: Any = None, order: Any = "C", **options: Any) -> Traced:
    """The number 0 everywhere."""
    return _made(new_axes(shape_exprs(shape, "zeros")), ZERO, _kind(dtype, "float"))


def ones(shape: Any, dtype: Any = None, order: Any = "C", **options: Any) -> Traced:
    """The number 1 everywhere."""
    return _made(new_axes(shape_exprs(shape, "ones")), ONE, _kind(dtype, "float"))


def full(shape: Any, fill_value: Any, dtype: Any = None, **options: Any) -> Traced:
    """One value everywhere."""
    value = broadcast_to(as_traced(fill_value), shape)
    return _made(value.axes, value.body, _kind(dtype, value.kind))


@function("zeros_like", "empty_like")
def zeros_like(a: Any, dtype: Any = None, order: Any = "K", subok: Any = True) -> Traced:
    """The number 0 in the shape of an array."""
    array = as_traced(a)
    return _made(new_axes(array.sizes), ZERO, _kind(dtype, array.kind))


@function("ones_like")
def ones_like(a: Any, dtype: Any = None, order: Any = "K", subok: Any = True) -> Traced:
    """The number 1 in the shape of an array."""
    array = as_traced(a)
    return _made(new_axes(array.sizes), ONE, _kind(dtype, array.kind))


@function("full_like")
def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: Any = True
) -> Traced:
    """One value in the shape of an array."""
    array = as_traced(a)
    return full(array.shape, fill_value, dtype or array.dtype)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None,
           **options: Any) -> Traced:
    """start + i * step."""
    first, last = (0, start) if stop is None else (start, stop)
    if not isinstance(step, int) or step == 0:
        raise located(UnsupportedError, "np.arange of a size is traced with a whole step")
    ends = [size_expr(first), size_expr(last)]
    if ends[0] is None or ends[1] is None:
        raise located(UnsupportedError, "np.arange of a size is traced with whole ends")
    below, above = (ends[0], ends[1]) if step > 0 else (ends[1], ends[0])
    axes = new_axes([most(steps_between(below, above, abs(step)), ZERO)])
    body = normal(add(ends[0], mul(number(step), idx(axes[0]))))
    return _made(axes, body, _kind(dtype, "int"))


def listed(part: Any) -> Any:
    """A range as the array of its positions; anything else as it is.

    A list of the positions of a named axis, list(range(N)), is one that Python has counted.
    """
    if isinstance(part, SymbolicRange):
        return arange(*part.ends)
    turns = current().turns
    if turns is not None and isinstance(part, list):
        axis = turns.positions(part)
        return part if axis is None else arange(as_size(axis))
    if isinstance(part, Fillable) and part.size > MOST_NUMBERS:
        found = meant(part)
        return part if found is None else found
    return np.asarray(part) if isinstance(part, range) else part


def eye(N: Any, M: Any = None, k: Any = 0, dtype: Any = None, **options: Any) -> Traced:
    """[j = i + k]."""
    axes = new_axes(shape_exprs((N, N if M is None else M), "eye"))
    row = normal(add(idx(axes[0]), offset(k, "eye")))
    return _made(axes, iverson("==", row, idx(axes[1])), _kind(dtype, "float"))


def identity(n: Any, dtype: Any = None, **options: Any) -> Traced:
    """[i = j]."""
    return eye(n, dtype=dtype)


def tri(N: Any, M: Any = None, k: Any = 0, dtype: Any = None, **options: Any) -> Traced:
    """[j <= i + k]."""
    axes = new_axes(shape_exprs((N, N if M is None else M), "tri"))
    edge = normal(add(idx(axes[0]), offset(k, "tri")))
    return _made(axes, iverson("<=", idx(axes[1]), edge), _kind(dtype, "float"))


def linspace(start: Any, stop: Any, num: Any = 50, endpoint: Any = True, **options: Any) -> Traced:
    """start + i * (stop - start) / max(num - 1, 1)."""
    if options.get("retstep"):
        raise located(UnsupportedError, "np.linspace is traced without retstep")
    count = num - 1 if endpoint else num
    length = size_expr(num)
    if length is not None and not nonnegative(normal(sub(length, number(2)))):
        count = maximum(count, 1) if length.number is None else 1  # one point is the start
    step = divide(subtract(stop, start), count)
    return add_arrays(start, multiply(arange(num, dtype=float), step))


def logspace(start: Any, stop: Any, num: Any = 50, endpoint: Any = True, base: Any = 10.0,
             dtype: Any = None, **options: Any) -> Traced:
    """base ** linspace(start, stop)."""
    return power(base, linspace(start, stop, num, endpoint))


def indices(dimensions: Any, dtype: Any = int, sparse: Any = False) -> Any:
    """The index of every axis, as arrays of the full shape."""
    axes = new_axes(shape_exprs(tuple(dimensions), "indices"))
    if sparse:
        return tuple(_made(tuple(a if k == j else Index("i", ONE) for j, a in enumerate(axes)),
                           idx(axis), "int") for k, axis in enumerate(axes))
    (which,) = new_axes([number(len(axes))])
    pieces = [mul(iverson("==", idx(which), number(k)), idx(a)) for k, a in enumerate(axes)]
    return _made((which, *axes), add(*pieces), _kind(dtype, "int"))


@function("meshgrid")
def meshgrid(*xi: Any, copy: Any = True, sparse: Any = False, indexing: Any = "xy") -> Any:
    """Vectors broadcast against each other."""
    vectors = [as_traced(x).ravel() for x in xi]
    order = list(range(len(vectors)))
    if indexing == "xy" and len(order) > 1:
        order[0], order[1] = 1, 0
    axes = new_axes([vectors[k].sizes[0] for k in order])
    found = []
    for k, vector in enumerate(vectors):
        place = order.index(k)
        own = axes if not sparse else tuple(
            a if j == place else Index("i", ONE) for j, a in enumerate(axes))
        found.append(_made(own, vector.at([idx(axes[place])]), vector.kind))
    return found


CREATION: dict[str, Callable[..., Any]] = {
    "arange": arange, "zeros": zeros, "ones": ones, "full": full, "empty": zeros, "eye": eye,
    "identity": identity, "tri": tri, "triu_indices": triu_indices,
    "tril_indices": tril_indices, "linspace": linspace, "indices": indices,
    "logspace": logspace, "array": array, **dict.fromkeys((
        "asarray", "asanyarray", "ascontiguousarray", "asfortranarray"), asarray),
}
