"""Moves that look at several terms at once.

In: a sum and the `Knowledge` of its system. Out: the same sum with fewer terms.

    x a - μ a + b      = c a + b      where c = x - μ
    y/s + y e/s        = y            where s = 1 + e
    [z > 0] a + [z <= 0] a = a
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from symprop.algebra.build import idx, make_term, mul, negation, number, substitute
from symprop.algebra.canonical import term_key
from symprop.algebra.expr import (
    Access,
    Atom,
    Exponent,
    Expr,
    Index,
    Iverson,
    Term,
    accesses,
    arrays_of,
    indices_of,
)
from symprop.derive.fold import Moved
from symprop.derive.knowledge import Knowledge
from symprop.derive.match import Env, match_atom
from symprop.system import Equation


def merge_cases(expr: Expr) -> Expr:
    """What holds in a case and in its opposite holds always."""
    while (pair := _two_cases(expr.terms)) is not None:
        place, other, rest = pair
        left = [t for k, t in enumerate(expr.terms) if k not in (place, other)]
        expr = Expr((*left[:place], rest, *left[place:]))
    return expr


def _two_cases(terms: Sequence[Term]) -> tuple[int, int, Term] | None:
    """The places of the first term with a bracket and of its twin; what both have beside it."""
    filed: dict[Atom, list[int]] = {}  # the terms by their brackets
    for place, term in enumerate(terms):
        for item, _ in term.factors:
            if isinstance(item, Iverson):
                filed.setdefault(item, []).append(place)
    for place, term in enumerate(terms):
        for item, _ in term.factors:
            opposite = negation(item).single_atom if isinstance(item, Iverson) else None
            if opposite is None or opposite not in filed:
                continue
            rest = _without(term, item)
            for other in filed[opposite]:
                if other != place and _is_case(terms[other], opposite, rest):
                    return place, other, rest
    return None


def _without(term: Term, item: Atom) -> Term:
    return Term(term.coef, tuple((a, e) for a, e in term.factors if a != item), term.bound)


def _is_case(term: Term, bracket: Atom, rest: Term) -> bool:
    if term.coef != rest.coef or not any(a == bracket for a, _ in term.factors):
        return False
    return term_key(_without(term, bracket)) == term_key(rest)


def fold_groups(expr: Expr, known: Knowledge) -> Moved:
    """Terms that together are a multiple of a definition become that multiple of its name."""
    because: dict[str, None] = {}
    tried: set[str] = set()
    while candidates := [e for e in known.several(frozenset(arrays_of(expr)))
                         if e.array not in tried]:
        equation = candidates[0]
        tried.add(equation.array)
        if len(equation.rhs.terms) > len(expr.terms) or any(t.bound for t in equation.rhs.terms):
            continue
        while (folded := _fold_group(expr, equation, known)) is not None:
            expr = folded
            because[equation.number] = None
    return expr, tuple(because)


def _fold_group(expr: Expr, equation: Equation, known: Knowledge) -> Expr | None:
    pivot = max(equation.rhs.terms, key=lambda t: sum(len(indices_of(a)) for a, _ in t.factors))
    name = Access(equation.array, tuple(idx(i) for i in equation.indices))
    places = {term_key(t): k for k, t in enumerate(expr.terms)}
    needed = frozenset(a.array for a in accesses(Expr((pivot,))))
    for place, term in enumerate(expr.terms):
        if not needed <= frozenset(a.array for a in accesses(Expr((term,)))):
            continue
        for env, rest in quotients(pivot, term, equation.indices):
            if len(env) < sum(i.size.number != 1 for i in equation.indices):
                continue
            cofactor = make_term(term.coef / pivot.coef, rest, term.bound)
            products = (mul(cofactor, substitute(Expr((t,)), env)) for t in equation.rhs.terms)
            members = [p.terms[0] for p in products if p.terms]  # what is 0 there is no member
            keys = [term_key(m) for m in members]
            at = {**places, term_key(term): place}  # of equal terms, each is there for itself
            complete = len(set(keys)) == len(keys) and all(
                k in at and expr.terms[at[k]].coef == m.coef
                for k, m in zip(keys, members, strict=True))
            if not complete or not known.covers(equation.indices, env):
                continue
            whole = mul(cofactor, substitute(make_term(number(1).terms[0].coef, {name: 1}), env))
            gone = {at[k] for k in keys}
            left = [t if k != place else whole.terms[0] for k, t in enumerate(expr.terms)
                    if k == place or k not in gone]
            return Expr(tuple(left))
    return None


def quotients(
    pivot: Term, term: Term, indices: Sequence[Index]
) -> Iterator[tuple[Env, dict[Atom, Exponent]]]:
    """Ways to write the term as a multiple of the pivot: (positions, the other factors)."""
    variables = frozenset(indices)
    states: list[tuple[Env, dict[Atom, Exponent]]] = [({}, dict(term.factors))]
    for pattern, exponent in pivot.factors:
        following = []
        for env, left in states:
            for item, power in left.items():
                if Fraction(power) / Fraction(exponent) < 1:
                    continue
                for found in match_atom(pattern, item, env, variables):
                    rest = {**left, item: power - exponent}
                    following.append((found, {a: e for a, e in rest.items() if e}))
        states = following
    yield from states
