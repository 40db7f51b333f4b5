"""A gradient in matrix notation with other equations put in.

In: an adjoint, the equations by array, which of them to put in. Out: a `MatrixForm`, or None
where one of them has no matrix form or the whole gets long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symprop.algebra.build import ONE, mul
from symprop.algebra.expr import arrays_of
from symprop.derive.matrix import matrix_form
from symprop.derive.matrix_leaves import NoForm
from symprop.derive.matrix_nodes import (
    Bracket,
    Diag,
    Fill,
    Hadamard,
    Map,
    Matrix,
    MatrixForm,
    OneHot,
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
    hadamard,
    nodes,
    product,
    scalar,
    total,
    transposed,
)
from symprop.system import Adjoint, Array, Equation

_LONGEST = 60  # nodes: nothing that long fits a line


def closed_form(
    equation: Equation | Adjoint, equations: Mapping[str, Equation | Adjoint],
    arrays: Mapping[str, Array], inside: Callable[[str], bool],
) -> MatrixForm | None:
    """The right-hand side with every array that is `inside` replaced by its equation."""
    try:
        return _Closing(equations, arrays, inside).of(equation)
    except NoForm:
        return None


@dataclass
class _Closing:
    equations: Mapping[str, Equation | Adjoint]
    arrays: Mapping[str, Array]
    inside: Callable[[str], bool]
    known: dict[str, MatrixForm | None] = field(default_factory=dict)

    def of(self, equation: Equation | Adjoint) -> MatrixForm:
        """An equation's form. Raises NoForm, for a recurrence too."""
        if equation.array not in self.known:
            self.known[equation.array] = None
            form = matrix_form(equation, self.arrays)
            self.known[equation.array] = None if form is None else self._put_in(form)
        found = self.known[equation.array]
        if found is None or sum(1 for _ in nodes(found)) > _LONGEST:
            raise NoForm
        return found

    def _put_in(self, form: MatrixForm) -> MatrixForm:
        """The same form with the arrays replaced."""
        if isinstance(form, Matrix):
            equation = self.equations.get(form.name)
            return self.of(equation) if equation and self.inside(form.name) else form
        if isinstance(form, (Slice, SliceSum)) or (
                isinstance(form, Scalar) and any(map(self.inside, arrays_of(form.value)))):
            raise NoForm
        if isinstance(form, Transpose):
            return transposed(self._put_in(form.of))
        if isinstance(form, (Diag, Power, OneHot, SquaredNorm, Trace)):
            return replace(form, of=self._put_in(form.of))
        if isinstance(form, Bracket):
            return replace(form, left=self._put_in(form.left), right=self._put_in(form.right))
        if isinstance(form, Fill):
            return replace(form, value=self._put_in(form.value))
        if isinstance(form, Map):
            return replace(form, arguments=tuple(map(self._put_in, form.arguments)))
        if isinstance(form, (Product, Hadamard)):
            by, parts = _unscaled([self._put_in(f) for f in form.factors])
            joined = product(parts) if isinstance(form, Product) else hadamard(parts)
            return _scaled(by, joined)
        if isinstance(form, Scale):
            return _scaled([self._put_in(b) for b in form.by], self._put_in(form.of))
        if isinstance(form, Sum):
            parts = [self._put_in(t) for t in form.terms]
            return total([t for p in parts for t in (p.terms if isinstance(p, Sum) else (p,))])
        return form


def _unscaled(parts: Sequence[MatrixForm]) -> tuple[list[MatrixForm], list[MatrixForm]]:
    """The scalars before the factors of a product, and the factors without them."""
    by = [b for p in parts if isinstance(p, Scale) for b in p.by]
    return by, [p.of if isinstance(p, Scale) else p for p in parts]


def _scaled(by: Sequence[MatrixForm], form: MatrixForm) -> MatrixForm:
    """Scalars times a form, numbers and sizes in one."""
    if isinstance(form, Scale):
        by, form = [*by, *form.by], form.of
    value, others = ONE, []
    for one in by:
        if isinstance(one, Scalar) and len(one.value.terms) == 1:
            value = mul(value, one.value)
        else:
            others.append(one)
    every = [*([] if value == ONE else [scalar(value)]), *others]
    return Scale(form.rows, form.cols, tuple(every), form) if every else form
