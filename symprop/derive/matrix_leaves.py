"""Arrays as leaves of matrix notation: whole, or at a position of their first axes.

In: an access, and the indices that run over its rows and columns. Out: a leaf. Indices of the
`batch` stand still: with l fixed, W[l+1,i,j] is the matrix W[l+1].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from symprop.algebra.build import ONE, make_term
from symprop.algebra.canonical import same
from symprop.algebra.expr import (
    ADJOINT,
    Access,
    Apply,
    Atom,
    Expr,
    Idx,
    Index,
    Iverson,
    Paren,
    Size,
    Term,
    atoms,
    free_indices,
    indices_of,
)
from symprop.derive.matrix_nodes import Matrix, MatrixForm, Slice, transposed
from symprop.system import Array


class NoForm(Exception):
    """There is no matrix form."""


@dataclass(frozen=True)
class Place:
    """The arrays, whether their slices count as leaves, and the indices that stand still."""

    arrays: Mapping[str, Array]
    slices: bool = False
    batch: frozenset[Index] = frozenset()

    def is_plain(self, atom: Atom) -> bool:
        """Whether a factor without rows and columns is made of numbers, sizes and entries."""
        if not indices_of(atom) <= self.batch:
            return False
        inside = atoms(make_term(Fraction(1), {atom: 1}))
        return all(
            isinstance(a, (Size, Paren, Apply, Iverson))
            or (isinstance(a, Idx) and a.index in self.batch)
            or (isinstance(a, Access) and all(self.is_still(p) for p in a.indices))
            for a in inside
        )

    def leading(self, term: Term, depth: int) -> tuple[Index, ...]:
        """The bound indices at the first `depth` positions of arrays of three axes or more."""
        reads = [a for a, _ in term.factors if isinstance(a, Access) and len(a.indices) > 2]
        first = {i for a in reads for p in a.indices[:depth] for i in free_indices(p)}
        return tuple(b for b in term.bound if b in first)

    def is_still(self, position: Expr) -> bool:
        """Whether a position does not move: a number, or a size, or something of the batch."""
        return position.number is not None or (
            self.slices and free_indices(position) <= self.batch)


def shape_of(
    name: str, arrays: Mapping[str, Array], fixed: int = 0
) -> tuple[Expr, Expr] | None:
    """Rows and columns of an array or an adjoint after its first axes; None for a third axis."""
    array = arrays.get(name.removeprefix(ADJOINT))
    return None if array is None else _rows_and_columns(array.shape[fixed:])


def _rows_and_columns(shape: Sequence[Expr]) -> tuple[Expr, Expr] | None:
    live = list(shape) if len(shape) <= 2 else [s for s in shape if s != ONE]
    if len(live) > 2:
        return None
    rows, cols = (*live, ONE, ONE)[:2]
    return rows, cols


def leaf(read: Access, rows: Index | None, cols: Index | None, place: Place) -> MatrixForm:
    """An access as a leaf: each axis is fixed or read by an index that runs through all of it."""
    array = place.arrays.get(read.array.removeprefix(ADJOINT))
    if array is None or len(array.shape) != len(read.indices):
        raise NoForm
    fixed = 0
    while place.slices and fixed < len(read.indices) and place.is_still(read.indices[fixed]):
        fixed += 1
    shape = _rows_and_columns(array.shape[fixed:])
    if shape is None:
        raise NoForm
    whole: MatrixForm = Matrix(*shape, read.array)
    if fixed:
        whole = Slice(*shape, read.array, read.indices[:fixed])
    ends: list[Index] = []
    for position, size in list(zip(read.indices, array.shape, strict=True))[fixed:]:
        if size == ONE:
            continue
        index = position.single_index
        if index is None or not same(index.size, size):
            raise NoForm
        ends.append(index)
    wanted = [i for i in (rows, cols) if i is not None]
    if len(ends) == 2 and ends == wanted:
        return whole
    if len(ends) == 2 and ends[::-1] == wanted:
        return transposed(whole)
    if ends == wanted:  # a vector, kept as a column
        return whole if whole.cols == ONE else transposed(whole)
    raise NoForm
