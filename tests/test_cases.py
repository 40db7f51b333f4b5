"""Brackets told as a person tells them: two cases, and what is 0 beyond an end. Both are true."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from built_models import built
from test_detail import values
from test_matrix_form import FUNCTIONS, RELATIONS, expr_value, number_of

import symprop
from symprop.algebra.build import idx, iverson, number, size, sub
from symprop.algebra.expr import Index, Iverson
from symprop.derive.cases import solved, two_cases, unnested, without_ends
from symprop.derive.primed import primed
from symprop.interpret import draw, run

MODELS = ("deep_mlp", "elman_rnn", "lstm", "state_space")


class Beyond:
    """An array that is 0 (an adjoint) or anything (another) beyond its ends."""

    def __init__(self, array: Any, name: str) -> None:
        self.array, self.outside = np.asarray(array), 0.0 if name.startswith("∂") else 7.0

    def __getitem__(self, at: tuple[int, ...]) -> float:
        inside = all(0 <= p < n for p, n in zip(at, self.array.shape, strict=True))
        return float(self.array[at]) if inside else self.outside


def places(equation: Any, sizes: dict[str, int]) -> list[dict[int, int]]:
    """A few index values of an equation, the ends among them."""
    lengths = [number_of(i.size, sizes) for i in equation.indices]
    every = [*np.ndindex(*lengths)]
    some = every if len(every) < 60 else [*every[:20], *every[-20:], *every[::len(every) // 20]]
    return [{i.uid: p for i, p in zip(equation.indices, at, strict=True)} for at in some]


@pytest.mark.parametrize("name", MODELS)
def test_cases_and_ends_have_the_values_of_the_brackets(name: str) -> None:
    derivation, sizes, arrays = values(name)
    told = 0

    def value(array: str) -> Any:
        return Beyond(arrays[array], array)

    for equation in (*derivation.system.equations, *derivation.adjoints):
        cases = two_cases(equation.rhs)
        short = without_ends(equation.rhs, derivation.system.arrays)
        if cases is None and short == equation.rhs:
            continue
        for bound in places(equation, sizes):
            wanted = expr_value(equation.rhs, bound, value, sizes)
            assert expr_value(short, bound, value, sizes) == pytest.approx(wanted, rel=1e-9)
            holds = [c for c in cases or () if holding(c.where, bound, sizes)]
            assert len(holds) == (cases is not None)
            for case in holds:
                assert expr_value(case.rhs, bound, value, sizes) == pytest.approx(wanted, rel=1e-9)
            told += 1
    assert told


def holding(bracket: Iverson, bound: dict[int, int], sizes: dict[str, int]) -> bool:
    found = [bool(RELATIONS[b.relation](*(expr_value(e, bound, None, sizes)
                                          for e in (b.lhs, b.rhs))))
             for b in (bracket, solved(bracket))]
    assert found[0] == found[1]
    return found[0]


def mask(q: "T D", G: "T T") -> Any:
    s = q @ q.T
    s = np.where(np.tril(np.ones((q.shape[0], q.shape[0]))) == 1, s, -1e9)
    return np.sum(symprop.nn.softmax(s, axis=1) * G)


def hinge(x: "N", y: "N") -> Any:
    h = np.where(x > y, 2 * x, y**2)
    return np.sum(np.tanh(h))


@pytest.mark.parametrize(("function", "text", "latex"), [
    (mask, "{s₁[t,i], i ≤ t; -1e9, i > t}",
     r"\begin{cases} s_{1,t,i}, & i \le t \\ -10^{9}, & i > t \end{cases}"),
    (hinge, "{2 x[n], y[n] < x[n]; y[n]², y[n] ≥ x[n]}",
     r"y_{n}^{2}, & y_{n} \ge x_{n} \end{cases}"),
])
def test_masks_have_a_brace(function: Any, text: str, latex: str) -> None:
    derivation = symprop.derive(symprop.trace(function))
    for detail in ("normal", "full"):
        assert text in derivation.text(detail=detail)
        assert latex in derivation.latex(detail=detail)


def test_the_general_step_of_a_recurrence_has_no_brackets() -> None:
    page = built("lstm").derivation.text()
    assert "[t+1 < T]" not in page and "An adjoint outside of its array is 0" in page
    assert "+ c̄[t+1] ⊙ f[t+1]" in page.replace("c̄", "c̄")
    assert "[t+1 < T]" in built("lstm").derivation.text(detail="full")
    deep = built("deep_mlp").derivation.latex(detail="brief")
    assert r"\begin{cases}" in deep and r"\odot \sigma'(z_{l}), & l" in deep


def test_a_bracket_of_a_bracket_is_that_or_its_negation() -> None:
    i, n = Index("i", size("N")), Index("n", size("N"))
    inner = iverson("<=", idx(i), idx(n)).single_atom
    assert isinstance(inner, Iverson)
    for relation, value, same in (("==", 1, True), ("==", 0, False), ("!=", 1, False),
                                  ("!=", 0, True)):
        outer = Iverson(relation, iverson("<=", idx(i), idx(n)), number(value))
        assert (unnested(outer) == inner) == same
        assert unnested(outer).relation in ("<", "<=")


def test_a_lone_index_stands_on_the_left() -> None:
    n = Index("n", size("N"))
    for bracket in (iverson("==", sub(size("N"), number(1)), idx(n)),
                    iverson("<", sub(idx(n), number(-1)), size("N"))):
        atom = bracket.single_atom
        assert isinstance(atom, Iverson) and solved(atom).lhs == idx(n)


def test_only_adjoints_are_zero_beyond_their_ends() -> None:
    def shifted(x: "N", w: "N") -> Any:
        return np.sum(np.concatenate([x[1:], np.zeros(1)]) * w)

    derivation = symprop.derive(symprop.trace(shifted))
    arrays = derivation.system.arrays
    assert all(without_ends(e.rhs, arrays) == e.rhs for e in derivation.system.equations)
    sizes, inputs = draw(derivation.system, 1)
    assert run(derivation.system, inputs, sizes)


@pytest.mark.parametrize("name", ["mlp_sigmoid_mse", "mlp", "deep_mlp", "autoencoder"])
def test_a_derivative_by_its_name_is_that(name: str) -> None:
    """Its value, by which the page says what it is, is the slope of the function; and it stands."""
    derivation, sizes, arrays = values(name)
    zeros = {a.array: a.number for a in derivation.adjoints if a.rhs.is_zero}
    found = [p for a in derivation.adjoints
             if (p := primed(a, derivation.system, zeros, derivation.system.loss))]
    assert found
    for slope in found:
        base = FUNCTIONS[slope.name.function.removesuffix("'")]
        argument = slope.name.args[0]
        for bound in places(slope.adjoint, sizes)[:20]:
            z = expr_value(argument, bound, arrays.__getitem__, sizes)
            difference = (base(z + 1e-6) - base(z - 1e-6)) / 2e-6
            assert expr_value(slope.value, bound, arrays.__getitem__, sizes) == pytest.approx(
                difference, abs=1e-8)
        own = next(a for a in derivation.adjoints if a.number == slope.adjoint.number)
        (was,), (now,) = own.rhs.terms, slope.adjoint.rhs.terms
        assert {*was.factors} == {*now.factors, *slope.value.terms[0].factors} - {(slope.name, 1)}
    page = derivation.text(detail="brief")
    assert "'(" in page and "A prime marks a derivative" in page


def test_what_is_short_as_it_is_has_no_prime() -> None:
    page = built("mlp_dropout").derivation.text(detail="brief")
    assert "relu'" not in page and "> 0]" in page
