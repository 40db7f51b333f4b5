"""The constructors, canonical keys, expansion and index arithmetic keep values.

Every property is tested by evaluating random expressions before and after.
"""

from __future__ import annotations

import itertools
import random
from fractions import Fraction

import numpy as np
import pytest
from random_expressions import SIZES, Maker, arrays, index

from symprop.algebra import integers
from symprop.algebra.build import (
    ONE,
    ZERO,
    access,
    add,
    apply,
    atom,
    extremum,
    fresh,
    freshen_extrema,
    freshen_term,
    idx,
    instantiate,
    iverson,
    mul,
    neg,
    negation,
    number,
    power,
    size,
    sub,
    substitute,
    sum_over,
)
from symprop.algebra.canonical import canonical, collect, expand, normal, same, scaled
from symprop.algebra.expr import Apply, Expr, Index, Iverson, Term, free_indices
from symprop.interpret import evaluate

SEEDS = range(50)
n, k, m = index("N"), index("K"), index("M")


def value(expr: Expr, seed: int = 0, indices: tuple[Index, ...] = (n, m)) -> np.ndarray:
    return evaluate(expr, arrays(seed), SIZES, indices)


def close(left: np.ndarray, right: np.ndarray) -> None:
    np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-12)


# ---- constructors --------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_constructors_mean_what_they_say(seed: int) -> None:
    maker = Maker(seed)
    u, v = maker.expression([n, m]), maker.expression([n, m])
    close(value(add(u, v), seed), value(u, seed) + value(v, seed))
    close(value(sub(u, v), seed), value(u, seed) - value(v, seed))
    close(value(mul(u, v), seed), value(u, seed) * value(v, seed))
    close(value(mul(u, u), seed), value(u, seed) ** 2)
    close(value(neg(u), seed), -value(u, seed))
    close(value(power(u, 3), seed), value(u, seed) ** 3)
    close(value(power(power(u, 2), Fraction(1, 2)), seed), np.abs(value(u, seed)))
    close(value(sum_over(u, [m]), seed, (n,)), value(u, seed).sum(1))
    close(value(extremum("max", u, [m]), seed, (n,)), value(u, seed).max(1))
    squared = add(ONE, mul(u, u))
    close(value(power(squared, -1), seed), 1 / value(squared, seed))


def test_numbers_are_the_decimals_that_were_written() -> None:
    assert number(0.1).number == Fraction(1, 10)
    assert number(1e-5).number == Fraction(1, 100_000)
    assert number(0) is ZERO
    assert power(number(2), -2).number == Fraction(1, 4)


def test_a_bracket_is_its_own_square_and_numbers_decide_it() -> None:
    bracket = iverson("<", idx(n), idx(m))
    assert mul(bracket, bracket) == bracket
    assert iverson("<", number(1), number(2)) == ONE
    assert iverson(">=", number(1), number(2)) is ZERO
    assert iverson(">", idx(n), idx(m)) == iverson("<", idx(m), idx(n))


@pytest.mark.parametrize("relation", ["==", "!=", "<", "<=", ">", ">="])
def test_the_negation_of_a_bracket_holds_where_it_does_not(relation: str) -> None:
    bracket = iverson(relation, idx(n), idx(m))
    item = bracket.single_atom
    assert isinstance(item, Iverson)
    close(value(bracket) + value(negation(item)), np.ones((3, 5)))


def test_products_of_sums_with_the_same_bound_index_stay_apart() -> None:
    total = sum_over(access("a", [idx(n)]), [n])
    assert len(set(mul(total, total).terms[0].bound)) in (0, 2)
    close(value(mul(total, total), indices=()), value(total, indices=()) ** 2)
    other = sum_over(mul(access("a", [idx(n)]), access("x", [idx(n), idx(k)])), [n])
    both = mul(total, other)
    assert len(set(both.terms[0].bound)) == 2
    close(value(both, indices=(k,)), value(total, indices=()) * value(other, indices=(k,)))


# ---- substitution --------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_substitution_reads_at_another_position(seed: int) -> None:
    expr = Maker(seed).expression([n, m])
    i = index("M")
    moved = substitute(expr, {m: sub(size("M"), add(idx(i), ONE))})  # read backwards
    close(value(moved, seed, (n, i)), value(expr, seed)[:, ::-1])
    held = substitute(expr, {m: number(2), n: number(1)})
    close(value(held, seed, ()), value(expr, seed)[1, 2])


@pytest.mark.parametrize("seed", SEEDS)
def test_swapping_two_indices_transposes(seed: int) -> None:
    i, j = index("M"), Index("j", size("M"))
    body = Maker(seed).expression([i, n])
    both = mul(body, instantiate([i], body, [idx(j)]))
    swapped = substitute(both, {i: idx(j), j: idx(i)})
    close(value(swapped, seed, (n, i, j)), value(both, seed, (n, j, i)))


@pytest.mark.parametrize("seed", SEEDS)
def test_an_instance_has_indices_of_its_own(seed: int) -> None:
    expr = Maker(seed).expression([n, m])
    p, q = fresh(n), fresh(m)
    instance = instantiate([n, m], expr, [idx(p), idx(q)])
    assert same(substitute(instance, {p: idx(n), q: idx(m)}), expr)
    close(value(instance, seed, (p, q)), value(expr, seed))
    product = mul(expr, substitute(instance, {p: idx(n), q: idx(m)}))
    close(value(product, seed), value(expr, seed) ** 2)


# ---- canonical keys ------------------------------------------------------------------------


def shuffled(expr: Expr, source: random.Random) -> Expr:
    """The same value with terms and factors in another order and other bound indices."""
    terms = []
    for term in expr.terms:
        factors = list(term.factors)
        bound = list(term.bound)
        source.shuffle(factors)
        source.shuffle(bound)
        terms.append(freshen_term(Term(term.coef, tuple(factors), tuple(bound))))
    source.shuffle(terms)
    return freshen_extrema(Expr(tuple(terms)))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_canonical_text_ignores_order_and_bound_names(seed: int) -> None:
    expr = expand(Maker(seed).expression([n, m], depth=4))
    other = shuffled(expr, random.Random(seed))
    close(value(other, seed), value(expr, seed))
    assert canonical(other) == canonical(expr)
    assert collect(sub(expr, other)).is_zero


@pytest.mark.parametrize("seed", SEEDS)
def test_the_canonical_text_tells_different_values_apart(seed: int) -> None:
    maker = Maker(seed)
    u, v = maker.expression([n, m]), maker.expression([n, m])
    if not np.allclose(value(u, seed), value(v, seed)):
        assert canonical(u) != canonical(v)
    assert canonical(u) != canonical(add(u, ONE))
    assert canonical(u) != canonical(mul(number(2), add(u, access("q"))))


def test_the_canonical_text_sees_which_index_is_summed() -> None:
    i, j = index("M"), index("M")
    square = access("Q", [idx(i), idx(j)])
    assert not same(sum_over(square, [i]), sum_over(square, [j]))
    rows, columns = (sum_over(mul(square, access("b", [idx(x)])), [i, j]) for x in (i, j))
    assert not same(rows, columns)
    turned = substitute(square, {i: idx(j), j: idx(i)})
    assert same(sum_over(square, [i, j]), sum_over(turned, [i, j]))


# ---- expansion -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_expansion_and_collection_keep_values(seed: int) -> None:
    maker = Maker(seed)
    expr = mul(maker.expression([n, m]), add(maker.expression([n, m]), maker.expression([n, m])))
    close(value(expand(expr), seed), value(expr, seed))
    close(value(collect(expr), seed), value(expr, seed))
    close(value(normal(expr), seed), value(expr, seed))
    close(value(scaled(expr, add(ONE, expr)), seed), value(expr, seed) * (1 + value(expr, seed)))
    assert free_indices(expand(expr)) <= {n, m}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_difference_of_equals_collects_to_nothing(seed: int) -> None:
    expr = Maker(seed).expression([n, m])
    assert normal(sub(mul(expr, expr), power(expr, 2))).is_zero or np.allclose(
        value(sub(mul(expr, expr), power(expr, 2)), seed), 0, atol=1e-12)
    assert collect(sub(expr, expr)).is_zero


# ---- positions and sizes -------------------------------------------------------------------

A, B = size("A"), size("B")
LENGTHS = [{"A": a, "B": b} for a, b in itertools.product((1, 2, 3, 5), (1, 2, 4))]


def affine(seed: int, indices: tuple[Index, ...]) -> Expr:
    """A random affine form over indices and sizes."""
    source = random.Random(seed)
    pool = [ONE, A, B, mul(A, B), *map(idx, indices)]
    parts = [mul(number(source.randint(-2, 3)), p) for p in pool if source.random() < 0.6]
    return add(*parts)


def positions() -> tuple[Index, Index, Index]:
    return Index("i", A), Index("j", B), Index("l", add(mul(A, B), number(0)))


def everywhere(expr: Expr, indices: tuple[Index, ...]) -> list[np.ndarray]:
    return [evaluate(expr, {}, lengths, indices) for lengths in LENGTHS]


@pytest.mark.parametrize("seed", range(80))
def test_bounds_and_ranges_hold_wherever_they_are_claimed(seed: int) -> None:
    where = positions()
    expr, top = normal(affine(seed, where)), normal(affine(seed + 1000, ()))
    low, high = integers.minimum_of(expr), integers.maximum_of(expr)
    for lengths in LENGTHS:
        values = evaluate(expr, {}, lengths, where)
        assert evaluate(low, {}, lengths) <= values.min()
        assert evaluate(high, {}, lengths) >= values.max()
    if integers.nonnegative(expr):
        assert all((v >= 0).all() for v in everywhere(expr, where))
    if integers.within(expr, top):
        assert all(((v >= 0) & (v < t)).all() for v, t in zip(
            everywhere(expr, where), everywhere(top, ()), strict=True))
    held = mul(ONE, *integers.guard(expr, top))
    for lengths in LENGTHS:
        values = evaluate(expr, {}, lengths, where)
        inside = (values >= 0) & (values < evaluate(top, {}, lengths))
        np.testing.assert_array_equal(evaluate(held, {}, lengths, where).astype(bool), inside)


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("divisor", [number(2), number(3), A, mul(number(2), B), mul(A, B)],
                         ids=["2", "3", "A", "2B", "AB"])
def test_floor_division_and_remainder(seed: int, divisor: Expr) -> None:
    where = positions()
    expr = affine(seed, where)
    quotient, rest = integers.floordiv(expr, divisor), integers.mod(expr, divisor)
    for lengths in LENGTHS:
        by = int(evaluate(divisor, {}, lengths))
        values = evaluate(expr, {}, lengths, where)
        np.testing.assert_array_equal(evaluate(quotient, {}, lengths, where), values // by)
        np.testing.assert_array_equal(evaluate(rest, {}, lengths, where), values % by)


def test_quotients_that_are_known_need_no_floor() -> None:
    i, j, _ = positions()
    pair = add(mul(idx(i), B), idx(j))
    assert integers.floordiv(pair, B) == idx(i)
    assert integers.mod(pair, B) == idx(j)
    whole = Index("l", mul(A, B))
    parts = add(mul(apply("floordiv", idx(whole), B), B), apply("mod", idx(whole), B))
    assert integers.recombine(parts) == idx(whole)


@pytest.mark.parametrize("seed", range(80))
def test_solutions_solve(seed: int) -> None:
    where = positions()
    expr = normal(affine(seed, where))
    for index_ in where:
        found = integers.solve(expr, index_)
        if found is not None:
            assert normal(substitute(expr, {index_: found})).is_zero
        factor = integers.coefficient(expr, index_)
        assert factor is not None
        assert index_ not in free_indices(normal(sub(expr, mul(factor, idx(index_)))))


def test_a_quotient_of_an_index_is_not_affine_in_it() -> None:
    i, _, _ = positions()
    found = integers.coefficient(atom(Apply("floordiv", (idx(i), number(2)))), i)
    assert found is None
