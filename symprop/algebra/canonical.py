"""Canonical keys and the merging of equal terms.

In: expressions. Out: a text that is the same for expressions equal up to the order of terms
and factors and the names of bound indices; `collect`, which merges terms by that text; and
`expand`, which multiplies sums out.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import TypeVar

from symprop.algebra.build import (
    as_monomial,
    freshen_term,
    make_term,
    merge_factors,
    mul,
)
from symprop.algebra.expr import (
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
    Partial,
    Term,
    coef_text,
    indices_of,
)

N = TypeVar("N", Expr, Term, Atom)
Labels = Mapping[Index, str]
_NONE: Labels = {}
_MAX_PERMUTATIONS = 24
_EXPAND_LIMIT = 64  # products that one term becomes


def canonical(expr: Expr, labels: Labels = _NONE) -> str:
    """The canonical text; `labels` names indices that the caller has bound or numbered."""
    single = expr.single_index
    if single is not None and single in labels:
        return f"1:{labels[single]}^1"
    if not expr.free.isdisjoint(labels):
        return _sum_key(expr, labels)
    return _kept(expr, _sum_key)


def _kept(node: N, text: Callable[[N, Labels], str]) -> str:
    """The text of a node in which no index is named, worked out once."""
    known: str | None = node.__dict__.get("_canonical")
    if known is None:
        known = node.__dict__["_canonical"] = text(node, _NONE)
    return known


def _sum_key(expr: Expr, labels: Labels) -> str:
    keys = [f"{coef_text(t.coef)}:{term_key(t, labels)}" for t in expr.terms]
    return "+".join(sorted(keys)) or "0"


def term_key(term: Term, labels: Labels = _NONE) -> str:
    """The canonical text of a term without its coefficient."""
    if not term.indices.isdisjoint(labels):
        return _term_key(term, labels)
    return _kept(term, _term_key)


def _term_key(term: Term, labels: Labels) -> str:
    if not term.bound:
        return _product_key(term, labels)
    orders = _candidate_orders(term, labels)
    best = min([_product_key(term, {**labels, **_numbered(order)}) for order in orders])
    sizes = ",".join(sorted([canonical(b.size) for b in term.bound]))
    return f"S{{{sizes}}}{best}"


def _numbered(order: Iterable[Index]) -> dict[Index, str]:
    return {b: f"b{k}" for k, b in enumerate(order)}


def _product_key(term: Term, labels: Labels) -> str:
    return "*".join(sorted([f"{atom_key(a, labels)}^{e}" for a, e in term.factors]))


def _candidate_orders(term: Term, labels: Labels) -> list[tuple[Index, ...]]:
    """Orders of the bound indices worth trying: by signature, ties in every order."""
    if len(term.bound) == 1:
        return [term.bound]
    unknown = dict.fromkeys(term.bound, "?")

    def signature(index: Index) -> str:
        marked = {**labels, **unknown, index: "!"}
        keys = sorted(f"{atom_key(a, marked)}^{e}" for a, e in term.factors
                      if index in indices_of(a))
        return canonical(index.size) + "|" + "*".join(keys)

    groups: dict[str, list[Index]] = {}
    for bound in term.bound:
        groups.setdefault(signature(bound), []).append(bound)
    ordered = [groups[s] for s in sorted(groups)]
    orders: list[tuple[Index, ...]] = [()]
    for group in ordered:
        permutations = list(itertools.permutations(group)) if len(group) <= 4 else [tuple(group)]
        if len(orders) * len(permutations) > _MAX_PERMUTATIONS:
            permutations = permutations[:1]
        orders = [o + p for o in orders for p in permutations]
    return orders


def atom_key(atom: Atom, labels: Labels) -> str:
    """The canonical text of an atom."""
    if isinstance(atom, Idx):
        return labels.get(atom.index, atom.key)
    if not atom.free.isdisjoint(labels):
        return _atom_key(atom, labels)
    return _kept(atom, _atom_key)


def _atom_key(atom: Atom, labels: Labels) -> str:
    if not atom.children:
        return atom.key
    if isinstance(atom, Paren):
        return f"({canonical(atom.body, labels)})"
    if isinstance(atom, Extremum):
        inner = {**labels, **{b: f"m{k}" for k, b in enumerate(atom.bound)}}
        sizes = ",".join(canonical(b.size) for b in atom.bound)
        return f"{atom.kind}{{{sizes}}}({canonical(atom.body, inner)})"
    inside = [canonical(c, labels) for c in atom.children]
    if isinstance(atom, Iverson):
        if atom.relation in ("==", "!="):
            inside.sort()
        return f"[{inside[0]}{atom.relation}{inside[1]}]"
    if isinstance(atom, Access):
        return f"{atom.array}[{','.join(inside)}]"
    if isinstance(atom, Partial):
        names = f"{atom.numerator.array}/{atom.denominator.array}"
        return f"d{names}[{','.join(inside)}]"
    assert isinstance(atom, Apply)
    return f"{atom.function}({','.join(inside)})"


def same(left: Expr, right: Expr) -> bool:
    """Whether two expressions are equal up to order and bound names."""
    return left is right or (
        len(left.terms) == len(right.terms) and canonical(left) == canonical(right))


def collect(expr: Expr) -> Expr:
    """Merges equal terms, at the place of the first; what cancels vanishes."""
    totals: dict[str, Fraction] = {}
    first: dict[str, Term] = {}
    for term in expr.terms:
        key = term_key(term)
        first.setdefault(key, term)
        totals[key] = totals.get(key, Fraction(0)) + term.coef
    if len(first) == len(expr.terms) and all(totals.values()):
        return expr
    return Expr(tuple(
        t if t.coef == totals[k] else Term(totals[k], t.factors, t.bound)
        for k, t in first.items() if totals[k]
    ))


def expand(expr: Expr) -> Expr:
    """Multiplies out every sum that stands as a factor with a positive whole exponent."""
    terms: list[Term] = []
    for term in expr.terms:
        terms.extend(expand_term(term).terms)
    return Expr(tuple(terms))


def expand_term(term: Term) -> Expr:
    """`expand` for one term; a sum over several terms becomes several sums."""
    opened = [(a, e) for a, e in term.factors if _opens(a, e)]
    if not opened or _multiplied(opened) > _EXPAND_LIMIT:
        return Expr((term,))
    rest = {a: e for a, e in term.factors if not _opens(a, e)}
    products = [make_term(term.coef, rest, term.bound).terms[0]]
    for paren, exponent in opened:
        assert isinstance(paren, Paren)
        body = expand(paren.body)
        for _ in range(int(exponent)):
            products = [_product(p, t) for p in products for t in body.terms]
    fresh = [products[0], *(freshen_term(p) for p in products[1:])] if products else []
    return Expr(tuple(p for p in fresh if p.coef))


def _opens(atom: Atom, exponent: Exponent) -> bool:
    if not isinstance(atom, Paren) or not isinstance(exponent, int) or exponent < 1:
        return False
    return bool(len(atom.body.terms) ** exponent <= _EXPAND_LIMIT)


def _multiplied(opened: Iterable[tuple[Atom, Exponent]]) -> int:
    """How many products a term is multiplied out into, those of its factors' factors included."""
    total = 1
    for paren, exponent in opened:
        assert isinstance(paren, Paren)
        inside = sum(_multiplied([(a, e) for a, e in t.factors if _opens(a, e)])
                     for t in paren.body.terms)
        total *= max(inside, 1) ** int(exponent)
    return total


def _product(left: Term, right: Term) -> Term:
    right = freshen_term(right)
    factors: dict[Atom, Exponent] = {}
    merge_factors(factors, left.factors)
    merge_factors(factors, right.factors)
    return as_monomial(make_term(left.coef * right.coef, factors, (*left.bound, *right.bound)))


@lru_cache(maxsize=1 << 14)
def normal(expr: Expr) -> Expr:
    """Expanded and collected, terms in canonical order: for sizes and index positions."""
    if len(expr.terms) <= 1 and not any(isinstance(a, Paren) for t in expr.terms
                                        for a, _ in t.factors):
        return expr
    done = collect(expand(expr))
    return Expr(tuple(sorted(done.terms, key=lambda t: (not t.factors, term_key(t)))))


def scaled(expr: Expr, factor: Expr) -> Expr:
    """factor * expr, multiplied out and collected."""
    return collect(expand(mul(factor, expr)))
