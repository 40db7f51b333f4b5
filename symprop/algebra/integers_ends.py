"""The ends of positions: each index at the end at which an expression is least, or largest.

In: affine expressions over indices, their digits and sizes. Out: bounds that hold no index, and
whether they tell that an expression is never negative. The cheap half of the prover.

    maximum_of(2 i + p)     2 (I - 1) + P - 1
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from symprop.algebra.build import ONE, ZERO, add, apply, mul, sub
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Apply, Atom, Expr, Idx, Size, Term
from symprop.algebra.integers_affine import exact, quotient


def minimum_of(expr: Expr) -> Expr:
    """A lower bound of an affine expression that holds no index (each index at its best end)."""
    return _bound(expr, low=True)


def maximum_of(expr: Expr) -> Expr:
    """An upper bound of an affine expression that holds no index."""
    return _bound(expr, low=False)


def _bound(expr: Expr, low: bool) -> Expr:
    parts = []
    for term in expr.terms:
        live = [(a, e) for a, e in term.factors if not _is_size(a)]
        if not live:
            parts.append(Expr((term,)))
            continue
        rest = Expr((Term(term.coef, tuple((a, e) for a, e in term.factors if _is_size(a))),))
        if len(live) != 1 or live[0][1] != 1:
            return _unknown()
        at_low = (term.coef > 0) == low
        end = _end(live[0][0], at_low)
        if end is None:
            return _unknown()
        parts.append(mul(rest, end))
    return normal(add(*parts))


def _is_size(atom: Atom) -> bool:
    """Whether an atom is made of sizes only: a whole number that is at least 0."""
    return isinstance(atom, Size) or (
        isinstance(atom, Apply) and atom.function in ("floordiv", "mod", "maximum")
        and all(_is_size(a) for c in atom.args for t in c.terms for a, _ in t.factors)
        and any(map(never_negative, atom.args[:2 if atom.function == "maximum" else 1])))


def is_larger_size(item: Atom) -> bool:
    """Whether an atom is the larger of two sizes: max(N - 3, 0)."""
    return isinstance(item, Apply) and item.function == "maximum" and all(
        _is_size(a) for c in item.args for t in c.terms for a, _ in t.factors)


def _unknown() -> Expr:
    return apply("unknown")


def _end(atom: Atom, low: bool) -> Expr | None:
    if isinstance(atom, Idx):
        return ZERO if low else sub(atom.index.size, ONE)
    if isinstance(atom, Apply) and atom.function == "mod":
        return ZERO if low else sub(atom.args[1], ONE)
    if isinstance(atom, Apply) and atom.function == "floordiv":
        if low:
            return ZERO if never_negative(atom.args[0]) else None
        top = normal(add(maximum_of(atom.args[0]), ONE))
        return sub(quotient(top, atom.args[1]), ONE) if exact(top, atom.args[1]) else None
    return None


@lru_cache(maxsize=1 << 14)
def never_negative(expr: Expr) -> bool:
    """Whether the ends of an expression tell that it is at least 0."""
    if all(t.coef > 0 and all(isinstance(a, (Idx, Size)) for a, _ in t.factors)
           for t in expr.terms):
        return True
    low = normal(minimum_of(normal(expr)))
    if any(not _is_size(a) for t in low.terms for a, _ in t.factors):
        return False
    negative = [t for t in low.terms if t.coef < 0 and t.factors]
    return (sum(map(_least, low.terms)) >= 0 and not negative) or _dominated(low)


def _least(term: Term) -> Fraction:
    """The least value of a positive monomial: a size is at least 1, and so is D/2 or D/H."""
    if not term.factors or term.coef < 0:
        return term.coef
    certain = all(isinstance(a, Size) for a, _ in term.factors)
    return Fraction(term.coef.numerator) if certain else Fraction(0)


def _dominated(low: Expr) -> bool:
    """Whether each negative monomial is covered by a positive multiple of itself (N*W - W)."""
    spare = {t: t.coef for t in low.terms if t.coef > 0}
    for term in (t for t in low.terms if t.coef < 0):
        need = -term.coef
        for cover in spare:
            have = spare[cover] if term.factors else _least(Term(spare[cover], cover.factors))
            if need > 0 and have > 0 and (not term.factors or _covers(cover, term)):
                used = min(need, have)
                spare[cover] *= 1 - used / have
                need -= used
        if need > 0:
            return False
    return True


def _covers(cover: Term, term: Term) -> bool:
    """Whether the one monomial is the other times sizes, which are at least 1."""
    have = dict(term.factors)
    ratio = {a: e - have.pop(a, 0) for a, e in cover.factors} | {a: -e for a, e in have.items()}
    return all(e >= 0 and (e == 0 or isinstance(a, Size)) for a, e in ratio.items())
