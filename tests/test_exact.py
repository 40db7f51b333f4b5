"""Steps that hold exactly: identities over a prime field, beside random numbers up to rounding."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import symprop
from symprop.algebra.expr import Expr, Term
from symprop.derivation import Derivation
from symprop.errors import VerificationError
from symprop.zoo.table import models


def layer_norm(x: "N D", g: "D", b: "D"):
    c = x - x.mean(axis=1, keepdims=True)
    return np.sum((c / np.sqrt((c**2).mean(axis=1, keepdims=True) + 1e-5) * g + b) ** 2)


@pytest.mark.parametrize(("name", "share"), [("mlp", 0.9), ("lstm", 0.8), ("layer_norm", 0.8)])
def test_most_steps_of_algebra_hold_exactly(name: str, share: float) -> None:
    function = layer_norm if name == "layer_norm" else models()[name].function
    found = symprop.derive(symprop.trace(function)).exact
    assert found.held >= share * (found.steps - found.differentiate)
    assert 0 < found.bound < 1e-10
    assert f"{found.held} of {found.steps - found.differentiate} steps" in str(found)


def test_a_step_that_is_off_by_less_than_rounding_is_refuted() -> None:
    """A factor of 1 + 1e-15 in the last line, which no random number in double precision sees."""
    derivation = symprop.derive(symprop.trace(lambda x, w: np.sum((x @ w) ** 2), {
        "x": "N K", "w": "K"}))
    adjoint = derivation.adjoints[-1]
    last = adjoint.steps[-1]
    assert not last.because
    off = 1 + Fraction(1, 10**15)
    after = Expr(tuple(Term(t.coef * off, t.factors, t.bound) for t in last.after.terms))
    wrong = replace(adjoint, steps=(*adjoint.steps[:-1], replace(last, after=after)), rhs=after)
    changed = Derivation(derivation.system, (*derivation.adjoints[:-1], wrong))
    changed.verify()
    with pytest.raises(VerificationError, match="but not exactly"):
        _ = changed.exact
