"""Random claims about positions: 0 <= e < n, e a sum of indices, quotients and rests.

In: a random generator. Out: claims, as symprop's expressions, as text for isl, and with a way to
try them at given sizes.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from symprop.algebra.build import add, apply, idx, mul, number, size
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Expr, Index

SIZES = ("N", "M")


@dataclass(frozen=True)
class Whole:
    """A whole number three times: an expression, text for isl, its value at sizes and indices."""

    expr: Expr
    text: str
    value: Callable[[Mapping[str, int]], int]


def constant(value: int) -> Whole:
    return Whole(number(value), f"({value})", lambda at: value)


def named(name: str) -> Whole:
    return Whole(size(name), name, lambda at: at[name])


def plus(*parts: Whole) -> Whole:
    return Whole(normal(add(*(p.expr for p in parts))), f"({' + '.join(p.text for p in parts)})",
                 lambda at: sum(p.value(at) for p in parts))


def times(factor: int, part: Whole) -> Whole:
    return Whole(normal(mul(number(factor), part.expr)), f"({factor} * {part.text})",
                 lambda at: factor * part.value(at))


def over(part: Whole, by: int) -> Whole:
    return Whole(apply("floordiv", part.expr, number(by)), f"floor(({part.text})/{by})",
                 lambda at: part.value(at) // by)


def rest(part: Whole, by: int) -> Whole:
    return Whole(apply("mod", part.expr, number(by)), f"(({part.text}) mod {by})",
                 lambda at: part.value(at) % by)


@dataclass(frozen=True)
class Claim:
    """0 <= position < top for all sizes, and for all indices below their limits."""

    position: Whole
    top: Whole
    limits: Mapping[str, Whole]

    @property
    def empty_where_true(self) -> str:
        """The counterexamples, as a set of isl."""
        names = [*SIZES, *self.limits]
        where = [*(f"{n} >= 1" for n in SIZES),
                 *(f"0 <= {i} and {i} < {limit.text}" for i, limit in self.limits.items()),
                 f"({self.position.text} < 0 or {self.position.text} >= {self.top.text})"]
        return f"{{ [{', '.join(names)}] : {' and '.join(where)} }}"

    def counterexample(self, largest: int) -> dict[str, int] | None:
        """Sizes up to `largest`, and indices, at which it fails."""
        for sizes in itertools.product(range(1, largest + 1), repeat=len(SIZES)):
            for at in self._indices(dict(zip(SIZES, sizes, strict=True)), list(self.limits)):
                if not 0 <= self.position.value(at) < self.top.value(at):
                    return at
        return None

    def _indices(self, at: dict[str, int], left: list[str]) -> Iterator[dict[str, int]]:
        if not left:
            yield at
            return
        for value in range(self.limits[left[0]].value(at)):
            yield from self._indices({**at, left[0]: value}, left[1:])


def named_index(name: str, limit: Whole) -> Whole:
    return Whole(idx(Index(name, limit.expr)), name, lambda at: at[name])


def _length(rng: random.Random) -> Whole:
    """The size of an axis: N, N - m, (N + m)//k, a number."""
    kind = rng.randrange(6)
    name = named(rng.choice(SIZES))
    shifted = plus(name, constant(rng.randint(-3, 3)))
    if kind == 0:
        return constant(rng.randint(1, 4))
    if kind == 1:
        return name
    if kind == 2:
        return shifted
    if kind == 3:
        return plus(named("N"), named("M"), constant(rng.randint(-2, 1)))
    return over(shifted, rng.randint(2, 3))


def claim(rng: random.Random) -> Claim:
    """A random claim; every other one is made so that it may well be true."""
    limits: dict[str, Whole] = {}
    parts: list[Whole] = []
    for name in ("i", "p")[:rng.randint(1, 2)]:
        limits[name] = _length(rng)
        index = named_index(name, limits[name])
        parts.append(times(rng.choice((1, 1, 1, 2, 3, -1)), index))
    position = plus(*parts, constant(rng.randint(-2, 2)))
    likely = rng.random() < 0.5
    if likely:  # from the least value on, below the largest
        position = plus(*parts, *(
            plus(limits[n], constant(-1)) for n, p in zip(limits, parts, strict=True)
            if p.text.startswith("(-1")))
    digit = rng.randrange(4)
    by = rng.randint(2, 3)
    if digit == 0:
        position = over(position, by)
    elif digit == 1:
        position = plus(times(rng.choice((1, 1, 2)), rest(position, by)), constant(0))
    if not likely:
        return Claim(position, _length(rng), limits)
    top = plus(named("N"), constant(rng.randint(0, 2)))
    if rng.random() < 0.5:
        top = plus(*(limits[n] for n in limits), constant(rng.randint(-1, 0)))
        top = over(plus(top, constant(1)), by) if digit == 0 else top
    return Claim(position, top, limits)
