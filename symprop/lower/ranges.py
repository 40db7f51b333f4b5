"""Brackets that hold on a stretch of one axis, as a shorter range of that axis.

In: a term. Out: the same term over shorter axes, and where on the old axes they lie.

    Σ_j [H <= j] a[j] b[j - H]      becomes      Σ_i a[i + H] b[i]      with i < J - H
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from fractions import Fraction

from symprop.algebra import integers
from symprop.algebra.build import (
    ONE,
    ZERO,
    add,
    as_monomial,
    idx,
    iverson,
    mul,
    number,
    paren,
    power,
    rebuild,
    sub,
    substitute_term,
)
from symprop.algebra.canonical import normal
from symprop.algebra.expr import (
    Access,
    Apply,
    Atom,
    Expr,
    Index,
    Iverson,
    Term,
    atoms_of,
    free_indices,
    indices_of,
)
from symprop.algebra.integers import larger, nonnegative, smaller, within
from symprop.derive.sift import tidy_term
from symprop.lower.ir import Part


@dataclass(frozen=True)
class Piece:
    """The positions `start`, `start + 1`, ... of an axis; None for an index: just `start`."""

    start: Expr
    index: Index | None


def restricted(
    term: Term, candidates: Container[Index], loop: Index | None = None
) -> tuple[Term, dict[Index, Piece]]:
    """The term with the brackets on single candidate indices worked in.

    loop: the index of the loop around, which is a number there: Σ_j [j < t] ends before t.
    A term whose brackets hold nowhere comes back with coefficient 0.
    """
    limits: dict[Index, list[Iverson]] = {}
    term = Term(term.coef, tuple((multiplied(a), e) for a, e in term.factors), term.bound)
    for item, _ in term.factors:
        if isinstance(item, Iverson) and (index := only_index(item, loop)) and index in candidates:
            limits.setdefault(index, []).append(item)
    pieces: dict[Index, Piece] = {}
    gone: set[Iverson] = set()
    for index, brackets in limits.items():
        piece = _piece(index, brackets)
        if piece is not None:
            pieces[index] = piece
            gone.update(brackets)
    if not pieces:
        return term, {}
    lengths = [p.index.size.number for p in pieces.values() if p.index is not None]
    if any(n is not None and n < 1 for n in lengths):
        return Term(Fraction(0)), {}
    kept = Term(term.coef, tuple((a, e) for a, e in term.factors if a not in gone), term.bound)
    mapping = {i: p.start if p.index is None else normal(add(idx(p.index), p.start))
               for i, p in pieces.items()}
    moved = as_monomial(substitute_term(Term(kept.coef, kept.factors), mapping))
    bound = tuple(b for b in (
        pieces[b].index if b in pieces else b for b in term.bound) if b is not None)
    settled = tidy_term(tidy(Term(moved.coef, moved.factors, bound))).terms
    return settled[0] if settled else Term(Fraction(0)), pieces


def multiplied(item: Atom) -> Atom:
    """[i // s < b] as [i < s b], and [b <= i // s] as [s b <= i]."""
    if not isinstance(item, Iverson) or item.relation not in ("<", "<="):
        return item
    slack = normal(sub(item.rhs, item.lhs))  # at least 0, or at least 1
    if item.relation == "<":
        slack = normal(sub(slack, ONE))
    lone = [t for t in slack.terms if free_indices(Expr((t,)))]
    inner = lone[0].factors[0][0] if len(lone) == 1 and len(lone[0].factors) == 1 else None
    if not isinstance(inner, Apply) or inner.function != "floordiv" or abs(lone[0].coef) != 1:
        return item
    inside, by = inner.args
    rest = sub(slack, Expr((lone[0],)))
    if lone[0].coef > 0:
        turned = iverson("<=", normal(mul(number(-1), rest, by)), inside).single_atom
    else:
        turned = iverson("<", inside, normal(mul(by, paren(add(rest, ONE))))).single_atom
    return item if turned is None else turned


def tidy(term: Term) -> Term:
    """The term with its brackets on positions normalised, and decided where that decides."""
    factors = [power(_tidy_atom(a), e) for a, e in term.factors]
    product = as_monomial(mul(*factors)) if factors else Term(Fraction(1))
    return Term(term.coef * product.coef, product.factors, term.bound)


def _tidy_atom(item: Atom) -> Expr:
    if not any(isinstance(a, Iverson) for a in atoms_of(item)):
        return Expr((Term(Fraction(1), ((item, 1),)),))
    if isinstance(item, Iverson):
        if any(isinstance(a, Access) for a in atoms_of(item)):
            return Expr((Term(Fraction(1), ((item, 1),)),))
        return iverson(item.relation, normal(item.lhs), normal(item.rhs))
    return rebuild(item, tuple(
        Expr(tuple(t for t in map(tidy, child.terms) if t.coef)) for child in item.children))


def only_index(bracket: Iverson, loop: Index | None = None) -> Index | None:
    """The index of a bracket that compares one index, and nothing else, with sizes and a loop's."""
    indices = indices_of(bracket) - {loop}
    if len(indices) != 1 or any(
        isinstance(a, Access) or (isinstance(a, Apply) and indices_of(a))
        for a in atoms_of(bracket)
    ):
        return None
    return next(iter(indices))


def _piece(index: Index, brackets: list[Iverson]) -> Piece | None:
    """Where all brackets hold; None when that is not known to be a stretch of the axis."""
    start: Expr = ZERO
    stop = index.size
    for bracket in brackets:
        difference = normal(sub(bracket.rhs, bracket.lhs))
        step = integers.coefficient(difference, index)
        sign = step.number if step is not None else None
        if sign not in (1, -1) or bracket.relation == "!=":
            return None
        at = integers.solve(difference, index)
        assert at is not None
        if bracket.relation == "==":
            alone = len(brackets) == 1 and within(at, index.size)
            return Piece(at, None) if alone else None
        strict = bracket.relation == "<"
        if sign == 1:  # at <= index
            low = add(at, ONE) if strict else at
            found = larger(start, normal(low))
            start = found if found is not None else start
        else:  # index <= at
            high = at if strict else add(at, ONE)
            found = smaller(stop, normal(high))
            stop = found if found is not None else stop
        if found is None:
            return None
    length = normal(sub(stop, start))
    if length.number == 1:
        return Piece(start, None)
    known = nonnegative(length) or length.number is not None
    return Piece(start, Part(index.letter, length)) if known else None
