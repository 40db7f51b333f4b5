"""Factors that come from the same array get a name together.

In: the drafts of a trace, merged. Out: the same drafts, with one more for every part of a
product that is a value of its own:

    y[n,d] = c[n,d] r[n] g[d] + b[d]    ->  y_prod = c r,     y = y_prod g + b
    O[n,d] = Σ_m e[n,m]/s[n] V[m,d]     ->  O_ratio = e/s,    O = Σ_m O_ratio V

c and r both come from x without a matrix product in between, and g does not; r has fewer axes
than c. Whoever writes such a backward pass by hand keeps c r: it is what the gradient of g
reads, and what the gradients of c and r have in common.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from symprop.algebra import integers
from symprop.algebra.build import access, idx, sub, substitute_term
from symprop.algebra.canonical import same
from symprop.algebra.expr import (
    Access,
    Atom,
    Exponent,
    Expr,
    Index,
    Size,
    Term,
    indices_of,
)
from symprop.system import Equation, cycles
from symprop.trace.tracer import PROVISIONAL, Draft, Tracer

Factors = tuple[tuple[Atom, Exponent], ...]
Origins = Mapping[str, frozenset[str]]


def name_related(drafts: Sequence[Draft], tracer: Tracer) -> list[Draft]:
    """The drafts with a new one before each whose products had such a part."""
    inside = cycles([Equation("", d.array, d.indices, d.rhs) for d in drafts])
    origins = _origins(drafts)
    result: list[Draft] = []
    for draft in drafts:
        if draft.kind == "float" and draft.array not in inside:
            result.extend(_split(draft, origins, tracer))
        result.append(draft)
    return result


def _origins(drafts: Sequence[Draft]) -> Origins:
    """What each array is computed from without a matrix product, itself included."""
    found: dict[str, frozenset[str]] = {}
    for draft in drafts:
        own = frozenset((draft.array,))
        mixed = any(contracts(t) for t in draft.rhs.terms)
        found[draft.array] = own if mixed else own.union(
            *(found.get(r, frozenset((r,))) for r in draft.reads))
    return found


def contracts(term: Term) -> bool:
    """Whether a sum ranges over more points than any of its factors has."""
    bound = frozenset(term.bound)
    inner = [indices_of(a) for a, _ in term.factors if indices_of(a) & bound]
    touched = frozenset().union(*inner)
    return bool(inner) and all(i < touched for i in inner)


def _split(draft: Draft, origins: Origins, tracer: Tracer) -> list[Draft]:
    """New drafts for parts of the draft's terms, which then read them."""
    new: list[Draft] = []
    terms = []
    for term in draft.rhs.terms:
        part = _part(term, origins, alone=len(draft.rhs.terms) == 1)
        sizes = None if part is None else _sizes(part, tracer)
        if part is not None and sizes is not None:
            new.append(_draft(part, sizes, draft, tracer))
            term = _with_name(term, part, new[-1])
        terms.append(term)
    draft.rhs = Expr(tuple(terms))
    return new


def _part(term: Term, origins: Origins, alone: bool) -> Factors | None:
    """The factors of a term that belong together, if they are not all there is."""
    plain = [(a, e) for a, e in term.factors if isinstance(a, Access)]
    others = any(not isinstance(a, Size) for a, _ in term.factors if not isinstance(a, Access))
    for group in _groups(plain, origins):
        rest = others or len(group) < len(plain)
        if (rest or (not alone and not term.bound)) and _worth_a_name(group):
            return group
    return None


def _groups(plain: Sequence[tuple[Atom, Exponent]], origins: Origins) -> list[Factors]:
    """The accesses of a term, those with a common origin together."""
    groups: list[tuple[frozenset[str], Factors]] = []
    for item, exponent in plain:
        assert isinstance(item, Access)
        mine = origins.get(item.array, frozenset((item.array,)))
        members: Factors = ((item, exponent),)
        apart = []
        for known, factors in groups:
            if known & mine:
                mine, members = known | mine, (*factors, *members)
            else:
                apart.append((known, factors))
        groups = [*apart, (mine, members)]
    return [g for _, g in groups]


def _worth_a_name(group: Factors) -> bool:
    """Several factors, of unequal axes or a quotient, no larger together than one of them."""
    if len(group) < 2 or not all(_plainly_read(a) for a, _ in group):
        return False
    axes = [indices_of(a) for a, _ in group]
    whole = frozenset().union(*axes)
    quotient = len({e > 0 for _, e in group}) == 2
    return bool(whole) and whole in axes and (quotient or len(set(axes)) > 1)


def _plainly_read(item: Atom) -> bool:
    """Whether every position is one index, each another one."""
    positions = [p.single_index for p in item.children]
    return None not in positions and len(set(positions)) == len(positions)


def _sizes(part: Factors, tracer: Tracer) -> dict[Index, Expr] | None:
    """How far each index of a part runs; None where its arrays do not agree on that.

    A bracket that stays with the reader may hold it inside an array that is shorter than what
    the index is of: [i < T-1] z[i]/s[i].
    """
    found: dict[Index, list[Expr]] = {}
    for item, _ in part:
        assert isinstance(item, Access)
        for position, own in zip(item.indices, tracer.shape(item.array), strict=True):
            index = position.single_index
            assert index is not None
            found.setdefault(index, []).append(own)
    sizes = {}
    for index, owns in found.items():
        if all(integers.nonnegative(sub(own, index.size)) for own in owns):
            sizes[index] = index.size
        elif all(same(own, owns[0]) for own in owns):
            sizes[index] = owns[0]
        else:
            return None
    return sizes


def _draft(
    part: Factors, sizes: Mapping[Index, Expr], reader: Draft, tracer: Tracer
) -> Draft:
    largest = max((a for a, _ in part), key=lambda a: len(a.children))
    indices = [p.single_index for p in largest.children]
    fresh = {i: Index(i.letter, sizes[i]) for i in indices if i is not None}
    product = Term(Fraction(1), part)
    rhs = substitute_term(product, {i: idx(f) for i, f in fresh.items()})
    op = "divide" if any(e < 0 for _, e in part) else "multiply"
    name = f"{PROVISIONAL}{len(tracer.drafts) + 1}"
    draft = Draft(name, tuple(fresh.values()), rhs, "float", op, reader.source,
                  call=reader.call)
    tracer.drafts[name] = draft
    return draft


def _with_name(term: Term, part: Factors, draft: Draft) -> Term:
    """The term with the name in the place of the first of the factors."""
    gone = {id(a) for a, _ in part}
    largest = max((a for a, _ in part), key=lambda a: len(a.children))
    name = access(draft.array, largest.children).terms[0].factors
    factors: list[tuple[Atom, Exponent]] = []
    for item, exponent in term.factors:
        if id(item) not in gone:
            factors.append((item, exponent))
        elif item is part[0][0]:
            factors.extend(name)
    return Term(term.coef, tuple(factors), term.bound)
