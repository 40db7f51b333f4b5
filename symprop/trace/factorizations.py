"""Factorizations: recurrences over the columns.

In: a traced matrix, or a stack of them. Out: for a symmetric positive definite A the lower
triangular factor L with L Lᵀ = A, column by column,

    u[i,t] = A[i,t] - Σ_p [p < t] L[i,p] L[t,p]          L[i,t] = [t <= i] u[i,t] / √u[t,t]

of which, as with NumPy, only the lower triangle is read, so that the gradient lies there. Golub
and Van Loan, Matrix Computations, section 4.2.5. The equations hold a column in a row.
"""

from __future__ import annotations

from typing import Any

from symprop.algebra.build import access, idx, iverson, mul, sub, substitute, sum_over
from symprop.algebra.expr import Expr, Index
from symprop.errors import ShapeError, UnsupportedError
from symprop.trace.arithmetic import divide, multiply, sqrt, subtract
from symprop.trace.booleans import less_equal, where
from symprop.trace.coerce import as_traced
from symprop.trace.context import located
from symprop.trace.elementwise import named
from symprop.trace.indexing_ops import getitem
from symprop.trace.registry import NAMED, function
from symprop.trace.shapes_of import new_axes
from symprop.trace.sizes import same_size
from symprop.trace.tensor import Traced
from symprop.trace.text import size_text
from symprop.trace.views import swapaxes


@function("linalg.cholesky")
def cholesky(a: Any, /, *, upper: Any = False) -> Traced:
    """The lower triangular factor of a positive definite matrix (`upper`: its transpose)."""
    matrix = square(a, "cholesky")
    if upper:
        return swapaxes(cholesky(swapaxes(matrix, -1, -2)), -1, -2)
    tracer = matrix.tracer
    return _written_out(matrix) if tracer.loops or tracer.turn else _recurrence(matrix)


def _recurrence(matrix: Traced) -> Traced:
    """The factor as a recurrence over its columns, each of which reads all before it."""
    tracer, batch, size = matrix.tracer, matrix.axes[:-2], matrix.sizes[-1]
    time, last = Index("t", size), Index("i", size)
    draft = tracer.reserve([time, *batch, last], "float", "cholesky")

    def factor(row: Index, column: Index) -> Expr:
        return access(draft.array, [idx(column), *map(idx, batch), idx(row)])

    tracer.loops.append(time)
    try:
        row, earlier = new_axes([size, size])
        known = mul(iverson("<", idx(earlier), idx(time)),
                    factor(row, earlier), factor(time, earlier))
        own = substitute(matrix.body, dict(zip(
            matrix.axes[-2:], (idx(row), idx(time)), strict=True)))
        left = named(Traced(tracer, [*batch, row], sub(own, sum_over(known, [earlier])), "float"))
        column = _column(left, Traced(tracer, [], idx(time), "int"))
        draft.rhs = column.aligned([*batch, last])
    finally:
        tracer.loops.remove(time)
    row, other = new_axes([size, size])
    return Traced(tracer, [*batch, row, other], factor(row, other), "float")


def _written_out(matrix: Traced) -> Traced:
    """The same within a loop over a named axis, column by column; the size must be a number."""
    size = matrix.sizes[-1].number
    if size is None:
        raise located(UnsupportedError, (
            f"cholesky of a matrix of the size {size_text(matrix.sizes[-1])} within a loop over a "
            "named axis cannot be traced: declare the size of the matrix as a number, or factor "
            "all matrices at once outside of the loop"))
    columns: list[Traced] = []
    for t in range(int(size)):
        left = getitem(matrix, (..., t))
        for known in columns:
            left = subtract(left, multiply(known, getitem(known, (..., slice(t, t + 1)))))
        columns.append(named(_column(named(left), t)))
    return NAMED["stack"](columns, axis=-1)  # type: ignore[no-any-return]


def _column(left: Traced, t: Any) -> Traced:
    """Column t of the factor, from what is left of that of the matrix."""
    (row,) = new_axes(left.sizes[-1:])
    pivot = getitem(sqrt(getitem(left, (..., t))), (..., None))
    below = less_equal(t, Traced(left.tracer, [row], idx(row), "int"))
    return where(below, divide(left, pivot), 0.0)


def square(a: Any, what: str) -> Traced:
    """A square matrix, or a stack of them; else ShapeError."""
    matrix = as_traced(a)
    if matrix.ndim < 2 or not same_size(*matrix.sizes[-2:]):
        raise located(ShapeError, f"{what}: {matrix.described()} is no square matrix")
    return matrix
