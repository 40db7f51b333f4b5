"""Brackets as a person writes them: two cases, and what lies beyond an end.

In: a right-hand side. Out: its two cases where brackets make two of it (the entries of a mask, the
last layer and the others); the same without brackets that only say that an adjoint is read inside
of its array, where what lies outside is 0 (c̄ beyond the last step).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from symprop.algebra.build import ONE, ZERO, add, negation, sub
from symprop.algebra.canonical import same
from symprop.algebra.expr import (
    ADJOINT,
    UNIT,
    Access,
    Atom,
    Exponent,
    Expr,
    Idx,
    Iverson,
    Paren,
    Term,
    arrays_of,
)
from symprop.algebra.integers import exclude
from symprop.system import Array


@dataclass(frozen=True)
class Case:
    """What a right-hand side is where a bracket holds."""

    rhs: Expr
    where: Iverson


def unnested(bracket: Iverson) -> Iverson:
    """[[i <= t] = 1] is [i <= t], and [[i <= t] != 1] its negation."""
    inner, other = bracket.lhs.single_atom, bracket.rhs
    if not isinstance(inner, Iverson) or other not in (ONE, ZERO) or (
            bracket.relation not in ("==", "!=")):
        return bracket
    if (bracket.relation == "==") == (other == ONE):
        return unnested(inner)
    opposite = negation(inner).single_atom
    return unnested(opposite) if isinstance(opposite, Iverson) else bracket


def solved(bracket: Iverson) -> Iverson:
    """[t + 1 < T] as [t < T - 1], [L - 1 = l] as [l = L - 1]: a lone index on the left."""
    gap = add(sub(bracket.rhs, bracket.lhs))
    alone = [t for t in gap.terms if len(t.factors) == 1 and t.factors[0][1] == 1
             and isinstance(t.factors[0][0], Idx)]
    if len(alone) != 1 or abs(alone[0].coef) != 1 or arrays_of(gap) or any(
            isinstance(a, Idx) for t in gap.terms if t is not alone[0] for a, _ in t.factors):
        return bracket
    rest = Expr(tuple(t for t in gap.terms if t is not alone[0]))
    index = Expr((Term(UNIT, alone[0].factors),))
    if alone[0].coef < 0:  # rest - index
        return Iverson(bracket.relation, index, rest)
    turned = Expr(tuple(replace(t, coef=-t.coef) for t in rest.terms))
    if bracket.relation in ("==", "!="):
        return Iverson(bracket.relation, index, turned)
    return Iverson(bracket.relation, turned, index)


def two_cases(expr: Expr) -> tuple[Case, Case] | None:
    """The cases of a right-hand side in which one of two brackets holds, never both; or None."""
    found = [*_brackets(expr)]
    for place, one in enumerate(found):
        for other in found[place + 1:]:
            if _opposite(unnested(one), unnested(other)):
                first, second = _held(expr, one, other), _held(expr, other, one)
                left = [*_brackets(first), *_brackets(second)]
                if not first.is_zero and not second.is_zero and not left:
                    return Case(first, unnested(one)), Case(second, unnested(other))
    return None


def _brackets(expr: Expr) -> Iterator[Iverson]:
    """The brackets that are factors, in parentheses too; not under a sum of their own."""
    for term in expr.terms:
        for atom, exponent in term.factors:
            if isinstance(atom, Iverson) and not atom.free & {*term.bound}:
                yield atom
            elif isinstance(atom, Paren) and exponent == 1 and not term.bound:
                yield from _brackets(atom.body)


def _opposite(one: Iverson, other: Iverson) -> bool:
    """Whether exactly one of two brackets holds, wherever that is asked."""
    denied, also = (negation(b).single_atom for b in (one, other))
    if not isinstance(denied, Iverson) or not isinstance(also, Iverson):
        return False
    if denied == other or also == one:
        return True
    if any(arrays_of(e) for b in (one, other) for e in (b.lhs, b.rhs)):
        return False
    return exclude(one, other) and exclude(denied, also)


def _held(expr: Expr, true: Iverson, false: Iverson) -> Expr:
    """The same where one bracket is 1 and the other 0."""
    terms: list[Term] = []
    for term in expr.terms:
        if any(a == false for a, _ in term.factors):
            continue
        factors = tuple(_inside(a, e, true, false) for a, e in term.factors if a != true)
        if any(isinstance(a, Paren) and a.body.is_zero for a, _ in factors):
            continue
        terms.append(_flat(Term(term.coef, factors, term.bound)))
    return Expr(tuple(terms))


def _inside(
    atom: Atom, exponent: Exponent, true: Iverson, false: Iverson
) -> tuple[Atom, Exponent]:
    if isinstance(atom, Paren) and exponent == 1:
        return Paren(_held(atom.body, true, false)), exponent
    return atom, exponent


def _flat(term: Term) -> Term:
    """A factor that was a sum, and is one product now, is part of the product around it."""
    coef, factors = term.coef, list[tuple[Atom, Exponent]]()
    for atom, exponent in term.factors:
        inner = atom.body.terms if isinstance(atom, Paren) and exponent == 1 else ()
        if len(inner) == 1 and not inner[0].bound:
            coef *= inner[0].coef
            factors += inner[0].factors
        else:
            factors.append((atom, exponent))
    return Term(coef, tuple(factors), term.bound)


# ---- beyond an end ---------------------------------------------------------------------------


def without_ends(expr: Expr, arrays: Mapping[str, Array]) -> Expr:
    """The same, less the brackets outside of which an adjoint beside them is read outside."""
    return Expr(tuple(
        opened for t in expr.terms for opened in _spread(t, _without_ends(t, arrays))))


def _spread(before: Term, term: Term) -> tuple[Term, ...]:
    """A term that has become nothing but a sum in parentheses, as the terms of that."""
    same_ = len(term.factors) == len(before.factors)
    atom, exponent = term.factors[0] if len(term.factors) == 1 else (None, 1)
    if same_ or term.bound or exponent != 1 or not isinstance(atom, Paren):
        return (term,)
    return tuple(replace(t, coef=term.coef * t.coef) for t in atom.body.terms)


def _without_ends(term: Term, arrays: Mapping[str, Array]) -> Term:
    reads = [a for a, e in term.factors if isinstance(a, Access) and e == 1
             and a.array.startswith(ADJOINT)]
    factors: list[tuple[Atom, Exponent]] = []
    for atom, exponent in term.factors:
        if isinstance(atom, Iverson) and (any(_implied(atom, r, arrays) for r in reads) or any(
                isinstance(a, Paren) and _all_read(atom, a.body, arrays) for a, _ in term.factors)):
            continue
        if isinstance(atom, Paren):
            atom = Paren(without_ends(atom.body, arrays))
        factors.append((atom, exponent))
    return Term(term.coef, tuple(factors), term.bound)


def _all_read(bracket: Iverson, body: Expr, arrays: Mapping[str, Array]) -> bool:
    """Whether a bracket says of every term of a sum that an adjoint in it is read inside."""
    return all(any(
        isinstance(a, Access) and e == 1 and a.array.startswith(ADJOINT)
        and _implied(bracket, a, arrays) for a, e in t.factors) for t in body.terms)


def _implied(bracket: Iverson, read: Access, arrays: Mapping[str, Array]) -> bool:
    """Whether a bracket is 0 <= p, or p < size, of a position of this entry."""
    shape = arrays[read.array.removeprefix(ADJOINT)].shape
    for position, size in zip(read.indices, shape, strict=True):
        low, high = sub(position, ZERO), sub(sub(size, ONE), position)
        strict = bracket.relation == "<"
        if bracket.relation not in ("<", "<="):
            return False
        gap = sub(bracket.rhs, bracket.lhs)
        gap = sub(gap, ONE) if strict else gap
        if same(gap, low) or same(gap, high):
            return True
    return False


