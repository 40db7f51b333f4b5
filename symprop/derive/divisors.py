"""What the forward pass divides by, or takes a root of, whatever its brackets say.

In: a system. Out: the arrays. Beside any other divisor a bracket is not left out when what it
stands before gets a name: with r = [0 < s] x/s, what was [0 < s] x/s² is [0 < s] r/s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from symprop.algebra.expr import Access, Atom, Exponent, Expr, Iverson, Size, arrays_of
from symprop.derive.knowledge import Knowledge
from symprop.derive.regions import regions
from symprop.system import System


def divisors(system: System) -> frozenset[str]:
    """The arrays that stand below the line, or under a root, in every case."""
    own = system.departure.losses if system.departure else ()
    found = regions(system.equations, system, {system.loss, *system.given, *own})
    return frozenset(
        array for e in system.equations if found[e.array].is_everywhere for array in _below(e.rhs))


def _below(expr: Expr) -> Iterator[str]:
    """The arrays of an expression that stand there without a bracket on values beside them."""
    for term in expr.terms:
        if any(_on_values(a) for a, _ in term.factors):
            continue
        for item, exponent in term.factors:
            if isinstance(item, Access) and is_sharp(item, exponent):
                yield item.array
            elif not isinstance(item, Iverson):
                for child in item.children:
                    yield from _below(child)


def is_sharp(item: Atom, exponent: Exponent) -> bool:
    """Whether a factor may be no number, or infinite, where the array is finite."""
    return not isinstance(item, Size) and not (isinstance(exponent, int) and exponent > 0)


def guarded(
    left: Mapping[Atom, Exponent], taken: Mapping[Atom, Exponent], known: Knowledge
) -> dict[Atom, Exponent]:
    """What is left of a term beside a name, with the brackets that some factor still needs."""
    brackets = [a for a in taken if _on_values(a)]
    sharp = [a for a, e in left.items() if e and is_sharp(a, e)]
    if not brackets or all(isinstance(a, Access) and known.divides(a.array) for a in sharp):
        return dict(left)
    return {**left, **dict.fromkeys(brackets, 1)}


def _on_values(item: Atom) -> bool:
    """Whether a factor is a bracket that compares entries of arrays."""
    return isinstance(item, Iverson) and any(map(arrays_of, item.children))
