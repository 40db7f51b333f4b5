"""A diagonal matrix joined to the matrix that is multiplied with the same array.

In: the equations of a program, in order. Out: the same, where a sum has both products:

    z[n,d] = e[d] c[n,d] + Σ_i L[d,i] c[n,i]        z_matrix[d,i] = L[d,i] + [d = i] e[d], and
                                                    z[n,d] = Σ_i z_matrix[d,i] c[n,i]

Where c has more rows than L, as many products are saved as z has entries, and an array of them;
the transposed product of the backward pass reads the same matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TypeVar

from symprop.algebra.build import access, add, idx, iverson, mul, number
from symprop.algebra.expr import Access, Expr, Index, Term
from symprop.lower.hoist import MADE, Hoist, are_floats
from symprop.lower.sums import plain
from symprop.system import Adjoint, Equation, cycles

Kind = TypeVar("Kind", bound=Equation | Adjoint)
Key = tuple[object, ...]


def diagonals_joined(
    equations: Sequence[Kind], hoist: Hoist, known: dict[Key, str]
) -> tuple[Equation | Kind, ...]:
    """The equations with such matrices made before; known: those that there are already."""
    groups = cycles(equations)
    found: list[Equation | Kind] = []
    for equation in equations:
        if equation.array not in groups and are_floats(hoist, (equation.array, *equation.reads)):
            rhs = _joined(equation, hoist, known)
            if rhs is not None:
                found += hoist.new
                hoist.new.clear()
                equation = replace(equation, rhs=rhs)
        found.append(equation)
    return tuple(found)


def _joined(equation: Equation | Adjoint, hoist: Hoist, known: dict[Key, str]) -> Expr | None:
    terms = list(equation.rhs.terms)
    for product in terms:
        for other in terms:
            joined = None if product is other else _pair(equation, product, other, hoist, known)
            if joined is not None:
                rest = [joined if t is product else t for t in terms if t is not other]
                return Expr(tuple(rest))
    return None


def _pair(
    equation: Equation | Adjoint, product: Term, other: Term, hoist: Hoist, known: dict[Key, str]
) -> Term | None:
    """Both terms as one product."""
    if len(product.bound) != 1 or other.bound or not product.coef:
        return None
    over, = product.bound
    factors, others = _reads(product), _reads(other)
    if factors is None or others is None or len(factors) != 2 or len(others) < 2:
        return None
    for matrix, rows in (factors, factors[::-1]):
        axes, mine = plain(matrix), plain(rows)
        if over not in axes or over not in mine or not set(mine) - set(axes) - {over}:
            continue
        for place in others:
            its = plain(place)
            if place.array != rows.array or len(its) != len(mine):
                continue
            own = its[mine.index(over)]
            if own is over or own in mine or own not in axes or its != tuple(
                    own if i is over else i for i in mine):
                continue
            rest = [a for a in others if a is not place]
            if not all(len(plain(a)) == len(a.indices) and set(plain(a)) <= set(axes) - {over}
                       for a in rest):
                continue
            ratio = other.coef / product.coef
            array = _matrix(equation, matrix, (own, over), rest, ratio, hoist, known)
            return Term(product.coef, tuple(
                (Access(array, matrix.indices) if a is matrix else a, e)
                for a, e in product.factors), product.bound)
    return None


def _reads(term: Term) -> list[Access] | None:
    """The arrays that a term multiplies, if it has nothing else."""
    found = [a for a, e in term.factors if isinstance(a, Access) and e == 1]
    return found if len(found) == len(term.factors) else None


def _matrix(
    equation: Equation | Adjoint, matrix: Access, diagonal: tuple[Index, Index],
    rest: Sequence[Access], ratio: Fraction, hoist: Hoist, known: dict[Key, str],
) -> str:
    """The array of a matrix with a diagonal; it is made where it is not known."""
    axes = plain(matrix)
    own, over = diagonal
    places = [axes.index(own), axes.index(over)]
    at = {i: k for k, i in enumerate(axes)}
    at[own] = at[over] = min(places)
    key = (matrix.array, frozenset(places), ratio, tuple(sorted(
        (a.array, tuple(at[i] for i in plain(a))) for a in rest)))
    if key not in known:
        new = {i: Index(i.letter, i.size) for i in axes}
        indices = tuple(new[i] for i in axes)
        whole = access(matrix.array, [idx(i) for i in indices])
        line = mul(number(ratio), iverson("==", idx(new[own]), idx(new[over])), *(
            access(a.array, [idx(new[i]) for i in plain(a)]) for a in rest))
        known[key] = hoist.array(equation, "matrix", indices)
        hoist.new.append(Equation(
            equation.number, known[key], indices, add(whole, line), role=MADE))
    return known[key]
