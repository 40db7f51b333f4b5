"""The calls that made the equations, and what their borders keep apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symprop
from symprop import nn
from symprop.system import Call, Equation, System


def layer(x: Any, W: Any) -> Any:
    z = x @ W
    return np.tanh(z)


def traced(function: Callable[..., Any]) -> System:
    return symprop.trace(function)


def made(system: System, function: str, site: str = "") -> list[list[Equation]]:
    """The equations of each call of a function, or of a loop at a line, the calls in turn."""
    calls: dict[Call, list[Equation]] = {}
    for equation in system.equations:
        for call in equation.call.chain if equation.call is not None else ():
            if call.function == function and call.site.endswith(site):
                calls.setdefault(call, []).append(equation)
    return [calls[c] for c in sorted(calls, key=lambda c: c.number)]


def test_an_equation_knows_call_variable_and_line() -> None:
    def outer(x: Any, W: Any) -> Any:
        y = layer(x, W)
        return y * y

    def loss(x: "N", W: "N N"):
        h = outer(x, W)
        total = h.sum()
        return total

    system = traced(loss)
    z, tanh, square, total = system.equations
    assert z.call is not None and z.call.chain[0].function == "outer"
    assert [c.function for c in z.call.chain] == ["outer", "layer"]
    assert tanh.call == z.call and square.call == z.call.parent and total.call is None
    assert [e.variable for e in system.equations] == ["z", "", "", "total"]
    first = layer.__code__.co_firstlineno
    assert z.source == f"test_trace_calls.py:{first + 1}"
    assert z.call.place == f"test_trace_calls.py:{first}"
    assert z.call.site == f"test_trace_calls.py:{outer.__code__.co_firstlineno + 1}"


def test_equal_calls_are_told_apart_and_keep_equal_equations() -> None:
    def loss(x: "N", Ws: ["N N", "N N", "N N"]):
        for W in Ws:
            x = layer(x, W)
        return (x * x).sum()

    calls = made(traced(loss), "layer")
    assert [len(c) for c in calls] == [2, 2, 2]
    assert [[e.variable for e in c] for c in calls] == [["z", ""]] * 3


def by_comprehension(x: "N", Ws: ["N N", "N N"]):
    return sum([(layer(x, W) ** 2).sum() for W in Ws])


def by_generator(x: "N", Ws: ["N N", "N N"]):
    return sum((layer(x, W) ** 2).sum() for W in Ws)


def by_own_generator(x: "N", Ws: ["N N", "N N"]):
    def layers():
        for W in Ws:
            yield layer(x, W)
    return sum((y ** 2).sum() for y in layers())


def by_lambda(x: "N", Ws: ["N N", "N N"]):
    return sum(map(lambda W: (layer(x, W) ** 2).sum(), Ws))  # noqa: C417


@pytest.mark.parametrize("loss, chain", [
    (by_comprehension, ["layer"]), (by_generator, ["layer"]),
    (by_own_generator, ["layers", "layer"]), (by_lambda, ["<lambda>", "layer"])])
def test_a_comprehension_belongs_to_its_function(
    loss: Callable[..., Any], chain: list[str]
) -> None:
    system = traced(loss)
    calls = made(system, "layer")
    assert [[c.function for c in e.call.chain if not c.iteration]
            for call in calls for e in call if e.call] == [chain] * 4
    outermost = {e.call.chain[0].number for call in calls for e in call if e.call}
    assert len(outermost) == (1 if chain[0] == "layers" else 2)


def test_an_iteration_counts_as_a_call() -> None:
    def loss(x: "N", Ws: ["N N", "N N"]):
        for k, W in enumerate(
                Ws):
            for _ in range(2):
                h = np.tanh(x @ W)
            x = h + x * (k + 2)
        for W in Ws: x = layer(x, W)  # noqa: E701
        return (x * x).sum()

    system = traced(loss)
    head = loss.__code__.co_firstlineno + 1
    outer, inner, line = (made(system, name, f":{head + k}") for name, k in (
        ("step", 0), ("step", 2), ("step", 5)))
    assert [[e.variable for e in turn] for turn in outer] == [["", "h", "x"]] * 2
    assert [len(turn) for turn in inner] == [2, 2]  # the second turn makes what is there
    assert [[e.call.function for e in turn if e.call] for turn in line] == [["layer"] * 2] * 2
    assert system.equations[-1].call is None
    assert not any(c.iteration for c in [system.equations[0].call.within] if c)


def test_a_function_of_nn_is_one_call() -> None:
    def loss(x: "N", W: "4 N", U: "4 1", b: "4"):
        h = nn.log_softmax(nn.softmax(x @ W.T))
        return -h[0]

    functions = [e.call.chain for e in traced(loss).equations if e.call is not None]
    assert {len(chain) for chain in functions} == {1}
    assert {c.function for (c,) in functions} == {"softmax", "log_softmax"}


def gelu(x: Any) -> Any:
    return x * (1 + np.tanh(0.79788456 * (x + 0.044715 * x ** 3))) / 2


def in_one_line(x: "N D", W: "D H", b: "H", V: "H M"):
    return ((gelu(x @ W + b) @ V) ** 2).mean()


def in_three_lines(x: "N D", W: "D H", b: "H", V: "H M"):
    h = x @ W + b
    a = gelu(h)
    return ((a @ V) ** 2).mean()


def test_what_a_helper_takes_and_returns_stays_whole() -> None:
    """The same equations, and so the same operations, whether or not a line gives names."""
    one, three = (traced(f) for f in (in_one_line, in_three_lines))
    assert len(one.equations) == len(three.equations)
    sizes = {"N": 61, "D": 53, "H": 47, "M": 59}
    counts = [sum(symprop.derive(s).operations(sizes).values()) for s in (one, three)]
    assert counts[0] == counts[1]


def test_numbers_and_signs_cross_a_border() -> None:
    def loss(z: "N"):
        return nn.softplus(-z).sum()

    system = traced(loss)
    assert system.equations[0].reads == ("z",) and len(system.equations) == 2
