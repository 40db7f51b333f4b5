"""What a step brings below the line, and what it decides by comparing.

In: two sides of a step. Out: the arrays that stand below the line (a negative exponent, the
argument of a function that is not finite at 0) in `after` and not in `before`, and whether a
maximum or a condition on values stands in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from symprop.algebra import rows
from symprop.algebra.expr import Access, Apply, Atom, Expr, Extremum, Iverson, arrays_of, atoms
from symprop.interpret.functions import value
from symprop.system import Step

_BESIDE = 0.7  # the other arguments of a function that is tried at 0


def new_divisors(step: Step) -> tuple[str, ...]:
    """The arrays below the line in `after` that are not below it in `before`."""
    before = set(_below(step.before))
    return tuple(dict.fromkeys(a for a in _below(step.after) if a not in before))


def compares(step: Step) -> bool:
    """Whether a maximum, or a bracket on the entries of an array, stands in the step."""
    return any(isinstance(a, Extremum) or (isinstance(a, Iverson) and _reads(a))
               for side in (step.before, step.after) for a in atoms(side))


def _reads(item: Atom) -> bool:
    return any(c.arrays for c in item.children)


def _below(expr: Expr) -> Iterator[str]:
    """The arrays that stand below the line somewhere in an expression."""
    for term in expr.terms:
        for item, exponent in term.factors:
            if exponent < 0:
                yield from _named(item)
            for inner in (item, *item.inner):
                if isinstance(inner, Apply) and inner.args:
                    for k in _singular(inner.function, len(inner.args)):
                        yield from arrays_of(inner.args[k])
            for child in item.children:
                yield from _below(child)


def _named(item: Atom) -> Iterator[str]:
    """The arrays whose entries make up a factor."""
    if isinstance(item, Access):
        yield item.array
    else:
        for child in item.children:
            yield from arrays_of(child)


@cache
def _singular(function: str, arity: int) -> tuple[int, ...]:
    """The arguments at whose 0 a scalar function is not finite."""
    if function not in rows.names():
        return ()
    found = []
    for k in range(arity):
        with np.errstate(all="ignore"):
            at_zero = value(function, tuple(np.float64(0.0 if j == k else _BESIDE)
                                            for j in range(arity)))
        if not np.all(np.isfinite(at_zero)):
            found.append(k)
    return tuple(found)
