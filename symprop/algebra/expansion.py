"""Determinants, by the one equation that defines them: expansion along a row.

In: the entries M[r,c] of a square matrix. Out: `determinant`, an atom over r and c; `cofactor`,
the same of the matrix whose row p and column q are those of the unit matrix; and the way back.

    det M = Σ_c term(M[r,c], minor of the rest, parity of r + c)       along every row r

An entry stands in one term of the expansion along its own row, and in no minor of that row. So
the derivative by it is the term's derivative; the term is proportional to the entry, so that is
the term of an entry 1: the determinant in which the entry is 1 and the rest of its row 0, which
may be said of the rest of its column as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import sympy

from symprop.algebra.build import add, extremum, idx, iverson, mul
from symprop.algebra.expr import Atom, Expr, Extremum, Index, Iverson
from symprop.algebra.rows_row import x, y, z
from symprop.errors import UnsupportedError

DET, COFACTORS = "det", "cofactors"
TERM = (1 - 2 * z) * x * y  # of an entry x, its minor y and z = 0 or 1, the parity of r + c
_term: ContextVar[sympy.Expr] = ContextVar("term", default=TERM)


def term() -> sympy.Expr:
    """The term of the expansion in force, in x, y and z."""
    return _term.get()


@contextmanager
def defined_by(other: Any) -> Iterator[None]:
    """Another term for the length of a with block: x y gives permanents."""
    token = _term.set(sympy.S(other))
    try:
        yield
    finally:
        _term.reset(token)


def expects_proportional() -> None:
    """Raises UnsupportedError unless the derivative of a term by its entry is that of a 1."""
    if sympy.expand(term().diff(x) - term().subs(x, 1)) != 0:
        raise UnsupportedError(
            f"an expansion by {term()} is not proportional to the entry of the matrix")


def determinant(body: Expr, row: Index, column: Index) -> Expr:
    """The determinant of the matrix `body` over `row` and `column`."""
    return extremum(DET, body, (row, column))


def cofactor(body: Expr, row: Index, column: Index, p: Expr, q: Expr) -> Expr:
    """What the entry at (p, q) is multiplied by in the expansion along row p."""
    own = mul(iverson("==", idx(row), p), iverson("==", idx(column), q))
    others = mul(iverson("!=", idx(row), p), iverson("!=", idx(column), q))
    return determinant(add(own, mul(others, body)), row, column)


def cofactor_of(item: Atom) -> tuple[Expr, Expr, Expr] | None:
    """The matrix and the place (p, q) of a cofactor; None for any other atom."""
    if not isinstance(item, Extremum) or item.kind != DET or len(item.body.terms) != 2:
        return None
    found = [_placed(t, item.bound) for t in item.body.terms]
    for (own, rest), (others, entry) in (found, found[::-1]):
        if set(own) == {("==", i) for i in item.bound} and set(others) == {
                ("!=", i) for i in item.bound} and rest.number == 1 and all(
                own["==", i] == others["!=", i] for i in item.bound):
            p, q = (own["==", i] for i in item.bound)
            return entry, p, q
    return None


def _placed(
    term: Any, bound: tuple[Index, ...]
) -> tuple[dict[tuple[str, Index], Expr], Expr]:
    """The brackets of a term that compare a bound index with a place, and what is left."""
    places: dict[tuple[str, Index], Expr] = {}
    rest = []
    for item, exponent in term.factors:
        place = _place(item, bound) if exponent == 1 else None
        if place is None or place[0] in places:
            rest.append((item, exponent))
        else:
            places[place[0]] = place[1]
    return places, Expr((type(term)(term.coef, tuple(rest), term.bound),))


def _place(item: Atom, bound: tuple[Index, ...]) -> tuple[tuple[str, Index], Expr] | None:
    if isinstance(item, Iverson) and item.relation in ("==", "!="):
        for side, other in ((item.lhs, item.rhs), (item.rhs, item.lhs)):
            index = side.single_index
            if index is not None and index in bound and not other.free & frozenset(bound):
                return (item.relation, index), other
    return None
