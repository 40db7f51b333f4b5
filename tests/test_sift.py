"""Sifting changes no value: random deltas over affine, strided and mixed-radix positions."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest

from symprop.algebra import integers
from symprop.algebra.build import (
    ONE,
    access,
    add,
    idx,
    iverson,
    mul,
    number,
    power,
    size,
    sub,
    sum_over,
)
from symprop.algebra.expr import Access, Expr, Index, Iverson, atoms
from symprop.algebra.integers import floordiv, mod
from symprop.derive.sift import sift
from symprop.interpret import evaluate

SIZES = {"N": 5, "M": 3, "K": 7}
N, M, K = (size(name) for name in "NMK")


def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "f": rng.normal(size=64), "g": rng.normal(size=(64, 64)),
        "tok": rng.integers(0, 5, size=64),
    }


def value(expr: Expr, free: list[Index]) -> np.ndarray:
    return evaluate(expr, arrays(), SIZES, free)


def affine(rng: random.Random, indices: list[Index]) -> Expr:
    """A small affine position, never negative."""
    parts = [mul(number(rng.choice([1, 1, 1, 2, 3])), idx(i)) for i in indices]
    return add(*parts, number(rng.choice([0, 0, 1, 2])))


@pytest.mark.parametrize("seed", range(120))
def test_random_affine_deltas(seed: int) -> None:
    rng = random.Random(seed)
    free = [Index("a", N), Index("b", K)]
    bound = [Index("i", rng.choice([N, M, K, number(4)])) for _ in range(rng.choice([1, 2, 3]))]
    picked = rng.sample(bound, k=min(len(bound), rng.choice([1, 2])))
    left = affine(rng, picked)
    right = affine(rng, rng.sample(free, k=rng.choice([0, 1, 1, 2])))
    product = mul(access("f", [affine(rng, bound)]),
                  access("g", [idx(free[0]), affine(rng, bound[:1])]),
                  iverson("==", left, right))
    before = sum_over(product, bound)
    after = sift(before)
    np.testing.assert_allclose(value(before, free), value(after, free), atol=1e-12)


@pytest.mark.parametrize("relation", ["<", "<=", "==", "!="])
@pytest.mark.parametrize("exponent", [-2, -1, Fraction(-1, 2), Fraction(1, 2), 2])
def test_what_entries_are_compared_with_keeps_its_powers(
    relation: str, exponent: int | Fraction
) -> None:
    """[f[i]/K < 1/2] is no [f[i] < 1/2]: entries of arrays are no positions."""
    i, j = Index("i", K), Index("j", K)
    scaled = mul(access("f", [idx(j)]), power(K, exponent))
    limit = number(Fraction(1, 2) * 2 ** (0 if exponent < 0 else 1))
    before = sum_over(mul(access("g", [idx(i), idx(j)]), iverson("==", idx(i), idx(j)),
                          iverson(relation, scaled, limit)), [j])
    np.testing.assert_allclose(value(before, [i]), value(sift(before), [i]))
    held = np.array([bool(v) for v in value(iverson(relation, scaled, limit), [j])])
    np.testing.assert_array_equal(value(sift(iverson(relation, scaled, limit)), [j]) != 0, held)


def deltas(expr: Expr) -> int:
    return sum(isinstance(a, Iverson) and a.relation == "==" for a in atoms(expr))


def test_a_plain_delta_collapses_its_sum() -> None:
    j, k = Index("j", M), Index("k", M)
    after = sift(sum_over(mul(access("f", [idx(j)]), iverson("==", idx(j), idx(k))), [j]))
    assert after.key == access("f", [idx(k)]).key


def test_a_shift_gets_its_guard() -> None:
    i, a = Index("i", N), Index("a", add(N, number(2)))
    before = sum_over(mul(access("f", [idx(i)]),
                          iverson("==", add(idx(i), ONE), idx(a))), [i])
    after = sift(before)
    assert not after.terms[0].bound and deltas(after) == 0
    np.testing.assert_allclose(value(before, [a]), value(after, [a]))


def test_a_stride_keeps_its_delta() -> None:
    i, p, a = Index("i", N), Index("p", M), Index("a", add(mul(number(2), N), M))
    before = sum_over(mul(access("g", [idx(i), idx(p)]),
                          iverson("==", add(mul(number(2), idx(i)), idx(p)), idx(a))), [i, p])
    after = sift(before)
    assert deltas(after) == 1
    np.testing.assert_allclose(value(before, [a]), value(after, [a]))


def test_mixed_radix_splits_into_division_and_remainder() -> None:
    i, j, k = Index("i", N), Index("j", M), Index("k", mul(N, M))
    position = add(mul(idx(i), M), idx(j))
    before = sum_over(mul(access("g", [idx(i), idx(j)]), iverson("==", position, idx(k))), [i, j])
    after = sift(before)
    assert not after.terms[0].bound
    np.testing.assert_allclose(value(before, [k]), value(after, [k]))


def test_division_and_remainder_are_undone() -> None:
    i, j, k = Index("i", N), Index("j", M), Index("k", mul(N, M))
    before = sum_over(mul(access("f", [idx(k)]),
                          iverson("==", floordiv(idx(k), M), idx(i)),
                          iverson("==", mod(idx(k), M), idx(j))), [k])
    after = sift(before)
    assert not after.terms[0].bound and deltas(after) == 0
    np.testing.assert_allclose(value(before, [i, j]), value(after, [i, j]))


def test_a_gather_needs_no_guard() -> None:
    n, v, w = Index("n", K), Index("v", N), Index("w", N)
    token = access("tok", [idx(n)])
    before = sum_over(mul(access("f", [idx(v)]), iverson("==", idx(v), token)), [v])
    after = sift(before, lambda position, size: position.single_atom == token.single_atom)
    assert after.key == access("f", [token]).key
    kept = sum_over(mul(access("f", [idx(n)]), iverson("==", token, idx(w))), [n])
    assert sift(kept).key == kept.key  # a scatter: nothing can be solved


def test_an_integer_that_is_only_compared_may_lie_outside() -> None:
    n, v = Index("n", K), Index("v", N)
    label = access("tok", [idx(n)])
    before = sum_over(mul(access("f", [idx(v)]), iverson("==", idx(v), label)), [v])
    assert deltas(sift(before)) == 0 and len(sift(before).terms[0].factors) == 3


def test_a_position_inside_a_gather_is_in_normal_form() -> None:
    i, p, k = Index("i", N), Index("p", number(2)), Index("k", M)
    window = mul(access("f", [idx(k)]), access("g", [idx(k), access("tok", [add(idx(k), idx(p))])]),
                 iverson("==", add(idx(k), idx(p)), idx(i)))
    done = sift(sum_over(window, [k, p]))
    gathers = {a.key for a in atoms(done) if isinstance(a, Access) and a.array == "tok"}
    assert gathers == {access("tok", [idx(i)]).terms[0].factors[0][0].key}
    np.testing.assert_allclose(value(done, [i]), value(sum_over(window, [k, p]), [i]))


def test_equal_strides_are_divided() -> None:
    i, k = Index("i", N), Index("k", N)
    two = number(2)
    before = sum_over(mul(access("f", [idx(i)]),
                          iverson("==", mul(two, idx(i)), mul(two, idx(k)))), [i])
    assert sift(before).key == access("f", [idx(k)]).key
    odd = sum_over(mul(access("f", [idx(i)]),
                       iverson("==", mul(two, idx(i)), add(mul(two, idx(k)), ONE))), [i])
    assert sift(odd).is_zero


def test_an_unused_sum_counts_its_size() -> None:
    i, k = Index("i", N), Index("k", K)
    before = sum_over(access("f", [idx(k)]), [i])
    np.testing.assert_allclose(value(sift(before), [k]), 5 * arrays()["f"][:7])
    assert not sift(before).terms[0].bound


def test_a_decided_bracket_is_settled() -> None:
    i = Index("i", N)
    inside = mul(access("f", [idx(i)]), iverson("<=", sub(idx(i), N), number(0)))
    assert sift(inside).key == access("f", [idx(i)]).key
    assert sift(mul(access("f", [idx(i)]), iverson("<", idx(i), number(0)))).is_zero


def test_what_is_known_is_part_of_the_question() -> None:
    """A term that was sifted without a fact is sifted anew with it, and the other way round."""
    def gathered() -> Expr:
        v, n = Index("v", N), Index("n", M)
        read = mul(access("f", [idx(v)]), iverson("==", idx(v), access("tok", [idx(n)])))
        return sum_over(read, [v])

    def known(position: Expr, axis: Expr) -> bool:
        return "tok" in position.arrays or integers.within(position, axis)

    one, other = gathered(), gathered()
    brackets = [sum(isinstance(a, Iverson) for a in atoms(e)) for e in (
        sift(one), sift(one, known), sift(one), sift(other, known), sift(other))]
    assert brackets == [2, 0, 2, 0, 2]
