"""Norms of vectors and matrices: sums of powers, and maxima.

In: a traced array, `ord`, axes. Out: traced arrays. At 0 the derivative of a norm is 0: the
root is the row `root`, and the other powers stand behind the condition that the sum is
positive.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop.errors import InputError, ShapeError, UnsupportedError
from symprop.trace.arithmetic import multiply, power, square
from symprop.trace.booleans import less, where
from symprop.trace.choices import count_nonzero
from symprop.trace.coerce import as_traced
from symprop.trace.context import located
from symprop.trace.elementwise import row
from symprop.trace.reductions import max_, min_, shaped, sum_
from symprop.trace.registry import function
from symprop.trace.shapes_of import axis_tuple
from symprop.trace.tensor import Traced


@function("linalg.norm")
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Traced:
    """The norm of a vector or a matrix; of several, along `axis`."""
    array = as_traced(x)
    if ord is None:
        return _two(array, axis, keepdims)
    axes = axis_tuple(axis, array.ndim, "norm")
    if len(axes) == 1:
        return vector_norm(array, axis=axes, keepdims=keepdims, ord=ord)
    if len(axes) == 2:
        return _matrix(array, ord, axes, keepdims)
    raise located(ShapeError, "norm: ord needs one or two axes")


def _two(array: Traced, axis: Any, keepdims: Any) -> Traced:
    """The root of the sum of squares."""
    return row("root", sum_(square(array), axis=axis, keepdims=keepdims))


@function("linalg.vector_norm")
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: Any = False, ord: Any = 2) -> Traced:
    """(Σ |x|^ord)^(1/ord), with its limits at infinity and at 0."""
    array = as_traced(x)
    if not isinstance(ord, int | float):
        raise located(InputError, f"norm: {ord!r} is no order of a vector's norm")
    if ord == 2:
        return _two(array, axis, keepdims)
    size = row("abs", array)
    if np.isinf(ord):
        extreme = max_ if ord > 0 else min_
        return extreme(size, axis=axis, keepdims=keepdims)  # type: ignore[no-any-return]
    if ord == 0:
        return multiply(1.0, count_nonzero(array, axis=axis, keepdims=keepdims))
    if ord == 1:
        return sum_(size, axis=axis, keepdims=keepdims)
    total = sum_(power(size, ord), axis=axis, keepdims=keepdims)
    return where(less(0, total), power(total, 1 / ord), 0.0)


@function("linalg.matrix_norm")
def matrix_norm(x: Any, /, *, keepdims: Any = False, ord: Any = "fro") -> Traced:
    """The norm of the matrices in the last two axes."""
    array = as_traced(x)
    return _matrix(array, ord, axis_tuple((-2, -1), array.ndim, "norm"), keepdims)


def _matrix(array: Traced, ord: Any, axes: tuple[int, ...], keepdims: Any) -> Traced:
    """The norm of a matrix: of its entries, or the largest or smallest sum of a row or column."""
    if ord == "fro":
        return _two(array, axes, keepdims)
    if ord not in (1, -1, np.inf, -np.inf):
        raise located(UnsupportedError, (
            f"np.linalg.norm with ord={ord!r} of a matrix cannot be traced: it needs singular "
            "values"))
    rows, columns = axes
    summed, other = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = sum_(row("abs", array), axis=summed, keepdims=True)
    extreme = max_ if ord > 0 else min_
    result = extreme(sums, axis=(summed, other))
    return shaped(result, array, axes, keepdims)
