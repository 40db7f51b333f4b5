"""No backward rule is written by hand: gradients follow the definitions, whatever they are.

Every row is replaced in turn by f(x) + x²/10, without spellings; all spelled derivatives are
deleted at once; and a function that the package has never seen gets a derivation and code.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy
from built_models import assert_close, build, built

import symprop
from symprop import pipeline
from symprop.algebra import rows
from symprop.system import Fact
from symprop.trace.primitives import elementwise
from symprop.zoo import linear, perceptrons

SIZES = {"N": 5, "K": 3, "H": 4, "M": 2, "D": 7, "L": 3}
LETTERS = "xyz"
FUNCTIONS = tuple(name for name in rows.names() if rows.get(name).arity)
ZOO = [m.name for m in (*linear.MODELS, *perceptrons.MODELS)]


def perturbed(row: rows.Row) -> rows.Row:
    """f(x) + x²/10: the definition alone, nothing spelled."""
    return replace(row, definition=row.definition + rows.x**2 / 10, numpy=None, derivative=(),
                   helper=None, complex_safe=False, bounded=False, exact=None)


def domains_of(row: rows.Row) -> tuple[tuple[float, float], ...]:
    """The domain of each argument; the two bounds of a clip stand in their order."""
    if row.arity == 3:
        return ((-math.inf, math.inf), (-2.0, -0.5), (0.5, 2.0))
    return tuple((low, low + 3 if high == math.inf and math.isfinite(low) and low else high)
                 for low, high in row.domains)


def facts_of(row: rows.Row) -> list[Fact]:
    """The domains of a row's arguments as facts of the inputs a, b, c."""
    facts = []
    for name, (low, high) in zip(LETTERS, domains_of(row), strict=False):
        if math.isfinite(low) and math.isfinite(high):
            facts.append(Fact("in_range", name, (low, high)))
        elif low == 0:
            facts.append(Fact("positive", name))
    return facts


def module_of(row: rows.Row) -> Any:
    """A small network around one scalar function, each argument a parameter."""
    arguments = LETTERS[: row.arity]
    functions = {
        1: lambda x, W: np.sum(elementwise(row.name, x) * W),
        2: lambda x, y, W: np.sum(elementwise(row.name, x, y) * W),
        3: lambda x, y, z, W: np.sum(elementwise(row.name, x, y, z) * W),
    }
    shapes = {**dict.fromkeys(arguments, "N K"), "W": "N K"}
    system = symprop.trace(
        functions[row.arity], shapes=shapes, wrt=[*arguments, "W"], facts=facts_of(row))
    return symprop.generate(symprop.derive(system))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_follow_a_perturbed_definition(name: str) -> None:
    """At moderate numbers: a bare definition may overflow far away, where a spelling does not."""
    original = module_of(rows.get(name))
    with rows.override(perturbed(rows.get(name))) as row:
        module = module_of(row)
    rng = np.random.default_rng(0)
    inputs = {LETTERS[k]: _inside(rng, domain) for k, domain in enumerate(domains_of(row))}
    inputs["W"] = np.ones((2, 3))
    report = symprop.check(module, inputs)
    assert report.passed, str(report)
    with np.errstate(invalid="ignore"):  # in the branch not taken of a bare definition
        moved, before = module.forward(**inputs)[0], original.forward(**inputs)[0]
    assert moved - before == pytest.approx(np.sum(inputs["x"] ** 2) / 10, rel=1e-6, abs=1e-9)


def _inside(rng: np.random.Generator, domain: tuple[float, float]) -> Any:
    low, high = (max(domain[0], -3.0), min(domain[1], 3.0))
    return rng.uniform(low + 0.05 * (high - low), high - 0.05 * (high - low), (2, 3))


@pytest.mark.parametrize("name", [
    "sigmoid",
    *(pytest.param(n, marks=pytest.mark.deep) for n in ("tanh", "relu", "softplus", "exp", "log"))])
def test_zoo_gradients_follow_perturbed_definitions(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In whole networks: the derivation is another one, and it passes its check.

    It is not that of the model's own function, whose np.exp nobody can perturb.
    """
    monkeypatch.setattr(pipeline, "check_function", lambda *_: None)
    touched = [m for m in ZOO if name in _functions_of(m)]
    assert touched or name not in ("tanh", "sigmoid", "relu")
    with rows.override(perturbed(rows.get(name))):
        for model in touched:
            moved = build(model)
            report = symprop.check(moved.module, moved.inputs(SIZES))
            assert report.passed, f"{model}: {report}"


def _functions_of(model: str) -> set[str]:
    """The rows that a zoo model's equations apply."""
    names = set()
    for equation in built(model).system.equations:
        for name in rows.names():
            if f"{name}(" in equation.rhs.key:
                names.add(name)
    return names


@pytest.mark.parametrize("name", ZOO)
def test_gradients_without_spelled_derivatives_are_the_same(name: str) -> None:
    model = built(name)
    inputs = model.inputs(SIZES)
    expected = model.module.value_and_grad(**inputs)[1]
    with rows.without_spellings():
        bare = build(name)
    assert_close(bare.module.value_and_grad(**inputs)[1], expected, 1e-11)


@pytest.mark.parametrize("name", ZOO)
def test_gradients_without_any_spelling_are_the_same(name: str) -> None:
    model = built(name)
    inputs = model.inputs(SIZES)
    expected = model.module.value_and_grad(**inputs)[1]
    with rows.without_spellings(values=True):
        bare = build(name)
    assert_close(bare.module.value_and_grad(**inputs)[1], expected, 1e-11)


STRANGERS = (
    rows.Row(name="swirl", arity=1, definition=sympy.sin(rows.x) * sympy.exp(-rows.x**2),
             latex=r"\operatorname{swirl}({x})", text="swirl({x})"),
    rows.Row(name="bent", arity=1, definition=sympy.Piecewise(
        (rows.x**2, rows.x > 0), (rows.x / 2, True)),
             latex=r"\operatorname{bent}({x})", text="bent({x})"),
    rows.Row(name="ripple", arity=2, definition=rows.x * sympy.tanh(rows.x * rows.y) + rows.y,
             latex=r"\operatorname{ripple}({x}, {y})", text="ripple({x}, {y})"),
    rows.Row(name="gate", arity=2, definition=rows.x * rows.applied("sigmoid")(rows.y),
             latex=r"{x} \sigma({y})", text="{x} σ({y})"),
)


@pytest.mark.parametrize("row", STRANGERS, ids=[r.name for r in STRANGERS])
def test_a_function_that_the_package_has_never_seen(row: rows.Row) -> None:
    with rows.registered(row):
        module = module_of(row)
        report = symprop.check(module, sizes={"N": 4, "K": 3})

        def network(X: "N K", W: "K H", V: "K H", y: "int N"):
            arguments = (X @ W, X @ V)[: row.arity]
            hidden = elementwise(row.name, *arguments)
            return symprop.nn.cross_entropy(hidden, y)

        derivation = symprop.derive(symprop.trace(network, wrt=["W", "V"]))
        inside = symprop.check(symprop.generate(derivation), sizes={"N": 5, "K": 3, "H": 4})
        text = derivation.latex()
    assert report.passed, str(report)
    assert inside.passed, str(inside)
    assert row.latex.split("(")[0].split("{")[0] in text
