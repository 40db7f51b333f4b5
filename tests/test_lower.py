"""Lowering: what the code computes is what the equation says, and how it reads."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import random_expressions as smooth
from index_expressions import SHAPES, SIZES, IndexMaker, K, M, N, arrays
from lowered import assert_equal, both

from symprop.algebra.build import (
    ONE,
    ZERO,
    access,
    add,
    apply,
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
from symprop.algebra.integers import guard

SOME_SIZES = (SIZES, {"N": 1, "K": 2, "M": 1}, {"N": 5, "K": 1, "M": 2})


def at(array: str, *positions: Index | Expr) -> Expr:
    return access(array, [idx(p) if isinstance(p, Index) else p for p in positions])


def code(rhs: Expr, *free: Index, sizes: Mapping[str, int] = SIZES) -> str:
    """The statements of `out[free] = rhs` without margins, once they are right."""
    text = assert_equal(rhs, free, SHAPES, arrays(0, sizes), sizes)
    body = text[text.index("dtype):\n") + 8: text.index("    return out")]
    lines = [line[4:].split("  #")[0] for line in body.splitlines()]
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


# ---- every expression -----------------------------------------------------------------------


@pytest.mark.parametrize("first", range(0, 120, 40))
def test_random_expressions(first: int) -> None:
    shapes = {n: [size(c) for c in axes] for n, axes in smooth.AXES.items()} | {"y": [N]}
    for seed in range(first, first + 40):
        maker = smooth.Maker(seed)
        free = [smooth.index(c) for c in maker.random.sample("NKM", seed % 4)]
        values = smooth.arrays(seed)
        assert_equal(maker.expression(free, 3), free, shapes,
                     {n: values[n] for n in shapes}, smooth.SIZES)


@pytest.mark.parametrize("first", range(0, 160, 40))
def test_random_index_arithmetic(first: int) -> None:
    for seed in range(first, first + 40):
        free, rhs = IndexMaker(seed).case()
        for sizes in SOME_SIZES:
            assert_equal(rhs, free, SHAPES, arrays(seed, sizes), sizes)


@pytest.mark.fuzz
@pytest.mark.parametrize("first", range(1000, 9000, 200))
def test_much_more_random_index_arithmetic(first: int) -> None:
    for seed in range(first, first + 200):
        free, rhs = IndexMaker(seed).case()
        for sizes in SOME_SIZES:
            assert_equal(rhs, free, SHAPES, arrays(seed, sizes), sizes)


# ---- slices -----------------------------------------------------------------------------------


def test_affine_positions_are_slices() -> None:
    m, n = Index("m", M), Index("n", N)
    assert code(at("long", add(mul(number(2), idx(m)), ONE)), m) == "out = long[1:2 * M:2]"
    assert code(at("v", sub(sub(M, ONE), idx(m))), m) == "out = v[::-1]"
    assert code(at("q", sub(sub(M, ONE), idx(m)), sub(sub(M, ONE), idx(m))), m) == (
        "out = q[M - np.arange(M) - 1, M - np.arange(M) - 1]")
    assert code(at("q", m, m), m) == "out = q[np.arange(M), np.arange(M)]"
    assert code(at("t", n, ZERO, sub(M, ONE)), n) == "out = t[:, 0, M - 1]"


def test_brackets_on_one_axis_are_stretches() -> None:
    n, j = Index("n", N), Index("j", add(M, K))
    left = mul(iverson("<", idx(j), M), at("t", n, ZERO, j))
    right = mul(iverson("<=", M, idx(j)), at("x", n, normal(sub(idx(j), M))))
    assert code(add(left, right), n, j) == (
        "out = np.empty((N, M + K), dtype)\n"
        "out[:, :M] = t[:, 0]\n"
        "out[:, M:] = x")
    m = Index("m", M)
    assert code(sum_over(mul(iverson("<=", ONE, idx(m)), at("v", m)), [m])) == (
        "out = v[1:].sum()")
    assert code(mul(iverson("==", idx(m), sub(M, ONE)), at("s")), m) == (
        "out = np.zeros((M,), dtype)\nout[M - 1] = s")


def test_brackets_of_a_shift_are_zeros_around_the_array() -> None:
    m = Index("m", add(M, number(2)))
    shifted = normal(sub(idx(m), ONE))
    assert code(mul(at("v", shifted), *guard(shifted, M)), m) == "out = np.pad(v, (1, 1))"


# ---- windows ------------------------------------------------------------------------------------


def test_windows() -> None:
    m, p = Index("m", M), Index("p", number(3))
    position = add(mul(number(2), idx(m)), idx(p))
    total = sum_over(mul(at("long", position), at("w", p)), [p])
    values = arrays(0, {"N": 4, "K": 3, "M": 7})
    text = assert_equal(total, [m], SHAPES, values, {"N": 4, "K": 3, "M": 7})
    assert "out_windows = np.lib.stride_tricks.sliding_window_view(" in text
    assert "out = out_windows @ w" in text


def test_flipped_windows_of_an_array_with_zeros_around() -> None:
    i, p = Index("i", sub(add(M, K), ONE)), Index("p", K)
    position = normal(sub(idx(i), idx(p)))
    flipped = sum_over(mul(at("v", position), *guard(position, M), at("w", p)), [p])
    assert code(flipped, i) == (
        "out_windows = np.lib.stride_tricks.sliding_window_view(\n"
        "    np.pad(v, (K - 1, K - 1)), K, axis=0\n"
        ")\n"
        "out = out_windows @ w[::-1]")


def test_scattered_windows_are_a_loop_over_the_window() -> None:
    i = Index("i", add(mul(number(2), M), number(3)))
    m, p = Index("m", M), Index("p", number(3))
    place = add(mul(number(2), idx(m)), idx(p))
    spread = sum_over(mul(at("v", m), at("long", p), iverson("==", place, idx(i))), [m, p])
    assert code(spread, i) == (
        "out = np.zeros((2 * M + 3,), dtype)\n"
        "out_windows = v[:, None] * long[:3]\n"
        "for p in range(3):\n"
        "    out[p:p + 2 * M - 1:2] += out_windows[..., p]")


def test_a_slice_that_could_end_behind_its_axis_is_not_built() -> None:
    """K may be less than 3: positions are clipped, where NumPy would give fewer entries."""
    p = Index("p", number(3))
    held = mul(at("w", p), iverson("<", idx(p), K))
    text = assert_equal(sum_over(held, [p]), [], SHAPES, arrays(1), SIZES)
    assert "w[:3]" not in text


def test_windows_whose_size_is_a_name() -> None:
    """Where there may be none, the axis may be shorter than one: positions then."""
    k = Index("k", K)
    for array, count, windows in (("longer", add(mul(number(2), M), ONE), True),
                                  ("long", add(sub(mul(number(2), M), K), number(4)), False)):
        m = Index("m", count)
        total = sum_over(mul(at(array, add(idx(m), idx(k))), at("w", k)), [k])
        shapes = {**SHAPES, "longer": [add(mul(number(2), M), K)]}
        values = {**arrays(1), "longer": np.arange(2.0 * SIZES["M"] + SIZES["K"])}
        text = assert_equal(total, [m], shapes, values, SIZES)
        assert (f"sliding_window_view({array}, K, axis=0)" in text) == windows


def test_strided_scatter_needs_no_add_at() -> None:
    i, m = Index("i", add(mul(number(2), M), number(3))), Index("m", M)
    target = iverson("==", mul(number(2), idx(m)), idx(i))
    text = code(sum_over(mul(at("v", m), target), [m]), i)
    assert text == "out = np.zeros((2 * M + 3,), dtype)\nout[:2 * M - 1:2] = v"


# ---- gathers and scatters -----------------------------------------------------------------------


def test_repeated_positions_accumulate() -> None:
    m, n, k = Index("m", M), Index("n", N), Index("k", K)
    rhs = sum_over(mul(at("x", n, k), iverson("==", at("y", n), idx(m))), [n])
    values = arrays(0) | {"y": np.array([2, 2, 2, 5])}
    text = assert_equal(rhs, [m, k], SHAPES, values, SIZES)
    assert "np.add.at(" in text


def test_a_delta_out_of_range_adds_nothing() -> None:
    n, m = Index("n", N), Index("m", M)
    rhs = sum_over(mul(at("v", m), iverson("==", idx(m), idx(n))), [m])
    assert_equal(rhs, [n], SHAPES, arrays(3), SIZES)


def test_several_deltas_with_a_free_index_between_them() -> None:
    n, k, m, i = Index("n", N), Index("k", K), Index("m", M), Index("i", N)
    rhs = sum_over(mul(at("t", i, k, m), iverson("==", at("y", i), idx(m)),
                       iverson("==", idx(i), idx(n))), [i])
    assert_equal(rhs, [m, k, n], SHAPES, arrays(4), SIZES)


# ---- strong zeros -------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_a_bracket_hides_what_is_not_finite(bad: float) -> None:
    n, k, m = Index("n", N), Index("k", K), Index("m", M)
    values = dict(arrays(5))
    values["v"] = np.where(values["v"] > 0, values["v"], bad)
    values["q"] = np.abs(values["q"])
    good = iverson("<", ZERO, at("v", m))
    cases: list[tuple[Expr, list[Index]]] = [
        (mul(good, at("v", m)), [m]),
        (sum_over(mul(good, at("v", m), at("s")), [m]), []),
        (mul(good, at("x", n, k), at("v", m)), [n, k, m]),
        (add(mul(good, at("v", m)), mul(iverson("<=", at("v", m), ZERO), at("s"))), [m]),
        (mul(good, apply("log", at("v", m))), [m]),
    ]
    if not np.isnan(bad):
        for rhs, free in cases:
            assert_equal(rhs, free, SHAPES, values, SIZES)
        return
    for rhs, free in cases[:3]:
        found, wanted, text = both(rhs, free, SHAPES, values, SIZES)
        np.testing.assert_allclose(found, wanted, err_msg=text)


def test_the_branch_not_taken_does_not_warn() -> None:
    m = Index("m", M)
    rhs = add(mul(iverson("<", ZERO, at("v", m)), apply("log", at("v", m))),
              mul(iverson("<=", at("v", m), ZERO), power(at("v", m), -1)))
    values = dict(arrays(6))
    values["v"][0] = 0.0
    found, _, text = both(mul(iverson("<", ZERO, at("v", m)), apply("log", at("v", m))),
                          [m], SHAPES, values, SIZES)
    assert 'with np.errstate(all="ignore"):' in text
    assert np.isfinite(found).all()
    values["v"][0] = -1.0
    assert "np.errstate" in assert_equal(rhs, [m], SHAPES, values, SIZES)


# ---- dtypes -------------------------------------------------------------------------------------


def test_integers_and_booleans_do_not_widen_float32() -> None:
    n, k = Index("n", N), Index("k", K)
    m = Index("m", M)
    masked = iverson("!=", at("mask", n, k), ZERO)
    for rhs, free in [
        (mul(at("z", n, k), at("x", n, k)), [n, k]),
        (mul(masked, at("s")), [n, k]),
        (sum_over(mul(masked, at("x", n, k)), [n, k]), []),
        (mul(power(sum_over(masked, [k]), -1), at("u", n)), [n]),
        (add(at("c"), at("x", n, k)), [n, k]),
        (mul(power(M, number(1).terms[0].coef / 2), at("v", m)), [m]),
        (mul(apply("log", M), at("v", m)), [m]),
        (add(idx(m), mul(number(2), idx(m))), [m]),
    ]:
        values = arrays(7) | {"mask": np.ones((4, 3), bool)}
        assert_equal(rhs, free, SHAPES, values, SIZES)


def test_boolean_masks_read_as_such() -> None:
    n, k = Index("n", N), Index("k", K)
    masked = iverson("!=", at("mask", n, k), ZERO)
    assert code(mul(masked, at("x", n, k)), n, k) == "out = np.where(mask, x, 0)"
    opposite = iverson("==", at("mask", n, k), ZERO)
    assert code(mul(opposite, at("x", n, k)), n, k) == "out = np.where(~mask, x, 0)"
