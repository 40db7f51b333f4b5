"""The sums of products that an equation has, each as a pattern of arrays and indices.

In: a term. Out: its parts: the factors that one sum ties together, and what it runs over.

    dL Σ_n p[n,k] q[n]        the part Σ_n p[n,k] q[n], over k
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

from symprop.algebra.expr import Access, Atom, Exponent, Expr, Index, Paren, Term, indices_of

_MOST = 4  # factors of a part: more are tried in too many orders


@dataclass(frozen=True)
class Part:
    """Arrays, with exponents, summed over `bound`."""

    factors: tuple[tuple[Access, Exponent], ...]
    bound: tuple[Index, ...]

    @property
    def free(self) -> tuple[Index, ...]:
        """Its own indices, in the order in which they occur."""
        return tuple(dict.fromkeys(
            i for a, _ in self.factors for i in plain(a) if i not in self.bound))


def plain(item: Access) -> tuple[Index, ...]:
    """The indices of an access, if each position is another one of them."""
    found = [i for p in item.indices if (i := p.single_index) is not None]
    return tuple(found) if len(found) == len(item.indices) == len(set(found)) else ()


def _plainly(item: Access) -> bool:
    return all(p.single_index is not None for p in item.indices)


def parts(term: Term) -> list[Part]:
    """The parts of a term that are products of arrays."""
    left = list(term.bound)
    found = []
    while left:
        over, several = {left[0]}, True
        while several:
            tied = [(a, e) for a, e in term.factors if indices_of(a) & over]
            more = {i for a, _ in tied for i in indices_of(a) if i in term.bound} - over
            over |= more
            several = bool(more)
        left = [i for i in left if i not in over]
        reads = tuple((a, e) for a, e in tied if isinstance(a, Access) and _plainly(a))
        if tied and len(reads) == len(tied) <= _MOST:
            found.append(Part(reads, tuple(i for i in term.bound if i in over)))
    return found


def matched(pattern: Part, part: Part) -> Mapping[Index, Index] | None:
    """The indices of a pattern as those of a part; two of its own may be one there."""
    if len(pattern.factors) != len(part.factors) or len(pattern.bound) != len(part.bound):
        return None
    for order in permutations(part.factors):
        found: dict[Index, Index] = {}
        fits = True
        for (a, e), (b, f) in zip(pattern.factors, order, strict=True):
            fits = fits and a.array == b.array and e == f and all(
                found.setdefault(p.single_index, q.single_index) is q.single_index  # type: ignore[arg-type]
                for p, q in zip(a.indices, b.indices, strict=True))
        ends = [found[b] for b in pattern.bound] if fits else []
        if fits and set(ends) == set(part.bound) and not any(
                found[i] in part.bound for i in pattern.free):
            return found
    return None


def with_parts(expr: Expr, change: Callable[[Part], Access | None]) -> Expr:
    """The expression with parts exchanged, those inside of parentheses too."""
    terms = [_changed(t, change) for t in expr.terms]
    same = all(a is b for a, b in zip(terms, expr.terms, strict=True))
    return expr if same else Expr(tuple(terms))


def _changed(term: Term, change: Callable[[Part], Access | None]) -> Term:
    inside = tuple((replace(a, body=body) if isinstance(a, Paren) and (
        body := with_parts(a.body, change)) is not a.body else a, e) for a, e in term.factors)
    if any(a is not b for (a, _), (b, _) in zip(inside, term.factors, strict=True)):
        term = Term(term.coef, inside, term.bound)
    for part in parts(term):
        new = change(part)
        if new is None:
            continue
        factors: dict[Atom, Exponent] = {}
        for item, exponent in term.factors:
            if all(item is not a for a, _ in part.factors):
                factors[item] = exponent
            elif item is part.factors[0][0]:
                factors[new] = factors.get(new, 0) + 1
        term = Term(term.coef, tuple(factors.items()),
                    tuple(b for b in term.bound if b not in part.bound))
    return term


def every_part(expr: Expr) -> Iterator[Part]:
    """All parts of an expression, those inside of parentheses too."""
    found: list[Part] = []

    def look(part: Part) -> Access | None:
        found.append(part)
        return None

    with_parts(expr, look)
    return iter(found)


def alone(terms: Sequence[Term]) -> Part | None:
    """The part that is the whole of an equation's right-hand side."""
    if len(terms) != 1 or terms[0].coef != 1:
        return None
    found = parts(terms[0])
    return found[0] if len(found) == 1 and len(found[0].factors) == len(terms[0].factors) else None
