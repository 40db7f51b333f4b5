"""Factorizations, and determinants by them: recurrences over the columns.

In: a traced matrix, or a stack of them. Step t takes column t of what is left, S[0] = A.
Out: for a symmetric positive definite A the lower triangular factor L with L Lᵀ = A,

    L[i,t] = [t <= i] S[t][i,t] / √S[t][t,t]          S[t+1] = S[t] - L[:,t] L[:,t]ᵀ

of which, as with NumPy, only the lower triangle is read, so that the gradient lies there; for
any other the pivots of Gauss's elimination, p the row of the largest entry of the column:

    pivot[t] = S[t][p,t]          S[t+1] = S[t] - S[t][:,t] S[t][p,:] / pivot[t]
"""

from __future__ import annotations

from typing import Any, NamedTuple

from symprop.algebra.build import idx
from symprop.errors import ShapeError
from symprop.trace.arithmetic import divide, multiply, sqrt, subtract
from symprop.trace.booleans import less, less_equal, logical_and, where
from symprop.trace.coerce import as_traced
from symprop.trace.context import located
from symprop.trace.elementwise import row
from symprop.trace.indexing_ops import getitem, take_along_axis
from symprop.trace.ordering import argmax
from symprop.trace.products import prod
from symprop.trace.reductions import sum_
from symprop.trace.registry import function
from symprop.trace.rounding import remainder
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


class SlogdetResult(NamedTuple):
    """What np.linalg.slogdet returns."""

    sign: Any
    logabsdet: Any


@function("linalg.det")
def det(a: Any, /) -> Traced:
    """The determinant: the product of the pivots, with the sign of the order of their rows."""
    pivots, order = _pivots(a, "det")
    return multiply(order, prod(pivots, axis=-1))


@function("linalg.slogdet")
def slogdet(a: Any, /) -> SlogdetResult:
    """The sign of the determinant, and the logarithm of its size."""
    pivots, order = _pivots(a, "slogdet")
    return SlogdetResult(multiply(order, prod(row("sign", pivots), axis=-1)),
                         sum_(row("log", row("abs", pivots)), axis=-1))


def _pivots(a: Any, what: str) -> tuple[Traced, Traced]:
    """The pivots along a last axis, and the sign of the permutation of their rows."""
    matrix = square(a, what)
    count = matrix.sizes[-1]
    times, others = (Traced(matrix.tracer, axes, idx(axes[0]), "int")
                     for axes in (new_axes([count]), new_axes([count])))

    def step(left: Any, t: Any) -> tuple[Any, Any]:
        column = getitem(left, (..., t))
        best = argmax(row("abs", column), axis=-1)
        pivot = take_along_axis(column, getitem(best, (..., None)), -1)
        taken = take_along_axis(left, getitem(best, (..., None, None)), -2)
        new = subtract(left, multiply(getitem(divide(column, pivot), (..., None)), taken))
        return new, (getitem(pivot, (..., 0)), best)

    _, (pivots, rows) = recurrence(step, matrix, times)
    rows = moveaxis(rows, 0, -1)
    before = less(getitem(times, (slice(None), None)), others)
    falls = less(getitem(rows, (..., None, slice(None))), getitem(rows, (..., None)))
    odd = remainder(sum_(logical_and(before, falls), axis=(-2, -1)), 2)
    return moveaxis(pivots, 0, -1), subtract(1.0, multiply(2.0, odd))


def square(a: Any, what: str) -> Traced:
    """A square matrix, or a stack of them; else ShapeError."""
    matrix = as_traced(a)
    if matrix.ndim < 2 or not same_size(*matrix.sizes[-2:]):
        raise located(ShapeError, f"{what}: {matrix.described()} is no square matrix")
    return matrix
