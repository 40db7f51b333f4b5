"""The interpreter: grids, strong zeros, recurrences, rows from their definitions, draws."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import hand_systems as hand
import numpy as np
import pytest
import sympy
from hand_systems import at
from random_expressions import SIZES, Maker, arrays, index

import symprop
from symprop.algebra import rows
from symprop.algebra.build import (
    ONE,
    access,
    add,
    apply,
    atom,
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
from symprop.algebra.expr import Access, Index, Partial
from symprop.algebra.rows_row import Row, x
from symprop.errors import IndexRangeError, InputError, UnsupportedError
from symprop.interpret import draw, evaluate, jacobian, run, run_equations
from symprop.interpret.draw import draw_sizes
from symprop.interpret.evaluate import Evaluator, magnitude
from symprop.interpret.functions import value
from symprop.interpret.run import STEP, derivative_at_zero
from symprop.system import Array, Condition, Equation, Fact, IndexRange, System

n, k, m = index("N"), index("K"), index("M")
VALUES = arrays(0)


# ---- expressions ---------------------------------------------------------------------------


def test_products_sums_and_broadcasting() -> None:
    product = sum_over(mul(at("x", n, k), at("W", k, m)), [k])
    expr = add(product, at("b", m), number(Fraction(1, 2)))
    np.testing.assert_allclose(
        evaluate(expr, VALUES, SIZES, [n, m]), VALUES["x"] @ VALUES["W"] + VALUES["b"] + 0.5)
    np.testing.assert_allclose(
        evaluate(expr, VALUES, SIZES, [m, n]), (VALUES["x"] @ VALUES["W"] + VALUES["b"]).T + 0.5)


def test_a_large_term_with_deltas_needs_no_grid_of_all_its_indices() -> None:
    """Σ_nij g[n,j] x[n,i] [i = p] [j = q] on 40 × 400 × 300 × 400 × 300 points is xᵀ g."""
    rng = np.random.default_rng(0)
    x, g = rng.normal(size=(40, 400)), rng.normal(size=(40, 300))
    i, p, j, q = (Index(letter, number(s)) for letter, s in zip("ipjq", (400, 400, 300, 300),
                                                                strict=True))
    row = Index("n", number(40))
    deltas = mul(iverson("==", idx(i), idx(p)), iverson("==", idx(j), idx(q)))
    term = sum_over(mul(at("g", row, j), at("x", row, i), deltas), [row, i, j])
    np.testing.assert_allclose(evaluate(term, {"x": x, "g": g}, {}, [p, q]), x.T @ g)
    guarded = sum_over(mul(access("x", [idx(row), add(idx(i), number(1))]), at("g", row, j),
                           iverson("<", add(idx(i), number(1)), number(400))), [row, i, j])
    np.testing.assert_allclose(evaluate(guarded, {"x": x, "g": g}, {}),
                               np.sum(x[:, 1:].sum(axis=1) * g.sum(axis=1)))


def test_a_sum_over_an_index_that_does_not_occur_counts() -> None:
    assert evaluate(sum_over(ONE, [n, m]), {}, SIZES) == 15
    np.testing.assert_allclose(evaluate(sum_over(at("a", n), [m]), VALUES, SIZES, [n]),
                               5 * VALUES["a"])


def test_gathers_affine_positions_and_diagonals() -> None:
    table = {"Q": np.arange(25.0).reshape(5, 5), "y": np.array([3, 0, 4]), "v": np.arange(11.0)}
    np.testing.assert_allclose(
        evaluate(at("Q", at("y", n), m), table, SIZES, [n, m]), table["Q"][table["y"]])
    np.testing.assert_allclose(evaluate(at("Q", m, m), table, SIZES, [m]), np.diag(table["Q"]))
    affine = access("v", [add(mul(number(2), idx(m)), idx(k))])
    np.testing.assert_allclose(
        evaluate(affine, table, SIZES, [m, k]), 2 * np.arange(5)[:, None] + np.arange(2))
    halves = access("v", [apply("floordiv", idx(m), number(2))])
    np.testing.assert_allclose(evaluate(halves, table, SIZES, [m]), [0, 0, 1, 1, 2])


def test_an_array_may_be_longer_than_the_index_that_reads_it() -> None:
    long = {"v": np.arange(9.0)}
    np.testing.assert_allclose(evaluate(at("v", m), long, SIZES, [m]), np.arange(5.0))


def test_an_unguarded_read_out_of_range_raises_and_names_the_array() -> None:
    for position in (add(idx(m), ONE), sub(idx(m), ONE), add(idx(m), size("M"))):
        with pytest.raises(IndexRangeError, match=r"b is read at -?\d+ on axis 0.*size 5"):
            evaluate(access("b", [position]), VALUES, SIZES, [m])
    with pytest.raises(IndexError):
        evaluate(at("b", m), {"b": np.zeros(4)}, SIZES, [m])


def test_a_bracket_guards_the_reads_of_its_own_term_only() -> None:
    shifted = access("b", [sub(idx(m), ONE)])
    guard = iverson("<=", ONE, idx(m))
    np.testing.assert_allclose(evaluate(mul(guard, shifted), VALUES, SIZES, [m]),
                               [0, *VALUES["b"][:-1]])
    np.testing.assert_allclose(  # inside a function, a power and a sum of the same term
        evaluate(mul(guard, apply("exp", add(shifted, power(add(ONE, shifted), 2)))),
                 VALUES, SIZES, [m])[1:],
        np.exp(VALUES["b"][:-1] + (1 + VALUES["b"][:-1]) ** 2))
    with pytest.raises(IndexRangeError):
        evaluate(add(guard, shifted), VALUES, SIZES, [m])
    too_late = mul(iverson("<=", number(0), idx(m)), shifted)
    with pytest.raises(IndexRangeError):
        evaluate(too_late, VALUES, SIZES, [m])


def test_a_guard_reaches_into_sums_and_maxima() -> None:
    j = index("M")
    inner = sum_over(access("Q", [sub(idx(m), ONE), idx(j)]), [j])
    table = {"Q": np.arange(25.0).reshape(5, 5)}
    guard = iverson("<=", ONE, idx(m))
    np.testing.assert_allclose(
        evaluate(mul(guard, apply("tanh", inner)), table, SIZES, [m])[1:],
        np.tanh(table["Q"].sum(1)[:-1]))
    largest = extremum("max", access("Q", [sub(idx(m), ONE), idx(j)]), [j])
    np.testing.assert_allclose(
        evaluate(mul(guard, largest), table, SIZES, [m]), [0, *table["Q"].max(1)[:-1]])


def test_a_false_bracket_is_zero_whatever_it_multiplies() -> None:
    table = {"v": np.array([0.0, np.inf, np.nan, -1.0, 2.0])}
    finite = iverson("==", idx(m), number(4))
    np.testing.assert_array_equal(
        evaluate(mul(finite, power(at("v", m), -1), apply("log", at("v", m))), table, SIZES, [m]),
        [0, 0, 0, 0, np.log(2) / 2])
    masked = add(mul(iverson("<", idx(m), number(2)), number(3)),
                 mul(iverson("<=", number(2), idx(m)), number(-1), apply("inf")))
    np.testing.assert_array_equal(evaluate(masked, {}, SIZES, [m]), [3, 3, *[-np.inf] * 3])


def test_a_bracket_on_values_may_be_guarded_by_one_on_positions() -> None:
    shifted = access("b", [sub(idx(m), ONE)])
    expr = mul(iverson("<", number(0), shifted), iverson("<=", ONE, idx(m)))
    np.testing.assert_array_equal(
        evaluate(expr, VALUES, SIZES, [m]), [0, *(VALUES["b"][:-1] > 0)])


def test_floats_compare_up_to_rounding_in_brackets() -> None:
    table = {"u": np.array([0.1 + 0.2, 1.0, 1e-300, 2.0]), "v": np.array([0.3, 1.1, 0.0, 2.0])}
    i = Index("i", number(4))
    for relation, expected in (("==", [1, 0, 0, 1]), ("!=", [0, 1, 1, 0]),
                               ("<", [0, 1, 0, 0]), ("<=", [1, 1, 0, 1])):
        found = evaluate(iverson(relation, at("u", i), at("v", i)), table, {}, [i])
        np.testing.assert_array_equal(found, expected)


def test_booleans_are_zero_and_one() -> None:
    table = {"M": np.array([True, False, True])}
    np.testing.assert_array_equal(
        evaluate(iverson("!=", at("M", n), number(0)), table, SIZES, [n]), [1, 0, 1])


def test_maxima_take_every_entry_and_minima_too() -> None:
    expr = extremum("max", mul(at("x", n, k), at("a", n)), [n, k])
    assert evaluate(expr, VALUES, SIZES) == (VALUES["x"] * VALUES["a"][:, None]).max()
    constant = extremum("min", at("a", n), [n, m])
    assert evaluate(constant, VALUES, SIZES) == VALUES["a"].min()


@pytest.mark.parametrize("masked", [False, True])
def test_a_large_contraction_is_the_same_as_the_whole_grid(masked: bool) -> None:
    lengths = {"I": 17, "J": 13, "K": 11, "L": 19}
    i, j, kk, ll = (Index(c.lower(), size(c)) for c in lengths)
    source = np.random.default_rng(0)
    table = {"A": source.normal(size=(17, 13)), "B": source.normal(size=(13, 11)),
             "C": source.normal(size=(11, 19))}
    guards = [iverson("<=", idx(j), idx(kk))] if masked else []
    expr = sum_over(mul(number(2), at("A", i, j), at("B", j, kk), at("C", kk, ll), *guards),
                    [j, kk])
    middle = np.triu(table["B"]) if masked else table["B"]
    np.testing.assert_allclose(
        evaluate(expr, table, lengths, [i, ll]), 2 * table["A"] @ middle @ table["C"])


def test_unknown_names_and_wrong_ranks_are_refused() -> None:
    with pytest.raises(InputError, match="q has no value"):
        evaluate(at("q", n), {}, SIZES, [n])
    with pytest.raises(InputError, match="R is not known"):
        evaluate(size("R"), {}, SIZES)
    with pytest.raises(InputError, match="2 axes and is read at 1"):
        evaluate(at("x", n), VALUES, SIZES, [n])
    with pytest.raises(InputError, match="bound by no sum"):
        evaluate(at("a", n), VALUES, SIZES, [m])
    with pytest.raises(UnsupportedError, match="whole number"):
        evaluate(access("b", [mul(number(Fraction(1, 2)), idx(m))]), VALUES, SIZES, [m])


def test_magnitude_measures_what_cancels() -> None:
    expr = sub(sum_over(at("x", n, k), [k]), sum_over(at("x", n, k), [k]))
    np.testing.assert_allclose(evaluate(expr, VALUES, SIZES, [n]), 0)
    np.testing.assert_allclose(
        magnitude(expr, VALUES, SIZES, [n]), 2 * np.abs(VALUES["x"]).sum(1))


def test_partials_come_from_their_resolver() -> None:
    p = index("K")
    partial = atom(Partial(Access("u", (idx(n),)), Access("w", (idx(p),))))
    table = np.arange(6.0).reshape(3, 2)
    found = evaluate(mul(at("a", n), partial), VALUES, SIZES, [n, p], lambda u, v: table)
    np.testing.assert_allclose(found, VALUES["a"][:, None] * table)
    with pytest.raises(UnsupportedError):
        evaluate(partial, VALUES, SIZES, [n, p])


@pytest.mark.parametrize("seed", range(25))
def test_a_complex_step_agrees_with_differences(seed: int) -> None:
    expr = Maker(seed, functions=("tanh", "sigmoid", "exp", "gelu")).expression([n, m], 3)
    equation = Equation("F1", "u", (n, m), expr)
    values = {name: v * 0.9 for name, v in arrays(seed).items() if name != "y"}
    values["y"] = arrays(seed)["y"]
    evaluator = Evaluator(values, SIZES)
    if "a" not in equation.reads:
        return
    exact = jacobian(equation, "a", evaluator)
    for position in range(3):
        def moved(step: float, position: int = position) -> np.ndarray:
            changed = values["a"].copy()
            changed[position] += step
            return evaluate(expr, {**values, "a": changed}, SIZES, [n, m])

        h = 1e-5
        rough = (moved(h) - moved(-h)) / (2 * h)
        np.testing.assert_allclose(exact[..., position], rough, rtol=1e-5, atol=1e-6)


def test_the_complex_step_falls_back_where_it_gives_no_number() -> None:
    def f(step: complex) -> np.ndarray:
        return np.asarray(np.nan * 1j if np.iscomplexobj(step) else np.exp(step))

    np.testing.assert_allclose(derivative_at_zero(f), 1.0, rtol=1e-9)


# ---- rows ----------------------------------------------------------------------------------


def inside(domain: tuple[float, float], source: np.random.Generator) -> np.ndarray:
    low, high = max(domain[0], -2.0), min(domain[1], 3.0)
    return source.uniform(low + 0.05 * (high - low), high - 0.05 * (high - low), 40)


def exactly(expr: sympy.Expr, args: list[np.ndarray], point: int) -> float:
    """The value of an expression in rows, at one point, by SymPy."""
    at_point = {s: a[point] for s, a in zip(rows.X, args, strict=False)}
    return float(rows.to_native(expr).subs(at_point).evalf(20))


@pytest.mark.parametrize("name", rows.names())
def test_a_row_has_the_value_and_slope_of_its_definition(name: str) -> None:
    row = rows.get(name)
    source = np.random.default_rng(0)
    args = [inside(d, source) for d in row.domains]
    with np.errstate(all="ignore"):  # branches not taken
        found = np.broadcast_to(value(name, tuple(args)), 40)
    for point in range(3):
        np.testing.assert_allclose(
            found[point], exactly(row.definition, args, point), rtol=1e-10, atol=1e-12)
    for position in range(row.arity):
        stepped = [a + 1j * STEP if q == position else a for q, a in enumerate(args)]
        with np.errstate(all="ignore"):
            slope = np.broadcast_to(np.imag(value(name, tuple(stepped))) / STEP, 40)
        derivative = rows.partial(name, position, rows.X[: row.arity])
        for point in range(3):
            np.testing.assert_allclose(
                slope[point], exactly(derivative, args, point), rtol=1e-9, atol=1e-12)


def test_a_definition_that_numpy_has_no_function_for_is_evaluated_by_sympy() -> None:
    row = Row(name="airy", arity=1, definition=sympy.airyai(x), latex="{x}", text="{x}")
    with rows.registered(row):
        points = np.array([0.3, 1.2])
        np.testing.assert_allclose(
            value("airy", (points,)), [float(sympy.airyai(p)) for p in points])
        slope = np.imag(value("airy", (points + 1j * STEP,))) / STEP
        np.testing.assert_allclose(slope, [float(sympy.airyaiprime(p)) for p in points])


# ---- systems -------------------------------------------------------------------------------


def test_an_mlp_runs_as_numpy_does() -> None:
    system = hand.mlp()
    sizes, given = draw(system, 0)
    found = run(system, given, sizes)
    h = np.tanh(np.tanh(given["X"] @ given["W1"] + given["b1"]) @ given["W2"] + given["b2"])
    logits = h @ given["V"]
    logs = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    expected = -logs[np.arange(sizes["N"]), given["y"]].mean()
    np.testing.assert_allclose(found["L"], expected)


def test_a_recurrence_settles_and_equals_the_loop() -> None:
    system = hand.recurrent()
    sizes, given = draw(system, 3)
    found = run(system, given, sizes)
    h = given["h0"]
    for t in range(sizes["T"]):
        h = np.tanh(h @ given["U"] + given["x"][t])
        np.testing.assert_allclose(found["h"][t], h)


def test_a_recurrence_that_does_not_settle_is_refused() -> None:
    t = Index("t", size("T"))
    flip = Equation("F1", "h", (t,), sub(ONE, mul(number(2), power(add(ONE, at("h", t)), -1))))
    grow = Equation("F1", "h", (t,), add(ONE, mul(iverson("<", idx(t), number(0)), at("h", t))))
    arrays_: dict[str, np.ndarray] = {}
    run_equations([grow], arrays_, {"T": 3})  # reads itself only behind a false bracket
    np.testing.assert_array_equal(arrays_["h"], [1, 1, 1])
    run_equations([flip], arrays_ := {}, {"T": 3})
    assert np.isnan(arrays_["h"]).all()  # nothing starts it
    count = Equation("F1", "h", (t,), add(
        mul(iverson("==", at("h", t), at("h", t)), add(ONE, at("h", t))),
        mul(iverson("!=", at("h", t), at("h", t)), ONE)))
    with pytest.raises(InputError, match="does not settle"):
        run_equations([count], {}, {"T": 3})


def test_equations_may_come_in_any_order_and_missing_inputs_are_named() -> None:
    system = hand.mlp()
    sizes, given = draw(system, 0)
    backwards = dataclasses.replace(system, equations=system.equations[::-1])
    np.testing.assert_allclose(run(backwards, given, sizes)["L"], run(system, given, sizes)["L"])
    with pytest.raises(InputError, match=r"\(F1\) reads X"):
        run(system, {n_: v for n_, v in given.items() if n_ != "X"}, sizes)


def test_an_error_names_its_equation() -> None:
    i = Index("n", hand.N)
    bad = hand.system("bad", {"a": ((hand.N,), "float")}, [
        ("L", [], sum_over(at("a", add(idx(i), ONE)), [i]))], ["a"], "N")
    with pytest.raises(IndexRangeError, match=r"\(F1\): a is read at"):
        run(bad, {"a": np.zeros(3)}, {"N": 3})


# ---- draws ---------------------------------------------------------------------------------


def declared(facts: list[Fact], dtype: str = "float", **more: object) -> System:
    arrays_ = {"a": Array("a", dtype, (hand.N, hand.M), "input")}
    return System(name="d", module="", arguments=(), arrays=arrays_, equations=(), loss="",
                  facts=tuple(facts), sizes=("N", "M"), **more)  # type: ignore[arg-type]


def drawn(facts: list[Fact], dtype: str = "float", **more: object) -> np.ndarray:
    return np.concatenate([
        draw(declared(facts, dtype, **more), seed, {"N": 4, "M": 6})[1]["a"].ravel()
        for seed in range(20)])


def test_inputs_come_from_their_declared_domains() -> None:
    assert (drawn([Fact("positive", "a")]) > 0).all()
    between = drawn([Fact("in_range", "a", (0, 0.5))])
    assert ((between > 0) & (between < 0.5)).all() and between.std() > 0.05
    assert set(drawn([Fact("one_of", "a", (-1, 1))])) == {-1.0, 1.0}
    assert set(drawn([Fact("in_range", "a", (0, 1))], "int")) == {0, 1}
    assert set(drawn([Fact("one_of", "a", (2, 7))], "int")) == {2, 7}
    assert drawn([], "bool").dtype == bool
    one_sided = drawn([Fact("in_range", "a", (1.0, float("inf")))])
    assert (one_sided > 1).all()
    table = draw(declared([Fact("sums_to_one", "a", (1,))]), 0)[1]["a"]
    np.testing.assert_allclose(table.sum(1), 1)
    ranged = drawn([], "int", index_ranges=(IndexRange("a", hand.N), IndexRange("a", hand.M)))
    assert set(ranged) == {0, 1, 2, 3}


def test_draws_repeat_and_differ_by_seed() -> None:
    system = hand.mlp()
    first, again, other = draw(system, 1), draw(system, 1), draw(system, 2)
    assert first[0] == again[0] != other[0]
    np.testing.assert_array_equal(first[1]["X"], again[1]["X"])


def test_sizes_are_small_distinct_and_meet_the_conditions() -> None:
    half = mul(number(Fraction(1, 2)), size("M"))
    conditions = (
        Condition("divides", size("M"), number(4), ""),
        Condition("equal", size("N"), add(size("M"), number(-3)), ""),
    )
    ranges = (IndexRange("a", sub(half, ONE)),)
    system = dataclasses.replace(
        declared([], "int", index_ranges=ranges), conditions=conditions, sizes=("N", "M", "K"))
    for seed in range(5):
        found = draw_sizes(system, seed)
        assert found["M"] % 4 == 0 and found["N"] == found["M"] - 3 and len(
            set(found.values())) == 3
        assert max(found.values()) <= 16
    impossible = dataclasses.replace(
        system, conditions=(Condition("equal", size("N"), number(99), ""),))
    with pytest.raises(InputError, match="no sizes up to 16"):
        draw_sizes(impossible, 0)


def test_merged_axes_are_short_too() -> None:
    merged = add(mul(size("R"), size("S")), ONE)
    array = Array("P", "float", (merged, mul(number(4), size("C"))), "input")
    system = dataclasses.replace(declared([], "int"), arrays={"P": array}, sizes=("R", "S", "C"))
    for seed in range(5):
        found = draw_sizes(system, seed)
        assert max(found["R"] * found["S"] + 1, 4 * found["C"]) <= 16
        assert len(set(found.values())) == 3


@pytest.mark.parametrize(("name", "arguments", "expected"), [
    ("logaddexp", (-1e30, -1e30), -1e30), ("logaddexp", (2e3, 1e3), 2e3),
    ("softplus", (1e4,), 1e4), ("softplus", (-1e4,), 0.0)])
def test_a_logarithm_of_exponentials_stays_finite(
    name: str, arguments: tuple[float, ...], expected: float
) -> None:
    assert value(name, arguments) == expected
    stepped = value(name, (arguments[0] + 1e-20j, *arguments[1:]))
    assert np.isfinite(stepped)


def test_a_complex_step_through_a_saturated_sigmoid_is_a_number() -> None:
    for at_x in (-2500.0, -40.0, 0.0, 40.0, 2500.0):
        found = value("sigmoid", (np.complex128(at_x + 1e-30j),))
        assert np.isfinite(found)
        expected = 1 / (1 + np.exp(min(-at_x, 700.0)))
        assert found.real == pytest.approx(expected, rel=1e-14, abs=1e-300)
        assert found.imag / 1e-30 == pytest.approx(found.real * (1 - found.real), abs=1e-15)


def test_what_is_counted_stays_whole_on_a_large_grid() -> None:
    """Rows of a triangle are sums of brackets, and positions."""
    def loss(x: "64 64") -> Any:
        return np.sum(x[np.triu_indices(64, 1)] ** 2)

    symprop.derive(symprop.trace(loss, wrt=("x",))).verify()
