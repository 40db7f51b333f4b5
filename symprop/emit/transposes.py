"""The step from index to matrix notation, where a matrix is transposed: A[n,h] is (Aᵀ)[h,n].

In: a right-hand side of one term, and its matrix form. Out: the term with its factors in the
order of the matrix product, transposes written out; None where there is nothing to explain.
"""

from __future__ import annotations

from collections.abc import Sequence

from symprop.algebra.build import ONE, make_term
from symprop.algebra.expr import Access, Expr, Term, indices_of
from symprop.derive.matrix_nodes import (
    Matrix,
    MatrixForm,
    Ones,
    Product,
    Scale,
    Slice,
    SliceSum,
    Transpose,
)
from symprop.emit.pieces import BIG, PRODUCT, Piece, join
from symprop.emit.printer import Printer


def with_transposes(rhs: Expr, form: MatrixForm, printer: Printer) -> Piece | None:
    """Σ_n (Aᵀ)[h,n] Z̄[n,m] for Σ_n Z̄[n,m] A[n,h], whose form is Aᵀ Z̄; else None."""
    if len(rhs.terms) != 1:
        return None
    term = rhs.terms[0]
    leaves = _leaves(form)
    if len(leaves) < 2 or not any(isinstance(leaf, Transpose) for leaf in leaves):
        return None
    matched = _matched(term, leaves)
    if matched is None:
        return None
    used = {id(read) for read in matched}
    outer = {a: e for a, e in term.factors if id(a) not in used}
    if any(indices_of(a) & frozenset(term.bound) for a in outer):
        return None
    return _printed(term, make_term(abs(term.coef), outer),
                    list(zip(leaves, matched, strict=True)), printer)


def _leaves(form: MatrixForm) -> list[MatrixForm]:
    """The factors of a product of arrays, without columns of ones; none where it is not that."""
    if isinstance(form, Scale):
        form = form.of
    if isinstance(form, SliceSum):
        form = form.of
    if not isinstance(form, Product):
        return []
    found = [f for f in form.factors if not isinstance(_plain(f), Ones)]
    plain = all(isinstance(_plain(f), (Matrix, Slice)) for f in found)
    return found if plain else []


def _plain(form: MatrixForm) -> MatrixForm:
    return form.of if isinstance(form, Transpose) else form


def _matched(term: Term, leaves: Sequence[MatrixForm]) -> list[Access] | None:
    """The entry of each factor; None where a factor is no entry, or a power of one."""
    left = [a for a, e in term.factors if e == 1 and isinstance(a, Access)]
    found: list[Access] = []
    for leaf in leaves:
        inner = _plain(leaf)
        assert isinstance(inner, (Matrix, Slice))
        read = next((a for a in left if a.array == inner.name), None)
        if read is None:
            return None
        left = [a for a in left if a is not read]
        found.append(read)
    return found


def _printed(
    term: Term, before: Expr, factors: Sequence[tuple[MatrixForm, Access]], printer: Printer
) -> Piece:
    to = printer.to
    pieces = [_factor(leaf, read, printer) for leaf, read in factors]
    total = printer.summing(term)
    summed = join([total, to.product(pieces).deeper(1)], BIG).fused()
    whole = summed if before == ONE else to.product([printer.expr(before), summed])
    if term.coef >= 0:
        return whole
    return join([to.sign("negative"), whole], PRODUCT).fused()


def _factor(leaf: MatrixForm, read: Access, printer: Printer) -> Piece:
    """An entry; of a transposed matrix with the positions of its last two axes exchanged."""
    to = printer.to
    at = printer.places(read.array, read.indices)
    vector = leaf.rows == ONE or leaf.cols == ONE
    if not isinstance(leaf, Transpose) or vector:
        return to.entry(read.array, at)
    at = to.laid(read.array, at)
    inner = leaf.of
    fixed = len(inner.at) if isinstance(inner, Slice) else 0
    base = to.entry(read.array, at[:fixed]) if fixed else to.array(read.array)
    return to.entry_of(to.transposed(base), at[fixed:][::-1])
