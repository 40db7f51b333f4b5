"""Arrays that are put together entry by entry, as one expression of the position.

In: sums of entries behind brackets. Out: where each entry is the same expression of its position,
that expression:

    [i = 0] h[0] + [i = 1] h[1] + ... + [i = 4] h[4]     ->     h[i]          where i goes to 4
    [i = 0] h_0 + [i = 1] h[0] + ... + [i = 5] h[4]      ->     [i = 0] h_0 + [1 <= i] h[i-1]
"""

from __future__ import annotations

from collections.abc import Sequence

from symprop.algebra.build import add, atom, idx, iverson, make_term, mul, number, power, rebuild
from symprop.algebra.expr import Access, Expr, Idx, Index, Iverson, Term
from symprop.trace.families import Family, Mismatch, Names
from symprop.trace.turns import Turns

_FEWEST = 3  # entries that show a pattern
_ENDS = ((0, 0), (1, 0), (0, 1), (1, 1), (2, 0))  # entries at both ends that may be others

Placed = tuple[int, Term]  # a position, and the term that stands behind its bracket


def gathered(expr: Expr, turns: Turns) -> Expr:
    """The expression with entries at consecutive positions as one term, within factors too."""
    return _gathered(add(*(_inside(t, turns) for t in expr.terms)), turns)


def _inside(term: Term, turns: Turns) -> Expr:
    nodes = (n for a, _ in term.factors for n in (a, *a.inner))
    if not any(len(c.terms) >= _FEWEST for n in nodes for c in n.children):
        return Expr((term,))
    factors = [power(rebuild(a, tuple(gathered(c, turns) for c in a.children)), e)
               if a.children and not isinstance(a, Access) else power(atom(a), e)
               for a, e in term.factors]
    return mul(make_term(term.coef, {}, term.bound), *factors)


def _gathered(expr: Expr, turns: Turns) -> Expr:
    by_index: dict[tuple[Index, str], list[tuple[int, Term, Term]]] = {}
    for term in expr.terms:
        places = _places(term)
        for index, place, rest in places:  # the other axes tell rows and columns apart
            others = str(sorted((i.uid, k) for i, k, _ in places if i is not index))
            by_index.setdefault((index, others), []).append((place, term, rest))
    for (index, _), found in by_index.items():
        found.sort(key=lambda item: item[0])
        numbers = [k for k, _, _ in found]
        if len(found) < _FEWEST or numbers != list(range(numbers[0], numbers[-1] + 1)):
            continue
        for skipped, left in _ENDS:
            inner = found[skipped:len(found) - left]
            new = _one(index, [(k, rest) for k, _, rest in inner], turns)
            if new is not None:
                terms = {id(term) for _, term, _ in inner}
                kept = [Expr((t,)) for t in expr.terms if id(t) not in terms]
                return _gathered(add(*kept, new), turns)
    return expr


def _places(term: Term) -> list[tuple[Index, int, Term]]:
    """The brackets of a term that put it at one position, each with the term without it."""
    found = []
    for item, _ in term.factors:
        if not isinstance(item, Iverson) or item.relation != "==":
            continue
        for side, other in ((item.lhs, item.rhs), (item.rhs, item.lhs)):
            at, place = side.single_atom, other.number
            if isinstance(at, Idx) and place is not None and place == int(place):
                rest = tuple((a, e) for a, e in term.factors if a is not item)
                found.append((at.index, int(place), Term(term.coef, rest, term.bound)))
    return found


def _one(index: Index, placed: Sequence[Placed], turns: Turns) -> Expr | None:
    """The one term for terms at consecutive positions, behind the brackets of where they lie."""
    if len(placed) < _FEWEST:
        return None
    numbers = [k for k, _ in placed]
    try:
        term = Family([(numbers, idx(index))], _same).term([t for _, t in placed])
    except Mismatch:
        return None
    at = idx(index)
    size = turns.value(index.size)
    inside = [iverson("<=", number(numbers[0]), at)] if numbers[0] else []
    if size is None or numbers[-1] != size - 1:
        inside.append(iverson("<=", at, number(numbers[-1])))
    return mul(*inside, term) if inside else term


def _same(names: Names) -> str:
    if len(set(names)) > 1:
        raise Mismatch
    return names[0]


