"""Verification accepts true derivations and refutes every wrong line of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import hand_systems as hand
import numpy as np
import pytest
from hand_systems import at

import symprop
from symprop.algebra.build import (
    ONE,
    add,
    apply,
    idx,
    iverson,
    mul,
    number,
    sub,
    substitute,
    sum_over,
)
from symprop.algebra.expr import Access, Expr, Index, Iverson, Term, atoms
from symprop.derive.derivation import derive
from symprop.errors import InputError, VerificationError
from symprop.interpret import draw, evaluate, run, run_equations
from symprop.interpret.evaluate import Evaluator
from symprop.system import Adjoint, Fact, Step, System
from symprop.verify import Refuted, compare, verify
from symprop.verify.ties import tied

Values = tuple[dict[str, np.ndarray], dict[str, int]]

MODELS = {
    "regression": hand.regression, "softmax": hand.softmax_regression, "mlp": hand.mlp,
    "layer_norm": hand.layer_norm, "recurrent": hand.recurrent,
}


@dataclass(frozen=True)
class Derived:
    """What `verify` looks at."""

    system: System
    adjoints: tuple[Adjoint, ...]


def derived(name: str) -> Derived:
    found = derive(MODELS[name]())
    return Derived(found.system, found.adjoints)


@pytest.mark.parametrize("name", MODELS)
def test_a_true_derivation_is_accepted(name: str) -> None:
    verify(derived(name))


# ---- wrong lines ---------------------------------------------------------------------------


def scaled(expr: Expr) -> Expr | None:
    """A coefficient that is wrong by a factor of 1.001."""
    if expr.is_zero:
        return None
    first = mul(number(1.001), Expr(expr.terms[:1]))
    return Expr((*first.terms, *expr.terms[1:]))


def shortened(expr: Expr) -> Expr | None:
    """One term missing."""
    return Expr(expr.terms[:-1]) if len(expr.terms) > 1 else None


def turned(expr: Expr) -> Expr | None:
    """Two indices of one access exchanged (a transpose), where the axes are equally long."""
    for item in atoms(expr):
        if isinstance(item, Access) and len(item.indices) == 2:
            i, j = (p.single_index for p in item.indices)
            if i and j and i.size == j.size and i is not j:
                return replaced(expr, item, Access(item.array, item.indices[::-1]))
    return None


def unguarded(expr: Expr) -> Expr | None:
    """One bracket missing."""
    for k, term in enumerate(expr.terms):
        for item, _ in term.factors:
            if isinstance(item, Iverson):
                rest = tuple(f for f in term.factors if f[0] is not item)
                wrong = Term(term.coef, rest, term.bound)
                return Expr((*expr.terms[:k], wrong, *expr.terms[k + 1:]))
    return None


def replaced(expr: Expr, old: Access, new: Access) -> Expr:
    return Expr(tuple(
        Term(t.coef, tuple((new if a == old else a, e) for a, e in t.factors), t.bound)
        for t in expr.terms))


def with_step(found: Derived, adjoint: Adjoint, position: int, after: Expr) -> Derived:
    """The derivation with one line changed, and all that follows as it was."""
    steps = list(adjoint.steps)
    old = steps[position]
    steps[position] = Step(old.equation, old.rule, old.before, after, old.because)
    rhs = after if position == len(steps) - 1 else adjoint.rhs
    wrong = dataclasses.replace(adjoint, steps=tuple(steps), rhs=rhs)
    return Derived(found.system, tuple(wrong if a is adjoint else a for a in found.adjoints))


def true_anyway(values: Values, adjoint: Adjoint, before: Expr, after: Expr) -> bool:
    """Whether a line that leans on other equations holds all the same: 1.001 times nothing."""
    arrays, sizes = values
    left, right = (evaluate(side, arrays, sizes, adjoint.indices) for side in (before, after))
    return bool(np.allclose(left, right, rtol=1e-9, atol=1e-13))


def values_of(found: Derived) -> Values:
    sizes, given = draw(found.system, 5)
    arrays = run(found.system, given, sizes)
    run_equations(found.adjoints, arrays, sizes)
    return arrays, sizes


def leans(step: Step) -> bool:
    return step.rule in ("insert", "multiply out", "expand")


def mutants(name: str, change: Callable[[Expr], Expr | None]) -> Iterator[tuple[str, Derived]]:
    found = derived(name)
    values = values_of(found)
    for adjoint in found.adjoints:
        for k, step in enumerate(adjoint.steps):
            after = change(step.after)
            if after is None or after == step.after:
                continue
            guarded = change is unguarded  # it may read out of range: not evaluated here
            if guarded or not leans(step) or not true_anyway(values, adjoint, step.after, after):
                yield f"{adjoint.number} {k} {step.rule}", with_step(found, adjoint, k, after)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("change", [scaled, shortened, turned, unguarded])
def test_every_wrong_line_is_refuted_at_its_place(
    name: str, change: Callable[[Expr], Expr | None]
) -> None:
    for label, wrong in mutants(name, change):
        number_, k, rule = label.split(" ", 2)
        with pytest.raises(Refuted) as caught:
            verify(wrong)
        assert caught.value.equation == number_, label
        following = next(a for a in wrong.adjoints if a.number == number_).steps[int(k) + 1:]
        # A wrong line is seen against the one before it; the chain rule against the one after.
        assert caught.value.rule in {rule, *(s.rule for s in following[:1])}, label


def test_there_are_wrong_lines_of_each_kind() -> None:
    for change, least in ((scaled, 100), (shortened, 10), (turned, 3), (unguarded, 20)):
        assert sum(1 for name in MODELS for _ in mutants(name, change)) >= least, change


def test_an_adjoint_that_forgets_a_reader_is_refuted_by_the_whole() -> None:
    """Every line follows from the one before: only the loss itself shows what is missing."""
    forgetful = derive(hand.regression(penalty=False)).adjoints
    with pytest.raises(Refuted, match="the derivative of the loss along a random direction"):
        verify(Derived(hand.regression(), forgetful))


def test_a_wrong_local_derivative_of_one_entry_is_refuted() -> None:
    found = derived("mlp")
    adjoint = next(a for a in found.adjoints if a.primal == "b1")
    (j,) = adjoint.indices
    position = next(k for k, s in enumerate(adjoint.steps) if s.rule == "local derivative")
    spike = mul(number(1e-3), iverson("==", idx(j), number(1)))
    wrong = with_step(found, adjoint, position, add(adjoint.steps[position].after, spike))
    with pytest.raises(Refuted, match="local derivative"):
        verify(wrong)


def test_a_stray_index_is_refuted() -> None:
    found = derived("regression")
    adjoint = next(a for a in found.adjoints if a.primal == "r")
    (i,) = adjoint.indices
    stray = substitute(adjoint.steps[-1].after, {i: idx(Index("n", hand.N))})
    with pytest.raises(Refuted, match="is bound by nothing"):
        verify(with_step(found, adjoint, len(adjoint.steps) - 1, stray))


def test_a_line_that_begins_elsewhere_is_refuted() -> None:
    found = derived("mlp")
    adjoint = next(a for a in found.adjoints if len(a.steps) > 3 and not a.rhs.is_zero)
    steps = list(adjoint.steps)
    last = steps[-1]
    wrong_side = mul(number(2), last.before)
    steps[-1] = Step(last.equation, last.rule, wrong_side, mul(number(2), last.after))
    wrong = dataclasses.replace(adjoint, steps=tuple(steps), rhs=mul(number(2), adjoint.rhs))
    with pytest.raises(Refuted) as caught:
        verify(Derived(found.system, tuple(wrong if a is adjoint else a for a in found.adjoints)))
    assert caught.value.equation == adjoint.number


def test_a_result_that_is_not_the_last_line_is_refuted() -> None:
    found = derived("mlp")
    adjoint = next(a for a in found.adjoints if a.primal == "W1")
    wrong = dataclasses.replace(adjoint, rhs=mul(number(2), adjoint.rhs))
    with pytest.raises(Refuted) as caught:
        verify(Derived(found.system, tuple(wrong if a is adjoint else a for a in found.adjoints)))
    assert (caught.value.equation, caught.value.rule) == (adjoint.number, "result")


def test_the_error_carries_what_refutes_the_step() -> None:
    _, wrong = next(mutants("mlp", scaled))
    with pytest.raises(VerificationError, match=r"^\(B\d+\), rule '.*': .* before, .* after") as e:
        verify(wrong)
    error = e.value
    assert isinstance(error, Refuted)
    assert set(error.sizes) == {"N", "K", "H", "M"}
    assert {"before", "after"} <= set(error.tensors)
    assert any(isinstance(v, np.ndarray) and v.ndim for v in error.tensors.values())


# ---- the controls --------------------------------------------------------------------------


def test_a_comparison_that_lets_everything_pass_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = derived("mlp")
    for tolerance in ("RTOL", "ROUNDING"):
        with monkeypatch.context() as change:
            change.setattr(compare, tolerance, 1e-3)
            with pytest.raises(VerificationError, match="negative control passed"):
                verify(found)


def test_a_domain_without_finite_losses_is_named() -> None:
    n = Index("n", hand.N)
    inner = ("u", [n], apply("log", sub(mul(number(-1), at("x", n), at("x", n)), ONE)))
    m = Index("n", hand.N)
    loss = ("L", [], sum_over(at("u", m), [m]))
    system = hand.system("bad", {"x": ((hand.N,), "float")}, [inner, loss], ["x"], "N")
    with pytest.raises(InputError, match=r"bad: the loss is not finite.*u in \(F1\)"):
        verify(derive(system))


def test_inputs_that_need_to_be_positive_are_found_without_a_fact() -> None:
    n = Index("n", hand.N)
    inner = ("u", [n], apply("log", at("x", n)))
    m = Index("n", hand.N)
    loss = ("L", [], sum_over(at("u", m), [m]))
    system = hand.system("logs", {"x": ((hand.N,), "float")}, [inner, loss], ["x"], "N")
    verify(derive(system))


def test_a_step_may_lean_on_a_fact_only_where_it_is_declared() -> None:
    n, j = Index("n", hand.N), Index("m", hand.M)
    loss = ("L", [], sum_over(mul(at("Y", n, j), at("w", n)), [n, j]))
    inputs = {"Y": ((hand.N, hand.M), "float"), "w": ((hand.N,), "float")}
    facts = [Fact("sums_to_one", "Y", (1,))]
    system = hand.system("weights", inputs, [loss], ["w"], "NM", facts=facts)
    found = derive(system)
    assert found.adjoints[-1].rhs == ONE
    verify(found)
    with pytest.raises(Refuted):
        verify(Derived(dataclasses.replace(system, facts=()), found.adjoints))


def test_a_step_that_uses_another_adjoint_must_say_so() -> None:
    """What holds for the actual adjoints only is no step of algebra."""
    found = derived("mlp")
    adjoint, step = next((a, s) for a in found.adjoints for s in a.steps if s.rule == "insert")
    silent = dataclasses.replace(step, because=())
    steps = tuple(silent if s is step else s for s in adjoint.steps)
    wrong = dataclasses.replace(adjoint, steps=steps)
    with pytest.raises(Refuted, match="'insert'"):
        verify(Derived(found.system, tuple(wrong if a is adjoint else a for a in found.adjoints)))


# ---- cost ----------------------------------------------------------------------------------


def test_the_cost_is_linear_in_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts evaluations: twice the layers, about twice the work."""
    counts = []
    original = Evaluator.value

    def counted(self: Evaluator, *args: object) -> np.ndarray:
        counts[-1] += 1
        return original(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Evaluator, "value", counted)
    for depth in (2, 4, 8):
        counts.append(0)
        found = derive(hand.mlp(depth))
        counts[-1] = 0  # deriving evaluates too: only what verify does is counted
        verify(found)
    steps = [(counts[1] - counts[0]) / 2, (counts[2] - counts[1]) / 4]
    assert abs(steps[0] - steps[1]) <= 0.05 * steps[0]


def test_nothing_in_the_derivation_changes() -> None:
    found = derived("mlp")
    before = [a.rhs.key for a in found.adjoints]
    verify(found)
    assert [a.rhs.key for a in found.adjoints] == before


def test_draws_on_a_kink_are_avoided() -> None:
    """Two equal candidates of a maximum are a tie; masked ones are none."""
    def loss(x: "N K"):
        return np.sum(np.max(np.where(x > -9, x, -np.inf), axis=1))

    system = symprop.trace(loss)
    sizes = {"N": 2, "K": 3}
    for last, expected in ((1.0, False), (2.0, True), (2 + 1e-9, True), (-10.0, False)):
        x = np.array([[1.5, 2.0, last], [-10.0, -10.0, 0.5]])
        assert tied(system, run(system, {"x": x}, sizes), sizes) is expected


def saturated(x: "N", w: "N"):
    return np.sum(symprop.nn.sigmoid(28 + x) * w)


def test_a_saturated_function_is_measured_by_what_cancels() -> None:
    derivation = symprop.derive(symprop.trace(saturated))  # 1 - σ keeps four digits there
    verify(derivation, seeds=range(6))
