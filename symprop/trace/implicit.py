"""Arrays that are given by the equations they solve: linear systems, inverses.

In: traced matrices, or stacks of them. Out: the array X with A X = B. It is an equation that
reads itself where it stands,

    X[i,j] = X[i,j] + B[i,j] - Σ_k A[i,k] X[k,j]

so that the chain rule gives its adjoint as one that does, too: Aᵀ X̄ = what X's readers hand
down. No derivative of an inverse is stated anywhere.
"""

from __future__ import annotations

from typing import Any

from symprop.algebra.build import ONE, access, add, idx, mul, sub, sum_over
from symprop.algebra.expr import Index, free_indices
from symprop.errors import ShapeError
from symprop.trace.arithmetic import divide
from symprop.trace.coerce import as_traced
from symprop.trace.context import located
from symprop.trace.creation import eye
from symprop.trace.elementwise import atomic
from symprop.trace.factorizations import square
from symprop.trace.indexing_ops import getitem
from symprop.trace.registry import function
from symprop.trace.shapes_of import broadcast, expect_same, new_axes, positions
from symprop.trace.sizes import as_size
from symprop.trace.tensor import Traced


@function("linalg.solve")
def solve(a: Any, b: Any, /) -> Traced:
    """X with a @ X = b, for a vector b, a matrix or a stack of matrices."""
    matrix, right = atomic(square(a, "solve")), atomic(as_traced(b))
    if not right.ndim:
        raise located(ShapeError, "solve: b is a number; divide by a instead")
    expect_same("solve", matrix, matrix.ndim - 1, right, right.ndim - (2 if right.ndim > 1 else 1))
    if matrix.sizes[-1] == ONE:
        return divide(right, getitem(matrix, (..., 0) if right.ndim == 1 else ...))
    return _solution(matrix, right)


@function("linalg.inv")
def inv(a: Any, /) -> Traced:
    """X with a @ X = 1."""
    matrix = atomic(square(a, "inv"))
    if matrix.sizes[-1] == ONE:
        return divide(1.0, matrix)
    known: dict[Any, Traced] = matrix.tracer.inverses
    key = (matrix.body.key, *(i.uid for i in matrix.axes))
    if key not in known:
        known[key] = _solution(matrix, eye(as_size(matrix.sizes[-1])), "inv")
    return known[key]


def _solution(matrix: Traced, right: Traced, op: str = "solve") -> Traced:
    """The array that is equal to itself plus what is left of B when A X is taken away."""
    tracer = matrix.tracer
    stack = broadcast((_stack(matrix, 2), _stack(right, 2)), "solve")
    (row, bound) = new_axes([matrix.sizes[-1]] * 2)
    columns = new_axes(right.sizes[-1:]) if right.ndim > 1 else ()
    axes = (*stack, row, *columns)
    own_stack = stack[len(stack) - (matrix.ndim - 2):]
    coefficient = matrix.at([*positions(own_stack), idx(row), idx(bound)])
    given = right.aligned(axes)
    read = free_indices(coefficient) | free_indices(given)
    loops = tuple(i for i in tracer.loops if i in read)
    formal = (*loops, *(i for i in axes if i.size != ONE))
    draft = tracer.reserve(formal, "float", op)

    def entry(at: Index) -> Any:
        return access(draft.array, [idx(at if i is row else i) for i in formal])

    used = sum_over(mul(coefficient, entry(bound)), [bound])
    draft.rhs = add(entry(row), sub(given, used))
    return Traced(tracer, axes, entry(row), "float")


def _stack(array: Traced, count: int) -> Traced:
    """The stack of matrices without the matrices."""
    kept = array.axes[:-count] if array.ndim > count else ()
    return Traced(array.tracer, kept, ONE, array.kind)
