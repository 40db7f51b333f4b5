"""A turn of a loop, repeated by the equations that its later turns have in common.

In: the equations of a loop with a symbol for the turn, and the drafts that one turn has made.
Out: with which values of the arrays that the turn before hands over (the carry) these equations
are those drafts; so the first turn of a loop needs no equations of its own:

    common  h[t] = tanh(p[t] + q[t]),  q[t,j] = Σ_k h[t-1,k] U[k,j]
    turn 0  h_0 = tanh(p[0])                              ->   h[-1] is 0
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symprop.algebra.build import (
    ONE,
    ZERO,
    access,
    add,
    apply,
    as_monomial,
    atom,
    idx,
    instantiate,
    iverson,
    make_term,
    merge_factors,
    neg,
    number,
    power,
    rebuild,
    sub,
)
from symprop.algebra.canonical import canonical, normal
from symprop.algebra.expr import (
    Access,
    Atom,
    Exponent,
    Expr,
    Idx,
    Index,
    Iverson,
    Term,
    times,
)
from symprop.trace.families import Family, Mismatch, power_of_numbers
from symprop.trace.tracer import Draft, is_inline

BEFORE = "<"  # begins the name of a read of what the turn before made
# What a sum begins with, a product, a maximum, a minimum.
_NEUTRAL = (ZERO, ONE, neg(apply("inf")), apply("inf"))
Entry = tuple[tuple[Index, ...], Expr]  # an array: the entry at some indices


@dataclass(frozen=True)
class Common:
    """The equations of a turn. A read of what the turn before made has a name of its own."""

    time: Index
    drafts: Sequence[Draft]
    carried: Mapping[str, str]  # the name of such a read -> what it reads: a draft, or a read


@dataclass
class Replay:
    """One turn with the values known so far: of the common drafts and of the carry."""

    common: Common
    turn: int
    made: Sequence[Draft]
    carry: dict[str, Entry] = field(default_factory=dict)
    values: dict[str, Entry] = field(default_factory=dict)
    formals: dict[str, tuple[Index, ...]] = field(default_factory=dict)  # of the carry

    def solutions(self) -> Iterator[Replay]:
        """Every way found in which the equations are what the turn has made."""
        table = {_key(_named(d.rhs, d.array), d.indices, d.kind): d for d in self.made}
        formals = {d.array: d.indices for d in self.common.drafts}
        self.formals = {r: formals[name.lstrip(BEFORE)] for r, name in self.common.carried.items()}
        return self._solved(0, table)

    def _solved(self, place: int, table: Mapping[str, Draft]) -> Iterator[Replay]:
        for k in range(place, len(self.common.drafts)):
            draft = self.common.drafts[k]
            unknown = [a for a in draft.rhs.arrays
                       if a in self.common.carried and a not in self.carry]
            if unknown:
                for carry in self._choices(draft, unknown):
                    tried = replace(self, carry=self.carry | carry, values=dict(self.values))
                    yield from tried._solved(k, table)
                return
            if not self._known(draft, table):
                return
        unread = [r for r in self.common.carried if r not in self.carry]
        for value in _NEUTRAL if unread else _NEUTRAL[:1]:
            more = {r: (self.formals[r], value) for r in unread}
            yield replace(self, carry=self.carry | more)

    def handed_over(self) -> dict[str, Entry]:
        """The carry of the turn after this one."""
        both = {**self.values, **self.carry}
        return {read: both[name] for read, name in self.common.carried.items()}

    def _choices(self, draft: Draft, unknown: Sequence[str]) -> Iterator[dict[str, Entry]]:
        """What a draft says of the carry: what stands there, or what a sum begins with."""
        for made in self.made:
            if made.op == draft.op and made.source == draft.source:
                found = self._matched(draft, made)
                if found is not None:
                    yield found
        for value in _NEUTRAL:
            yield {u: (self.formals[u], value) for u in unknown}

    def made_by(self) -> dict[str, str]:
        """By the names of equations the drafts that they have made in this turn."""
        own = {d.array for d in self.made}
        items = ((name, entry.single_atom) for name, (_, entry) in self.values.items())
        return {name: a.array for name, a in items if isinstance(a, Access) and a.array in own}

    def _known(self, draft: Draft, table: Mapping[str, Draft]) -> bool:
        """Whether the turn has made this draft, or what needs no draft."""
        rhs = inserted(draft.rhs, {self.common.time: number(self.turn)}, self._read)
        made = table.get(_key(_named(rhs, draft.array), draft.indices, draft.kind))
        if made is None and not is_inline(rhs, draft.kind):
            return False
        entry = rhs if made is None else access(made.array, [idx(i) for i in draft.indices])
        self.values[draft.array] = draft.indices, entry
        return True

    def _read(self, item: Access) -> Expr:
        found = self.carry.get(item.array) or self.values.get(item.array)
        return atom(item) if found is None else instantiate(*found, item.indices)

    def _matched(self, draft: Draft, made: Draft) -> dict[str, Entry] | None:
        """The carry with which a draft is what the turn has made; None if there is none."""
        rhs = inserted(draft.rhs, {self.common.time: number(self.turn)}, self._read)
        matching = _Matching(self.formals)
        try:
            matching.draft([Draft("", draft.indices, rhs, draft.kind, draft.op, ""), made], "")
        except Mismatch:
            return None
        return matching.found


class _Matching(Family):
    """A pattern and an expression that are alike but for what the pattern reads of the carry."""

    def __init__(self, formals: Mapping[str, tuple[Index, ...]]) -> None:
        super().__init__((), lambda names: names[0] if names[0] == names[1] else self._differ())
        self.formals = formals
        self.found: dict[str, Entry] = {}

    def _differ(self) -> str:
        raise Mismatch

    def atom(self, items: Sequence[Atom]) -> Atom:
        """An atom that both have, or what stands in the place of the carry."""
        pattern, item = items
        if not isinstance(pattern, Access) or pattern.array not in self.formals:
            return super().atom(items)
        formals = self.formals[pattern.array]
        here = {pair[0]: pair[1] for pair in self.indices}
        places = {there: normal(sub(idx(formal), beyond))
                  for formal, (position, beyond) in zip(
                      formals, map(_apart, pattern.indices), strict=True)
                  if position is not None and (there := here.get(position)) is not None}
        entry = inserted(atom(item), places, atom)
        if len(places) != len(formals) or not entry.free <= set(formals):
            raise Mismatch
        known = self.found.setdefault(pattern.array, (formals, entry))
        if canonical(known[1]) != canonical(entry):
            raise Mismatch
        return pattern


def _apart(position: Expr) -> tuple[Index | None, Expr]:
    """An index and what is added to it; of j - D, where an array stands behind another: j, -D."""
    index = next(iter(position.free), None) if len(position.free) == 1 else None
    beyond = ZERO if index is None else normal(sub(position, idx(index)))
    return (None, ZERO) if beyond.free else (index, beyond)


def _named(rhs: Expr, own: str) -> Expr:
    """An implicit equation's own array under the same name in every turn, positions in order."""
    return inserted(rhs, {}, lambda a: atom(Access("", a.indices) if a.array == own else a))


def _key(rhs: Expr, indices: Sequence[Index], kind: str) -> str:
    sizes = ",".join(canonical(i.size) for i in indices)
    return f"{kind}({sizes}){canonical(rhs, {f: f'f{k}' for k, f in enumerate(indices)})}"


# ---- expressions put in place of accesses -------------------------------------------------------


def inserted(expr: Expr, at: Mapping[Index, Expr], read: Callable[[Access], Expr]) -> Expr:
    """The expression at the positions `at`, with what `read` gives in place of every access."""
    return add(*(_term(t, at, read) for t in expr.terms))


def _term(term: Term, at: Mapping[Index, Expr], read: Callable[[Access], Expr]) -> Expr:
    coef = term.coef
    factors: dict[Atom, Exponent] = {}
    bound = [Index(b.letter, inserted(b.size, at, read)) for b in term.bound]
    at = {**at, **dict(zip(term.bound, map(idx, bound), strict=True))}
    for item, exponent in term.factors:
        new = _atom(item, at, read)
        value = as_monomial(new if exponent == 1 else power(new, exponent))
        coef = times(coef, value.coef)
        merge_factors(factors, value.factors)
        bound.extend(value.bound)
    return make_term(coef, factors, bound)


def _atom(item: Atom, at: Mapping[Index, Expr], read: Callable[[Access], Expr]) -> Expr:
    if isinstance(item, Idx):
        return at.get(item.index, atom(item))
    children = tuple(inserted(c, at, read) for c in item.children)
    if isinstance(item, Access):
        return read(Access(item.array, tuple(map(normal, children))))
    children = tuple(c if c.arrays else normal(c) for c in children)
    if isinstance(item, Iverson):
        return iverson(item.relation, *children)
    return power_of_numbers(item, children) or rebuild(item, children)
