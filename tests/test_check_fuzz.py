"""Wrong modules made at random: a check finds them, and what it misses is known."""

import pytest
from wrong_modules import wrong_module

from symprop.check import CheckReport, check
from symprop.errors import SympropError

MANY, SOME = 200, 24
# Of those 200 these pass; what it would cost to find each stands beside it.
MISSED: dict[int, str] = {}


def report(seed: int) -> CheckReport | None:
    """The report of a wrong module; None where it is refused."""
    try:
        return check(wrong_module(seed).module)
    except SympropError:
        return None


@pytest.mark.parametrize("seed", range(SOME))
def test_a_wrong_module_is_found(seed: int) -> None:
    found = report(seed)
    assert found is None or found.passed == (seed in MISSED), wrong_module(seed).fault


@pytest.mark.fuzz
def test_of_two_hundred_wrong_modules_only_the_known_ones_are_missed() -> None:
    found = {seed: report(seed) for seed in range(MANY)}
    missed = {seed: wrong_module(seed).fault for seed, r in found.items() if r is not None and r}
    assert set(missed) == set(MISSED), missed
