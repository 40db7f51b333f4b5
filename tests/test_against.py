"""A hand-written backward pass against a derivation: the wrong line is named, with its repair."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hand_networks import NETWORKS, mlp, mlp_gradient
from planted import Planted, plant

import symprop
from symprop.against import AgainstReport
from symprop.against.truth import truth
from symprop.errors import InputError

EACH, FLOOR = 8, 36


@cache
def derivation(network: str) -> Any:
    forward, _, wrt, facts = NETWORKS[network]
    return symprop.derive(symprop.trace(forward, wrt=wrt, facts=facts))


def compared(network: str, function: Any) -> AgainstReport:
    return symprop.check((NETWORKS[network][0], function), against=derivation(network))


def faults(network: str, count: int) -> list[Planted]:
    right, avoid = truth(derivation(network), 0), set[str]()
    return [plant(network, seed, right, avoid) for seed in range(count)]


def is_named(report: AgainstReport, fault: Planted) -> bool:
    repair = report.repair
    return repair is not None and bool(repair.after) and repair.line == fault.line


@pytest.mark.parametrize("network", NETWORKS)
def test_a_right_backward_passes(network: str) -> None:
    report = compared(network, NETWORKS[network][1])
    assert report.passed and len(report.right) >= 4
    assert str(report).count("All gradients are right") == 1


def without_mask(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    A1 = np.maximum(Z1, 0)
    Z2 = A1 @ W2 + b2
    E = np.exp(Z2)
    dZ2 = (E / E.sum(axis=1, keepdims=True) - np.eye(W2.shape[1])[y]) / len(y)
    dA1 = dZ2 @ W2.T
    dZ1 = dA1
    return {"W1": X.T @ dZ1, "b1": dZ1.sum(axis=0), "W2": A1.T @ dZ2, "b2": dZ2.sum(axis=0)}


def test_a_forgotten_mask_is_one_clear_paragraph() -> None:
    report = compared("mlp", without_mask)
    assert report.wrong == ("W1", "b1") and report.repair is not None
    assert report.repair.before == "dZ1 = dA1"
    assert report.repair.after == "dZ1 = dA1 * (Z1 > 0)"
    text = " ".join(str(report).split())
    assert "Wrong: W1, b1. The mistake is in line" in text
    assert "`dZ1 = dA1`: the factor (Z1 > 0) is missing." in text
    assert f"dZ1 is then equation ({report.repair.equation}) of the derivation" in text


def test_what_does_not_fit_is_one_sentence() -> None:
    def other(Q: "N"):
        return (Q * Q).sum()

    with pytest.raises(InputError, match="the derivation has no input Q; it has X, y, W1"):
        symprop.check((other, lambda Q: {"Q": 2 * Q}), against=derivation("mlp"), wrt=["Q"])
    with pytest.raises(InputError, match="leave them out"):
        symprop.check((mlp, mlp_gradient), sizes={"N": 3}, against=derivation("mlp"))


@pytest.mark.parametrize("network", ["mlp", "convolution"])
def test_a_planted_sign_or_axis_is_named(network: str) -> None:
    fault = next(f for f in faults(network, EACH) if "+" in f.after or "axis=1" in f.after)
    assert is_named(compared(network, fault.function), fault)


@pytest.mark.fuzz
def test_planted_faults_are_named_by_line_and_repair() -> None:
    """Of 40 faults in five networks at least 36."""
    named = [
        is_named(compared(network, fault.function), fault)
        for network in NETWORKS
        for fault in faults(network, EACH)
    ]
    assert len(named) == 40 and sum(named) >= FLOOR
