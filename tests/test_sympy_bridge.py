"""Expressions in SymPy and back; the local derivative against a complex step."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
import sympy
from built_models import built
from random_expressions import SIZES, Maker, arrays, index

from symprop.algebra import rows
from symprop.algebra.build import (
    ONE,
    ZERO,
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
from symprop.algebra.canonical import canonical, same
from symprop.algebra.expr import (
    Access,
    Expr,
    Extremum,
    Index,
    Iverson,
    Partial,
    arrays_of,
    free_indices,
)
from symprop.algebra.rows_row import Row, x
from symprop.algebra.sympy_bridge import from_sympy, local_derivative, symbol_table, to_sympy
from symprop.algebra.sympy_nodes import INFINITY, BoundSum, Bracket, Extreme, Group
from symprop.errors import UnsupportedError
from symprop.interpret import evaluate, jacobian
from symprop.interpret.evaluate import Evaluator
from symprop.system import Equation

n, k, m = index("N"), index("K"), index("M")
SEEDS = range(60)


def entry(array: str, *indices: Index) -> Expr:
    return access(array, [idx(i) for i in indices])


def fresh(array: str, *letters: str) -> tuple[Access, list[Index]]:
    """An entry at new indices, and those."""
    indices = [index(c) for c in letters]
    return Access(array, tuple(idx(i) for i in indices)), indices


def binders(expr: Expr) -> list[Index]:
    """Every bound index, once for each sum or extremum that binds it."""
    found = [b for t in expr.terms for b in t.bound]
    for item in (a for t in expr.terms for a, _ in t.factors):
        if isinstance(item, Extremum):
            found.extend(item.bound)
        for child in item.children:
            found.extend(binders(child))
    return found


# ---- there and back ------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_an_expression_survives_the_way_to_sympy_and_back(seed: int) -> None:
    expr = Maker(seed).expression([n, m])
    back = from_sympy(to_sympy(expr, grouped=True), symbol_table(expr))
    assert same(back, expr)
    plain = from_sympy(to_sympy(expr), symbol_table(expr))
    values = arrays(seed)
    np.testing.assert_allclose(evaluate(plain, values, SIZES, [n, m]),
                               evaluate(expr, values, SIZES, [n, m]), rtol=1e-9, atol=1e-12)


def test_positions_sizes_infinity_and_partials_survive() -> None:
    i = Index("i", add(size("N"), number(-1)))
    position = add(mul(number(2), idx(i)), apply("mod", idx(n), size("K")))
    partial = Partial(Access("x", (idx(n),)), Access("w", (idx(k),)))
    for expr in (
        access("x", [position, apply("floordiv", idx(n), number(3))]),
        mul(iverson("<=", idx(n), idx(k)), apply("inf")),
        mul(power(size("N"), -1), size("M")),
        sum_over(mul(entry("u", n), atom(partial)), [n]),
        access("loss"),
    ):
        assert same(from_sympy(to_sympy(expr), symbol_table(expr)), expr)


def test_sums_stay_whole_as_factors_and_nothing_distributes() -> None:
    expr = mul(number(2), sub(entry("a", n), entry("c", n)))
    assert str(to_sympy(expr, {n: "n"}.__getitem__)) == "2*(a[n] - c[n])"
    root = power(mul(number(2), entry("a", n)), Fraction(1, 2))
    assert same(from_sympy(to_sympy(root, grouped=True), symbol_table(root)), root)


def test_piecewise_becomes_disjoint_brackets() -> None:
    t = sympy.Symbol("t")
    table = {t: entry("a", n)}
    found = from_sympy(sympy.Piecewise((t**2, t > 0), (-t, t < -1), (0, True)), table)
    value = evaluate(found, {"a": np.array([2.0, -3.0, -0.5])}, SIZES, [n])
    np.testing.assert_allclose(value, [4, 3, 0])


def test_numbers_deltas_and_native_functions_come_back() -> None:
    i, j = sympy.symbols("i j", integer=True)
    table = {i: idx(n), j: idx(k)}
    assert from_sympy(sympy.Float(0.1), {}).number == Fraction(1, 10)
    assert from_sympy(sympy.Rational(2, 7), {}).number == Fraction(2, 7)
    assert same(from_sympy(sympy.KroneckerDelta(i, j), table), iverson("==", idx(n), idx(k)))
    assert same(from_sympy(sympy.tanh(i) * sympy.pi, table), mul(
        apply("tanh", idx(n)), apply("pi")))
    assert same(from_sympy(i**j, table), apply("pow", idx(n), idx(k)))


def test_what_has_no_meaning_is_refused() -> None:
    for node in (sympy.Symbol("stray"), sympy.besselj(0, 1), sympy.Matrix([[1]]).as_immutable()):
        with pytest.raises(UnsupportedError):
            from_sympy(node, {})
    with pytest.raises(TypeError):
        BoundSum("__import__('os')")


# ---- the SymPy classes ---------------------------------------------------------------------


def test_every_class_rebuilds_itself() -> None:
    i, size_n, t = sympy.Symbol("i", integer=True), sympy.Symbol("N"), sympy.Symbol("t")
    cases = (BoundSum(i * t, (i, size_n)), Extreme("max", i * t, (i, size_n)),
             Bracket("<", i, t), Group(i + t), sympy.Symbol("u") * BoundSum(i, (i, 2)))
    for case in cases:
        assert case.func(*case.args) == case
    assert BoundSum(i * t, (i, size_n)).free_symbols == {t, size_n}
    assert Bracket("<", i, t) ** 2 == Bracket("<", i, t)
    assert BoundSum(t**2 * i, (i, size_n)).diff(t) == BoundSum(2 * t * i, (i, size_n))
    assert INFINITY.diff(t) == 0


def test_a_bracket_is_constant() -> None:
    t = sympy.Symbol("t")
    assert (Bracket("<", t, 1) * t).diff(t) == Bracket("<", t, 1)


# ---- the local derivative ------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_local_derivative_agrees_with_a_complex_step(seed: int) -> None:
    expr = Maker(seed).expression([n, m])
    values = arrays(seed)
    for array in arrays_of(expr):
        if array == "y":
            continue
        axes = {"x": "NK", "w": "K", "a": "N", "b": "M", "Z": "NM", "s": "", "W": "KM"}[array]
        wrt, at = fresh(array, *axes)
        found = local_derivative(expr, wrt)
        assert free_indices(found) <= {n, m, *at}
        assert max(Counter(binders(found)).values(), default=1) == 1
        expected = jacobian(Equation("F1", "u", (n, m), expr), array, Evaluator(values, SIZES))
        np.testing.assert_allclose(
            evaluate(found, values, SIZES, [n, m, *at]), expected, rtol=1e-9, atol=1e-11)


def test_an_entry_differentiates_to_one_delta_for_each_axis() -> None:
    wrt, (p, q) = fresh("x", "N", "K")
    found = local_derivative(entry("x", n, k), wrt)
    assert found == mul(iverson("==", idx(n), idx(p)), iverson("==", idx(k), idx(q)))
    assert local_derivative(entry("s"), Access("s")) == ONE
    assert local_derivative(entry("a", n), wrt) is ZERO


def test_an_axis_of_size_one_needs_no_delta() -> None:
    one = Index("i", ONE)
    found = local_derivative(access("u", [idx(n), ZERO]), Access("u", (idx(m), idx(one))))
    assert found == iverson("==", idx(n), idx(m))


def test_positions_are_constants() -> None:
    wrt, (p, q) = fresh("Z", "N", "M")
    gathered = access("Z", [idx(n), access("y", [idx(n)])])
    found = local_derivative(gathered, wrt)
    assert found == mul(
        iverson("==", idx(n), idx(p)), iverson("==", access("y", [idx(n)]), idx(q)))


def test_factors_keep_their_order_and_deltas_come_last() -> None:
    wrt, (p, q) = fresh("W", "K", "M")
    for left, right in (("z", "b"), ("b", "z")):  # SymPy would sort these by name
        product = mul(entry(left, n), entry("W", k, m), entry(right, n))
        expected = mul(entry(left, n), entry(right, n),
                       iverson("==", idx(k), idx(p)), iverson("==", idx(m), idx(q)))
        assert local_derivative(product, wrt).key == expected.key


def test_sums_keep_the_order_of_their_operands() -> None:
    for first, second in (("b", "z"), ("z", "b")):
        loss = power(sub(entry(first, n), entry(second, n)), 2)
        wrt, _ = fresh("z", "N")
        found = local_derivative(loss, wrt)
        factor = found.terms[0].factors[0][0]
        assert [next(iter(t.factors))[0].array for t in factor.children[0].terms] == [  # type: ignore[attr-defined]
            first, second]


def test_each_term_carries_its_own_deltas() -> None:
    wrt, _ = fresh("w", "K")
    j = index("K")
    body = sub(mul(entry("w", j), entry("x", n, j)), entry("w", j))
    found = local_derivative(mul(entry("a", n), sum_over(body, [j])), wrt)
    assert len(found.terms) == 2
    for term in found.terms:
        assert len(term.bound) == 1
        assert any(isinstance(a, Iverson) for a, _ in term.factors)


def test_ties_of_a_maximum_share_equally() -> None:
    wrt, (p,) = fresh("a", "N")
    found = local_derivative(extremum("max", entry("a", n), [n]), wrt)
    for values, expected in (([1.0, 3.0, 3.0], [0, 0.5, 0.5]), ([1.0, 3.0, 2.0], [0, 1, 0])):
        np.testing.assert_allclose(
            evaluate(found, {"a": np.array(values)}, SIZES, [p]), expected)


def test_the_result_depends_on_neither_names_nor_history() -> None:
    """Isomorphic right-hand sides share one derivative, whoever comes first."""
    def build(names: list[str], axes: str) -> tuple[str, str]:
        i, j = index(axes[0]), index(axes[1])
        rhs = mul(entry(names[0], i, j), sub(entry(names[1], i), entry(names[2], j)),
                  apply("tanh", entry(names[1], i)))
        p = index(axes[0])
        found = local_derivative(rhs, Access(names[1], (idx(p),)))
        text = found.key
        for old, new in ((idx(k).key, c) for k, c in ((i, "#i"), (j, "#j"), (p, "#p"))):
            text = text.replace(old, new)
        for letter, name in zip("ABC", names, strict=True):
            text = text.replace(f"{name}[", f"{letter}[")
        return text, canonical(found)

    shuffled = random.Random(0)
    results = set()
    for _ in range(6):
        names = shuffled.sample(["zz", "aa", "mm", "qq", "bb"], 3)
        results.add(build(names, shuffled.choice(["NM", "MN"]))[0])
    assert len(results) == 1


def test_a_row_that_changes_takes_its_derivative_along() -> None:
    wrt, (p,) = fresh("a", "N")
    values = {"a": np.array([0.3, -0.2, 1.1])}
    expr = apply("tanh", entry("a", n))
    before = evaluate(local_derivative(expr, wrt), values, SIZES, [n, p])
    row = rows.get("tanh")
    other = Row(name="tanh", arity=1, definition=sympy.tanh(x) + x**2 / 10,
                latex=row.latex, text=row.text)
    with rows.override(other):
        during = evaluate(local_derivative(expr, wrt), values, SIZES, [n, p])
    after = evaluate(local_derivative(expr, wrt), values, SIZES, [n, p])
    np.testing.assert_allclose(during - before, np.diag(values["a"] / 5), atol=1e-12)
    np.testing.assert_array_equal(after, before)


def test_a_row_that_comes_back_under_its_name_is_a_new_row() -> None:
    wrt, (p,) = fresh("a", "N")
    values = {"a": np.array([0.3, -0.2, 1.1])}
    for factor in (2, 3):
        row = Row(name="scaled_cube", arity=1, definition=factor * x**3, latex="{x}", text="{x}")
        with rows.registered(row):
            found = local_derivative(apply("scaled_cube", entry("a", n)), wrt)
            np.testing.assert_allclose(
                evaluate(found, values, SIZES, [n, p]), np.diag(3 * factor * values["a"] ** 2))


def test_a_partial_is_not_differentiated_again() -> None:
    wrt, _ = fresh("a", "N")
    partial = atom(Partial(Access("u", (idx(n),)), Access("a", (idx(k),))))
    with pytest.raises(TypeError):
        local_derivative(mul(partial, entry("a", n)), wrt)


def test_a_scalar_and_an_axis_of_size_one_are_told_apart() -> None:
    """Both have no index; whichever comes first, the other is not taken for it."""
    one = Index("i", ONE)
    for _ in range(2):
        scalar = local_derivative(power(access("s"), 2), Access("s"))
        vector = local_derivative(power(access("v", [ZERO]), 2), Access("v", (idx(one),)))
        assert scalar == mul(number(2), access("s"))
        assert vector == mul(number(2), access("v", [ZERO]))


@pytest.mark.parametrize("name", ["mlp", "attention", "elman_rnn", "lenet5"])
def test_gradients_print_as_equations_of_sympy(name: str) -> None:
    """latex, pretty, str and srepr take a gradient; its sums are sums."""
    for gradient in built(name).derivation.gradients.values():
        assert sympy.latex(gradient) == sympy.latex(gradient.equation)
        assert sympy.pretty(gradient) and sympy.sstr(gradient) and sympy.srepr(gradient)
        text = sympy.latex(gradient)
        assert "BoundSum" not in text and "Bracket" not in text and "∂" not in text
        assert text.startswith((r"\bar{", r"\overline{"))


def test_a_gradient_is_a_sum_that_sympy_can_work_out() -> None:
    gradient = built("mlp").derivation.gradients["b2"]
    total = gradient.rhs.subs(sympy.Symbol("N", integer=True, positive=True), 2).doit()
    assert total == sum(gradient.rhs.function.subs(gradient.rhs.variables[0], k) for k in (0, 1))
