"""Equations that read their own array where it stands: linear systems.

In: `X = X + B - A X`. Out: the matrix that multiplies X and what it gives, so that X is the
solution. One axis of X is summed over (its row); of the others at most one, on which no
coefficient depends, counts the columns, and the rest a stack of systems.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from symprop.algebra.build import add, idx, iverson, make_term, mul, substitute_term
from symprop.algebra.canonical import expand
from symprop.algebra.expr import Access, Expr, Index, Term, arrays_of, free_indices
from symprop.errors import UnsupportedError
from symprop.lower.ir import Axes, Fill, Node, Solve
from symprop.lower.nodes import as_float
from symprop.lower.terms import Lowering
from symprop.system import Adjoint, Equation, sides


@dataclass(frozen=True)
class _Linear:
    """Σ matrix[.., row, other] X[.., other, ..] = given."""

    row: Index
    other: Index
    matrix: Expr
    given: Expr


def solution(equation: Equation | Adjoint, live: Axes, lowering: Lowering) -> Node:
    """The array that solves an implicit equation.

    Raises UnsupportedError where the array does not stand there as in a linear system.
    """
    linear = _linear(equation, live)
    depends = free_indices(linear.matrix)
    others = [i for i in live if i is not linear.row]
    free = [i for i in others if i not in depends]
    column = free[-1:] if free and free[-1] is others[-1] else []
    stack = tuple(i for i in others if i not in column)
    square = (*stack, linear.row, linear.other)
    matrix = as_float(lowering.expr(linear.matrix, square))
    wide = (*(i for i in stack if i in matrix.axes), linear.row, linear.other)
    axes = (*stack, linear.row, *column)
    plain = linear.given.single_atom
    if plain is not None and column and not stack and (
        iverson("==", idx(linear.row), idx(column[0])).single_atom == plain
    ):
        return Solve(axes, _over(matrix, wide), None)
    right = as_float(lowering.expr(linear.given, axes))
    return Solve(axes, _over(matrix, wide), _over(right, (
        *(i for i in stack if i in right.axes), linear.row, *column)))


def _over(node: Node, axes: Axes) -> Node:
    return node if node.axes == axes else Fill(axes, node)


def _linear(equation: Equation | Adjoint, live: Axes) -> _Linear:
    left, given = _sides(equation)
    if any(_entry(t, equation.array) is None for t in left.terms):
        left, given = _sides(replace(equation, rhs=expand(equation.rhs)))
    found: list[tuple[Term, Access]] = []
    for term in left.terms:
        entry = _entry(term, equation.array)
        if entry is None:
            raise _refused(equation)
        found.append((term, entry))
    row = _row(equation, live, found)
    other = Index(row.letter, row.size)
    matrix = [_coefficient(t, a, row, other) for t, a in found]
    if any(equation.array in arrays_of(c) for c in matrix):
        raise _refused(equation)
    return _Linear(row, other, add(*matrix), given)


def _sides(equation: Equation | Adjoint) -> tuple[Expr, Expr]:
    found = sides(equation)
    if found is None:
        raise _refused(equation)
    return found


def _entry(term: Term, array: str) -> Access | None:
    """The one factor of a term that reads the array."""
    reads = [(a, e) for a, e in term.factors if array in arrays_of(make_term(Fraction(1), {a: e}))]
    if len(reads) != 1 or reads[0][1] != 1 or not isinstance(reads[0][0], Access):
        return None
    return reads[0][0] if reads[0][0].array == array else None


def _row(
    equation: Equation | Adjoint, live: Axes, found: list[tuple[Term, Access]]
) -> Index:
    """The index in whose place all terms have a bound one."""
    rows = set()
    for term, entry in found:
        own = [i for i in equation.indices if i.size.number != 1]
        for index, position in zip(own, entry.indices, strict=True):
            at = position.single_index
            if at is index:
                continue
            if at is None or at not in term.bound or index not in live:
                raise _refused(equation)
            rows.add(index)
    if len(rows) != 1:
        raise _refused(equation)
    return rows.pop()


def _coefficient(term: Term, entry: Access, row: Index, other: Index) -> Expr:
    """What multiplies the entry at `other` in a term; a diagonal where it is its own."""
    rest = tuple(f for f in term.factors if f[0] is not entry)
    summed = next((i for p in entry.indices if (i := p.single_index) in term.bound), None)
    if summed is None:
        return mul(Expr((Term(term.coef, rest, term.bound),)), iverson("==", idx(row), idx(other)))
    bound = tuple(b for b in term.bound if b is not summed)
    return substitute_term(Term(term.coef, rest, bound), {summed: idx(other)})


def _refused(equation: Equation | Adjoint) -> UnsupportedError:
    return UnsupportedError(
        f"({equation.number}): {equation.array} is given by an equation that is not a linear "
        "system in one of its axes")
