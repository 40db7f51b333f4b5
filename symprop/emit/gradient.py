"""A gradient as an equation of SymPy.

In: an adjoint equation. Out: a `Gradient`, whose indices have the letters that they have in print.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sympy

from symprop.algebra.build import access, atom, idx
from symprop.algebra.expr import Expr, Extremum, Idx, Index
from symprop.algebra.sympy_bridge import to_sympy
from symprop.emit.letters import equation_letters
from symprop.emit.sympy_shown import shown as shown_in_sympy
from symprop.system import Adjoint, System


@dataclass(frozen=True)
class Gradient:
    """∂L/∂W as SymPy: `lhs[indices] = rhs`, with the number it has in print and in code.

    SymPy's printers print it as the `equation` that it is.
    """

    number: str
    indices: tuple[sympy.Expr, ...]
    lhs: sympy.Expr
    rhs: sympy.Expr

    @property
    def equation(self) -> sympy.Eq:
        """Both sides as a `sympy.Eq` that nothing evaluates."""
        return sympy.Eq(self.lhs, self.rhs, evaluate=False)

    def _printed(self, printer: Any) -> Any:
        return printer._print(self.equation)

    _latex = _pretty = _sympystr = _sympyrepr = _printed

    def __repr__(self) -> str:
        return f"<Gradient ({self.number}): {self.equation}>"

    def _repr_latex_(self) -> str:
        return f"${sympy.latex(self)}$"


def gradient_of(adjoint: Adjoint, system: System) -> Gradient:
    """The gradient that an adjoint equation of a parameter is."""
    at = tuple(idx(i) for i in adjoint.indices)
    shown = equation_letters(system, adjoint)
    every = {**{i.uid: i for i in adjoint.indices}, **{i.uid: i for i in _indices(adjoint.rhs)}}
    letters = {
        to_sympy(atom(Idx(i))): sympy.Symbol(shown.get(i.uid, i.letter), integer=True)
        for i in every.values()
    }
    return Gradient(
        number=adjoint.number,
        indices=tuple(to_sympy(i).xreplace(letters) for i in at),
        lhs=shown_in_sympy(to_sympy(access(adjoint.array, at)).xreplace(letters)),
        rhs=shown_in_sympy(to_sympy(adjoint.rhs).xreplace(letters)),
    )


def _indices(expr: Expr) -> Iterator[Index]:
    """Every index of an expression, bound ones included."""
    for term in expr.terms:
        yield from term.bound
        for item, _ in term.factors:
            if isinstance(item, Idx):
                yield item.index
            if isinstance(item, Extremum):
                yield from item.bound
            for child in item.children:
                yield from _indices(child)
