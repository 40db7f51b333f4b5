"""Determinants, and with each the inverse that its gradient may be written with.

In: a traced matrix, or a stack of them. Out: the determinant, an atom over the rows and columns
that symprop/algebra/expansion.py defines. Its cofactors are det A X[j,i] with X the inverse
wherever there is one; so X stands beside it, and is kept where det A cannot be 0 anyway: where
the program only divides by it, or takes its logarithm or its sign.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from symprop.algebra.build import ONE, apply, idx
from symprop.algebra.expansion import DET, determinant
from symprop.algebra.expr import Access, Apply, Expr, arrays_of
from symprop.trace.elementwise import atomic, defined
from symprop.trace.factorizations import square
from symprop.trace.implicit import inv
from symprop.trace.registry import function
from symprop.trace.shapes_of import new_axes, positions
from symprop.trace.tensor import Traced
from symprop.trace.tracer import Draft


class SlogdetResult(NamedTuple):
    """What np.linalg.slogdet returns."""

    sign: Any
    logabsdet: Any


@function("linalg.det")
def det(a: Any, /) -> Traced:
    """The determinant, by expansion along a row."""
    return _of_determinant(atomic(square(a, "det")), lambda whole: whole, "det")


@function("linalg.slogdet")
def slogdet(a: Any, /) -> SlogdetResult:
    """The sign of the determinant, and the logarithm of its size."""
    matrix = atomic(square(a, "slogdet"))
    sign, size = (_of_determinant(matrix, lambda whole, n=name: apply(n, whole), name)
                  for name in ("sign", "log_abs"))
    return SlogdetResult(sign, size)


def _of_determinant(matrix: Traced, make: Callable[..., Expr], op: str) -> Traced:
    """A function of the determinants of a stack of matrices."""
    stack = matrix.axes[:-2]
    if matrix.sizes[-1] == ONE:
        return defined(make(matrix.body), stack, "float", op)
    row, column = new_axes(matrix.sizes[-2:])
    entry = matrix.at([*positions(stack), idx(row), idx(column)])
    found = defined(make(determinant(entry, row, column)), stack, "float", op)
    if found.draft is not None:
        inverse = inv(matrix).draft
        found.draft.beside = "" if inverse is None else inverse.array
    return found


def inverses(drafts: Sequence[Draft]) -> Iterator[str]:
    """The inverses beside determinants that cannot be 0."""
    for draft in drafts:
        if draft.beside and (draft.op != DET or _is_divisor(draft, drafts)):
            yield draft.beside


def _is_divisor(draft: Draft, drafts: Sequence[Draft]) -> bool:
    """Whether all that reads an array divides by it, or is 0 with it and a divisor itself."""
    readers = [d for d in drafts if draft.array in d.reads and d is not draft]
    return bool(readers) and all(
        _divides(d.rhs, draft.array) or (_vanishes(d.rhs, draft.array) and _is_divisor(d, drafts))
        for d in readers)


def _vanishes(rhs: Expr, array: str) -> bool:
    """Whether a product has an entry of the array, or its absolute value, as a factor."""
    if len(rhs.terms) != 1 or rhs.terms[0].bound:
        return False
    factors = [(i.args[0].single_atom if isinstance(i, Apply) and i.function == "abs" else i, e)
               for i, e in rhs.terms[0].factors]
    return any(e > 0 and isinstance(i, Access) and i.array == array for i, e in factors)


def _divides(rhs: Expr, array: str) -> bool:
    """Whether every entry of an array stands below a line, or in a logarithm or a sign."""
    for term in rhs.terms:
        for item, exponent in term.factors:
            if isinstance(item, Access) and item.array == array and exponent > 0:
                return False
            if not isinstance(item, Access) and any(array in arrays_of(c) for c in item.children):
                name = getattr(item, "function", "")
                whole = name in _DELICATE and item.children[0].single_atom
                if not (whole or all(_divides(c, array) for c in item.children)):
                    return False
    return True


_DELICATE = ("log", "log2", "log10", "log_abs", "sign")
