"""Between which ends the entries of integer arrays lie, as far as a trace knows.

In: traced integer arrays. Out: bounds, which tell whether positions lie within an axis.

    clip(i - j, -3, 3)    -3 and 3
    argmax(x, axis=1)      0 and K - 1
    max(i - 1, 0)          0 and N - 1
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from symprop.algebra.build import ONE, add, idx, make_term, mul, neg, number, paren, sub
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Access, Apply, Atom, Exponent, Expr, Index, atoms
from symprop.algebra.integers import maximum_of, minimum_of, nonnegative
from symprop.trace.tensor import Traced
from symprop.trace.tracer import Limits, Tracer

_MORE = 4  # by how much an end is raised at most


def limited(array: Traced, low: Expr | None, high: Expr | None) -> Traced:
    """The integer array, whose entries are known to be at least `low` and at most `high`."""
    entry = array.body.single_atom
    if isinstance(entry, Access) and array.kind == "int":
        array.tracer.limits[entry.array] = (low, high)
    return array


def limits_of(array: Traced) -> Limits:
    """(low, high) of the entries of an integer array; None where an end is not known."""
    return ends_of(ranged(array))


def ranged(array: Traced) -> Expr:
    """The entry of an array, entries of integer arrays with two limits as indices of their own."""
    body = array.tracer.size_normal(array.body)
    return normal(add(*(
        mul(make_term(t.coef, {}, t.bound), *(_factor(array.tracer, a, e) for a, e in t.factors))
        for t in body.terms)))


def _factor(tracer: Tracer, item: Atom, exponent: Exponent) -> Expr:
    low, high = tracer.limits.get(item.array, (None, None)) if isinstance(item, Access) else (
        None, None)
    if low is None or high is None or exponent != 1:
        return make_term(Fraction(1), {item: exponent})
    return paren(add(low, idx(Index("i", normal(add(sub(high, low), ONE))))))


def ends_of(body: Expr) -> Limits:
    """The least and the largest value of index arithmetic, each index at its best end."""
    found = [normal(end(body)) for end in (minimum_of, maximum_of)]
    low, high = (None if any(isinstance(a, Apply) and a.function == "unknown"
                             for a in atoms(e)) else e for e in found)
    return low, high


def largest(ends: Iterable[Expr | None]) -> Expr | None:
    """An end that is known to be at least as large as all others.

    Of N - 2 and 0 it is N - 1, as N is at least 1.
    """
    known = list(ends)
    for more in range(_MORE):
        for end in known:
            raised = None if end is None else normal(add(end, number(more)))
            if raised is not None and all(
                o is not None and nonnegative(normal(sub(raised, o))) for o in known
            ):
                return raised
    return None


def of_maximum(first: Limits, second: Limits) -> Limits:
    """The limits of the larger of two."""
    lows = [low for low in (first[0], second[0]) if low is not None]
    low = next((a for a in lows if all(nonnegative(normal(sub(a, b))) for b in lows)), None)
    if low is None:  # each is one, a number is the likelier bound
        low = next(iter(sorted(lows, key=lambda a: a.number is None)), None)
    return low, largest((first[1], second[1]))


def negated(limits: Limits) -> Limits:
    """The limits of -x."""
    low, high = (None if end is None else normal(neg(end)) for end in limits)
    return high, low


def of_minimum(first: Limits, second: Limits) -> Limits:
    """The limits of the smaller of two."""
    return negated(of_maximum(negated(first), negated(second)))
