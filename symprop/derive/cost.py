"""The counted cost of an expression at nominal sizes: what a rewrite must not raise.

In: an expression. Out: a number of operations, with every factor worked out at its own
granularity (a row-level product is charged per row), common factors of a sum charged once.
The nominal size of every named axis is 64.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache

from symprop.algebra.build import ZERO, add, negation, number, sub
from symprop.algebra.canonical import normal
from symprop.algebra.expr import (
    ADJOINT,
    Access,
    Apply,
    Atom,
    Exponent,
    Expr,
    Extremum,
    Idx,
    Index,
    Iverson,
    Paren,
    Size,
    Term,
    arrays_of,
    atoms,
    indices_of,
)

NOMINAL = 64.0
_FUNCTION = 10.0
_ROOT = 6.0


def extent(size: Expr) -> float:
    """The nominal value of a size."""
    known: float | None = size.__dict__.get("_extent")
    if known is None:
        known = size.__dict__["_extent"] = _extent(size)
    return known


def _extent(size: Expr) -> float:
    total = 0.0
    for term in size.terms:
        value = float(term.coef)
        for _, exponent in term.factors:
            value *= NOMINAL ** float(exponent)
        total += value
    return max(total, 1.0)


def volume(indices: Iterable[Index]) -> float:
    """The nominal number of points of an index set."""
    result = 1.0
    for index in indices:
        result *= extent(index.size)
    return result


def cost(expr: Expr) -> float:
    """Operations to evaluate an expression over its free indices."""
    known: float | None = expr.__dict__.get("_cost")
    if known is None:
        known = expr.__dict__["_cost"] = _cost(expr)
    return known


def _cost(expr: Expr) -> float:
    if not expr.terms:
        return 0.0
    if len(expr.terms) == 1:
        return _term_cost(expr.terms[0])
    common, rest = split_common(expr)
    apart = apart_cost(expr)
    group = sharing(expr)
    if group:
        apart = min(apart, group_cost(expr, group))
    if not common.factors and common.coef == 1:
        return apart
    return min(apart, _sum_cost(rest, common))


def apart_cost(expr: Expr) -> float:
    """The cost of the terms one by one, and of adding them."""
    return _sum_cost(expr.terms)


def sharing(expr: Expr) -> tuple[Term, ...]:
    """Some of the terms that share a factor, most of them, where not all do."""
    if len(expr.terms) < 3:
        return ()
    users: dict[tuple[Atom, bool], list[Term]] = {}
    for term in expr.terms:
        bound = frozenset(term.bound)
        for item, exponent in term.factors:
            inside = indices_of(item)
            if inside and not inside & bound and not isinstance(item, Iverson):
                users.setdefault((item, exponent > 0), []).append(term)
    most = max((len(u) for u in users.values()), default=0)
    if not 2 <= most < len(expr.terms):
        return ()
    return tuple(next(u for u in users.values() if len(u) == most))


def group_cost(expr: Expr, group: tuple[Term, ...]) -> float:
    """The cost when the terms of a group stand in parentheses beside the others."""
    others = [t for t in expr.terms if t not in group]
    everything = frozenset().union(*(_visible(t) for t in expr.terms))
    return cost(Expr(group)) + sum(map(_term_cost, others)) + len(others) * volume(everything)


def _sum_cost(terms: tuple[Term, ...], common: Term | None = None) -> float:
    """The terms one by one, the additions, and a common factor multiplied in at the end."""
    everything = frozenset().union(*(_visible(t) for t in terms))
    total = sum(_term_cost(t) for t in terms) + (len(terms) - 1) * volume(everything)
    if common is not None:
        total += _merge_cost([everything, *_groups(common)])
        total += sum(_atom_cost(a, e) for a, e in common.factors)
    return total


def _visible(term: Term) -> frozenset[Index]:
    return frozenset().union(*(indices_of(a) for a, _ in term.factors)) - frozenset(term.bound)


def split_common(expr: Expr) -> tuple[Term, tuple[Term, ...]]:
    """The factors that all terms share (outside their sums), and the terms without them."""
    first = expr.terms[0]
    shared: dict[Atom, Exponent] = {}
    for item, exponent in first.factors:
        exponents = [exponent]
        for term in expr.terms[1:]:
            exponents.append(dict(term.factors).get(item, 0))
        if all(e > 0 for e in exponents):
            shared[item] = min(exponents)
        elif all(e < 0 for e in exponents):
            shared[item] = max(exponents)
    bound = frozenset(b for t in expr.terms for b in t.bound)
    shared = {a: e for a, e in shared.items() if not indices_of(a) & bound}
    shared = {a: e for a, e in shared.items() if _everywhere(a, expr.terms, shared)}
    coefs = {abs(t.coef) for t in expr.terms}
    coef = coefs.pop() if len(coefs) == 1 else Fraction(1)
    rest = []
    for term in expr.terms:
        left = []
        for item, exponent in term.factors:
            exponent = exponent - shared.get(item, 0)
            if exponent:
                left.append((item, exponent))
        rest.append(Term(term.coef / coef, tuple(left), term.bound))
    return Term(coef, tuple(shared.items())), tuple(rest)


def _everywhere(item: Atom, terms: Sequence[Term], shared: Mapping[Atom, Exponent]) -> bool:
    """Whether a factor of all terms is read everywhere, so that it may stand before their sum.

    Brackets that stay behind in the terms may be what keeps it in its array, or finite: then one
    term must be free of them, or two terms hold in a case and in its opposite.
    """
    guarded = not isinstance(item, Size) and not (
        isinstance(item, Access) and item.array.startswith(ADJOINT) and shared[item] > 0)
    kept = [[a for a, _ in t.factors if isinstance(a, Iverson) and a not in shared
             and (_keeps(a, item) or (guarded and any(map(arrays_of, a.children))))]
            for t in terms]
    single = [k[0] for k in kept if len(k) == 1]
    return not all(kept) or any(_opposite(a, b) for a in single for b in single)


@lru_cache(maxsize=4096)
def _opposite(one: Iverson, other: Iverson) -> bool:
    """Whether always one of two brackets holds."""
    if negation(one).single_atom == other:
        return True
    a, b = _excess(one), _excess(other)
    return a is not None and b is not None and normal(add(a, b)).number == -1


def _excess(bracket: Iverson) -> Expr | None:
    """What a bracket says is at least 0."""
    if bracket.relation not in ("<", "<="):
        return None
    strict = number(-1) if bracket.relation == "<" else ZERO
    return add(sub(bracket.rhs, bracket.lhs), strict)


def _keeps(bracket: Iverson, item: Atom) -> bool:
    """Whether a bracket says something about where an item is read."""
    read = [a for c in bracket.children for a in atoms(c) if isinstance(a, Access)]
    if read:
        return any(a in read for c in item.children for a in atoms(c))
    return bool(indices_of(bracket) & indices_of(item))


def _groups(term: Term) -> list[frozenset[Index]]:
    groups = [indices_of(a) for a, _ in term.factors]
    if abs(term.coef) != 1 and not any(not g for g in groups):
        groups.append(frozenset())
    return groups


def _term_cost(term: Term) -> float:
    known: float | None = term.__dict__.get("_cost")
    if known is None:
        known = term.__dict__["_cost"] = _work(term)
    return known


def _work(term: Term) -> float:
    total = sum(_atom_cost(a, e) for a, e in term.factors)
    outside = [indices_of(a) for a, _ in term.factors if not indices_of(a) & set(term.bound)]
    for component, inner in components(term):
        touched = frozenset().union(*(indices_of(a) for a, _ in inner))
        total += (max(1, len(inner))) * volume(touched)
        outside.append(touched - component)
    if abs(term.coef) != 1 and all(outside):
        outside.append(frozenset())
    return total + _merge_cost(outside)


def _merge_cost(groups: list[frozenset[Index]]) -> float:
    """Multiplying groups together, the smallest first."""
    total = 0.0
    union: frozenset[Index] = frozenset()
    for k, group in enumerate(sorted(groups, key=lambda g: (volume(g), len(g)))):
        union |= group
        if k:
            total += volume(union)
    return total


def _atom_cost(item: Atom, exponent: Exponent) -> float:
    points = volume(indices_of(item))
    power = 0.0
    if exponent not in (1, -1):
        power = points * (abs(float(exponent)) - 1) if exponent == int(exponent) \
            else points * _ROOT
    if isinstance(item, Paren):
        return power + cost(item.body)
    if isinstance(item, Apply):
        return power + points * _FUNCTION + sum(cost(a) for a in item.args)
    if isinstance(item, Extremum):
        return power + volume(frozenset(item.bound) | indices_of(item)) + cost(item.body)
    if isinstance(item, Iverson):
        positions = not any(isinstance(a, Access) for c in item.children
                            for t in c.terms for a, _ in t.factors)
        return 0.0 if positions else points
    if isinstance(item, (Access, Idx, Size)):
        return power
    return power + points


def components(term: Term) -> list[tuple[frozenset[Index], list[tuple[Atom, Exponent]]]]:
    """The connected components of the bound indices: the independent sums of a term."""
    groups: list[tuple[frozenset[Index], list[tuple[Atom, Exponent]]]] = []
    for item, exponent in term.factors:
        touched = indices_of(item) & frozenset(term.bound)
        if not touched:
            continue
        inner = [(item, exponent)]
        apart = []
        for indices, members in groups:
            if indices & touched:
                touched |= indices
                inner = members + inner
            else:
                apart.append((indices, members))
        groups = [*apart, (touched, inner)]
    return groups


def contracts(expr: Expr) -> bool:
    """Whether a sum ranges over more points than any of its factors has: a matrix product."""
    for term in expr.terms:
        for _, inner in components(term):
            touched = frozenset().union(*(indices_of(a) for a, _ in inner))
            if all(indices_of(a) < touched for a, _ in inner):
                return True
        if any(contracts(a.body) for a, _ in term.factors if isinstance(a, Paren)):
            return True
    return False
