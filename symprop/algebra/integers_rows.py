"""What is known of the parts of positions, as rows of linear inequalities.

In: expressions that are claimed to be negative, or 0, and facts. Out: the rows, for
`integers_linear.satisfiable`: a claim is proven when its opposite has no solution.

    part                    rows, each at least 0
    N                       N - 1                        a named size is at least 1
    i                       i,  size - 1 - i             where i is read, its axis has entries
    q = a // d              a - d q,  d q + d - 1 - a    for a divisor that is at least 1
    r = a % d               r,  d - 1 - r,  r = a - d q
    m = max(a, b)           m - a,  m - b,  and m = a or else m = b
    D/2, D/H                it less 1,  2 (D/2) = D      a quotient of sizes is a whole number
    y[n]                    its declared ends
    a b (a product)         (row of a) b                 for b that is never negative

Products of sizes and indices are unknowns of their own; the last line ties them together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import lcm

from symprop.algebra.build import ONE, ZERO, apply, atom, mul, sub
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Access, Apply, Atom, Exponent, Expr, Idx, Size
from symprop.algebra.integers_linear import Row

Monomial = tuple[tuple[Atom, Exponent], ...]
Linear = dict[Monomial, Fraction]
Unknown = tuple[Monomial, int]  # a monomial, divided by a number

_MOST_ROWS = 100
_MOST_CHOICES = 3  # maxima in one question: each is its first argument, or its second
_CONSTANT: Monomial = ()


class Opaque(Exception):
    """A part that is not arithmetic on whole numbers, or of which nothing is known."""


@dataclass(frozen=True)
class Facts:
    """What is known beside the ranges of indices.

    least: expressions that are at least 0; entries: arrays of whole numbers, each with the
    least and the largest value of its entries, where these are known (an array may stand there
    several times). Nothing is concluded from the entries of arrays that do not stand there.
    """

    least: tuple[Expr, ...] = ()
    entries: tuple[tuple[str, Expr | None, Expr | None], ...] = ()


class Rows:
    """Rows on the parts of some claims, and on the parts of those parts.

    picks: which of its arguments each maximum is, in the order in which they are met.
    """

    def __init__(self, facts: Facts, picks: tuple[int, ...] = ()) -> None:
        self.facts, self.picks = facts, picks
        self.choices = 0
        self.least: list[Linear] = []
        self.equal: list[Linear] = []
        self.known: dict[Atom, list[Linear]] = {}  # the rows on single parts
        self.positive: set[Atom] = set()  # those that are never negative
        self._claims: list[Linear] = []
        self._integers = {array for array, _, _ in facts.entries}
        for fact in facts.least:
            with suppress(Opaque):
                self.least.append(self._whole(fact))

    def claim(self, expr: Expr, zero: bool) -> None:
        """Adds that an expression is 0, or else that it is at least 0."""
        row = self._whole(expr)
        (self.equal if zero else self.least).append(row)
        self._claims.append(row)

    def _whole(self, expr: Expr) -> Linear:
        """An expression of whole numbers as a row."""
        row = self.linear(expr)
        for monomial in row:
            if any(isinstance(a, Access) and a.array not in self._integers for a, _ in monomial):
                raise Opaque
        return row

    def linear(self, expr: Expr) -> Linear:
        """An expression as a row; its parts become known."""
        row: Linear = {}
        for term in normal(expr).terms:
            if term.bound:
                raise Opaque
            monomial = tuple(sorted(term.factors, key=lambda f: f[0].key))
            for item, exponent in monomial:
                if not isinstance(exponent, int) or (exponent < 0 and not isinstance(item, Size)):
                    raise Opaque
                self._part(item)
            row[monomial] = row.get(monomial, Fraction(0)) + term.coef
        return row

    # ---- parts ------------------------------------------------------------------------------

    def _part(self, item: Atom) -> None:
        if item in self.known:
            return
        self.known[item] = []
        if isinstance(item, Size):
            self._bounds(item, ONE, None)
        elif isinstance(item, Idx):
            self._bounds(item, ZERO, sub(item.index.size, ONE))
        elif isinstance(item, Apply) and item.function in ("floordiv", "mod"):
            self._digit(item)
        elif isinstance(item, Apply) and item.function == "maximum":
            self._maximum(item)
        elif isinstance(item, Access):
            for array, low, high in self.facts.entries:
                if array == item.array:
                    self._bounds(item, low, high)
        else:
            raise Opaque

    def _bounds(self, item: Atom, low: Expr | None, high: Expr | None) -> None:
        rows = ([] if low is None else [sub(atom(item), low)]) + (
            [] if high is None else [sub(high, atom(item))])
        if low is not None and low.number is not None and low.number >= 0:
            self.positive.add(item)
        for row in rows:
            self._row(item, self.linear(row))

    def _row(self, item: Atom, row: Linear) -> None:
        self.known[item].append(row)
        self.least.append(row)

    def _digit(self, item: Apply) -> None:
        over, by = item.args
        divisor = self.linear(by)
        if not self._at_least_one(divisor):
            self.linear(over)
            return
        quotient = apply("floordiv", over, by)
        rest = sub(over, mul(by, quotient))
        if item.function == "mod":
            self._bounds(item, ZERO, sub(by, ONE))
            self.equal.append(self.linear(sub(atom(item), rest)))
            return
        if self._never_negative(self.linear(over)):
            self._bounds(item, ZERO, None)
        self._row(item, self.linear(rest))
        self._row(item, self.linear(sub(sub(by, ONE), rest)))

    def _maximum(self, item: Apply) -> None:
        arguments = [self._whole(a) for a in item.args]
        if any(map(self._never_negative, arguments)):
            self.positive.add(item)
        for argument in item.args:
            self._row(item, self.linear(sub(atom(item), argument)))
        pick = self.picks[self.choices] if self.choices < len(self.picks) else 0
        self.choices += 1
        self._row(item, self.linear(sub(item.args[pick], atom(item))))

    def _at_least_one(self, row: Linear) -> bool:
        return all(c > 0 and all(isinstance(a, Size) for a, _ in m) for m, c in row.items())

    def _never_negative(self, row: Linear) -> bool:
        return all(c > 0 and self._sign(m) for m, c in row.items())

    def _sign(self, monomial: Monomial) -> bool:
        return all(a in self.positive for a, _ in monomial)

    # ---- products -----------------------------------------------------------------------------

    def multiply(self) -> None:
        """Adds the rows on products: those of a factor, times the others."""
        self._times_divisors()
        done: set[tuple[Atom, Monomial]] = set()
        fresh = True
        while fresh and len(self.least) < _MOST_ROWS:
            fresh = False
            for monomial in list(dict.fromkeys(m for r in (*self.least, *self.equal) for m in r)):
                for item, rest in _splits(monomial):
                    if (item, rest) in done or not self._sign(rest):
                        continue
                    done.add((item, rest))
                    fresh = True
                    for row in self.known[item]:
                        self.least.append(_product(row, rest))

    def _times_divisors(self) -> None:
        """Claims on a // d, times d."""
        for row in self._claims:
            divisors = [a.args[1] for m in row for a, _ in m
                        if isinstance(a, Apply) and a.function == "floordiv"]
            for by in dict.fromkeys(d for d in divisors if d.number is None):
                times = self.linear(by)
                if len(times) == 1 and self._at_least_one(times):
                    (monomial, coef), = times.items()
                    self.least.append({m: c * coef for m, c in _product(row, monomial).items()})

    # ---- as whole numbers -----------------------------------------------------------------------

    def rows(self) -> tuple[list[Row], list[Row]]:
        """(rows that are 0, rows that are at least 0)."""
        unknowns: dict[Unknown, int] = {}
        equal = [_divided(r, unknowns) for r in self.equal]
        least = [_divided(r, unknowns) for r in self.least]
        for monomial, by in list(unknowns):
            if all(isinstance(a, Size) for a, _ in monomial):
                least.append({(monomial, by): Fraction(1), (_CONSTANT, 1): Fraction(-1)})
            if by != 1:
                unknowns.setdefault((monomial, 1), len(unknowns))
                equal.append({(monomial, by): Fraction(by), (monomial, 1): Fraction(-1)})
        width = len(unknowns)
        return [_whole(r, unknowns, width) for r in equal], [
            _whole(r, unknowns, width) for r in least]


def _splits(monomial: Monomial) -> Iterator[tuple[Atom, Monomial]]:
    """A factor of a product, and the others."""
    if len(monomial) < 2 and all(e == 1 for _, e in monomial):
        return
    for item, exponent in monomial:
        if exponent > 0:
            yield item, tuple((a, e - 1 if a is item else e) for a, e in monomial
                              if a is not item or exponent > 1)


def _product(row: Linear, by: Monomial) -> Linear:
    found: Linear = {}
    for monomial, coef in row.items():
        factors = dict(monomial)
        for a, e in by:
            factors[a] = factors.get(a, 0) + e
        key = tuple(sorted(((a, e) for a, e in factors.items() if e), key=lambda f: f[0].key))
        found[key] = found.get(key, Fraction(0)) + coef
    return {m: c for m, c in found.items() if c}


def _divided(row: Linear, unknowns: dict[Unknown, int]) -> dict[Unknown, Fraction]:
    """A row on monomials and on quotients of sizes by numbers."""
    found: dict[Unknown, Fraction] = {}
    for monomial, coef in row.items():
        sizes = bool(monomial) and all(isinstance(a, Size) for a, _ in monomial)
        by = coef.denominator if sizes else 1
        key = (monomial, by)
        found[key] = coef * by
        if monomial:
            unknowns.setdefault(key, len(unknowns))
    return found


def _whole(row: dict[Unknown, Fraction], unknowns: dict[Unknown, int], width: int) -> Row:
    scale = lcm(*(c.denominator for c in row.values())) if row else 1
    dense = [0] * (width + 1)
    for key, coef in row.items():
        dense[unknowns[key] if key[0] else width] += int(coef * scale)
    return tuple(dense)


def opposite(
    least: Sequence[Expr], zero: Sequence[Expr], facts: Facts
) -> Iterator[tuple[list[Row], list[Row]]]:
    """The rows of: all of `least` at least 0, all of `zero` 0, and what is known of their parts.

    One system for every choice of what the maxima in it are.
    """
    first = _rows(least, zero, facts, ())
    if first.choices > _MOST_CHOICES:
        raise Opaque
    yield first.rows()
    for picks in list(product((0, 1), repeat=first.choices))[1:]:
        yield _rows(least, zero, facts, picks).rows()


def _rows(
    least: Sequence[Expr], zero: Sequence[Expr], facts: Facts, picks: tuple[int, ...]
) -> Rows:
    rows = Rows(facts, picks)
    for expr in least:
        rows.claim(expr, zero=False)
    for expr in zero:
        rows.claim(expr, zero=True)
    rows.multiply()
    return rows

