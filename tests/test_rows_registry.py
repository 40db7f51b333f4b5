"""Rows as SymPy functions: application, derivatives, overriding, and SymPy's own functions."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
import rows_oracle as oracle
import sympy

from symprop.algebra import rows
from symprop.errors import InputError, NameRuleError, UnsupportedError

t, u = sympy.symbols("t u")
x = rows.x


def f(name: str, *args):
    return rows.applied(name)(*args)


def moderate(row: rows.Row) -> list[tuple[float, ...]]:
    return [p for p in oracle.points(row, 60) if max(map(abs, p)) < 4]


def number(expr: sympy.Expr, point) -> float:
    at = dict(zip(rows.X, point, strict=False))
    return float(oracle.settled(lambda *a: oracle.evaluate(
        rows.to_native(expr), dict(zip(at, a, strict=True))), point))


# ---- application ----------------------------------------------------------------------------


def test_nothing_evaluates_by_itself():
    assert str(f("exp", t) / f("exp", u)) == "exp(t)/exp(u)"
    assert str(f("log", f("exp", t))) == "log(exp(t))"
    assert str(f("abs", -t)) == "abs(-t)"
    assert str(f("exp", sympy.S.Zero)) == "exp(0)"
    assert isinstance(f("sin", sympy.Float(1.5)), rows.RowFunction)


def test_a_row_is_one_class_with_its_arity():
    assert rows.applied("tanh") is rows.applied("tanh")
    assert f("tanh", t) == f("tanh", t)
    assert f("tanh", t) != sympy.tanh(t)
    with pytest.raises(TypeError):
        f("tanh", t, u)
    with pytest.raises(InputError, match="there is no scalar function 'tanhh'"):
        rows.applied("tanhh")


def test_sympy_applies_the_chain_rule():
    assert f("tanh", t**2).diff(t) == 2 * t * (1 - f("tanh", t**2) ** 2)
    entry = sympy.IndexedBase("W")[sympy.Symbol("i", integer=True)]
    assert f("softplus", 3 * entry).diff(entry) == 3 * f("sigmoid", 3 * entry)


def test_evalf_reads_the_definition():
    assert f("sigmoid", sympy.S(2)).evalf() == pytest.approx(0.8807970779778823)
    assert f("pi").evalf(30) == sympy.pi.evalf(30)
    assert f("pi").is_positive


def test_to_native_goes_down_to_sympys_functions():
    assert rows.to_native(f("sigmoid", f("exp", t))) == 1 / (1 + sympy.exp(-sympy.exp(t)))
    assert rows.to_native(f("pi")) is sympy.pi


def test_from_native_finds_the_rows():
    assert rows.from_native(sympy.exp(sympy.sin(t))) == f("exp", f("sin", t))
    assert rows.from_native(sympy.pi * t) == f("pi") * t
    assert rows.from_native(sympy.log(2) * t) == f("log_2") * t
    assert rows.from_native(sympy.Abs(t)) == f("abs", t)
    assert rows.from_native(sympy.sign(x)) == f("sign", x)
    assert rows.from_native(t**u) == f("pow", t, u)
    assert rows.from_native(sympy.sqrt(t) / t**3) == sympy.sqrt(t) / t**3
    assert rows.from_native(sympy.E * t) == f("exp", 1) * t
    assert rows.from_native(0.5 * t) == t / 2


@pytest.mark.parametrize("stranger", [
    sympy.Heaviside(x), sympy.Max(x, 0), sympy.DiracDelta(x), sympy.gamma(x),
    sympy.Derivative(sympy.Function("g")(x), x), sympy.I * x, sympy.oo,
])
def test_from_native_refuses_what_no_row_is(stranger):
    with pytest.raises(UnsupportedError, match="no scalar function is defined as SymPy's"):
        rows.from_native(stranger)


# ---- what partial may return ----------------------------------------------------------------


@pytest.mark.parametrize("spelled", [True, False])
def test_partial_returns_only_what_is_documented(spelled):
    kinds = (sympy.Symbol, sympy.Rational, sympy.Add, sympy.Mul, sympy.Pow, rows.RowFunction,
             sympy.Piecewise, sympy.core.relational.Relational, sympy.And, sympy.Or, sympy.Not,
             sympy.functions.elementary.piecewise.ExprCondPair, type(sympy.true))

    def check():
        for name in rows.names():
            row = rows.get(name)
            for k in range(row.arity):
                for node in sympy.preorder_traversal(rows.partial(name, k, rows.X[: row.arity])):
                    assert isinstance(node, kinds), (name, node)
                    assert not node.is_Pow or node.exp.is_Rational
                    assert node != rows.VALUE

    if spelled:
        check()
    else:
        with rows.without_spellings():
            check()


def test_partial_substitutes_all_arguments_at_once():
    a, b, c = rows.X
    assert rows.partial("logaddexp", 0, [b, a]) == f("sigmoid", b - a)
    assert rows.partial("huber", 0, [c, a]) == f("clip", c, -a, a)


@pytest.mark.parametrize("name", ["sign", "floor", "ceil"])
def test_steps_have_derivative_zero(name):
    assert rows.partial(name, 0, [t]) == 0
    with rows.without_spellings():
        assert rows.partial(name, 0, [t]) == 0


# ---- registering and overriding ---------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n in rows.names() if rows.get(n).arity])
def test_a_perturbed_definition_changes_its_derivative_and_no_other(name):
    row = rows.get(name)
    before = {
        (n, k): rows.partial(n, k, rows.X)
        for n in rows.names() for k in range(rows.get(n).arity)
    }
    points = moderate(row)
    plain = [number(before[name, 0], p) for p in points]
    others = {key: rows.to_native(e) for key, e in before.items() if key[0] != name}
    perturbed = replace(row, definition=row.definition + x**2 / 10, derivative=(), numpy=None,
                        helper=None)
    with rows.override(perturbed):
        now = rows.partial(name, 0, rows.X)
        for point, old in zip(points, plain, strict=True):
            assert number(now, point) == pytest.approx(old + point[0] / 5, rel=1e-12, abs=1e-12)
        for (other, k), native in others.items():
            assert rows.to_native(rows.partial(other, k, rows.X)) == native, other
    assert rows.partial(name, 0, rows.X) == before[name, 0]


def test_override_is_undone_after_an_error_and_can_be_nested():
    base = rows.get("tanh")
    with pytest.raises(ZeroDivisionError), rows.override(replace(base, latex="other")):
        assert rows.get("tanh").latex == "other"
        with rows.override(replace(base, latex="inner")):
            assert rows.get("tanh").latex == "inner"
        assert rows.get("tanh").latex == "other"
        raise ZeroDivisionError
    assert rows.get("tanh") is base


def test_expressions_differentiate_anew_under_an_override():
    old = f("tanh", t)
    assert old.diff(t) == 1 - old**2  # now in SymPy's cache
    with rows.override(replace(rows.get("tanh"), definition=x**3, derivative=())):
        assert (5 * f("tanh", t)).diff(t) == 15 * t**2
    assert (5 * f("tanh", t)).diff(t) == 5 * (1 - f("tanh", t) ** 2)


def test_a_row_defined_by_another_follows_it():
    gate = rows.Row(name="gate", arity=1, definition=x * f("sigmoid", x), latex="", text="",
                    numpy="{x} * {sigmoid}({x})", derivative=(rows.VALUE / x,))
    with rows.registered(gate):
        flat = replace(rows.get("sigmoid"), definition=3 * x, derivative=(), numpy=None)
        with rows.override(flat):
            assert rows.to_native(rows.partial("gate", 0, [t])) == 6 * t
            assert rows.numpy_template("gate") == "{x} * (3 * {x})"
        assert rows.partial("gate", 0, [t]) == f("gate", t) / t


def test_a_definition_never_seen_gets_its_derivative():
    row = rows.Row(name="mish", arity=1, latex=r"\operatorname{mish}({x})", text="mish({x})",
                   definition=x * sympy.tanh(sympy.log(1 + sympy.exp(x))))
    with rows.registered(row):
        for point in moderate(row):
            wanted = float(oracle.settled(oracle.derivative_of(row, 0), point))
            assert number(rows.partial("mish", 0, rows.X), point) == pytest.approx(wanted)
    assert "mish" not in rows.names()


def test_a_name_can_be_registered_again_with_another_meaning():
    for definition, slope in ((2 * x, 2), (x**2, 2 * t)):
        with rows.registered(rows.Row(name="twice", arity=1, definition=definition, latex="",
                                      text="")):
            assert f("twice", t).diff(t) == slope


def test_an_override_stays_in_its_thread():
    seen = []
    with rows.override(replace(rows.get("tanh"), latex="here")):
        thread = threading.Thread(target=lambda: seen.append(rows.get("tanh").latex))
        thread.start()
        thread.join()
    assert seen == [r"\tanh({x})"]


def test_a_name_that_is_taken_is_refused():
    with pytest.raises(InputError, match="a scalar function tanh exists already"):
        rows.register(rows.get("tanh"))


@pytest.mark.parametrize(("change", "error", "message"), [
    ({"name": "x y"}, NameRuleError, "not a legal name for a scalar function"),
    ({"name": "lambda"}, NameRuleError, "keyword"),
    ({"arity": 4}, InputError, "the arity is 0 to 3, not 4"),
    ({"definition": x + rows.y}, InputError, "the definition uses y; with arity 1"),
    ({"definition": t}, InputError, "the definition uses t"),
    ({"derivative": (t,)}, InputError, "a derivative uses an unknown symbol"),
])
def test_a_row_that_cannot_be_is_refused(change, error, message):
    fields = {"name": "good", "arity": 1, "definition": 2 * x, "latex": "", "text": ""}
    rows.Row(**fields)
    with pytest.raises(error, match=message):
        rows.Row(**{**fields, **change})


def test_a_definition_that_sympy_cannot_differentiate_is_refused():
    row = rows.Row(name="odd", arity=1, latex="", text="",
                   definition=sympy.Function("mystery")(x))
    with rows.registered(row), pytest.raises(UnsupportedError, match="definition of odd"):
        rows.partial("odd", 0, [t])
