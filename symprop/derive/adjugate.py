"""Cofactors by an inverse that the forward pass has.

In: an equation. Out: where it says A X = 1, how a cofactor of A is found: A's expansion along one
row is its determinant, and with the cofactors of another row it is 0 (the determinant of a matrix
with two equal rows). So A Cᵀ = det A, and with it

    C[p,q] = det A X[q,p]
"""

from __future__ import annotations

from collections.abc import Iterable

from symprop.algebra.build import access, freshen_extrema, idx, make_term, mul, substitute
from symprop.algebra.expansion import COFACTORS, cofactor, cofactor_of, determinant
from symprop.algebra.expr import Access, Atom, Expr, Index, Iverson, arrays_of
from symprop.derive.fold import Moved, fold_named
from symprop.derive.knowledge import Knowledge, Rule
from symprop.derive.match import match_atom
from symprop.system import Equation, sides


def adjugate(equation: Equation, determinants: Iterable[Rule]) -> Rule | None:
    """The rule for the cofactors of A. determinants: those that have a name."""
    found = _inverted(equation)
    if found is None:
        return None
    body, row, column = found
    i, j = equation.indices[-2:]
    pattern = cofactor(body, row, column, idx(j), idx(i)).terms[0]
    whole, because = _named(freshen_extrema(determinant(body, row, column)), determinants)
    value = mul(whole, access(equation.array, [idx(k) for k in equation.indices]))
    return Rule(pattern, equation.indices, value, (*because, equation.number))


def _inverted(equation: Equation) -> tuple[Expr, Index, Index] | None:
    """A as an expression in a row and a column; None for another equation than A X = 1."""
    both = sides(equation)
    if both is None or len(equation.indices) < 2 or len(both[0].terms) != 1:
        return None
    (term,), given = both[0].terms, both[1].single_atom
    i, j = equation.indices[-2:]
    own = [a for a, e in term.factors if e == 1 and isinstance(a, Access)
           and a.array == equation.array]
    if not isinstance(given, Iverson) or given.relation != "==" or {
            given.lhs.single_index, given.rhs.single_index} != {i, j} or len(own) != 1:
        return None
    at = [p.single_index for p in own[0].indices]
    rest = make_term(term.coef, {a: e for a, e in term.factors if a is not own[0]})
    if at[-1] is not j or (at[-2],) != term.bound or equation.array in arrays_of(rest):
        return None
    row, column = Index(i.letter, i.size), Index(j.letter, j.size)
    return substitute(rest, {i: idx(row), term.bound[0]: idx(column)}), row, column


def _named(whole: Expr, determinants: Iterable[Rule]) -> tuple[Expr, tuple[str, ...]]:
    """The determinant by its name, if it has one."""
    item: Atom | None = whole.single_atom
    for rule in determinants:
        pattern = rule.pattern.factors[0][0]
        for env in match_atom(pattern, item, {}, frozenset(rule.variables)) if item else ():
            return substitute(rule.value, env), rule.because
    return whole, ()


def fold_cofactors(expr: Expr, known: Knowledge) -> Moved:
    """The cofactors of a matrix by its inverse, wherever the forward pass has one."""
    return fold_named(expr, known, lambda item: COFACTORS if cofactor_of(item) else "")
