"""A step whose result is defined at fewer points than the line before it is refuted there.

Random draws are never 0 and never tie, so the lines here are true on every one of them. Each is
built by hand on a true derivation: that no rewriting of the package makes one is not their matter.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pytest

import symprop
from symprop.algebra.build import access, idx, iverson, mul, number, power, sum_over
from symprop.algebra.expr import Atom, Expr, Index, Iverson, Paren, Term
from symprop.system import Adjoint, Step, System
from symprop.verify import Refuted, trial, verify


@dataclass(frozen=True)
class Derived:
    """What `verify` looks at."""

    system: System
    adjoints: tuple[Adjoint, ...]


def derived(function: Callable[..., object], shapes: Mapping[str, str]) -> Derived:
    found = symprop.derive(symprop.trace(function, shapes))
    return Derived(found.system, found.adjoints)


def with_last(found: Derived, primal: str, rule: str, line: Callable[[Adjoint], Expr],
              because: tuple[str, ...] = ()) -> Derived:
    """The derivation in which a step follows the local derivatives in the adjoint of `primal`."""
    (adjoint,) = (a for a in found.adjoints if a.primal == primal)
    worked = next(k for k, s in enumerate(adjoint.steps) if s.rule == "local derivative")
    adjoint_so_far = dataclasses.replace(adjoint, rhs=adjoint.steps[worked].after)
    after = line(adjoint_so_far)
    step = Step(adjoint.number, rule, adjoint_so_far.rhs, after, because)
    steps = (*adjoint.steps[:worked + 1], step)
    wrong = dataclasses.replace(adjoint, rhs=after, steps=steps)
    return Derived(found.system, tuple(wrong if a is adjoint else a for a in found.adjoints))


def adjoint_of(found: Derived, primal: str) -> str:
    return next(a.array for a in found.adjoints if a.primal == primal)


def gain(g, x):
    return np.sum(g * x)


def squared(g, x):
    return np.sum((g * x) ** 2)


def under_tanh(u, x):
    g = np.tanh(u)
    return np.sum(g * np.sin(x))


def of_a_product(z, x):
    g = np.sum(x * z) - 1
    return np.sum(g * np.sin(x))


def of_a_difference(X, y, w):
    g = np.sum((X - y) @ w)
    return g * np.sum(np.exp(y))


# ---- the fold that divides by a gain: ḡ = k L/g for a loss of degree k in g --------------------

GAINS = [
    (gain, {"g": "", "x": "N"}, 1), (squared, {"g": "", "x": "N"}, 2),
    (under_tanh, {"u": "", "x": "N"}, 1), (of_a_product, {"z": "N", "x": "N"}, 1),
    (of_a_difference, {"X": "N K", "y": "N K", "w": "K"}, 1)]


@pytest.mark.parametrize(
    ("function", "shapes", "degree"), GAINS, ids=[g[0].__name__ for g in GAINS])
def test_a_quotient_by_a_gain_is_refuted(
    function: Callable[..., object], shapes: Mapping[str, str], degree: int
) -> None:
    found = derived(function, shapes)
    loss = found.system.equation(found.system.loss)
    assert loss is not None

    def over_gain(_: Adjoint) -> Expr:
        above = access(found.adjoints[0].array)
        return mul(number(degree), above, access(loss.array), power(access("g"), -1))

    reasons = tuple(e.number for e in found.system.equations if e.array != "g")
    wrong = with_last(found, "g", "fold", over_gain, reasons)
    with pytest.raises(Refuted, match=r"where \w+ is (0|1e-200)") as caught:
        verify(wrong)
    assert caught.value.equation == next(a.number for a in found.adjoints if a.primal == "g")


def rows(g, x):
    s = np.sum(g[:, None] * x, axis=1)
    return np.sum(s**2)


def square_over_gain(found: Derived, adjoint: Adjoint) -> Expr:
    return mul(number(2), access(found.adjoints[0].array), access(found.system.loss),
               power(access("g"), -1))


def row_over_gain(found: Derived, adjoint: Adjoint) -> Expr:
    (s,) = (e.array for e in found.system.equations if "g" in e.reads)
    at = [idx(adjoint.indices[0])]
    return mul(access(adjoint_of(found, s), at), access(s, at), power(access("g", at), -1))


@pytest.mark.parametrize(("part", "function", "shapes", "line"), [
    ("0", rows, {"g": "N", "x": "N K"}, row_over_gain),
    ("0 in part", rows, {"g": "N", "x": "N K"}, row_over_gain),
    ("1e-200", squared, {"g": "", "x": "N"}, square_over_gain)])
def test_each_point_alone_refutes(
    part: str, function: Callable[..., object], shapes: Mapping[str, str],
    line: Callable[[Derived, Adjoint], Expr], monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = derived(function, shapes)
    wrong = with_last(found, "g", "fold", lambda adjoint: line(found, adjoint))
    only = trial.Points._point
    monkeypatch.setattr(trial.Points, "_point", lambda self, name, how:
                        only(self, name, how) if how == part else iter(()))
    with pytest.raises(Refuted, match=f"where g is {part}"):
        verify(wrong)


# ---- ties and gates --------------------------------------------------------------------------


def largest(x):
    m = np.max(x)
    return np.sin(m) * np.sum(np.cos(x))


def test_a_line_that_counts_ties_is_refuted() -> None:
    found = derived(largest, {"x": "N"})
    (m,) = (e.array for e in found.system.equations if e.reads == ("x",)
            and e.array == "m")

    def times_ties(adjoint: Adjoint) -> Expr:
        k = Index("k", found.system.arrays["x"].shape[0])
        return mul(adjoint.rhs, sum_over(iverson("==", access("x", [idx(k)]), access(m)), [k]))

    with pytest.raises(Refuted, match="where every input is 1"):
        verify(with_last(found, "m", "cases", times_ties))


def gated(x, b):
    return np.sum(np.where(b, np.sin(x), 0) ** 2)


def test_a_gate_that_is_closed_is_seen() -> None:
    found = derived(gated, {"x": "N K", "b": "bool N K"})

    def open_gates() -> Expr:
        bound = [Index("k", size) for size in found.system.arrays["b"].shape]
        return sum_over(access("b", [idx(k) for k in bound]), bound)

    def over_open(adjoint: Adjoint) -> Expr:
        return mul(adjoint.rhs, open_gates(), power(open_gates(), -1))

    with pytest.raises(Refuted, match="where b is 0"):
        verify(with_last(found, "x", "factor", over_open))


# ---- what is right is accepted ----------------------------------------------------------------


def guarded(g, x):
    return np.sum(np.where(g != 0, x / np.where(g != 0, g, 1), 0) * g)


def normed(g, x):
    v = np.mean(x**2) + 1e-5
    return np.sum(g * x / np.sqrt(v))


def ratio(g, x):
    return np.sum(g * x) / np.sum(x**2)


@pytest.mark.parametrize("function", [guarded, normed, ratio])
def test_a_line_that_holds_wherever_the_one_before_does_is_accepted(
    function: Callable[..., object]
) -> None:
    verify(derived(function, {"g": "N", "x": "N"}))


def rooted(x):
    r = np.sqrt(x)
    return np.sum(np.abs(np.where(r > 0.3, r, r) - r))


def test_where_a_condition_reads_what_is_no_number_nothing_is_decided() -> None:
    verify(derived(rooted, {"x": "N"}))  # [r > 0.3] + [r <= 0.3] is 1 but where r is nan


# ---- local derivatives where they are a convention --------------------------------------------

CORNERS: dict[str, Callable[..., object]] = {
    "relu": lambda x, y: np.sum(symprop.nn.relu(x) * y),
    "the larger of two": lambda x, y: np.sum(np.maximum(x, y) * y),
    "a number as bound": lambda x, y: np.sum(np.maximum(x, 3) * y),
    "clip": lambda x, y: np.sum(np.clip(x, -1, 2) * y),
    "relu6": lambda x, y: np.sum(symprop.nn.relu6(x) * y),
    "leaky": lambda x, y: np.sum(symprop.nn.leaky_relu(x) * y),
    "a branch": lambda x, y: np.sum(np.where(x > 0.5, x, x * y) * y),
    "two branches": lambda x, y: np.sum(np.where(x >= y, x**2, x) * y),
    "the largest": lambda x, y: np.sum(np.max(x, axis=0) * y[0]),
}


def turned(expr: Expr) -> Expr:
    """The expression with < for <=, <= for <, and every tie counted in full."""
    terms = []
    for term in expr.terms:
        factors = tuple((turned_atom(a), e) for a, e in term.factors
                        if not (e < 0 and isinstance(a, Paren)))
        terms.append(Term(term.coef, factors, term.bound))
    return Expr(tuple(terms))


def turned_atom(atom: Atom) -> Atom:
    other = {"<": "<=", "<=": "<"}
    if isinstance(atom, Iverson) and atom.relation in other:
        return Iverson(other[atom.relation], atom.lhs, atom.rhs)
    return Paren(turned(atom.body)) if isinstance(atom, Paren) else atom


def test_where_the_definition_gives_no_number_a_corner_decides_nothing() -> None:
    verify(derived(lambda x, y: np.sum(np.where(x > 0, np.log1p(x), np.exp(-1 / x**2)) + x % y),
                   {"x": "N", "y": "N"}), (0,))


STEEP: dict[str, tuple[float, Callable[..., object], Callable[..., object]]] = {
    "arccos": (1, np.arccos, np.tanh),
    "arcsin": (1, np.arcsin, np.tanh),
    "arccosh": (1, np.arccosh, lambda x: 1 + np.exp(x)),
    "arctanh": (-1, np.arctanh, np.tanh),
    "a root": (0, np.sqrt, np.exp),
    "a power": (0, lambda a: a ** 0.3, np.exp),
    "log": (0, np.log, np.exp),
}


@pytest.mark.parametrize("name", STEEP)
def test_where_a_slope_is_infinite_a_corner_decides_nothing(name: str) -> None:
    """The comparison ties at a number where what is chosen rises without bound."""
    place, steep, inside = STEEP[name]

    def chosen(x, t):
        a = inside(x)
        return np.sum(np.where(t == place, steep(a), a) * t + np.where(t > place, a, steep(a)))

    verify(derived(chosen, {"x": "N", "t": "N"}), (0,))


@pytest.mark.parametrize("name", CORNERS)
def test_another_value_at_a_corner_is_refuted(name: str) -> None:
    """Away from its corners such a line is true."""
    found = derived(CORNERS[name], {"x": "N K", "y": "N K"})
    verify(found, (0,))
    (adjoint,) = (a for a in found.adjoints if a.primal == "x")
    k = next(k for k, s in enumerate(adjoint.steps) if s.rule == "local derivative")
    line = turned(adjoint.steps[k].after)
    assert line != adjoint.steps[k].after
    wrong = dataclasses.replace(adjoint, rhs=line, steps=(
        *adjoint.steps[:k], dataclasses.replace(adjoint.steps[k], after=line)))
    with pytest.raises(Refuted, match="all that it reads is"):
        verify(Derived(found.system, tuple(
            wrong if a is adjoint else a for a in found.adjoints)), (0,))
