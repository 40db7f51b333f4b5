"""Matrix forms of arrays that are printed transposed.

In: a form, the arrays that the page shows as their transposes. Out: the same form, or its
transpose, over what the page shows: X W + 1 bᵀ, transposed, is Wᵀ Xᵀ + b 1ᵀ, whose Wᵀ and Xᵀ are
the page's w and x. No line means anything else than before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from symprop.algebra.build import ONE
from symprop.algebra.expr import ADJOINT
from symprop.derive.matrix_nodes import (
    Bracket,
    Diag,
    Fill,
    Hadamard,
    Identity,
    Map,
    Matrix,
    MatrixForm,
    OneHot,
    Ones,
    Power,
    Product,
    Scalar,
    Scale,
    Slice,
    SliceSum,
    SquaredNorm,
    Sum,
    Trace,
    Transpose,
    nodes,
    transposes,
)
from symprop.emit.called import Called

Shown = Callable[[str], bool]  # whether an array is printed transposed


def on_page(
    called: Called, array: str, form: MatrixForm, fixed: int = 0
) -> MatrixForm | None:
    """The form of an array, whose first axes are fixed, over what the page shows.

    None where arrays of all layers, which a page calls a^l, would stand beside one that has no l.
    """
    if array.removeprefix(ADJOINT) not in called.stacked and any(
            isinstance(n, Matrix) and n.name.removeprefix(ADJOINT) in called.stacked
            for n in nodes(form)):
        return None
    if not called.turned:
        return form
    axes = called.turned.get(array.removeprefix(ADJOINT), 0)
    return turned(form, called.shown, axes - fixed == 2)


def turned(form: MatrixForm, shown: Shown, over: bool) -> MatrixForm:
    """The form over the arrays of the page, those `shown` transposed; if `over`, its transpose.

    A scalar is its own transpose: the shorter of the two is taken.
    """
    if form.rows == ONE and form.cols == ONE:
        return min((_turned(form, shown, way) for way in (False, True)), key=transposes)
    return _turned(form, shown, over)


def _turned(form: MatrixForm, shown: Shown, over: bool) -> MatrixForm:
    if isinstance(form, Transpose):
        return _turned(form.of, shown, not over)
    if isinstance(form, (Matrix, Slice)):
        return _array(form, shown, over)
    if isinstance(form, (Ones, OneHot)):
        of = replace(form, of=turned(form.of, shown, False)) if isinstance(form, OneHot) else form
        return Transpose(form.cols, form.rows, of) if over else of
    if isinstance(form, (Scalar, Identity)):
        return form
    if isinstance(form, Diag):
        return replace(form, of=_turned(form.of, shown, False))
    if isinstance(form, (SquaredNorm, Trace)):
        sides = (_turned(form.of, shown, way) for way in (False, True))
        return replace(form, of=min(sides, key=transposes))
    pushed = _parts(form, shown, over)
    if not over:
        return pushed
    around = Transpose(pushed.rows, pushed.cols, _parts(form, shown, False))
    return min(pushed, around, key=transposes)  # (A ⊙ B)ᵀ rather than Aᵀ ⊙ Bᵀ


def _array(form: Matrix | Slice, shown: Shown, over: bool) -> MatrixForm:
    row = isinstance(form, Slice) and ONE in (form.rows, form.cols)  # a column of the page
    there = shown(form.name) and not row
    base = replace(form, rows=form.cols, cols=form.rows) if there else form
    return Transpose(base.cols, base.rows, base) if there != over else base


def _parts(form: MatrixForm, shown: Shown, over: bool) -> MatrixForm:
    """What is made of parts of the same orientation."""
    rows, cols = (form.cols, form.rows) if over else (form.rows, form.cols)

    def of(part: MatrixForm) -> MatrixForm:
        return turned(part, shown, over)

    if isinstance(form, Product):
        factors = [_turned(f, shown, over) for f in form.factors]
        return Product(rows, cols, tuple(factors[::-1] if over else factors))
    if isinstance(form, Hadamard):
        return Hadamard(rows, cols, tuple(of(f) for f in form.factors))
    if isinstance(form, Sum):
        return Sum(rows, cols, tuple(of(t) for t in form.terms))
    if isinstance(form, Scale):
        return Scale(rows, cols, tuple(turned(b, shown, False) for b in form.by), of(form.of))
    if isinstance(form, Map):
        return Map(rows, cols, form.function, tuple(of(a) for a in form.arguments))
    if isinstance(form, Bracket):
        return Bracket(rows, cols, of(form.left), form.relation, of(form.right))
    if isinstance(form, Fill):
        return Fill(rows, cols, turned(form.value, shown, False))
    if isinstance(form, Power):
        return Power(rows, cols, of(form.of), form.exponent)
    assert isinstance(form, SliceSum), form
    return SliceSum(rows, cols, form.over, of(form.of))
