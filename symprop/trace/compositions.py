"""NumPy functions that are said in other traced functions.

In: traced arrays. Out: traced arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symprop.algebra.build import ONE, ZERO, add, idx, iverson, mul, number, sub, sum_over
from symprop.algebra.canonical import normal
from symprop.algebra.integers import floordiv, guard, most, nonnegative
from symprop.errors import ShapeError, UnsupportedError
from symprop.trace.arithmetic import add as add_arrays
from symprop.trace.arithmetic import divide, multiply, power, sqrt, subtract
from symprop.trace.coerce import as_traced
from symprop.trace.context import located
from symprop.trace.contractions import matmul, outer
from symprop.trace.elementwise import defined, result_kind
from symprop.trace.implicit import inv
from symprop.trace.indexing_ops import getitem
from symprop.trace.joining import concatenate, stack
from symprop.trace.reductions import max_, mean, sum_
from symprop.trace.registry import function, ufunc
from symprop.trace.running import current
from symprop.trace.shapes_of import axis_tuple, new_axes, normal_axis
from symprop.trace.shaping import broadcast_to, ravel
from symprop.trace.tensor import Traced
from symprop.trace.views import diag, diagonal, flip, moveaxis, swapaxes


def along(array: Traced, axis: int, key: Any) -> Traced:
    """The array read by `key` on one axis."""
    return getitem(array, (*[slice(None)] * axis, key))


# ---- differences and integrals ------------------------------------------------------------


@function("diff")
def diff(a: Any, n: Any = 1, axis: Any = -1, prepend: Any = None, append: Any = None) -> Traced:
    """x[k+1] - x[k], n times."""
    array = as_traced(a)
    place = normal_axis(axis, array.ndim, "diff")
    ends = [_end(e, array, place) for e in (prepend, append)]
    parts = [p for p in (ends[0], array, ends[1]) if p is not None]
    array = concatenate(parts, place) if len(parts) > 1 else array
    for _ in range(n):
        array = subtract(along(array, place, slice(1, None)), along(array, place, slice(None, -1)))
    return array


def _end(value: Any, array: Traced, place: int) -> Traced | None:
    if value is None or "no value" in repr(value):
        return None
    end = as_traced(value)
    if end.ndim:
        return end
    shape = list(array.shape)
    shape[place] = 1
    return broadcast_to(end, tuple(shape))


@function("ediff1d")
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Traced:
    """The differences of consecutive entries."""
    middle = diff(ravel(ary))
    parts = [None if e is None else ravel(as_traced(e)) for e in (to_begin, to_end)]
    joined = [p for p in (parts[0], middle, parts[1]) if p is not None]
    return concatenate(joined) if len(joined) > 1 else middle


@function("gradient")
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1) -> Any:
    """Central differences inside, one-sided ones at the ends, for equal steps."""
    array = as_traced(f)
    axes = axis_tuple(axis, array.ndim, "gradient")
    steps = list(varargs) if len(varargs) > 1 else list(varargs or (1.0,)) * len(axes)
    if edge_order != 1 or len(steps) != len(axes) or any(as_traced(s).ndim for s in steps):
        raise located(UnsupportedError, (
            "np.gradient is traced with edge_order=1 and one step, a scalar, for each axis"))
    found = [_slope(array, a, s) for a, s in zip(axes, steps, strict=True)]
    return found[0] if len(found) == 1 else tuple(found)


def _slope(x: Traced, axis: int, step: Any) -> Traced:
    """The slope along one axis of at least two entries."""
    first = subtract(along(x, axis, slice(1, 2)), along(x, axis, slice(0, 1)))
    last = subtract(along(x, axis, slice(-1, None)), along(x, axis, slice(-2, -1)))
    if x.sizes[axis] == number(2):
        return divide(concatenate([first, last], axis), step)
    inner = subtract(along(x, axis, slice(2, None)), along(x, axis, slice(None, -2)))
    return divide(concatenate([first, multiply(0.5, inner), last], axis), step)


@function("trapezoid", "trapz")
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: Any = -1) -> Traced:
    """The sum of the trapezoids between consecutive entries."""
    array = as_traced(y)
    place = normal_axis(axis, array.ndim, "trapezoid")
    pairs = add_arrays(along(array, place, slice(1, None)), along(array, place, slice(None, -1)))
    if x is None:
        width: Any = dx
    else:
        at = as_traced(x)
        width = diff(at, axis=place if at.ndim > 1 else -1)
        if at.ndim == 1:
            width = getitem(width, (slice(None), *[None] * (array.ndim - 1 - place)))
    return sum_(multiply(multiply(0.5, width), pairs), axis=place)


# ---- products -----------------------------------------------------------------------------


@function("cross", "linalg.cross")
def cross(a: Any, b: Any, axisa: Any = -1, axisb: Any = -1, axisc: Any = -1,
          axis: Any = None) -> Traced:
    """The vector product of vectors of three entries."""
    if axis is not None:
        axisa = axisb = axisc = axis
    left, right = as_traced(a), as_traced(b)
    left, right = moveaxis(left, axisa, -1), moveaxis(right, axisb, -1)
    for array in (left, right):
        if array.sizes[-1] != number(3):
            raise located(ShapeError, f"cross: {array.described()} has no vectors of 3 entries")
    x, y = ([getitem(v, (Ellipsis, k)) for k in range(3)] for v in (left, right))
    parts = [subtract(multiply(x[i], y[j]), multiply(x[j], y[i]))
             for i, j in ((1, 2), (2, 0), (0, 1))]
    return moveaxis(stack(parts, -1), -1, axisc)


@function("linalg.multi_dot")
def multi_dot(arrays: Sequence[Any], *, out: Any = None) -> Traced:
    """The matrix product of all arrays."""
    if out is not None:
        raise located(UnsupportedError, "np.linalg.multi_dot is traced without out=")
    result = as_traced(arrays[0])
    for array in arrays[1:]:
        result = matmul(result, array)
    return result


@function("linalg.matrix_power")
def matrix_power(a: Any, n: Any) -> Traced:
    """A matrix times itself, n times in all; its inverse where n < 0."""
    array = as_traced(a)
    if not isinstance(n, int):
        raise located(UnsupportedError, "np.linalg.matrix_power is traced for whole numbers n")
    if n < 0:
        array, n = inv(array), -n
    if n == 0:
        axes = new_axes(array.sizes)
        on = iverson("==", idx(axes[-2]), idx(axes[-1]))
        return Traced(array.tracer, axes, on, array.kind)
    result = array
    for _ in range(n - 1):
        result = matmul(result, array)
    return result


@function("convolve")
def convolve(a: Any, v: Any, mode: Any = "full") -> Traced:
    """c[n] = Σ_k v[k] a[n-k] over all places where both overlap."""
    return _convolved(a, v, mode, turned=False)


def _convolved(a: Any, v: Any, mode: Any, turned: bool) -> Traced:
    """The convolution; `turned`: of two swapped vectors NumPy turns the result round."""
    left, right = as_traced(a), as_traced(v)
    for array in (left, right):
        if array.ndim != 1:
            raise located(ShapeError, f"convolve: {array.described()} is no vector")
    longer, shorter = _by_length(left, right)
    if mode == "same" and turned and not nonnegative(sub(longer.sizes[0], shorter.sizes[0])):
        current().at_least(longer.sizes[0], shorter.sizes[0])  # else its middle is another one
    # NumPy swaps the two: lengths are told by the longer one, which may be either.
    big = current().size_normal(most(longer.sizes[0], shorter.sizes[0]))
    small = normal(sub(add(longer.sizes[0], shorter.sizes[0]), big))
    size = {"full": sub(add(big, small), ONE), "same": big,
            "valid": add(sub(big, small), ONE)}.get(mode)
    if size is None:
        raise located(UnsupportedError, f"np.convolve has no mode {mode!r}")
    middle = small if turned and longer is right else sub(small, ONE)
    start = {"full": ZERO, "valid": sub(small, ONE)}.get(mode, floordiv(middle, number(2)))
    n, k = new_axes([current().size_normal(size), shorter.sizes[0]])
    at = normal(sub(add(idx(n), start), idx(k)))
    inside = mul(ONE, *guard(at, longer.sizes[0]))
    entry = mul(inside, longer.at([at]), shorter.at([idx(k)]))
    return defined(sum_over(entry, [k]), [n], result_kind((left, right)), "convolve")


def _by_length(left: Traced, right: Traced) -> tuple[Traced, Traced]:
    """The longer vector first; as given where that is not known."""
    a, b = left.sizes[0], right.sizes[0]
    shorter = a.number is not None and (b.number is None or a.number < b.number)
    return (right, left) if shorter else (left, right)


@function("correlate")
def correlate(a: Any, v: Any, mode: Any = "valid") -> Traced:
    """c[n] = Σ_k a[n+k] v[k]: the convolution with the second vector in reverse."""
    return _convolved(a, flip(v), mode, turned=True)


@function("polyval")
def polyval(p: Any, x: Any) -> Traced:
    """p[0] x^(N-1) + ... + p[N-1], by Horner's rule; the number of coefficients is a number."""
    coefficients, at = as_traced(p), as_traced(x)
    count = coefficients.sizes[0].number if coefficients.ndim == 1 else None
    if count is None:
        raise located(UnsupportedError, "np.polyval needs a vector of coefficients whose length "
                                        "is a number")
    result = getitem(coefficients, 0)
    for k in range(1, int(count)):
        result = add_arrays(multiply(result, at), getitem(coefficients, k))
    return result


@function("vander")
def vander(x: Any, N: Any = None, increasing: Any = False) -> Traced:
    """The powers of the entries of a vector, as columns."""
    array = as_traced(x)
    if not isinstance(N, int):
        raise located(UnsupportedError, "np.vander is traced for a number N of columns")
    order = range(N) if increasing else range(N)[::-1]
    one = Traced(array.tracer, new_axes(array.sizes), ONE, "float")
    return stack([power(array, k) if k else one for k in order], -1)


@function("diagflat")
def diagflat(v: Any, k: Any = 0) -> Traced:
    """A matrix with all entries of v on a diagonal."""
    return diag(ravel(v), k)


# ---- statistics ---------------------------------------------------------------------------

# NumPy 1.26 reads a single row as one variable, whatever rowvar says.
_ONE_ROW_IS_A_VARIABLE = np.ndim(np.cov(np.ones((1, 2)), rowvar=False, ddof=0)) == 0


@function("cov")
def cov(m: Any, y: Any = None, rowvar: Any = True, bias: Any = False, ddof: Any = None,
        fweights: Any = None, aweights: Any = None, *, dtype: Any = None) -> Traced:
    """The covariances of the rows (of the columns, if not rowvar)."""
    if y is not None or fweights is not None or aweights is not None:
        raise located(UnsupportedError, "np.cov is traced without y and weights")
    array = as_traced(m)
    if array.ndim != 2:
        raise located(ShapeError, f"cov: {array.described()} is no matrix")
    rows = array if rowvar else swapaxes(array, 0, 1)
    if not rowvar and _ONE_ROW_IS_A_VARIABLE:
        current().at_least(array.sizes[0], number(2))
    less = (0 if bias else 1) if ddof is None else ddof
    centred = subtract(rows, mean(rows, axis=1, keepdims=True))
    count = Traced(rows.tracer, (), sub(rows.sizes[1], number(less)), "int")
    return divide(matmul(centred, swapaxes(centred, 0, 1)), count)


@function("corrcoef")
def corrcoef(x: Any, y: Any = None, rowvar: Any = True, **options: Any) -> Traced:
    """The covariances over the roots of the variances."""
    c = cov(x, y, rowvar)
    spread = sqrt(diagonal(c))
    return divide(c, outer(spread, spread))


@ufunc("logaddexp.reduce")
def logaddexp_reduce(a: Any, axis: Any = 0, dtype: Any = None, out: Any = None,
                     keepdims: Any = False, **options: Any) -> Traced:
    """log Σ exp(x) along an axis, shifted by the maximum."""
    if out is not None:
        raise located(UnsupportedError, "np.logaddexp.reduce is traced without out=")
    array = as_traced(a)
    top = max_(array, axis=axis, keepdims=True)
    total = sum_(np.exp(subtract(array, top)), axis=axis, keepdims=True)
    result = add_arrays(top, np.log(total))
    if keepdims:
        return result
    gone = axis_tuple(axis, array.ndim, "logaddexp.reduce")
    kept = [x for k, x in enumerate(result.axes) if k not in gone]
    return Traced(result.tracer, kept, result.body, result.kind)


@function("rot90")
def rot90(m: Any, k: Any = 1, axes: Any = (0, 1)) -> Traced:
    """A quarter turn, k times, from the first of two axes to the second."""
    array = as_traced(m)
    first, second = axis_tuple(tuple(axes), array.ndim, "rot90")
    turn = int(k) % 4
    if turn == 0:
        return array
    if turn == 2:
        return flip(array, (first, second))
    if turn == 1:
        return swapaxes(flip(array, second), first, second)
    return flip(swapaxes(array, first, second), second)
