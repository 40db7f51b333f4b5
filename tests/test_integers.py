"""The domain of whole numbers, against brute force and against solvers that know all of it."""

import itertools
import random

import islpy
import pytest
from integer_claims import claim

from symprop.algebra import integers
from symprop.algebra.build import (
    ONE,
    access,
    add,
    apply,
    idx,
    iverson,
    mul,
    number,
    size,
    sub,
)
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Expr, Index, Iverson
from symprop.algebra.integers_linear import satisfiable
from symprop.interpret.evaluate import extent

N, M, H, D, K, W = map(size, "NMHDKW")
TWO = number(2)


# ---- linear inequalities ------------------------------------------------------------------


def _random_system(rng: random.Random) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """Equations and inequalities on up to 3 unknowns between -3 and 3."""
    count = rng.randint(1, 3)
    least = []
    for place, sign in itertools.product(range(count), (1, -1)):
        least.append((*(sign if k == place else 0 for k in range(count)), 3))

    def row() -> tuple[int, ...]:
        return (*(rng.randint(-6, 6) for _ in range(count)), rng.randint(-9, 9))

    return ([row() for _ in range(rng.randint(0, 2))],
            least + [row() for _ in range(rng.randint(0, 4))])


@pytest.mark.parametrize("seed", range(6))
def test_whole_solutions_are_found_exactly_where_there_are_any(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(80):
        equal, least = _random_system(rng)

        def value(row: tuple[int, ...], at: tuple[int, ...]) -> int:
            return sum(c * v for c, v in zip(row, at, strict=False)) + row[-1]

        places = itertools.product(range(-3, 4), repeat=len(least[0]) - 1)
        found = any(all(value(r, at) == 0 for r in equal) and all(value(r, at) >= 0 for r in least)
                    for at in places)
        assert satisfiable(equal, least) is found, (equal, least)


def test_a_question_that_is_too_large_is_left_open() -> None:
    rng = random.Random(0)
    rows = [tuple(rng.choice((-7, -5, 3, 11)) for _ in range(13)) for _ in range(160)]
    assert satisfiable([], rows) in (None, False)


# ---- claims on positions ------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_what_is_proven_holds_at_all_small_sizes(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(25):
        asked = claim(rng)
        if integers.within(asked.position.expr, asked.top.expr):
            assert asked.counterexample(6) is None, asked


@pytest.mark.parametrize("seed", range(5))
def test_linear_claims_are_proven_exactly_where_isl_proves_them(seed: int) -> None:
    context = islpy.Context()
    rng = random.Random(1000 + seed)
    for _ in range(60):
        asked = claim(rng)
        true = islpy.Set.read_from_str(context, asked.empty_where_true).is_empty()
        assert integers.within(asked.position.expr, asked.top.expr) is true, asked


@pytest.mark.fuzz
def test_ten_thousand_linear_claims() -> None:
    context = islpy.Context()
    rng = random.Random(7)
    for _ in range(10_000):
        asked = claim(rng)
        true = islpy.Set.read_from_str(context, asked.empty_where_true).is_empty()
        assert integers.within(asked.position.expr, asked.top.expr) is true, asked


# ---- products of sizes --------------------------------------------------------------------


def _below(*sizes: Expr) -> list[Expr]:
    return [idx(Index("i", s)) for s in sizes]


def _products() -> dict[str, tuple[Expr, Expr]]:
    """Positions that lie in an axis because of how products of sizes and indices compare."""
    h, d, k, n, m, e = _below(H, D, mul(H, D), N, sub(N, ONE), sub(D, ONE))
    half, quarter = mul(number(0.5), D), mul(number(0.25), D)
    low, pair = _below(half, mul(N, H, D))
    ratio = integers.exact_quotient(D, H)
    (part,) = _below(ratio)
    (wide,) = _below(add(W, mul(TWO, N), number(-2)))
    return {
        "h D + d < H D": (add(mul(h, D), d), mul(H, D)),
        "d H + h < H D": (add(mul(d, H), h), mul(H, D)),
        "k // D < H": (apply("floordiv", k, D), H),
        "k % D < D": (apply("mod", k, D), D),
        "k // D D + k % D < H D":
            (add(mul(apply("floordiv", k, D), D), apply("mod", k, D)), mul(H, D)),
        "(n H + h) D + d < N H D": (add(mul(add(mul(n, H), h), D), d), mul(N, H, D)),
        "k < N H D": (k, mul(N, H, D)),
        "pair // D < N H": (apply("floordiv", pair, D), mul(N, H)),
        "pair // (H D) < N": (apply("floordiv", pair, mul(H, D)), N),
        "(m + 1) D + e < N D": (add(mul(add(m, ONE), D), e), mul(N, D)),
        "low + D/2 < D": (add(low, half), D),
        "2 low + 1 < D": (add(mul(TWO, low), ONE), D),
        "low < D - D/4 ": (low, sub(D, quarter)),
        "h D/H + part < D": (add(mul(h, ratio), part), D),
        "N - 1 + n < 2 N": (sub(add(N, n), ONE), mul(TWO, N)),
        "wide // 2 < W + N": (apply("floordiv", wide, TWO), add(W, N)),
        "n n < N N": (mul(n, n), mul(N, N)),
        "n (N - 1) + m < N N": (add(mul(n, sub(N, ONE)), m), mul(N, N)),
    }


@pytest.mark.parametrize("name", _products())
def test_products_of_sizes_are_compared(name: str) -> None:
    position, top = _products()[name]
    assert integers.within(normal(position), normal(top))


@pytest.mark.parametrize("name", _products())
def test_one_further_is_outside(name: str) -> None:
    """Each of them reaches its last entry: none is proven in an axis that is one shorter."""
    position, top = _products()[name]
    if name not in ("k < N H D", "low < D - D/4 ", "wide // 2 < W + N", "k // D < H",
                    "N - 1 + n < 2 N", "(m + 1) D + e < N D", "n (N - 1) + m < N N"):
        assert not integers.within(normal(position), normal(sub(top, ONE)))
    assert not integers.within(normal(sub(position, top)), normal(top))


# ---- facts and brackets ---------------------------------------------------------------------


def _cut(low: Expr, high: Expr, value: Expr) -> Expr:
    """The value where low <= value < high, else 0."""
    return mul(iverson("<=", low, value), iverson("<", value, high), value)


def test_entries_of_integer_arrays_lie_between_their_declared_ends() -> None:
    (n,) = _below(N)
    entry = access("y", [n])
    facts = integers.Facts(entries=(("y", number(0), sub(K, ONE)),))
    assert not integers.within(entry, K)
    assert integers.within(entry, K, facts)
    assert not integers.within(add(entry, ONE), K, facts)
    assert integers.within(add(entry, ONE), add(K, ONE), facts)
    assert integers.within(add(mul(n, K), entry), mul(N, K), facts)


def test_a_bracket_in_a_position_is_taken_both_ways() -> None:
    (n,) = _below(N)
    entry = access("y", [n])
    kept = mul(iverson("<=", number(0), entry), entry)
    assert integers.nonnegative(kept, integers.Facts(entries=(("y", None, None),)))
    assert integers.within(kept, K, integers.Facts(entries=(("y", None, sub(K, ONE)),)))
    assert integers.within(_cut(ONE, N, n), N)
    assert not integers.within(_cut(ONE, N, n), sub(N, ONE))


def test_brackets_on_floats_prove_nothing() -> None:
    """[2 x = 1] may hold: x is 0.5."""
    (n,) = _below(N)
    x = access("x", [n])
    chosen = mul(iverson("==", mul(TWO, x), ONE), number(5))
    assert not integers.within(chosen, number(3))
    assert not integers.never_zero(sub(mul(TWO, x), ONE))


def test_conditions_are_facts() -> None:
    (i,) = _below(sub(N, number(2)))
    given = integers.Facts(least=(sub(N, number(5)),))
    assert not integers.nonnegative(sub(N, number(3)))
    assert integers.nonnegative(sub(N, number(5)), given)
    assert not integers.nonnegative(sub(N, number(6)), given)
    assert integers.within(number(4), N, given)
    assert integers.within(add(i, number(2)), N)


def test_claims_on_the_larger_of_two_sizes_are_true() -> None:
    """0 <= a i + b < n with i < max(N + c, d): what is proven holds at all small sizes."""
    rng, proven, n = random.Random(5), 0, size("N")
    for _ in range(150):
        top = integers.most(add(n, number(rng.randint(-3, 1))), number(rng.randint(0, 3)))
        index = Index("i", top)
        a, b = rng.randint(1, 2), rng.randint(-1, 2)
        position = add(mul(number(a), idx(index)), number(b))
        limit = add(mul(number(a), rng.choice([n, top])), number(rng.randint(0, 2)))
        if integers.within(position, limit):
            proven += 1
            for count in range(1, 7):
                length = extent(top, {"N": count})
                above = extent(limit, {"N": count}) if length else 0
                assert all(0 <= a * i + b < above for i in range(length)), (top, position, limit)
    assert proven > 20


def test_the_larger_and_the_smaller_of_two() -> None:
    (i,) = _below(integers.floordiv(N, TWO))
    assert integers.larger(i, N) == N
    assert integers.smaller(integers.floordiv(N, TWO), N) == integers.floordiv(N, TWO)
    assert integers.larger(N, M) is None


@pytest.mark.parametrize("seed", range(2))
def test_floor_and_rest_are_those_of_python(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(20):
        asked = claim(rng)
        by = rng.randint(1, 4)
        for name, result in (("//", integers.floordiv), ("%", integers.mod)):
            found = result(asked.position.expr, number(by))
            text = f"({asked.position.text}) {name} {by}"
            again = sub(found, apply("floordiv" if name == "//" else "mod",
                                     asked.position.expr, number(by)))
            assert not integers.never_zero(again), text
            assert _holds_everywhere(again), text


def _holds_everywhere(difference: Expr) -> bool:
    """Whether a difference is 0, by the domain itself: at least 0 and at most 0."""
    return difference.is_zero or (
        integers.nonnegative(difference) and integers.nonnegative(sub(number(0), difference)))


def test_what_guards_a_position_is_exactly_what_is_not_known() -> None:
    i, j = _below(integers.floordiv(N, TWO), N)
    assert integers.guard(add(mul(TWO, i), ONE), N) == []
    assert integers.guard(sub(j, ONE), N) == [iverson("<=", number(0), sub(j, ONE))]
    assert all(isinstance(b.single_atom, Iverson)
               for b in integers.guard(normal(sub(j, i)), sub(N, ONE)))
