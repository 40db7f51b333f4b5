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
