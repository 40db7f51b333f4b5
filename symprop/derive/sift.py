"""Sifting: Kronecker deltas collapse the sums over their indices.

In: an expression whose terms carry brackets [a == b] on index positions. Out: the same
value with every delta eliminated that can be solved for a bound index with coefficient
1 or -1 within its range; other strides keep the delta (a scatter).

    Σ_j δ(j, k) f(j)              = f(k)
    Σ_i δ(i + p, a) f(i)          = [0 <= a - p < I] f(a - p)
    δ(i W + j, k), 0 <= j < W     = δ(i, k // W) δ(j, k % W)
    Σ_k f(k // W, k % W)          = Σ_i Σ_j f(i, j)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

from symprop.algebra import integers
from symprop.algebra.build import (
    ONE,
    ZERO,
    add,
    as_monomial,
    atom,
    idx,
    iverson,
    make_term,
    mul,
    negation,
    number,
    paren,
    power,
    sub,
    substitute,
    substitute_term,
)
from symprop.algebra.canonical import normal
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
    Size,
    Term,
    atoms,
    free_indices,
    indices_of,
)
from symprop.derive.cost import extent

_KEPT = 1 << 14  # results remembered: positions and brackets come up again and again


Inside = Callable[[Expr, Expr], bool]  # whether a position is known to lie in an axis


def sift(expr: Expr, inside: Inside = integers.within) -> Expr:
    """Eliminates deltas and settles brackets in every term.

    `inside` knows which integer arrays hold positions of which axes.
    """
    terms: list[Term] = []
    for term in expr.terms:
        terms.extend(_sift_term(term, inside).terms)
    return Expr(tuple(terms))


def _sift_term(term: Term, inside: Inside) -> Expr:
    """One elimination after the other until none applies; done once for each question.

    The question is the term and what is known of positions: what another knew is not kept.
    """
    known: tuple[Inside, Expr] | None = term.__dict__.get("_sifted")
    if known is not None and known[0] == inside:
        return known[1]
    result = _eliminated(term, inside)
    term.__dict__["_sifted"] = inside, result
    for one in result.terms:
        one.__dict__["_sifted"] = inside, Expr((one,))
    return result


def _eliminated(term: Term, inside: Inside) -> Expr:
    current = tidy_term(term)
    while len(current.terms) == 1:
        one = current.terms[0]
        following = _split_bound(one) or _eliminate(one, inside)
        if following is None:
            return Expr((_inner(one, inside),))
        current = Expr(tuple(t for f in following.terms for t in tidy_term(f).terms))
    return current


def _inner(term: Term, inside: Inside) -> Term:
    """Sifts the sums inside parentheses too."""
    if not any(isinstance(a, Paren) for a, _ in term.factors):
        return term
    product = make_term(term.coef, {}, term.bound)
    for item, exponent in term.factors:
        new = atom(item)
        if isinstance(item, Paren):
            body = sift(item.body, inside)
            if body.key != item.body.key and not body.is_zero:
                new = paren(body)
        product = mul(product, power(new, exponent))
    return as_monomial(product)


def is_position(expr: Expr) -> bool:
    """Whether an expression is integer arithmetic on indices and sizes (gathers included)."""
    return all(_positional(a) for t in expr.terms for a, _ in t.factors)


def _positional(item: Atom) -> bool:
    if isinstance(item, Paren):
        return is_position(item.body)
    if isinstance(item, Apply):
        return item.function in ("floordiv", "mod") or integers.is_larger_size(item)
    return isinstance(item, (Idx, Size)) or (isinstance(item, Access) and bool(item.indices))


def _eliminate(term: Term, inside: Inside) -> Expr | None:
    """The term with one delta solved for a bound index, or split, or None."""
    deltas = [a for a, _ in term.factors if isinstance(a, Iverson) and a.relation == "=="]
    for item in sorted(deltas, key=lambda d: any(map(_gathers, d.children))):
        difference = normal(sub(item.lhs, item.rhs))
        plain, guarded = _solutions(term, difference, inside)
        if plain is not None:
            return _replace(term, item, *plain, inside)
        pieces = _split_delta(item, term)
        if pieces is not None:
            rest = {a: e for a, e in term.factors if a is not item}
            return mul(make_term(term.coef, rest, term.bound), *pieces)
        if guarded is not None:
            return _replace(term, item, *guarded, inside)
        equal = _equate(term, item, inside)
        if equal is not None:
            return equal
    return None


Solution = tuple[Index, Expr]


def _solutions(
    term: Term, difference: Expr, inside: Inside
) -> tuple[Solution | None, Solution | None]:
    """A bound index to solve for without a guard, and one that needs guards.

    Guards are worth their price only where they end the longest sum of the delta, so that what
    is left is short (a window of a number of entries); else the delta stays, and is a scatter.
    """
    found: list[tuple[float, Index, Expr]] = []
    strided: list[Index] = []
    for index in term.bound:
        value = integers.solve(difference, index)
        if value is None:
            factor = integers.coefficient(difference, index)
            if factor is not None and not factor.is_zero:
                strided.append(index)
            continue
        if inside(value, index.size):
            return (index, value), None
        found.append((-extent(index.size), index, value))
    if not found:
        return None, None
    length, index, value = min(found, key=lambda f: f[0])
    if any(s.size.number is None or extent(s.size) > -length for s in strided):
        return None, None
    return None, (index, value)


def _gathers(value: Expr) -> bool:
    """Whether a position is read from an integer array: its range is the array's own fact."""
    return any(isinstance(a, Access) for a in atoms(value))


def _replace(term: Term, delta: Iverson, index: Index, value: Expr, inside: Inside) -> Expr:
    rest = tuple((a, e) for a, e in term.factors if a is not delta)
    bound = tuple(b for b in term.bound if b is not index)
    replaced = substitute_term(Term(term.coef, rest, bound), {index: value})
    guards = [] if inside(value, index.size) else integers.guard(value, index.size)
    return mul(replaced, *guards)


def _equate(term: Term, delta: Iverson, inside: Inside) -> Expr | None:
    """δ(j, y[n]) f(j) is δ(j, y[n]) f(y[n]): a delta on free indices is an equality."""
    bound = frozenset(term.bound)
    for side, value in ((delta.lhs, delta.rhs), (delta.rhs, delta.lhs)):
        index = side.single_index
        if index is None or index in bound or free_indices(value) & (bound | {index}):
            continue
        if value.single_index is not None and value.single_index.uid > index.uid:
            continue
        if _gathers(value) and not inside(value, index.size):
            continue
        rest = tuple((a, e) for a, e in term.factors if a is not delta)
        if not any(index in indices_of(a) for a, _ in rest):
            continue
        replaced = substitute_term(Term(term.coef, rest, term.bound), {index: value})
        return mul(replaced, atom(delta))
    return None


def _split_delta(delta: Iverson, term: Term) -> list[Expr] | None:
    """δ(i W + r + c, p) with 0 <= r < W as δ(i, (p - c) // W) δ(r, (p - c) % W).

    Without moving c where 0 <= r + c < W, for which a bracket of the term may be the reason.
    """
    narrow = _narrowed(term)
    for mixed, other in ((delta.lhs, delta.rhs), (delta.rhs, delta.lhs)):
        for index in sorted(free_indices(mixed), key=lambda i: i.uid):
            step = integers.coefficient(normal(mixed), index)
            if step is None or step.is_zero or step.number in (1, -1):
                continue
            if step.number is not None and step.number < 0:
                continue
            rest = normal(sub(mixed, mul(idx(index), step)))
            if rest.number is not None and step.number is not None:
                continue
            constant = Expr(tuple(t for t in rest.terms if not free_indices(Expr((t,)))))
            place = other
            if not integers.within(substitute(rest, narrow), step):
                rest, place = normal(sub(rest, constant)), normal(sub(other, constant))
            if not integers.within(substitute(rest, narrow), step):
                continue
            return [
                iverson("==", idx(index), integers.floordiv(place, step)),
                iverson("==", rest, integers.mod(place, step)),
            ]
    return None


def _narrowed(term: Term) -> dict[Index, Expr]:
    """For every bound index with a bracket [i < c] of the term, one that is as short."""
    return {index: idx(Index(index.letter, a.rhs)) for a, _ in term.factors
            if isinstance(a, Iverson) and a.relation == "<" and not free_indices(a.rhs)
            and (index := a.lhs.single_index) is not None and index in term.bound}


def _split_bound(term: Term) -> Expr | None:
    """A bound index that is read only through k // W and k % W becomes the pair (i, j)."""
    for item, _ in term.factors:
        if not isinstance(item, Iverson) or item.relation != "==":
            continue
        for inner in (*atoms(item.lhs), *atoms(item.rhs)):
            if not (isinstance(inner, Apply) and inner.function in ("floordiv", "mod")):
                continue
            index, width = inner.args[0].single_index, inner.args[1]
            if index not in term.bound or index is None:
                continue
            if not integers.exact(index.size, width):
                continue
            outer = Index(index.letter, normal(integers.quotient(index.size, width)))
            part = Index(index.letter, width)
            pair = normal(add(mul(idx(outer), width), idx(part)))
            bound = tuple(b for b in term.bound if b is not index)
            extra = tuple(b for b in (outer, part) if b.size != ONE)
            return substitute_term(Term(term.coef, term.factors, (*bound, *extra)), {index: pair})
    return None


# ---- tidying of positions and brackets -----------------------------------------------------


def tidy_term(term: Term) -> Expr:
    """Positions in normal form, brackets that are decided settled, unused sums counted."""
    coef = term.coef
    factors: dict[Atom, Exponent] = {}
    for item, exponent in term.factors:
        new = tidy_atom(item)
        if new.is_zero:
            return ZERO
        piece = as_monomial(power(new, exponent))
        coef *= piece.coef
        for a, e in piece.factors:
            factors[a] = 1 if isinstance(a, Iverson) else factors.get(a, 0) + e
    if any(isinstance(a, Iverson) and negation(a).single_atom in factors for a in factors):
        return ZERO
    used = frozenset().union(*(indices_of(a) for a in factors)) if factors else frozenset()
    bound = []
    for index in term.bound:
        if index in used:
            bound.append(index)
            continue
        size = index.size.terms[0] if len(index.size.terms) == 1 else None
        if size is None:
            factors[Paren(index.size)] = factors.get(Paren(index.size), 0) + 1
            continue
        coef *= size.coef
        for a, e in size.factors:
            factors[a] = factors.get(a, 0) + e
    return make_term(coef, factors, bound)


def tidy_atom(item: Atom) -> Expr:
    """An atom with its positions in normal form; a decided bracket is 0 or 1."""
    if isinstance(item, Access):
        return atom(Access(item.array, tuple(position(i) for i in item.indices)))
    if isinstance(item, Iverson):
        return _settle(item)
    if isinstance(item, Paren):
        terms = tuple(t for b in item.body.terms for t in tidy_term(b).terms)
        body = Expr(terms)
        return atom(item) if body.key == item.body.key else paren(body)
    if isinstance(item, Apply) and (
            item.function in ("floordiv", "mod") or integers.is_larger_size(item)):
        return position(atom(item))
    if isinstance(item, (Apply, Extremum)) and item.children:
        return _tidy_children(item)
    return atom(item)


def _tidy_children(item: Apply | Extremum) -> Expr:
    children = tuple(
        Expr(tuple(t for b in c.terms for t in tidy_term(b).terms)) for c in item.children
    )
    if isinstance(item, Apply):
        return atom(Apply(item.function, children))
    return atom(Extremum(item.kind, item.bound, children[0]))


@lru_cache(maxsize=_KEPT)
def position(expr: Expr) -> Expr:
    """An index position in normal form."""
    if expr.single_index is not None or expr.number is not None:
        return expr
    if not any(isinstance(a, (Apply, Access)) for a in atoms(expr)):
        return normal(expr)
    parts = []
    for term in expr.terms:
        product = number(term.coef)
        for item, exponent in term.factors:
            new = atom(item)
            if isinstance(item, Apply) and item.function in ("floordiv", "mod"):
                operation = integers.floordiv if item.function == "floordiv" else integers.mod
                new = operation(position(item.args[0]), item.args[1])
            elif isinstance(item, Access):
                new = atom(Access(item.array, tuple(position(i) for i in item.indices)))
            product = mul(product, power(new, exponent))
        parts.append(product)
    return integers.recombine(normal(add(*parts)))


@lru_cache(maxsize=_KEPT)
def _settle(item: Iverson) -> Expr:
    """[a r b] decided by ranges where they can; otherwise with positions in normal form."""
    if not (is_position(item.lhs) and is_position(item.rhs)):
        left, right = (Expr(tuple(t for b in c.terms for t in tidy_term(b).terms))
                       for c in (item.lhs, item.rhs))
        return iverson(item.relation, left, right)
    lhs, rhs = position(item.lhs), position(item.rhs)
    difference = normal(sub(rhs, lhs))
    if item.relation in ("==", "!="):
        equal = item.relation == "=="
        if difference.is_zero:
            return ONE if equal else ZERO
        if integers.never_zero(difference):
            return ZERO if equal else ONE
        return _reduced(item.relation, lhs, rhs, difference)
    strict = ONE if item.relation == "<" else ZERO
    if not _gathers(difference):
        if integers.nonnegative(normal(sub(difference, strict))):
            return ONE
        below = normal(sub(mul(number(-1), difference), ONE if item.relation == "<=" else ZERO))
        if integers.nonnegative(below):
            return ZERO
    return iverson(item.relation, lhs, rhs)


def _reduced(relation: str, lhs: Expr, rhs: Expr, difference: Expr) -> Expr:
    """[2 i == 2 k] is [i == k]."""
    coefs = [t.coef for t in difference.terms if t.factors]
    if any(c.denominator != 1 for c in coefs):
        return iverson(relation, lhs, rhs)
    step = math.gcd(*(int(c) for c in coefs))
    rest = sum((t.coef for t in difference.terms if not t.factors), Fraction(0))
    if step <= 1 or (rest / step).denominator != 1:  # [2 x == 1] may hold for a float x
        return iverson(relation, lhs, rhs)
    left = [t for t in difference.terms if t.coef < 0]
    right = [t for t in difference.terms if t.coef > 0]
    return iverson(relation, Expr(tuple(Term(-t.coef / step, t.factors) for t in left)),
                   Expr(tuple(Term(t.coef / step, t.factors) for t in right)))
