"""A derivative by its name: ā ⊙ a ⊙ (1 - a) is ā ⊙ σ'(z), where a = σ(z).

In: an adjoint of z, whose one reader is a = f(z). Out: its right-hand side with f'(z) in the place
of what the local derivative came to; and what that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from symprop.algebra.build import idx
from symprop.algebra.expr import (
    UNIT,
    Access,
    Apply,
    Atom,
    Exponent,
    Expr,
    Iverson,
    Term,
    adjoint,
)
from symprop.derive.matrix_nodes import Hadamard, Map, MatrixForm, Scale
from symprop.derive.present import arranged
from symprop.derive.retold import told
from symprop.system import Adjoint, System, sides

PRIME = "'"
Factors = tuple[tuple[Atom, Exponent], ...]


@dataclass(frozen=True)
class Primed:
    """An adjoint with a derivative by its name: `name` is `value`, at the adjoint's indices."""

    adjoint: Adjoint
    name: Apply
    value: Expr


def primed(found: Adjoint, system: System, zeros: Mapping[str, str], loss: str) -> Primed | None:
    """The same with f'(z); None where it has no such factor, or one that is short as it is."""
    if len(found.sources) != 1 or found.role != "adjoint" or sides(found) is not None:
        return None
    equation = next((e for e in system.equations if e.number == found.sources[0]), None)
    applied = equation.rhs.single_atom if equation is not None else None
    if equation is None or not isinstance(applied, Apply) or len(applied.args) != 1:
        return None
    read, telling = applied.args[0].single_atom, told(found, zeros, loss)
    if telling is None or not isinstance(read, Access) or read.array != found.primal:
        return None
    slope = _beside(telling.local, adjoint(equation.array))
    if slope is None or (len(slope) == 1 and isinstance(slope[0][0], (Access, Iverson))):
        return None
    own = Access(read.array, tuple(map(idx, found.indices)))
    name = Apply(applied.function + PRIME, (Expr((Term(UNIT, ((own, 1),)),)),))
    rhs = _replaced(found.rhs, slope, name)
    if rhs is None:
        return None
    return Primed(replace(found, rhs=rhs), name, arranged(Expr((Term(UNIT, slope),))))


def _beside(local: Expr, array: str) -> Factors | None:
    """What stands beside the one adjoint in a line of one term."""
    if len(local.terms) != 1 or local.terms[0].bound or local.terms[0].coef != 1:
        return None
    factors = local.terms[0].factors
    carried = [a for a, e in factors if isinstance(a, Access) and a.array == array and e == 1]
    if len(carried) != 1 or len(factors) < 2:
        return None
    return tuple(f for f in factors if f[0] is not carried[0])


def _replaced(expr: Expr, slope: Factors, name: Apply) -> Expr | None:
    """A product with the factors of the slope, that with its name in their place."""
    if len(expr.terms) != 1:
        return None
    term = expr.terms[0]
    rest = list(term.factors)
    for factor in slope:
        if factor not in rest:
            return None
        rest.remove(factor)
    return Expr((replace(term, factors=(*rest, (name, 1))),))


def slopes_last(form: MatrixForm) -> MatrixForm:
    """A product entry by entry, with its derivatives behind the other factors."""
    if isinstance(form, Scale):
        return replace(form, of=slopes_last(form.of))
    if not isinstance(form, Hadamard):
        return form
    return replace(form, factors=tuple(sorted(
        form.factors, key=lambda f: isinstance(f, Map) and f.function.endswith(PRIME))))
