"""Which rows a written function may be: those that agree with it at a few points.

In: an `Expr` that reads nothing but `X`. Out: candidates, best first: a row, what its argument
is multiplied by, and its constant where it has a second argument. The table is made from the
definitions of all rows in force. A candidate is a guess; the proof decides (hits.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from symprop.algebra import rows
from symprop.algebra.build import apply, atom, idx, map_accesses, mul, number
from symprop.algebra.expr import Access, Apply, Expr, Index
from symprop.errors import UnsupportedError
from symprop.interpret.evaluate import evaluate
from symprop.recognise.pieces import X

Array = np.ndarray[Any, Any]

POINTS = np.array(
    [-7.31, -2.93, -1.37, -0.71, -0.37, 0.11, 0.29, 0.43, 0.59, 0.87, 1.61, 3.17, 6.83])
FAR = np.array([s * v for v in (1e-30, 1e-8, 15.0, 40.0, 120.0, 720.0, 1e3, 1e5, 1e8)
                for s in (1, -1)])
SCALES = tuple(Fraction(s) * v for v in (Fraction(1), Fraction(2), Fraction(1, 2))
               for s in (1, -1))
_AGREE, _ROUNDING = 1e-9, 1e-12
_FEWEST = 4  # points at which both have a value
_MOST_CONSTANTS = 8


@dataclass(frozen=True)
class Candidate:
    """row(scale x), or row(scale x, constant)."""

    row: str
    scale: Fraction
    constant: Fraction | None = None

    def at(self, x: Expr) -> Expr:
        """The row applied to scale x."""
        scaled = x if self.scale == 1 else mul(number(self.scale), x)
        rest = () if self.constant is None else (number(self.constant),)
        return apply(self.row, scaled, *rest)


def candidates(written: Expr) -> Iterator[Candidate]:
    """Those that agree with the written function, +x before -x before other multiples."""
    there = values(written)
    if np.isfinite(there).sum() < _FEWEST:
        return
    for scale in dict.fromkeys((*SCALES, *factors(written))):
        for name, found in _table(rows.names(), scale):
            if _agree(there, found):
                yield Candidate(name, scale)
    for constant in _constants(written):
        for scale in SCALES[:2]:
            for name in rows.names():
                if rows.get(name).arity == 2:
                    guess = Candidate(name, scale, constant)
                    if _agree(there, _values_of(guess)):
                        yield guess


def values(written: Expr, points: Array = POINTS) -> Array:
    """The written function at the points."""
    index = Index("i", number(float(len(points))))
    there = map_accesses(written, lambda a: Access("x", (idx(index),)) if a == X else a)
    with np.errstate(all="ignore"):
        return np.asarray(evaluate(there, {"x": points}, {}, (index,)), dtype=float)


def _agree(left: Array, right: Array) -> bool:
    known = np.isfinite(left)
    if not np.array_equal(known, np.isfinite(right)):
        return False
    gap = np.abs(left[known] - right[known])
    size = np.maximum(np.abs(left[known]), np.abs(right[known]))
    return bool(np.all(gap <= _AGREE * size + _ROUNDING))


@lru_cache(maxsize=64)
def _table(names: tuple[str, ...], scale: Fraction) -> tuple[tuple[str, Array], ...]:
    return tuple((n, _values_of(Candidate(n, scale))) for n in names if rows.get(n).arity == 1)


@lru_cache(maxsize=1024)
def _values_of(candidate: Candidate) -> Array:
    try:
        return values(candidate.at(atom(X)))
    except (UnsupportedError, ValueError, OverflowError):
        return np.full(POINTS.shape, np.nan)


def _constants(written: Expr) -> tuple[Fraction, ...]:
    """0, 1 and the numbers that stand in the written function, negated too."""
    found: dict[Fraction, None] = {}
    todo = [written]
    while todo:
        expr = todo.pop()
        for term in expr.terms:
            found.setdefault(term.coef)
            for item, _ in term.factors:
                todo.extend(item.children)
    both = dict.fromkeys([Fraction(0), Fraction(1), *(s * c for c in found for s in (1, -1))])
    return tuple(both)[:2 * _MOST_CONSTANTS]


def factors(written: Expr) -> tuple[Fraction, ...]:
    """What x is multiplied by where functions are of such a multiple, 2 in exp(-2 x), and its
    negative."""
    found: dict[Fraction, None] = {}
    for item in written.atoms:
        if isinstance(item, Apply):
            found |= dict.fromkeys(t.coef for a in item.args for t in a.terms
                                   if t.factors == ((X, 1),))
    return tuple(dict.fromkeys(
        s * c for c in tuple(found)[:_MOST_CONSTANTS] for s in (1, -1) if abs(c) != 1))


def is_plain(written: Expr) -> bool:
    """Whether no function of x stands in the expression, and no condition on it."""
    return not any(X in a.inner for a in written.atoms if isinstance(a, Apply) or a.children)
