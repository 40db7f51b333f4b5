"""Whether linear inequalities have a whole solution: the omega test.

In: rows of whole numbers (c_1, ..., c_n, c) that stand for c_1 x_1 + ... + c_n x_n + c, some to be
0 and the others at least 0. Out: whether whole x_1, ..., x_n meet them all.

    an equation       is solved for an unknown with coefficient 1 or -1; where there is none, one
                      more unknown makes such a coefficient (W. Pugh, CACM 35(8), 1992)
    an unknown        between p <= a x and b x <= q leaves b p <= a q; where a or b is 1 that is
                      exact, else a real shadow, a dark one, and the splinters between the two
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import gcd

Row = tuple[int, ...]

_MOST_ROWS = 120  # in one system; larger ones are given up
_MOST_STEPS = 400  # eliminations in one question


class TooLarge(Exception):
    """The question takes more work than it is worth."""


class _Absurd(Exception):
    """A row that no numbers meet."""


def satisfiable(equal: Iterable[Row], least: Iterable[Row]) -> bool | None:
    """Whether whole numbers make all of `equal` 0 and all of `least` at least 0.

    None where that takes too long to tell.
    """
    try:
        return _solved(list(equal), list(least), [_MOST_STEPS])
    except TooLarge:
        return None


def _solved(equal: list[Row], least: list[Row], budget: list[int]) -> bool:
    try:
        while True:
            least = _without_equations(equal, least)
            least, equal = _tight(least)
            if not equal:
                break
    except _Absurd:
        return False
    least = _bounded(least)
    if not least:
        return True
    if len(least) > _MOST_ROWS or budget[0] <= 0:
        raise TooLarge
    budget[0] -= 1
    place, exact = _choice(least)
    lower = [r for r in least if r[place] > 0]
    upper = [r for r in least if r[place] < 0]
    rest = [r for r in least if not r[place]]
    if not _solved([], [*rest, *_shadow(lower, upper, place, dark=False)], budget):
        return False
    return exact or _between(lower, upper, rest, place, budget)


def _between(
    lower: list[Row], upper: list[Row], rest: list[Row], place: int, budget: list[int]
) -> bool:
    """Whether there is a solution, where the real shadow has one."""
    if _solved([], [*rest, *_shadow(lower, upper, place, dark=True)], budget):
        return True
    widest = max(-r[place] for r in upper)
    everything = [*rest, *lower, *upper]
    for row in lower:
        a = row[place]
        for k in range((a * widest - a - widest) // widest + 1):
            if _solved([(*row[:-1], row[-1] - k)], everything, budget):
                return True
    return False


def _shadow(lower: list[Row], upper: list[Row], place: int, dark: bool) -> list[Row]:
    """What each pair of a lower and an upper bound of an unknown says of the others."""
    rows = []
    for low in lower:
        for high in upper:
            a, b = low[place], -high[place]
            row = [b * p + a * q for p, q in zip(low, high, strict=True)]
            if dark:
                row[-1] -= (a - 1) * (b - 1)
            rows.append(tuple(row))
    return rows


def _choice(least: list[Row]) -> tuple[int, bool]:
    """The unknown that is cheapest to eliminate, and whether that is exact."""
    best: tuple[bool, int, int] | None = None
    for place in range(len(least[0]) - 1):
        up = [r[place] for r in least if r[place] > 0]
        down = [-r[place] for r in least if r[place] < 0]
        if up and down:
            exact = max(up) == 1 or max(down) == 1
            rank = (not exact, len(up) * len(down) - len(up) - len(down), place)
            best = rank if best is None or rank < best else best
    assert best is not None
    return best[2], not best[0]


def _bounded(least: list[Row]) -> list[Row]:
    """Without the rows on an unknown that has no bound on one side."""
    width = len(least[0]) - 1 if least else 0
    going = True
    while going:
        going = False
        for place in range(width):
            signs = {r[place] > 0 for r in least if r[place]}
            if len(signs) == 1:
                least = [r for r in least if not r[place]]
                going = True
    return least


def _tight(least: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Rows divided by what their coefficients share, each direction once; two make an equation."""
    bounds: dict[Row, int] = {}
    for row in least:
        common = gcd(*row[:-1])
        if not common:
            if row[-1] < 0:
                raise _Absurd
            continue
        way = row[:-1] if common == 1 else tuple([c // common for c in row[:-1]])
        constant = row[-1] // common
        bounds[way] = min(constant, bounds.get(way, constant))
    equal = []
    for way, constant in bounds.items():
        back = bounds.get(tuple([-c for c in way]))
        if back is not None and constant + back <= 0:
            if constant + back < 0:
                raise _Absurd
            equal.append((*way, constant))
    return [(*way, constant) for way, constant in bounds.items()], equal[:1]


def _without_equations(equal: list[Row], least: list[Row]) -> list[Row]:
    """The rows after the equations are solved for one unknown after the other."""
    equal = list(equal)
    while equal:
        row = equal.pop()
        common = gcd(*row[:-1])
        if not common:
            if row[-1]:
                raise _Absurd
            continue
        if row[-1] % common:
            raise _Absurd
        row = tuple([c // common for c in row])
        place = min((k for k, c in enumerate(row[:-1]) if c), key=lambda k: abs(row[k]))
        if abs(row[place]) != 1:
            row, equal, least = _with_unknown(row, place, equal, least)
        equal = [_replaced(r, row, place) for r in equal]
        least = [_replaced(r, row, place) for r in least]
    return least


def _with_unknown(
    row: Row, place: int, equal: list[Row], least: list[Row]
) -> tuple[Row, list[Row], list[Row]]:
    """An equation with coefficient 1 or -1 at `place`, by one unknown more."""
    modulus = abs(row[place]) + 1
    rests = [c - modulus * ((2 * c + modulus) // (2 * modulus)) for c in row]
    wider = [(*r[:-1], 0, r[-1]) for r in (*equal, row)]
    return ((*rests[:-1], -modulus, rests[-1]), wider, [(*r[:-1], 0, r[-1]) for r in least])


def _replaced(row: Row, by: Row, place: int) -> Row:
    """A row without the unknown at `place`, where by = 0 gives it."""
    times = row[place] * by[place]
    return row if not times else tuple([c - times * d for c, d in zip(row, by, strict=True)])
