"""Random expressions of the calculus, with arrays to evaluate them on.

In: a seed. Out: expressions over a few arrays with axes of distinct sizes. Values stay
moderate and positive under roots and logarithms, so that nothing leaves its domain.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from symprop.algebra.build import (
    ONE,
    access,
    add,
    apply,
    extremum,
    idx,
    iverson,
    mul,
    number,
    power,
    size,
    sub,
    sum_over,
)
from symprop.algebra.expr import Expr, Index

SIZES = {"N": 3, "K": 2, "M": 5}
AXES = {"x": "NK", "w": "K", "a": "N", "b": "M", "Z": "NM", "s": "", "W": "KM"}
SMOOTH = ("tanh", "sigmoid", "softplus", "exp", "sin", "gelu")
KINKED = ("relu", "abs")


def arrays(seed: int) -> dict[str, np.ndarray[Any, Any]]:
    """A value for every array; `y` holds positions on the axis M."""
    generator = np.random.default_rng(seed)
    found = {n: generator.uniform(-1, 1, [SIZES[c] for c in axes]) for n, axes in AXES.items()}
    found["y"] = generator.integers(0, SIZES["M"], SIZES["N"])
    return found


def index(letter: str) -> Index:
    """A new index over the axis of that name."""
    return Index(letter.lower(), size(letter))


class Maker:
    """Makes expressions; each call of `expression` uses the free indices it is given."""

    def __init__(self, seed: int, functions: Sequence[str] = (*SMOOTH, *KINKED)) -> None:
        self.random = random.Random(seed)
        self.functions = functions

    def expression(self, free: Sequence[Index], depth: int = 3) -> Expr:
        """An expression over (some of) the free indices."""
        kinds = [self.leaf] if depth == 0 else [
            self.leaf, self.sum, self.product, self.total, self.applied, self.root, self.guarded,
            self.largest, self.quotient]
        return self.random.choice(kinds)(free, depth)

    def leaf(self, free: Sequence[Index], depth: int) -> Expr:
        """An entry, or a number times one."""
        by_axis = {c: [i for i in free if i.letter == c.lower()] for c in SIZES}
        fitting = [n for n, axes in AXES.items() if all(by_axis[c] for c in axes)]
        name = self.random.choice(fitting)
        positions = [idx(self.random.choice(by_axis[c])) for c in AXES[name]]
        if name == "Z" and self.random.random() < 0.3:
            positions[1] = access("y", [positions[0]])
        entry = access(name, positions)
        return mul(number(self.random.choice([1, 1, 2, -1, Fraction(1, 3)])), entry)

    def sum(self, free: Sequence[Index], depth: int) -> Expr:
        """A sum or a difference."""
        parts = [self.expression(free, depth - 1) for _ in range(2)]
        return self.random.choice([add, sub])(*parts)

    def product(self, free: Sequence[Index], depth: int) -> Expr:
        """A product."""
        return mul(self.expression(free, depth - 1), self.expression(free, depth - 1))

    def total(self, free: Sequence[Index], depth: int) -> Expr:
        """A sum over one or two axes."""
        bound = [index(c) for c in self.random.sample("NKM", self.random.randint(1, 2))]
        return sum_over(self.expression([*free, *bound], depth - 1), bound)

    def applied(self, free: Sequence[Index], depth: int) -> Expr:
        """A scalar function of something that is not large."""
        inner = apply("tanh", self.expression(free, depth - 1))
        return apply(self.random.choice(self.functions), inner)

    def root(self, free: Sequence[Index], depth: int) -> Expr:
        """A power of something positive."""
        exponent = self.random.choice([2, 3, -1, Fraction(1, 2), Fraction(-1, 2)])
        return power(self._positive(free, depth), exponent)

    def quotient(self, free: Sequence[Index], depth: int) -> Expr:
        """Something over something positive."""
        return mul(self.expression(free, depth - 1), power(self._positive(free, depth), -1))

    def _positive(self, free: Sequence[Index], depth: int) -> Expr:
        return add(ONE, power(apply("tanh", self.expression(free, depth - 1)), 2))

    def guarded(self, free: Sequence[Index], depth: int) -> Expr:
        """A shifted entry behind brackets, or a choice between two positions."""
        along = [i for i in free if i.letter == "m"]
        if not along:
            return self.sum(free, depth)
        i, shift = self.random.choice(along), self.random.choice([1, 2])
        shifted = sub(idx(i), number(shift))
        inside = mul(iverson("<=", number(shift), idx(i)), access("b", [shifted]))
        other = mul(iverson("<", idx(i), number(shift)), self.expression(free, depth - 1))
        return add(inside, other)

    def largest(self, free: Sequence[Index], depth: int) -> Expr:
        """A maximum or minimum over an axis."""
        bound = index(self.random.choice("NKM"))
        kind = self.random.choice(["max", "min"])
        return extremum(kind, self.expression([*free, bound], depth - 1), [bound])
