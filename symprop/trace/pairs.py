"""A column beside a vector of the same axis: all pairs, where seldom all pairs were meant.

In: the operands of an elementwise operation. Out: nothing, a note, or a ShapeError:

    X @ W - y       W: "K 1", y: "N"    (N, 1) against (N,): refused, for N x N errors are no loss
    x[:, None] - x                      pairs of one array with itself are meant
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

from symprop.algebra.build import ONE
from symprop.errors import ShapeError
from symprop.trace.context import located
from symprop.trace.running import current
from symprop.trace.sizes import same_size
from symprop.trace.tensor import Traced
from symprop.trace.text import size_text


def expect_no_pairs(arrays: Sequence[Traced], what: str) -> None:
    """Raises ShapeError where one operand is (N, 1), by a declared axis of 1, and another (N,).

    That the axis of 1 was made in the function is only noted; nothing is said where the two are
    made of the same arrays, or of none.
    """
    for column, row in permutations(arrays, 2):
        if not _are_pairs(column, row):
            continue
        read, other = (current().inputs_of(a.body) for a in (column, row))
        if not read or not other or read & other:
            continue
        size = size_text(row.sizes[-1])
        text = (
            f"{what}: {column.described()} and {row.described()} broadcast to ({size}, {size}), "
            "every entry of one with every entry of the other: take the axis of 1 away, as in "
            f"{_name(column, 'x')}[:, 0], or write {_name(row, 'y')}[None, :] where all pairs are "
            "meant")
        if any(ONE in current().arrays[name].shape for name in read):
            raise located(ShapeError, text)
        current().note("pairs", text)


def _name(array: Traced, otherwise: str) -> str:
    """What the user calls an array."""
    name = array.described().partition(" of shape ")[0]
    return name if name.isidentifier() else otherwise


def _are_pairs(column: Traced, row: Traced) -> bool:
    """Whether a named axis that both have comes out twice."""
    if column.ndim < 2 or row.ndim != 1 or column.sizes[-1] != ONE:
        return False
    named = row.sizes[-1].number is None
    return named and same_size(column.sizes[-2], row.sizes[-1])
