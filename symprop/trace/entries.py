"""Positions calculated from an integer input: which of its entries keep them inside the axis.

In: a traced integer array that is to be an index, and the size of an axis. Out: the ends of the
input's entries, to be tested at the door of the module; None where no such ends are known.

    y - 1                          1 <= y <= N
    np.where(y >= 0, y, 0)         y < N              (any negative label is ignored)
    np.where(y == -1, 0, y)        -1 <= y < N
    i * K + y, in N * K            0 <= y < K
    np.where(y != -100, y, 0)      0 <= y < K, or y is -100
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from symprop.algebra.build import (
    ONE,
    ZERO,
    add,
    atom,
    instantiate,
    iverson,
    make_term,
    mul,
    neg,
    number,
    power,
    rebuild,
    sub,
)
from symprop.algebra.canonical import normal
from symprop.algebra.expr import (
    Access,
    Apply,
    Atom,
    Expr,
    Iverson,
    Size,
    accesses,
    atoms,
    free_indices,
)
from symprop.algebra.integers import Facts, nonnegative, within
from symprop.trace.booleans import choice
from symprop.trace.tensor import Traced
from symprop.trace.text import size_text
from symprop.trace.tracer import Tracer


@dataclass(frozen=True)
class Ends:
    """Entries of an array, the least where there is one, the largest, a value beside these."""

    read: tuple[Access, ...]
    low: Expr | None
    high: Expr
    ignored: int | None = None


_DEEPEST = 8  # equations opened one inside the other


def permitted(index: Traced, size: Expr) -> Ends | None:
    """The widest of a few ends of an input's entries for which all positions lie in the axis."""
    tracer = index.tracer
    body = _opened(tracer, index.body, _DEEPEST)
    inputs = [a for a in body.arrays if a not in tracer.constants]
    if len(inputs) != 1 or inputs[0] in tracer.drafts:
        return None
    (array,) = inputs
    if tracer.arrays[array].dtype != "int":
        return None
    conditions = tuple(sub(c.left, c.right) for c in tracer.conditions if c.kind == "at_least")
    for low, high in _candidates(body, size):
        if within(body, size, Facts(conditions, ((array, low, high),))):
            read = tuple(a for a in accesses(body) if a.array == array)
            return Ends(read, low, high, _beside(body, size, (low, high), array, conditions))
    return None


def _beside(
    body: Expr, size: Expr, ends: tuple[Expr | None, Expr], array: str,
    conditions: tuple[Expr, ...],
) -> int | None:
    """A number that entries are compared with, for which positions lie in the axis as well.

    It lies outside the ends, at some sizes at least: 255 may be a class where there are many.
    """
    low, high = ends
    for value in _compared(body, array):
        above = low is None or nonnegative(sub(number(value), low), Facts(conditions))
        if above and nonnegative(sub(high, number(value)), Facts(conditions)):
            continue
        if within(_at(body, array, number(value)), size, Facts(conditions)):
            return value
    return None


def _compared(body: Expr, array: str) -> Iterator[int]:
    """The numbers with which entries are compared for equality."""
    for item in dict.fromkeys(atoms(body)):
        if isinstance(item, Iverson) and item.relation in ("==", "!=") and array in item.lhs.arrays:
            gap = normal(sub(item.lhs, item.rhs))
            value = normal(sub(gap, atom(next(a for a in gap.atoms if isinstance(a, Access))))
                           ).number
            if value is not None:
                yield -int(value)


def _at(expr: Expr, array: str, value: Expr) -> Expr:
    """The expression where all entries of an array are this value."""
    terms = []
    for term in expr.terms:
        product = make_term(term.coef, {}, term.bound)
        for item, exponent in term.factors:
            entry = isinstance(item, Access) and item.array == array
            new = value if entry else rebuild(
                item, tuple(_at(c, array, value) for c in item.children))
            product = mul(product, power(new, exponent))
        terms.append(product)
    return normal(add(*terms))


def _candidates(body: Expr, size: Expr) -> Iterator[tuple[Expr | None, Expr]]:
    """Ends of entries, the widest first; those of an entry with something added are exact."""
    exact = _exact(body, size)
    if exact is not None:
        yield exact
        return
    divisors = {a.args[1] for a in atoms(body) if isinstance(a, Apply) and a.function == "floordiv"}
    tops = [*(normal(mul(size, d)) for d in sorted(divisors, key=lambda d: d.key)), size,
            *(atom(a) for a in dict.fromkeys(atoms(size)) if isinstance(a, Size))]
    for low in (None, normal(sub(ONE, size)), number(-1), ZERO, ONE):
        for top in dict.fromkeys(tops):
            yield low, normal(sub(top, ONE))


def _exact(body: Expr, size: Expr) -> tuple[Expr, Expr] | None:
    """The ends of an entry to which sizes are added, or that is taken off."""
    lone = [t for t in body.terms if any(isinstance(a, Access) for a in Expr((t,)).atoms)]
    rest = normal(sub(body, Expr(tuple(lone))))
    if len(lone) != 1 or len(lone[0].factors) != 1 or free_indices(rest):
        return None
    ((entry, exponent),), coef = lone[0].factors, lone[0].coef
    if not isinstance(entry, Access) or exponent != 1 or abs(coef) != 1:
        return None
    if coef > 0:
        return normal(neg(rest)), normal(sub(sub(size, ONE), rest))
    return normal(add(sub(rest, size), ONE)), rest


def _opened(tracer: Tracer, expr: Expr, deepest: int) -> Expr:
    """Index arithmetic with the equations of integers in it written out, choices as brackets."""
    parts = []
    for term in expr.terms:
        factors = [_factor(tracer, a, deepest) if e == 1 else make_term(ONE.terms[0].coef, {a: e})
                   for a, e in term.factors]
        parts.append(mul(make_term(term.coef, {}, term.bound), *factors))
    return normal(add(*parts))


def _factor(tracer: Tracer, item: Atom, deepest: int) -> Expr:
    draft = tracer.drafts.get(item.array) if isinstance(item, Access) else None
    if isinstance(item, Access) and draft is not None and draft.kind == "int" and deepest:
        return _opened(tracer, instantiate(draft.indices, draft.rhs, item.indices), deepest - 1)
    if isinstance(item, Apply):
        args = [_opened(tracer, a, deepest) for a in item.args]
        build = _CHOICES.get(item.function)
        return atom(Apply(item.function, tuple(args))) if build is None else build(*args)
    return atom(item)


def _larger(left: Expr, right: Expr) -> Expr:
    return choice(iverson("<=", right, left), left, right)


def _smaller(left: Expr, right: Expr) -> Expr:
    return choice(iverson("<=", left, right), left, right)


_CHOICES: dict[str, Callable[..., Expr]] = {
    "maximum": _larger, "maximum_constant": _larger, "clip_below": _larger,
    "minimum": _smaller, "minimum_constant": _smaller, "clip_above": _smaller,
    "clip": lambda value, low, high: _smaller(_larger(value, low), high),
    "abs": lambda value: _larger(value, neg(value)),
}


def no_index(array: Traced) -> str:
    """What to say of an array that is not of integers, where positions should stand."""
    atom = array.body.single_atom
    way = "make whole numbers of it by .astype(int)"
    if isinstance(atom, Access) and array.draft is None:
        sizes = map(size_text, array.tracer.arrays[atom.array].shape)
        way = f'declare {atom.array} as "{" ".join(("int", *sizes))}"'
    return f"{array.described()} is not of integers and cannot index: {way}"
