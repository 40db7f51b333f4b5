"""Definitions read the other way round: an array in terms of what is computed from it.

In: a sum, and what is known. Out: equal sums, each with the equation that it leans on.

    divided    with s = 1 + e:   e²/s = e - e/s          (a definition divides a product)
    turned     with a = (1 + t)/2:   1 - t² = 1 - (2 a - 1)²     (t is what it makes a of)
    mirrored   σ(-z) = 1 - σ(z)                          (where both stand in the sum)
    apart      a (y/(1 - a) - z) (1 - a) = a y - a z (1 - a)     (a divisor meets its multiple)
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from symprop.algebra import rows
from symprop.algebra.build import (
    add,
    apply,
    as_monomial,
    atom,
    instantiate,
    make_term,
    mul,
    neg,
    number,
    paren,
    power,
)
from symprop.algebra.canonical import collect, expand, expand_term, same
from symprop.algebra.expr import Access, Apply, Atom, Exponent, Expr, Paren, Term, arrays_of, atoms
from symprop.derive.gather import quotients
from symprop.derive.knowledge import Knowledge
from symprop.derive.sift import sift
from symprop.system import Equation

Moved = tuple[Expr, tuple[str, ...]]


# ---- a product divided by a sum -----------------------------------------------------------


def divided(expr: Expr, known: Knowledge) -> Iterator[Moved]:
    """The sum with one product divided by a definition that stands below it."""
    for place, term in enumerate(expr.terms):
        for item, exponent in term.factors:
            if not isinstance(item, Access) or not isinstance(exponent, int) or exponent > -1:
                continue
            equation = known.opens(item.array)
            if equation is None or any(t.bound for t in equation.rhs.terms):
                continue
            for value in _quotient(term, item, equation):
                whole = (*expr.terms[:place], *value.terms, *expr.terms[place + 1:])
                yield collect(Expr(whole)), (equation.number,)


def _quotient(term: Term, below: Access, equation: Equation) -> Iterator[Expr]:
    """c p/s with s = p + q is c - c q/s, for every part p of the definition that is in it."""
    at = instantiate(equation.indices, equation.rhs, below.indices)
    for part in at.terms:
        if not part.factors:
            continue
        for _, rest in quotients(part, term, ()):
            cofactor = make_term(term.coef / part.coef, rest, term.bound)
            others = Expr(tuple(t for t in at.terms if t is not part))
            whole, left = mul(cofactor, atom(below)), neg(mul(cofactor, paren(others)))
            yield expand(Expr((*whole.terms, *left.terms)))


# ---- an array by what is made of it ---------------------------------------------------------


def turned(expr: Expr, known: Knowledge) -> Iterator[Moved]:
    """The sum with an array that stands squared replaced by a value that is a line in it."""
    squares = {a.array: a for t in expr.terms for a, e in _inside(t)
               if isinstance(a, Access) and isinstance(e, int) and e >= 2}
    for array in squares:
        for equation in known.several(frozenset((array,))):
            line = _line(equation)
            if line is None:
                continue
            done = _replaced(expr, array, equation, *line)
            if done is not None:
                yield collect(sift(expand(done), known.inside)), (equation.number,)


def _inside(term: Term) -> Iterator[tuple[Atom, Exponent]]:
    """The factors of a term and of the sums that are factors of it."""
    for item, exponent in term.factors:
        yield item, exponent
        if isinstance(item, Paren):
            for inner in item.body.terms:
                yield from _inside(inner)


def _line(equation: Equation) -> tuple[Access, Fraction, Fraction] | None:
    """(the entry, slope, offset) of a definition slope * entry + offset."""
    numbers = [t for t in equation.rhs.terms if not t.factors and not t.bound]
    others = [t for t in equation.rhs.terms if t.factors]
    if len(others) != 1 or len(numbers) != len(equation.rhs.terms) - 1 or others[0].bound:
        return None
    entry = Expr((Term(Fraction(1), others[0].factors),)).single_atom
    if not isinstance(entry, Access):
        return None
    at = [p.single_index for p in entry.indices]
    if None in at or len(set(at)) != len(at) or set(at) != set(equation.indices):
        return None
    return entry, others[0].coef, sum((t.coef for t in numbers), Fraction(0))


def _replaced(
    expr: Expr, array: str, equation: Equation, entry: Access, slope: Fraction, offset: Fraction
) -> Expr | None:
    """Every access to the array as (value - offset)/slope; None where one is out of reach."""
    places = [p.single_index for p in entry.indices]
    terms: list[Term] = []
    for term in expr.terms:
        product = make_term(term.coef, {}, term.bound)
        for item, exponent in term.factors:
            if isinstance(item, Access) and item.array == array:
                where = dict(zip(places, item.indices, strict=True))
                at = tuple(where[i] for i in equation.indices)
                value = Expr((
                    Term(1 / slope, ((Access(equation.array, at), 1),)), Term(-offset / slope)))
                product = mul(product, power(value, exponent))
            elif isinstance(item, Paren) and array in arrays_of(item.body):
                body = _replaced(item.body, array, equation, entry, slope, offset)
                if body is None:
                    return None
                product = mul(product, power(paren(body), exponent))
            elif any(isinstance(a, Access) and a.array == array for a in atoms(atom(item))):
                return None
            else:
                product = mul(product, make_term(Fraction(1), {item: exponent}))
        terms.extend(product.terms)
    return Expr(tuple(terms))


# ---- a function at -x by its value at x -------------------------------------------------------


def mirrored(expr: Expr) -> Expr:
    """f(-x) by f(x), where both occur and the row of f says how."""
    found = {a.key: a for a in atoms(expr) if isinstance(a, Apply) and len(a.args) == 1}
    for item in found.values():
        row = rows.get(item.function) if item.function in rows.names() else None
        other = apply(item.function, neg(item.args[0])).single_atom
        negative = item.args[0].terms and item.args[0].terms[0].coef < 0
        if row is None or row.mirror is None or not negative or other is None:
            continue
        twin = next((a for a in found.values() if same(atom(a), atom(other))), None)
        if twin is not None:
            offset, slope = row.mirror
            value = add(number(offset), mul(number(slope), atom(twin)))
            expr = _with(expr, item, value)
    return expr


def _with(expr: Expr, item: Atom, value: Expr) -> Expr:
    """The sum with an atom replaced wherever it is a factor."""
    terms: list[Term] = []
    for term in expr.terms:
        product = make_term(term.coef, {}, term.bound)
        for factor, exponent in term.factors:
            new = make_term(Fraction(1), {factor: exponent})
            if factor == item:
                new = power(value, exponent)
            elif isinstance(factor, Paren):
                new = power(paren(_with(factor.body, item, value)), exponent)
            product = mul(product, new)
        terms.extend(product.terms)
    return Expr(tuple(terms))


# ---- multiplied out, a divisor and its multiple together --------------------------------------


def multiplied_out(expr: Expr) -> Expr:
    """Products of sums as sums of products; what cancels is not opened first."""
    return expand(Expr(tuple(t for term in expr.terms for t in _apart(term).terms)))


def _apart(term: Term) -> Expr:
    above = {a for a, e in term.factors if isinstance(a, Paren) and isinstance(e, int) and e > 0}
    below = {a for a, e in _inside(term) if isinstance(a, Paren) and e < 0}
    both = above & below
    if not both:
        return Expr((term,))
    rest = Term(term.coef, tuple((a, e) for a, e in term.factors if a not in both), term.bound)
    guarded = make_term(Fraction(1), {a: e for a, e in term.factors if a in both})
    pieces = (mul(Expr((t,)), guarded) for t in expand_term(rest).terms)
    return Expr(tuple(as_monomial(p) for p in pieces))
