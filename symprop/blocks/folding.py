"""Expressions that differ by their place in a run alone, as one with an index.

In: expressions of the arrays of a caller, and where these stand in a run. Out: the same of stacks,
whose first position is the turn, with an index where every number in a position is a + b l:

    x_3[d] = X[2,d],  x_4[d] = X[3,d]       ->  x[l,d] = X[l-1,d]
    W̄[k] = W̄_1[k] + W̄_2[k] + W̄_3[k]         ->  W̄[k] = Σ_l W̄[l,k]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from symprop.algebra.build import idx, iverson, number
from symprop.algebra.expr import (
    ADJOINT,
    Access,
    Apply,
    Atom,
    Exponent,
    Expr,
    Extremum,
    Index,
    Iverson,
    Paren,
    Partial,
    Size,
    Term,
    adjoint,
)
from symprop.algebra.renaming import Numbering

Place = tuple[str, int]  # a stack and a turn
_MARK = Term(Fraction(1), ((Size("?"), 1),))


@dataclass(frozen=True)
class _Hole:
    """The constant part of a position: sizes' monomials, each with its coefficient."""

    parts: Mapping[tuple[tuple[Atom, Exponent], ...], Fraction]
    first: bool  # whether it stands before the rest
    stack: str  # the stack of which this is the turn, or ""

    @property
    def turn(self) -> int:
        """The number that it is, of a stack's first position."""
        return int(self.parts.get((), 0))

    def expr(self) -> Expr:
        """The constant part itself."""
        return Expr(tuple(Term(c, f) for f, c in self.parts.items() if c))


class _Punch:
    """Takes the constants out of positions, and puts stacks in the place of their arrays."""

    def __init__(self, places: Mapping[str, Place]) -> None:
        self.places = places
        self.holes: list[_Hole] = []

    def expr(self, expr: Expr, position: bool = False) -> Expr:
        if not position:
            return Expr(tuple(self.term(t, False) for t in expr.terms))
        plain = [t for t in expr.terms
                 if not t.bound and all(isinstance(a, Size) for a, _ in t.factors)]
        rest = [t for t in expr.terms if t not in plain]
        self.holes.append(_Hole({t.factors: t.coef for t in plain},
                                not rest or (bool(plain) and expr.terms[0] in plain), ""))
        return Expr((_MARK, *(self.term(t, True) for t in rest)))

    def term(self, term: Term, position: bool) -> Term:
        return Term(term.coef, tuple((self.atom(a, position), e) for a, e in term.factors),
                    term.bound)

    def atom(self, item: Atom, position: bool) -> Atom:
        if isinstance(item, Access):
            return self.access(item)
        if isinstance(item, Partial):
            return Partial(self.access(item.numerator), self.access(item.denominator))
        if isinstance(item, Iverson):
            position = not any(isinstance(a, Access) for a in item.inner)
            return Iverson(item.relation, self.expr(item.lhs, position),
                           self.expr(item.rhs, position))
        if isinstance(item, Apply):
            return Apply(item.function, tuple(self.expr(a, position) for a in item.args))
        if isinstance(item, Extremum):
            return Extremum(item.kind, item.bound, self.expr(item.body, position))
        return Paren(self.expr(item.body, position)) if isinstance(item, Paren) else item

    def access(self, item: Access) -> Access:
        primal = item.array.removeprefix(ADJOINT)
        if primal not in self.places:
            return Access(item.array, tuple(self.expr(p, True) for p in item.indices))
        stack, turn = self.places[primal]
        self.holes.append(_Hole({(): Fraction(turn)}, True, stack))
        name = stack if primal == item.array else adjoint(stack)
        return Access(name, (Expr((_MARK,)), *(self.expr(p, True) for p in item.indices)))


class _Fill:
    """Puts positions into what is punched."""

    def __init__(self, fills: Sequence[tuple[Expr, bool]]) -> None:
        self.fills = iter(fills)

    def expr(self, expr: Expr) -> Expr:
        if not expr.terms or expr.terms[0] != _MARK:
            return Expr(tuple(self.term(t) for t in expr.terms))
        fill, first = next(self.fills)
        rest = tuple(self.term(t) for t in expr.terms[1:])
        return Expr(fill.terms + rest if first else rest + fill.terms)

    def term(self, term: Term) -> Term:
        return Term(term.coef, tuple((self.atom(a), e) for a, e in term.factors), term.bound)

    def atom(self, item: Atom) -> Atom:
        if isinstance(item, Access):
            return self.access(item)
        if isinstance(item, Partial):
            return Partial(self.access(item.numerator), self.access(item.denominator))
        if isinstance(item, Iverson):
            return Iverson(item.relation, self.expr(item.lhs), self.expr(item.rhs))
        if isinstance(item, Apply):
            return Apply(item.function, tuple(self.expr(a) for a in item.args))
        if isinstance(item, Extremum):
            return Extremum(item.kind, item.bound, self.expr(item.body))
        return Paren(self.expr(item.body)) if isinstance(item, Paren) else item

    def access(self, item: Access) -> Access:
        return Access(item.array, tuple(self.expr(p) for p in item.indices))


class _Text(Numbering):
    """The text of what is punched: indices are numbered, arrays and sizes keep their names."""

    def __init__(self, indices: Sequence[Index]) -> None:
        super().__init__(sizes=False)
        for index in indices:
            self.index(index)

    def array(self, name: str) -> str:
        return name

    def _head(self, item: Atom) -> str:
        if isinstance(item, Partial):
            above, below = item.numerator, item.denominator
            return f"d {above.array} {len(above.indices)} {below.array}"
        return super()._head(item)


def _punched(expr: Expr, places: Mapping[str, Place]) -> tuple[Expr, list[_Hole]]:
    punch = _Punch(places)
    return punch.expr(expr), punch.holes


def common(
    members: Sequence[tuple[Sequence[Index], Sequence[Expr]]], turns: Sequence[int], index: Index,
    places: Mapping[str, Place],
) -> tuple[Expr, ...] | None:
    """What expressions at some turns are at the turn `index`; None where they differ otherwise.

    members: the free indices and the expressions of each turn; those of the first are kept.
    """
    found = []
    for parts in zip(*(exprs for _, exprs in members), strict=True):
        made = [_punched(part, places) for part in parts]
        texts = {_Text(indices).expr(punched)
                 for (indices, _), (punched, _) in zip(members, made, strict=True)}
        fills = _fills([holes for _, holes in made], turns, index)
        if len(texts) > 1 or fills is None:
            return None
        found.append(_Fill(fills).expr(made[0][0]))
    return tuple(found)


def summed(
    expr: Expr, free: Sequence[Index], indices: Mapping[str, Index], places: Mapping[str, Place]
) -> Expr:
    """An expression with the terms that differ by the turn alone under one sum.

    indices: the turns of every stack.
    """
    groups: dict[str, list[tuple[Term, Term, list[_Hole]]]] = {}
    for term in expr.terms:
        made, holes = _punched(Expr((term,)), places)
        groups.setdefault(_Text(free).expr(made), []).append((term, made.terms[0], holes))
    return Expr(tuple(t for group in groups.values() for t in _sum(group, indices)))


def _sum(
    group: Sequence[tuple[Term, Term, list[_Hole]]], indices: Mapping[str, Index]
) -> Iterator[Term]:
    """Some equal terms as one sum over the turns, or as they are."""
    for at in _turning([holes for *_, holes in group]):
        ordered = sorted(group, key=lambda member: member[2][at].turn)
        turns = [holes[at].turn for *_, holes in ordered]
        run = indices[ordered[0][2][at].stack]
        index = Index(run.letter, run.size)
        fills = _fills([holes for *_, holes in ordered], turns, index)
        if turns == [*range(turns[0], turns[0] + len(turns))] and fills is not None:
            term = _Fill(fills).term(ordered[0][1])
            inside = [iverson("<=", number(turns[0]), idx(index))] * (turns[0] != 1)
            inside += [iverson("<=", idx(index), number(turns[-1]))] * (
                turns[-1] != run.size.number)
            brackets = tuple((a, 1) for e in inside if (a := e.single_atom) is not None)
            yield Term(term.coef, term.factors + brackets, (index, *term.bound))
            return
    for term, *_ in group:
        yield term


def _turning(rows: Sequence[Sequence[_Hole]]) -> list[int]:
    """The holes that are turns of stacks, all different; those that begin with turn 1 first."""
    found = [k for k, column in enumerate(zip(*rows, strict=True))
             if len(rows) > 1 and column[0].stack and len({h.turn for h in column}) == len(rows)]
    return sorted(found, key=lambda k: min(row[k].turn for row in rows) != 1)


def _fills(
    rows: Sequence[Sequence[_Hole]], turns: Sequence[int], index: Index
) -> list[tuple[Expr, bool]] | None:
    """Every hole as a + b l, where l is the index; None where one is not that."""
    found = []
    if len({len(row) for row in rows}) > 1:
        return None
    for column in zip(*rows, strict=True):
        terms: list[Term] = []
        for key in dict.fromkeys(k for hole in column for k in hole.parts):
            values = [hole.parts.get(key, Fraction(0)) for hole in column]
            slope = (values[1] - values[0]) / (turns[1] - turns[0]) if len(turns) > 1 else 0
            start = values[0] - slope * turns[0]
            if any(v != start + slope * t for v, t in zip(values, turns, strict=True)):
                return None
            if column[0].stack and slope not in (0, 1):
                return None  # two turns alone would fit backwards too
            (turn,) = idx(index).terms
            terms += [Term(Fraction(slope), (*turn.factors, *key))] * (slope != 0)
            terms += [Term(start, key)] * (start != 0)
        told = [hole for hole in column if hole.parts]
        found.append((Expr(tuple(terms)), all(h.first for h in told or column)))
    return found
