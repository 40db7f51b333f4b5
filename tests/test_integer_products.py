"""Products of sizes, against z3: what it refutes is not proven, what it proves is not missed."""

import itertools
import random

import pytest

from symprop.algebra import integers
from symprop.algebra.build import ONE, add, idx, mul, number, size, sub
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Apply, Atom, Expr, Idx, Index, Size

pytestmark = pytest.mark.oracles
SIZES = [size(n) for n in "HDN"]


class Solver:
    """Claims as z3 sees them: every named size at least 1, every index below its size."""

    def __init__(self) -> None:
        import z3

        self.z3 = z3
        self.solver = z3.Solver()
        self.solver.set("timeout", 300)
        self.known: dict[Atom, object] = {}

    def value(self, expr: Expr) -> object:
        total: object = self.z3.IntVal(0)
        for term in normal(expr).terms:
            product: object = self.z3.IntVal(int(term.coef))
            for item, exponent in term.factors:
                for _ in range(int(exponent)):
                    product = product * self.part(item)
            total = total + product
        return total

    def part(self, item: Atom) -> object:
        if item in self.known:
            return self.known[item]
        if isinstance(item, Apply):
            over, by = (self.value(a) for a in item.args)
            return over / by if item.function == "floordiv" else over % by
        assert isinstance(item, Size | Idx)
        found = self.known[item] = self.z3.Int(item.key)
        self.solver.add(found >= (1 if isinstance(item, Size) else 0))
        if isinstance(item, Idx):
            self.solver.add(found < self.value(item.index.size))
        return found

    def proves(self, position: Expr, top: Expr) -> bool | None:
        """Whether 0 <= position < top; None: z3 cannot tell in time."""
        found = self.value(position)
        self.solver.add(self.z3.Or(found < 0, found >= self.value(top)))
        answer = self.solver.check()
        return None if answer == self.z3.unknown else answer == self.z3.unsat


def _claim(rng: random.Random) -> tuple[Expr, Expr]:
    """Digits of a position, row by row, some a little off; quotients and rests of them."""
    sizes = rng.sample(SIZES, rng.randint(2, 3))
    if rng.random() < 0.3:
        sizes[0] = add(sizes[0], number(rng.choice((-1, 1))))
    position: Expr = number(0)
    for one in sizes:
        position = add(mul(position, one), idx(Index("i", one)))
    top = mul(*sizes)
    kind = rng.randrange(4)
    if kind == 1:
        position = idx(Index("k", normal(top)))
    if kind in (1, 2):
        by = sizes[-1] if rng.random() < 0.7 else mul(*sizes[1:])
        if rng.random() < 0.5:
            position, top = integers.floordiv(position, by), integers.floordiv(top, by)
        else:
            position, top = integers.mod(position, by), by
    off = rng.choice((0, 0, 0, 1, -1))
    return normal(position), normal(sub(top, number(off)))


@pytest.mark.parametrize("seed", range(10))
def test_claims_on_products_agree_with_z3(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(12):
        position, top = _claim(rng)
        true = Solver().proves(position, top)
        mine = integers.within(position, top)
        assert true is None or mine is true, (position, top)


def test_squares_and_shifted_products() -> None:
    """One factor may be a size less or more, the other any."""
    for less, more in itertools.product((0, 1, 2), repeat=2):
        n = idx(Index("n", sub(SIZES[2], number(less))))
        top = mul(SIZES[2], SIZES[1])
        position = mul(add(n, number(more)), SIZES[1])
        true = Solver().proves(position, top)
        assert true is None or integers.within(normal(position), normal(top)) is true
    assert integers.nonnegative(sub(mul(SIZES[0], SIZES[0]), ONE))
