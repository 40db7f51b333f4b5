"""A product that several gradients need is worked out once, however the line was written.

Each pair is one mathematics: a line in one expression, and the same with the product named or
the factor outside of the sum. Both cost the same, forward and backward.
"""

from typing import Any

import numpy as np
import pytest

import symprop
from symprop import nn
from symprop.lower.count import operations
from symprop.lower.program import lower

SIZES = {"N": 61, "K": 53, "M": 59, "D": 47, "F": 71}


def swiglu(x: "N D", Y: "N D", Wg: "D F", Wu: "D F", Wd: "F D"):
    return nn.mse_loss((nn.silu(x @ Wg) * (x @ Wu)) @ Wd, Y)


def swiglu_named(x: "N D", Y: "N D", Wg: "D F", Wu: "D F", Wd: "F D"):
    hidden = nn.silu(x @ Wg) * (x @ Wu)
    return nn.mse_loss(hidden @ Wd, Y)


def columns(g: "K", X: "N K", W: "K M"):
    return np.sum(np.tanh((g * X) @ W))


def columns_named(g: "K", X: "N K", W: "K M"):
    scaled = g * X
    return np.sum(np.tanh(scaled @ W))


def rows(g: "N", X: "N K", W: "K M"):
    return np.sum(np.tanh((g[:, None] * X) @ W))


def rows_outside(g: "N", X: "N K", W: "K M"):
    Z = X @ W
    return np.sum(np.tanh(g[:, None] * Z))


def beta(b: "", X: "N K", W: "K M"):
    return np.sum(np.tanh(b * X @ W))


def beta_outside(b: "", X: "N K", W: "K M"):
    return np.sum(np.tanh(b * (X @ W)))


def scalars(a: "", b: "", X: "N K", w: "K"):
    return np.sum(np.tanh((a * b * X) @ w))


def scalars_outside(a: "", b: "", X: "N K", w: "K"):
    z = X @ w
    return np.sum(np.tanh(a * b * z))


def attention(g: "", Q: "N K", C: "M K", V: "M D"):
    return np.sum((g * nn.softmax(Q @ C.T, axis=1) @ V) ** 2)


def attention_outside(g: "", Q: "N K", C: "M K", V: "M D"):
    out = nn.softmax(Q @ C.T, axis=1) @ V
    return np.sum((g * out) ** 2)


def gain(g: "", x: "N"):
    return np.sum(g * x)


def gain_outside(g: "", x: "N"):
    s = np.sum(x)
    return g * s


def shifted_gain(g: "", x: "N", y: "N"):
    return np.sum(((1 + g) * x) * y)


def shifted_gain_outside(g: "", x: "N", y: "N"):
    s = np.sum(x * y)
    return (1 + g) * s


PAIRS = [(swiglu, swiglu_named), (columns, columns_named), (rows, rows_outside),
         (beta, beta_outside), (scalars, scalars_outside), (attention, attention_outside),
         (gain, gain_outside), (shifted_gain, shifted_gain_outside)]


def counted(function: Any) -> tuple[float, float]:
    """Operations of the forward and of the backward pass."""
    system = symprop.trace(function)
    derivation = symprop.derive(system)
    derivation.verify()
    program = lower(system, derivation.adjoints)
    forward, backward = (sum(operations(p, {n: SIZES[n] for n in system.sizes}).values())
                         for p in (program.forward, program.backward))
    return forward, backward


@pytest.mark.parametrize("one, other", PAIRS, ids=[one.__name__ for one, _ in PAIRS])
def test_one_line_costs_what_two_lines_cost(one: Any, other: Any) -> None:
    found, wanted = counted(one), counted(other)
    assert found == pytest.approx(wanted, rel=0.005, abs=3)


def test_a_factor_without_a_gradient_stays_where_it_is() -> None:
    def loss(y: "N", X: "N K", w: "K"):
        return np.sum(np.log(1 + np.exp(-(y[:, None] * X @ w))))

    for wrt, expected in ((["w"], 0), (["w", "y"], 1)):
        sums = [e for e in symprop.trace(loss, wrt=wrt).equations
                if e.rhs.terms[0].bound and "y" not in e.reads and "X" in e.reads]
        assert len(sums) == expected
