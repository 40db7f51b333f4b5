"""Random index arithmetic: what lowering turns into slices, windows, grids and scatters.

In: a generator of random choices. Out: expressions over arrays of floats, integers and
booleans, with affine positions, guards, diagonals, gathers, deltas and divided positions.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from symprop.algebra.build import (
    ONE,
    ZERO,
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
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Expr, Index
from symprop.algebra.integers import floordiv, guard, mod
from symprop.interpret.evaluate import extent

SIZES = {"N": 4, "K": 3, "M": 7}
N, K, M = (size(c) for c in "NKM")
SHAPES: dict[str, list[Expr]] = {
    "x": [N, K], "q": [M, M], "v": [M], "w": [K], "u": [N], "t": [N, K, M], "s": [],
    "long": [add(mul(number(2), M), number(3))], "wide": [N, add(M, K)], "flat": [mul(N, K)],
    "one": [ONE, K], "y": [N], "z": [N, K], "c": [], "mask": [N, K],
}


def arrays(seed: int, sizes: Mapping[str, int] = SIZES) -> dict[str, np.ndarray[Any, Any]]:
    """A value for every array; y and z hold positions on M, c one on N."""
    generator = np.random.default_rng(seed)
    found: dict[str, Any] = {}
    for name, shape in SHAPES.items():
        lengths = tuple(extent(s, sizes) for s in shape)
        if name in ("y", "z"):
            found[name] = generator.integers(0, sizes["M"], lengths)
        elif name == "mask":
            found[name] = generator.integers(0, 2, lengths) == 1
        elif name == "c":
            found[name] = int(generator.integers(0, sizes["N"]))
        else:
            found[name] = generator.uniform(-1, 1, lengths)
    return found


class IndexMaker:
    """Makes right-hand sides over free indices n, k, m (one of each at most)."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def case(self) -> tuple[list[Index], Expr]:
        """Free indices and a sum of one to three terms."""
        letters = self.random.sample("NKM", self.random.randint(0, 3))
        free = [Index(c.lower(), size(c)) for c in letters]
        terms = [self.term(free) for _ in range(self.random.randint(1, 3))]
        return free, add(*terms)

    def term(self, free: Sequence[Index]) -> Expr:
        """A number times factors, summed over zero to two indices of its own."""
        bound = [Index(c.lower(), size(c))
                 for c in self.random.sample("NKM", self.random.randint(0, 2))]
        if self.random.random() < 0.3:
            bound.append(Index("p", number(self.random.choice([2, 3]))))
        scope = [*free, *bound]
        factors = [self.factor(scope) for _ in range(self.random.randint(1, 3))]
        if bound and free and self.random.random() < 0.35:
            factors += self.deltas(free, bound)
        if self.random.random() < 0.25:
            factors.append(self.data_guard(scope))
        coef = number(self.random.choice([1, 1, 1, -1, 2, Fraction(1, 3)]))
        return sum_over(mul(coef, *factors), bound)

    def factor(self, scope: Sequence[Index]) -> Expr:
        """An entry, a function of one, or the value of an index, size, mask or integer."""
        kinds: list[Callable[[Sequence[Index]], Expr]] = [
            self.entry] * 6 + [self.value, self.function, self.largest, self.powered]
        return self.random.choice(kinds)(scope)

    def function(self, scope: Sequence[Index]) -> Expr:
        return apply(self.random.choice(["tanh", "abs", "sigmoid"]), self.entry(scope))

    def powered(self, scope: Sequence[Index]) -> Expr:
        base = add(ONE, power(self.entry(scope), 2))
        exponent = self.random.choice([2, -1, Fraction(1, 2), Fraction(-1, 2), Fraction(3, 2), 3])
        return power(base, exponent)

    def largest(self, scope: Sequence[Index]) -> Expr:
        bound = Index("j", size(self.random.choice("NKM")))
        return extremum(self.random.choice(["max", "min"]), self.entry([*scope, bound]), [bound])

    def value(self, scope: Sequence[Index]) -> Expr:
        """A factor that is no entry of an array of floats."""
        i = self.index(scope)
        choices = [
            lambda: size(self.random.choice("NKM")),
            lambda: idx(i) if i else ONE,
            lambda: add(idx(i), ONE) if i else add(N, ONE),
            lambda: self.guarded("z", scope),
            lambda: self.guarded("mask", scope),
            lambda: power(size("M"), Fraction(1, 2)),
            lambda: access("c"),
        ]
        return self.random.choice(choices)()

    def entry(self, scope: Sequence[Index]) -> Expr:
        """An entry of an array of floats, guarded where its position may leave the axis."""
        names = ["x", "q", "v", "w", "u", "t", "s", "long", "wide", "flat", "one"]
        name = self.random.choice(names)
        return self.guarded(name, scope)

    def guarded(self, name: str, scope: Sequence[Index]) -> Expr:
        """An entry with the brackets that its positions need; a boolean one as a bracket."""
        positions = [ZERO if s == ONE else self.position(scope, s) for s in SHAPES[name]]
        guards = [g for p, s in zip(positions, SHAPES[name], strict=True) for g in guard(p, s)]
        entry = access(name, positions)
        return mul(iverson("!=", entry, ZERO) if name == "mask" else entry, *guards)

    def index(self, scope: Sequence[Index]) -> Index | None:
        return self.random.choice(list(scope)) if scope else None

    def position(self, scope: Sequence[Index], axis: Expr) -> Expr:
        """A position on an axis: plain, affine, gathered, divided, or a constant."""
        fitting = [i for i in scope if i.size == axis]
        roll = self.random.random()
        i, j = self.index(scope), self.index(scope)
        if i is None or j is None or roll < 0.08:
            return self.random.choice([ZERO, sub(axis, ONE), ZERO])
        if fitting and roll < 0.55:
            return idx(self.random.choice(fitting))
        if roll < 0.65 and axis == M:
            n = self.index([i for i in scope if i.size == N])
            return access("y", [idx(n)]) if n else ZERO
        if roll < 0.72:
            back = self.index(fitting)
            return sub(sub(axis, ONE), idx(back)) if back else ZERO
        if roll < 0.78:
            return floordiv(idx(i), number(2))
        if roll < 0.82:
            return mod(add(idx(i), idx(j)), K)
        step = number(self.random.choice([1, 1, 2, -1, 3]))
        shift = number(self.random.choice([0, 0, 1, -1, 2]))
        first = mul(step, idx(i))
        second = mul(number(self.random.choice([1, 1, 2, -1])), idx(j)) if j is not i else ZERO
        return normal(add(first, second if self.random.random() < 0.6 else ZERO, shift))

    def data_guard(self, scope: Sequence[Index]) -> Expr:
        """A bracket on positions or on data."""
        i, j = self.index(scope), self.index(scope)
        if i is None or j is None:
            return iverson("<", ZERO, access("s"))
        relation = self.random.choice(["<", "<=", "==", "!="])
        choices = [
            lambda: iverson(relation, idx(i), number(self.random.choice([1, 2]))),
            lambda: iverson(self.random.choice(["<", "<="]), ONE, idx(i)),
            lambda: iverson(relation, idx(j), idx(i)) if i is not j else ONE,
            lambda: iverson("<", access("w", [mod(idx(i), K)]), number(0.2)),
            lambda: iverson("==", idx(i), sub(i.size, ONE)),
        ]
        return self.random.choice(choices)()

    def deltas(self, free: Sequence[Index], bound: Sequence[Index]) -> list[Expr]:
        """Deltas that send values to positions of the left-hand side."""
        found = []
        for target in self.random.sample(list(free), self.random.randint(1, len(free))):
            if target.size == M and self.random.random() < 0.4:
                n = self.index([b for b in bound if b.size == N])
                if n is not None:
                    found.append(iverson("==", access("y", [idx(n)]), idx(target)))
                    continue
            b, e = self.index(bound), self.index(bound)
            assert b is not None and e is not None
            position = mul(number(self.random.choice([1, 2, 1, -1])), idx(b))
            if e is not b and self.random.random() < 0.5:
                position = add(position, mul(number(self.random.choice([1, 2])), idx(e)))
            position = normal(add(position, number(self.random.choice([0, 0, 1]))))
            found += [iverson("==", position, idx(target)), *guard(position, target.size)]
        return found
