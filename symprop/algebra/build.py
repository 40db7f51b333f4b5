"""The one place where products, sums, powers and brackets are made.

In: expressions. Out: expressions, with sums kept factored inside products and operands in
the order in which they came. Nothing is distributed here, and no two terms are merged:
that is a step (see derive/), not a construction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache

from symprop.algebra.expr import (
    UNIT,
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
    Size,
    Term,
    times,
)
from symprop.algebra.ratios import nearest

ZERO = Expr()
ONE = Expr((Term(UNIT),))
_DIGITS = 15  # in the text of a float: one of fewer is what somebody wrote
_KEPT = 1 << 15  # how many of the commonest expressions are kept: indices, sizes, numbers
_FLIP = {">": "<", ">=": "<="}
_NEGATION = {"==": ("!=", False), "!=": ("==", False), "<": ("<=", True), "<=": ("<", True)}


@lru_cache(maxsize=_KEPT, typed=True)
def number(value: float | Fraction) -> Expr:
    """A number; a float stands for the decimal that Python prints for it.

    One of many digits that is a small ratio to the last bit, as 1 / 3 is, stands for the ratio.
    """
    if isinstance(value, float):
        value = _meant(value)
    if value == 1:
        return ONE
    return Expr((Term(Fraction(value)),)) if value else ZERO


@lru_cache(maxsize=_KEPT)
def _meant(value: float) -> Fraction:
    printed = Fraction(repr(value))
    if len(repr(value)) < _DIGITS:
        return printed
    ratio = nearest(abs(value))
    return printed if ratio is None else -ratio if value < 0 else ratio


def atom(value: Atom) -> Expr:
    """An atom as an expression."""
    return Expr((Term(UNIT, ((value, 1),)),))


@lru_cache(maxsize=_KEPT)
def size(name: str) -> Expr:
    """The size of a named axis."""
    return atom(Size(name))


@lru_cache(maxsize=_KEPT)
def idx(index: Index) -> Expr:
    """The value of an index; an axis of size 1 has only the value 0."""
    return ZERO if index.size == ONE else atom(Idx(index))


def access(array: str, indices: Sequence[Expr] = ()) -> Expr:
    """An entry of an array."""
    return atom(Access(array, tuple(indices)))


def apply(function: str, *args: Expr) -> Expr:
    """A scalar function of expressions."""
    return atom(Apply(function, args))


def iverson(relation: str, lhs: Expr, rhs: Expr) -> Expr:
    """The bracket [lhs relation rhs], with > and >= turned round; decided for numbers."""
    if relation in _FLIP:
        relation, lhs, rhs = _FLIP[relation], rhs, lhs
    a, b = lhs.number, rhs.number
    if a is not None and b is not None:
        holds = {"==": a == b, "!=": a != b, "<": a < b, "<=": a <= b}[relation]
        return ONE if holds else ZERO
    for side, other in ((lhs, rhs), (rhs, lhs)):  # a bracket compared with 0 is one itself
        inner = side.single_atom
        if isinstance(inner, Iverson) and other.number == 0:
            if relation == "!=" or (relation == "<" and side is rhs):
                return side
            if relation == "==" or (relation == "<=" and side is lhs):
                return negation(inner)
    return atom(Iverson(relation, lhs, rhs))


def negation(bracket: Iverson) -> Expr:
    """The bracket of the opposite condition."""
    relation, swap = _NEGATION[bracket.relation]
    lhs, rhs = (bracket.rhs, bracket.lhs) if swap else (bracket.lhs, bracket.rhs)
    return iverson(relation, lhs, rhs)


def extremum(kind: str, body: Expr, bound: Sequence[Index]) -> Expr:
    """The maximum or minimum of `body` over `bound`."""
    return atom(Extremum(kind, tuple(bound), body)) if bound else body


def add(*exprs: Expr) -> Expr:
    """The sum, term after term; a factored sum with coefficient 1 is opened."""
    terms: list[Term] = []
    for expr in exprs:
        for term in expr.terms:
            opened = _opened(term)
            terms.extend(opened.terms if opened is not None else (term,))
    return Expr(tuple([t for t in terms if t.coef is UNIT or t.coef]))


def _opened(term: Term) -> Expr | None:
    if len(term.factors) == 1 and not term.bound:
        inner, exponent = term.factors[0]
        if isinstance(inner, Paren) and exponent == 1 and term.coef == 1:
            return inner.body
    return None


def paren(expr: Expr) -> Expr:
    """The expression as one factor."""
    if expr.single_atom is not None or expr.number is not None:
        return expr
    return atom(Paren(expr))


def as_monomial(expr: Expr) -> Term:
    """The expression as one term: a sum of several becomes a factor in parentheses."""
    if len(expr.terms) == 1:
        return expr.terms[0]
    return Term(Fraction(0)) if not expr.terms else Term(UNIT, ((Paren(expr), 1),))


def mul(*exprs: Expr) -> Expr:
    """The product as one monomial; equal atoms share one exponent."""
    if len(exprs) == 2:  # 1 * x is x, whatever x is
        if exprs[0].number == 1:
            return exprs[1]
        if exprs[1].number == 1:
            return exprs[0]
    coef = UNIT
    factors: dict[Atom, Exponent] = {}
    bound: list[Index] = []
    for expr in exprs:
        term = as_monomial(expr)
        if bound and set(bound) & set(term.bound):
            term = freshen_term(term)
        coef = times(coef, term.coef)
        merge_factors(factors, term.factors)
        bound.extend(term.bound)
    return make_term(coef, factors, bound)


def merge_factors(factors: dict[Atom, Exponent], more: Iterable[tuple[Atom, Exponent]]) -> None:
    """Multiplies `more` into the monomial `factors`, in place; brackets are idempotent."""
    for item, exponent in more:
        if isinstance(item, Iverson):
            factors[item] = 1
        else:
            factors[item] = whole(factors.get(item, 0) + exponent)


def make_term(
    coef: Fraction, factors: Mapping[Atom, Exponent], bound: Iterable[Index] = ()
) -> Expr:
    """One term as an expression; factors with exponent 0 vanish, and so does coefficient 0."""
    if not coef:
        return ZERO
    return Expr((Term(coef, tuple((a, e) for a, e in factors.items() if e), tuple(bound)),))


def whole(value: Exponent) -> Exponent:
    """The exponent as an int where it is one."""
    return value if isinstance(value, int) or value.denominator != 1 else value.numerator


def neg(expr: Expr) -> Expr:
    """-expr: the sign goes into a single term and stays before a sum."""
    return mul(number(-1), expr)


def sub(left: Expr, right: Expr) -> Expr:
    """left - right, with the signs of right's terms turned: the sum stays flat."""
    return add(left, Expr(tuple(Term(-t.coef, t.factors, t.bound) for t in right.terms)))


def power(expr: Expr, exponent: Exponent) -> Expr:
    """expr ** exponent for a number exponent; roots of products and of even powers stay whole."""
    exponent = whole(exponent)
    if exponent == 0:
        return ONE
    if exponent == 1:
        return expr
    value = expr.number
    if value is not None and isinstance(exponent, int) and (value or exponent > 0):
        return number(value**exponent)
    term = as_monomial(expr)
    if term.bound or not distributes(term, exponent):
        return Expr((Term(UNIT, ((Paren(expr), exponent),)),))
    factors = {a: whole(e * exponent) for a, e in term.factors}
    return make_term(Fraction(term.coef**exponent), factors)


def distributes(term: Term, exponent: Exponent) -> bool:
    """Whether (product)^exponent is the product of powers (no root of a square, no sign lost)."""
    if not term.coef or any(isinstance(a, Iverson) for a, _ in term.factors):
        return False
    if isinstance(exponent, int):
        return True
    return term.coef == 1 and len(term.factors) == 1 and term.factors[0][1] == 1


def sum_over(expr: Expr, bound: Sequence[Index]) -> Expr:
    """The sum over indices; an axis of size 1 needs none, a sum of terms stays factored."""
    live = [b for b in bound if b.size != ONE]
    if not live or expr.is_zero:
        return expr
    term = as_monomial(expr)
    return Expr((Term(term.coef, term.factors, (*term.bound, *live)),))


# ---- substitution -------------------------------------------------------------------------


def fresh(index: Index) -> Index:
    """A new index with the same letter and size."""
    return Index(index.letter, index.size)


def freshen_term(term: Term) -> Term:
    """The same term with new bound indices."""
    renaming = {b: fresh(b) for b in term.bound}
    if not renaming:
        return term
    mapping = {b: idx(f) for b, f in renaming.items()}
    factors = tuple((substitute_atom(a, mapping), e) for a, e in term.factors)
    return Term(term.coef, merged(factors), tuple(renaming.values()))


def merged(factors: Iterable[tuple[Expr | Atom, Exponent]]) -> tuple[tuple[Atom, Exponent], ...]:
    """Factors with equal atoms merged; an expression counts as its single monomial."""
    result: dict[Atom, Exponent] = {}
    for item, exponent in factors:
        if isinstance(item, Expr):
            term = as_monomial(power(item, exponent))
            merge_factors(result, term.factors)
        else:
            merge_factors(result, ((item, exponent),))
    return tuple((a, e) for a, e in result.items() if e)


def substitute(expr: Expr, mapping: Mapping[Index, Expr]) -> Expr:
    """Replaces free indices by expressions. Bound indices are unique, so nothing is captured."""
    if not mapping or not (expr.free & mapping.keys()):
        return expr
    alone = expr.single_index
    if alone is not None:
        return mapping[alone]  # a position l becomes l + 1, not 1 (l + 1)
    terms: list[Term] = []
    for term in expr.terms:
        terms.extend(substitute_term(term, mapping).terms)
    return Expr(tuple(terms))


def substitute_term(term: Term, mapping: Mapping[Index, Expr]) -> Expr:
    """`substitute` for one term; the result is one term, or 0."""
    coef = term.coef
    factors: dict[Atom, Exponent] = {}
    bound = list(term.bound)
    for item, exponent in term.factors:
        new = substitute_atom(item, mapping)
        replaced = as_monomial(new if exponent == 1 else power(new, exponent))
        coef = times(coef, replaced.coef)
        merge_factors(factors, replaced.factors)
        bound.extend(replaced.bound)
    return make_term(coef, factors, bound)


def substitute_atom(item: Atom, mapping: Mapping[Index, Expr]) -> Expr:
    """`substitute` for one atom."""
    if not (item.free & mapping.keys()):
        return atom(item)
    if isinstance(item, Idx):
        return mapping[item.index]
    return rebuild(item, tuple(substitute(c, mapping) for c in item.children))


def rebuild(item: Atom, children: tuple[Expr, ...]) -> Expr:
    """The same kind of atom over new children."""
    if isinstance(item, Access):
        return access(item.array, children)
    if isinstance(item, Apply):
        return apply(item.function, *children)
    if isinstance(item, Iverson):
        return iverson(item.relation, *children)
    if isinstance(item, Paren):
        return paren(children[0])
    if isinstance(item, Extremum):
        return extremum(item.kind, children[0], item.bound)
    if isinstance(item, Partial):
        cut = len(item.numerator.indices)
        above = Access(item.numerator.array, children[:cut])
        return atom(Partial(above, Access(item.denominator.array, children[cut:])))
    return atom(item)


def map_accesses(expr: Expr, change: Callable[[Access], Access]) -> Expr:
    """The expression with every access changed, its positions first; nothing is merged."""
    if not expr.arrays:
        return expr
    terms: list[Term] = []
    for term in expr.terms:
        factors: dict[Atom, Exponent] = {}
        for item, exponent in term.factors:
            children = tuple(map_accesses(c, change) for c in item.children)
            new: Atom = item
            if isinstance(item, Access):
                new = change(Access(item.array, children))
            elif isinstance(item, Paren):
                new = Paren(children[0])  # as it stands: a constructor may multiply it out
            elif any(a is not b for a, b in zip(children, item.children, strict=True)):
                rebuilt = rebuild(item, children).single_atom
                assert rebuilt is not None
                new = rebuilt
            factors[new] = factors.get(new, 0) + exponent
        terms.append(Term(term.coef, tuple(factors.items()), term.bound))
    return Expr(tuple(terms))


def instantiate(indices: Sequence[Index], body: Expr, at: Sequence[Expr]) -> Expr:
    """The definition `lhs[indices] = body` at the position `at`, with fresh bound indices."""
    fresh_body = Expr(tuple(freshen_term(t) for t in body.terms))
    return substitute(freshen_extrema(fresh_body), dict(zip(indices, at, strict=True)))


def freshen_extrema(expr: Expr) -> Expr:
    """Renames the bound indices inside extrema and parentheses apart."""
    if not any(a.children for t in expr.terms for a, _ in t.factors):
        return expr
    terms: list[Term] = []
    for term in expr.terms:
        factors = tuple((_freshen_atom(a), e) for a, e in term.factors)
        terms.append(Term(term.coef, merged(factors), term.bound))
    return Expr(tuple(terms))


def _freshen_atom(item: Atom) -> Expr | Atom:
    if isinstance(item, Extremum):
        new = [fresh(b) for b in item.bound]
        body = substitute(item.body, {b: idx(n) for b, n in zip(item.bound, new, strict=True)})
        return atom(Extremum(item.kind, tuple(new), freshen_extrema(body)))
    if isinstance(item, Paren):
        terms = tuple(freshen_term(t) for t in item.body.terms)
        return atom(Paren(freshen_extrema(Expr(terms))))
    return item
