"""The NumPy spellings: equal to the definitions, finite in the tails, dtype-preserving."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import rows_oracle as oracle
import sympy

from symprop.algebra import rows
from symprop.errors import InputError, UnsupportedError
from symprop.files.load import load_text
from symprop.syntax.layout import flat
from symprop.syntax.tree import quote

# The slope grows without end at an end of the domain: 1 - x**2 has an absolute error only.
STEEP = {"arcsin", "arccos", "arccosh", "arctanh", "logit"}
FUNCTIONS = [name for name in rows.names() if rows.get(name).arity]
DERIVATIVES = [(name, k) for name in FUNCTIONS for k in range(rows.get(name).arity)]


def text_of(template: str, name: str, arity: int) -> str:
    """A module text with the template as function `name` of x, y, z."""
    symbols = ["x", "y", "z"][:arity]
    helpers = "\n\n".join(rows.helper_source(h) for h in rows.helpers_in(template))
    places = {s: s for s in symbols} | {h: h for h in rows.helpers_in(template)}
    body = flat(quote(template, **places))
    return f"import numpy as np\n\n\n{helpers}\n\ndef {name}({', '.join(symbols)}):\n" \
           f"    return {body}\n"


def compiled(template: str, arity: int):
    """The template as a live function."""
    return load_text(text_of(template, "f", arity), "row_under_test").f


@pytest.fixture(scope="module")
def values():
    """Every row as a function."""
    return load_text(rows.module_text(), "all_rows")


def derivative(name: str, k: int):
    """A partial derivative in NumPy, from its spelling."""
    row = rows.get(name)
    template = rows.numpy_of(rows.partial(name, k, rows.X[: row.arity]))
    return compiled(template, row.arity)


def columns(points):
    """Points as one array for each argument."""
    return [np.array(column) for column in zip(*points, strict=True)]


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.deep)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_value_equals_the_definition(name, count, values):
    row = rows.get(name)
    points = oracle.points(row, count)
    got = getattr(values, name)(*columns(points))
    f = oracle.value_of(row)
    for point, value in zip(points, got, strict=True):
        wanted = oracle.settled(f, point)
        bound = 2e-13 * abs(wanted) + 1e-300
        if row.accuracy == "absolute":
            bound += 2e-15 * max(1.0, *map(abs, point))
        assert abs(float(value) - wanted) <= bound, (point, value, float(wanted))


@pytest.mark.parametrize("count", [50, pytest.param(200, marks=pytest.mark.deep)])
@pytest.mark.parametrize(("name", "k"), DERIVATIVES)
def test_derivative_in_float64_equals_that_of_the_definition(name, k, count):
    row = rows.get(name)
    points = oracle.points(row, count)
    got = np.broadcast_to(derivative(name, k)(*columns(points)), len(points))
    f = oracle.derivative_of(row, k)
    for point, value in zip(points, got, strict=True):
        wanted = oracle.settled(f, point)
        relative = 1e-9 if name in STEEP else 1e-12
        bound = relative * abs(wanted) + 1e-14 * max(1.0, *map(abs, point))
        assert abs(float(value) - wanted) <= bound, (point, value, float(wanted))


EXTREME = {  # name: (at -1e3, at 1e3, derivative at -1e3, at 1e3)
    "sigmoid": (0, 1, 0, 0), "softplus": (0, 1e3, 0, 1), "tanh": (-1, 1, 0, 0),
    "log_sigmoid": (-1e3, 0, 1, 0), "silu": (0, 1e3, 0, 1), "gelu": (0, 1e3, 0, 1),
    "gelu_tanh": (0, 1e3, 0, 1), "erf": (-1, 1, 0, 0), "erfc": (2, 0, 0, 0),
    "normal_cdf": (0, 1, 0, 0), "normal_pdf": (0, 0, 0, 0), "relu": (0, 1e3, 0, 1),
}


@pytest.mark.parametrize("name", EXTREME)
@pytest.mark.parametrize(("dtype", "scale"), [(np.float64, 1.0), (np.float32, 0.1)])
def test_tails_are_finite_and_silent(name, dtype, scale, values):
    low, high, slope_low, slope_high = EXTREME[name]
    far = np.array([-1e3, 1e3], dtype) * dtype(scale)
    shrink = [scale if abs(v) > 2 else 1 for v in (low, high)]
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        value = getattr(values, name)(far)
        slope = derivative(name, 0)(far)
    assert value.dtype == slope.dtype == dtype
    np.testing.assert_allclose(value, np.multiply([low, high], shrink), rtol=1e-6, atol=1e-30)
    np.testing.assert_allclose(slope, [slope_low, slope_high], rtol=1e-6, atol=1e-30)


def test_two_argument_tails():
    near, far = np.array([0.0, 1e3, -1e3]), np.array([1e3, -1e3, -1e3])
    f = load_text(rows.module_text(["logaddexp", "elu", "xlogy"]), "tails")
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        np.testing.assert_allclose(f.logaddexp(near, far), [1e3, 1e3, -1e3 + math.log(2)])
        np.testing.assert_allclose(derivative("logaddexp", 0)(near, far), [0, 1, 0.5], atol=1e-30)
        np.testing.assert_allclose(f.elu(far, 2.0), [1e3, -2, -2])
        np.testing.assert_allclose(derivative("elu", 0)(far, 2.0), [1, 0, 0])
        np.testing.assert_allclose(derivative("elu", 1)(far, 2.0), [0, -1, -1])
        assert f.xlogy(0.0, 0.0) == 0


@pytest.mark.parametrize(("name", "point", "value", "slope"), [
    ("log", (0.0,), -math.inf, math.inf), ("log1p", (-1.0,), -math.inf, math.inf),
    ("log2", (0.0,), -math.inf, math.inf), ("log10", (0.0,), -math.inf, math.inf),
    ("logit", (0.0,), -math.inf, math.inf), ("logit", (1.0,), math.inf, math.inf),
    ("cbrt", (0.0,), 0.0, math.inf), ("pow", (0.0, 0.5), 0.0, math.inf),
    ("pow", (-2.0, 3.0), -8.0, 12.0),
])
def test_at_the_end_of_the_domain(name, point, value, slope, values):
    args = [np.array([p]) for p in point]
    with np.errstate(divide="ignore"):
        assert getattr(values, name)(*args) == value
        assert derivative(name, 0)(*args) == slope


def test_the_exponents_derivative_at_a_negative_base_is_nan():
    with np.errstate(invalid="ignore"):
        assert np.isnan(derivative("pow", 1)(np.array([-2.0]), np.array([3.0])))


def narrow(name: str, count: int):
    """Points whose values, and all on the way to them, fit float32."""
    row = rows.get(name)
    reach = 80 if name in ("exp", "expm1", "exp2", "sinh", "cosh") else 100
    points = [p for p in oracle.points(row, count, "float32") if max(map(abs, p)) <= reach]
    if name == "pow":
        points = [p for p in points if 0.1 < p[0] < 10]
    near_one = ("arcsin", "arccos", "arctanh", "logit", "arccosh")
    if name in near_one:  # the distance to the end of the domain must survive the rounding
        points = [p for p in points if all(
            math.isinf(e) or abs(p[0] - e) > 0.01 for e in row.domains[0])]
    return [c.astype(np.float32) for c in columns(points)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float32_stays_float32_and_agrees_with_float64(name, values):
    args = narrow(name, 300)
    f = getattr(values, name)
    got = f(*args)
    wanted = f(*(a.astype(np.float64) for a in args))
    assert got.dtype == np.float32
    scale = np.max(np.abs(args), axis=0)
    assert np.all(np.abs(got - wanted) <= 2e-5 * np.abs(wanted) + 1e-6 * scale + 1e-30)


@pytest.mark.parametrize(("name", "k"), DERIVATIVES)
def test_derivative_keeps_float32(name, k):
    args = narrow(name, 100)
    got = np.asarray(derivative(name, k)(*args))
    if rows.partial(name, k, rows.X).free_symbols:
        assert got.dtype == np.float32


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if rows.get(n).complex_safe])
def test_complex_step_passes_through(name, values):
    row = rows.get(name)
    args = columns(oracle.points(row, 200, "complex"))
    f = getattr(values, name)
    for k in range(row.arity):
        stepped = [a + 1e-20j if i == k else a for i, a in enumerate(args)]
        result = f(*stepped)
        np.testing.assert_allclose(result.real, f(*args), rtol=1e-12, atol=1e-12)
        wanted = np.broadcast_to(derivative(name, k)(*args), result.shape)
        tolerance = 1e-8 if name in STEEP else 1e-12
        np.testing.assert_allclose(result.imag / 1e-20, wanted, rtol=tolerance, atol=1e-12)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_text_from_the_definition_alone_agrees(name, values):
    row = rows.get(name)
    points = [p for p in oracle.points(row, 300) if max(map(abs, p)) < 5]
    with rows.override(replace(row, numpy=None)):
        template = rows.numpy_template(name)
        f = compiled(template, row.arity)
    with np.errstate(invalid="ignore"):  # np.where computes the branch not taken
        got = f(*columns(points))
        assert f(*(c.astype(np.float32) for c in columns(points))).dtype == np.float32
    wanted = getattr(values, name)(*columns(points))
    np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-9)


def test_a_definition_never_seen_is_printed():
    x, y = rows.x, rows.y
    row = rows.Row(
        name="bump", arity=2, latex="", text="",
        definition=sympy.Piecewise((x**3 - sympy.sqrt(2) * y / 3, x > y), (sympy.exp(-y), True)))
    with rows.registered(row):
        template = rows.numpy_template("bump")
        f = compiled(template, 2)
    assert template == ("np.where({x} > {y}, {x} * {x} * {x} - 1.4142135623730951 * {y} / 3, "
                        "np.exp(-{y}))")
    assert f(2.0, 1.0) == pytest.approx(8 - math.sqrt(2) / 3)
    assert f(np.float32([0]), np.float32([1])).dtype == np.float32


def test_a_row_of_another_row_uses_its_spelling():
    row = rows.Row(name="tilted", arity=1, latex="", text="",
                   definition=rows.x + 2 * rows.applied("sigmoid")(rows.x - 1))
    with rows.registered(row):
        template = rows.numpy_template("tilted")
        assert template == "{x} + 2 * {sigmoid}({x} - 1)"
        f = load_text(rows.module_text(["tilted"]), "tilted").tilted
    assert f(np.array([1.0])) == pytest.approx([2.0])


@pytest.mark.parametrize(("number", "text"), [
    ("1/3", "{x} / 3"), ("2/7", "2 * {x} / 7"), ("-1/2", "-0.5 * {x}"),
    ("0.044715", "0.044715 * {x}"), ("70000", "70000.0 * {x}"), ("3", "3 * {x}"),
    ("-1/70001", "-{x} / 70001.0"),
])
def test_numbers_are_short_and_never_widen_float32(number, text):
    # NumPy 1 makes float32 * 70000 a float64: a large whole number must be a float.
    assert rows.numpy_of(sympy.Rational(number) * rows.x) == text


def test_a_definition_that_numpy_lacks_is_refused():
    row = rows.Row(name="gamma", arity=1, latex="", text="", definition=sympy.gamma(rows.x))
    with rows.registered(row), pytest.raises(UnsupportedError, match="NumPy has no gamma"):
        rows.numpy_template("gamma")


@pytest.mark.parametrize(("template", "args", "filled"), [
    ("{x} ** {y}", ["a", "b"], "a**b"),
    ("{x} ** {y}", ["-a", "b - 1"], "(-a)**(b - 1)"),
    ("np.clip({x}, {y}, {z})", ["a + b", "-1", "c * d"], "np.clip(a + b, -1, c * d)"),
    ("-np.logaddexp(0, -{x})", ["a - b"], "-np.logaddexp(0, -(a - b))"),
    ("{x} * g({x})", ["f(a + b)[i, 0]"], "f(a + b)[i, 0] * g(f(a + b)[i, 0])"),
])
def test_a_spelling_has_the_parentheses_that_its_arguments_need(template, args, filled):
    places = {letter: quote(a) for letter, a in zip("xyz", args, strict=False)}
    assert flat(quote(template, **places)) == filled


def test_helpers_can_be_renamed():
    template = rows.numpy_template("sigmoid")
    assert rows.helpers_in(template) == ("sigmoid",)
    assert flat(quote(template, x="Z", sigmoid="sigmoid_2")) == "sigmoid_2(Z)"
    assert rows.helper_source("sigmoid", "sigmoid_2").startswith("def sigmoid_2(x):\n")
    with pytest.raises(InputError, match="no scalar function brings a helper 'nothing'"):
        rows.helper_source("nothing")


def test_helpers_are_short_lines_that_use_numpy_alone():
    for name in rows.names():
        helper = rows.get(name).helper
        if helper is not None:
            assert max(map(len, helper.splitlines())) <= 88
            assert helper.endswith("\n") and '"""' in helper
            assert "import" not in helper and "float64" not in helper


@pytest.mark.parametrize("name", rows.names())
def test_spellings_name_exactly_the_arguments(name):
    row = rows.get(name)
    wanted = {"x", "y", "z"} if row.arity == 3 else {"x", "y"} if row.arity == 2 else \
        {"x"} if row.arity == 1 else set()
    for template in (row.latex, row.text, row.numpy or ""):
        used = {s for s in "xyz" if f"{{{s}}}" in template}
        assert used == wanted
    assert row.accuracy in ("relative", "absolute")
