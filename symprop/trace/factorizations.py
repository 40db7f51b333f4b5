"""Factorizations: recurrences over the columns.

In: a traced matrix, or a stack of them. Step t takes column t of what is left, S[0] = A.
Out: for a symmetric positive definite A the lower triangular factor L with L Lᵀ = A,

    L[i,t] = [t <= i] S[t][i,t] / √S[t][t,t]          S[t+1] = S[t] - L[:,t] L[:,t]ᵀ

of which, as with NumPy, only the lower triangle is read, so that the gradient lies there.
"""

from __future__ import annotations

from typing import Any

from symprop.algebra.build import idx
from symprop.errors import ShapeError
from symprop.trace.arithmetic import divide, multiply, sqrt, subtract
from symprop.trace.booleans import less_equal, where
from symprop.trace.coerce import as_traced
from symprop.trace.context import located
from symprop.trace.indexing_ops import getitem
from symprop.trace.registry import function
from symprop.trace.scan import recurrence
from symprop.trace.shapes_of import new_axes
from symprop.trace.sizes import same_size
from symprop.trace.tensor import Traced
from symprop.trace.views import moveaxis, swapaxes


@function("linalg.cholesky")
def cholesky(a: Any, /, *, upper: Any = False) -> Traced:
    """The lower triangular factor of a positive definite matrix (`upper`: its transpose)."""
    matrix = square(a, "cholesky")
    if upper:
        return swapaxes(cholesky(swapaxes(matrix, -1, -2)), -1, -2)
    size = matrix.sizes[-1]
    row_axes, time_axes = new_axes([size]), new_axes([size])
    rows = Traced(matrix.tracer, row_axes, idx(row_axes[0]), "int")
    times = Traced(matrix.tracer, time_axes, idx(time_axes[0]), "int")

    def step(left: Any, t: Any) -> tuple[Any, Any]:
        column = _column(left, t, rows)
        new = subtract(left, multiply(getitem(column, (..., None)),
                                      getitem(column, (..., None, slice(None)))))
        return new, column

    columns = recurrence(step, matrix, times)[1]
    return moveaxis(columns, 0, -1)


def _column(left: Traced, t: Traced, rows: Traced) -> Traced:
    """Column t of the factor, from what is left of the matrix."""
    column = getitem(left, (..., t))
    pivot = getitem(column, (..., t))
    scaled = divide(column, getitem(sqrt(pivot), (..., None)))
    return where(less_equal(t, rows), scaled, 0.0)


def square(a: Any, what: str) -> Traced:
    """A square matrix, or a stack of them; else ShapeError."""
    matrix = as_traced(a)
    if matrix.ndim < 2 or not same_size(*matrix.sizes[-2:]):
        raise located(ShapeError, f"{what}: {matrix.described()} is no square matrix")
    return matrix
