"""Every entry of a line is held to its own measure, and none is let off for being no number."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest

import symprop
from symprop.algebra.build import add, apply, idx, iverson, mul, number
from symprop.algebra.expr import Expr
from symprop.system import Adjoint, System
from symprop.verify import Refuted, verify
from symprop.verify.compare import refuted

SCALES = np.array([1e30, 1e-30, 1.0, -2.0])


def loss(x: "4"):
    return np.sum(SCALES * np.sin(x))


@dataclass(frozen=True)
class Derived:
    """What `verify` looks at."""

    system: System
    adjoints: tuple[Adjoint, ...]


def with_more(entry: int, share: Expr) -> Derived:
    """The gradient of `loss` with a share of one of its entries added to the last line."""
    derivation = symprop.derive(symprop.trace(loss))
    adjoint = derivation.adjoints[-1]
    last = adjoint.steps[-1]
    bracket = iverson("==", idx(adjoint.indices[0]), number(entry))
    after = add(last.after, mul(bracket, share, last.after))
    steps = (*adjoint.steps[:-1], dataclasses.replace(last, after=after))
    wrong = dataclasses.replace(adjoint, steps=steps, rhs=after)
    return Derived(derivation.system, (*derivation.adjoints[:-1], wrong))


def nowhere() -> Expr:
    """A factor that is no number: the logarithm of a negative one."""
    return apply("log", number(-1))


@pytest.mark.parametrize("entry", range(4))
@pytest.mark.parametrize("share", [number(0.01), number(-1), nowhere()], ids=["1%", "all", "nan"])
def test_one_wrong_entry_is_seen_beside_any_other(entry: int, share: Expr) -> None:
    with pytest.raises(Refuted, match=rf"at \[{entry}\]"):
        verify(with_more(entry, share))


def test_a_line_with_entries_of_all_sizes_is_accepted() -> None:
    verify(with_more(1, number(0)))


def test_nan_before_decides_nothing_and_nan_after_a_number_is_wrong() -> None:
    before = np.array([1.0, np.nan, np.nan, 2.0, np.inf, 0.0])
    after = np.array([np.nan, 1.0, np.nan, 2.0, np.inf, np.inf])
    wrong = refuted(before, after, lambda: np.full(6, np.inf))
    assert wrong.tolist() == [True, False, False, False, False, True]
    assert refuted(np.full(3, np.nan), np.full(3, np.nan), lambda: np.ones(3)).all()
    assert not refuted(np.zeros(0), np.zeros(0), lambda: np.zeros(0)).any()


def test_numbers_that_are_hardly_any_keep_no_digits() -> None:
    """A score of -740 under exp: what is added up is a multiple of 5e-324."""
    left = np.array([7e-320, 7e-320, 1e-300])
    right = np.array([7e-320 + 5e-324, 7e-312, 1.1e-300])
    assert refuted(left, right, lambda: left).tolist() == [False, True, True]


@pytest.mark.parametrize("size", [1e-300, 1e-30, 1.0, 1e30, 1e300])
def test_what_cancels_is_measured_by_what_was_added_up(size: float) -> None:
    left = np.array([1e300, size, 0.0])
    for error, wrong in ((1e-13, False), (1e-8, True)):
        off = left + error * size * np.array([0.0, 1.0, 1.0])
        found = refuted(left, off, lambda: np.array([1e300, size, size]))
        assert found.tolist() == [False, wrong, wrong]
