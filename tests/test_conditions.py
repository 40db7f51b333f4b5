"""What a step requires beyond the line before it is data: `Step.conditions`.

No rewriting of the algebra requires anything new; a local derivative may (a root at 0).
"""

from typing import Any

import numpy as np
import pytest
from gains import GAINS
from spellings import FAMILIES, ROWS

import symprop
from symprop.algebra.expr import arrays_of


def conditions(function: Any, **options: Any) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Equation, rule, kind and arrays of every condition."""
    derivation = symprop.derive(symprop.trace(function, **options))
    return [(s.equation, s.rule, c.kind, arrays_of(c.of))
            for s in derivation.steps for c in s.conditions]


@pytest.mark.parametrize("family, name", ROWS[1::6])
def test_no_rewriting_requires_anything_new(family: str, name: str) -> None:
    row = FAMILIES[family]
    found = conditions(row.spellings[name], wrt=list(row.wrt), facts=list(row.facts))
    assert {rule for _, rule, _, _ in found} <= {"local derivative"}


@pytest.mark.parametrize("name", list(GAINS)[::3])
def test_a_gain_is_required_to_be_nothing(name: str) -> None:
    found = conditions(GAINS[name].function)
    assert not [f for f in found if set(f[3]) & set(GAINS[name].factors)]


def test_a_root_at_zero_is_a_condition_of_its_derivative() -> None:
    def norm(x: "N"):
        return np.sqrt(np.sum(x**2))

    (found,) = conditions(norm)
    assert found[1:3] == ("local derivative", "nonzero")


def test_what_the_forward_pass_divides_by_is_no_condition() -> None:
    def quotient(x: "N", y: "N"):
        return np.sum(np.log(x / y))

    assert conditions(quotient) == []


def test_a_guarded_divisor_is_no_condition() -> None:
    def guarded(x: "N"):
        return np.sum(np.where(x > 0, 1 / x, x))

    assert conditions(guarded) == []


def scaled_in_a_branch(x: "N D", s: "N"):
    return np.sum(np.tanh(np.where(s[:, None] > 0, x / s[:, None], 0.0)))


def cut_then_scaled(x: "N D", s: "N"):
    r = np.where(s[:, None] > 0, x, 0.0)
    return np.sum(np.tanh(np.where(s[:, None] > 0, r / s[:, None], 0.0)))


def scaled_then_cut(x: "N D", s: "N"):
    r = x / s[:, None]
    return np.sum(np.tanh(np.where(s[:, None] > 0, r, 0.0)))


def masked(x: "N D", s: "N", m: "bool N"):
    return np.sum(np.tanh(np.where(m[:, None], x / s[:, None] ** 2, 0.0)))


def rooted(x: "N D", s: "N"):
    return np.sum(np.tanh(np.where(s[:, None] > 0, x * np.sqrt(s[:, None]), 0.0)))


@pytest.mark.parametrize(
    "function", [scaled_in_a_branch, cut_then_scaled, scaled_then_cut, masked, rooted])
def test_a_name_does_not_take_away_the_bracket_of_what_is_left(function: Any) -> None:
    """With r = [0 < s] x/s the slope by s is -[0 < s] r/s, which is 0 where s is, not nan."""
    assert conditions(function) == []
    rng = np.random.default_rng(0)
    inputs = {"x": rng.normal(size=(4, 3)), "s": np.array([0.5, 0.0, 2.0, 0.0])}
    if function is masked:
        inputs["m"] = inputs["s"] > 0
    module = symprop.generate(symprop.derive(symprop.trace(function)))
    _, grads = module.value_and_grad(**inputs)
    assert np.isfinite(grads["s"]).all() and not grads["s"][[1, 3]].any()
    assert not grads["x"][[1, 3]].any() and grads["x"][[0, 2]].all()


def test_a_name_takes_a_bracket_along_where_the_divisor_needs_none() -> None:
    def relu_scaled(z: "N", s: "N"):
        return np.sum(np.tanh(np.maximum(z, 0) / s))

    derivation = symprop.derive(symprop.trace(relu_scaled, wrt=["s"]))
    (gradient,) = [a for a in derivation.adjoints if a.primal == "s"]
    assert "<" not in str(gradient.rhs)


@pytest.mark.parametrize("form, printed", [
    ("text", "local derivative, where sum_x[i] ≠ 0"),
    ("latex", r"local derivative, where $\mathrm{sum}_{x,i} \ne 0$"),
    ("markdown", r"\text{local derivative, where }\mathrm{sum}_{x,i} \ne 0"),
])
def test_a_condition_is_printed_beside_its_reason(form: str, printed: str) -> None:
    def norms(x: "N D", y: "N"):
        return np.sum(np.sqrt(np.sum(x**2, axis=1)) * y)

    def squares(x: "N D", y: "N"):
        return np.sum(np.sum(x**2, axis=1) * y)

    page, other = (getattr(symprop.derive(symprop.trace(f, wrt=["x"])), form)(detail="full")
                   for f in (norms, squares))
    assert page.count(printed) == 1
    assert "derivative, where" not in other
