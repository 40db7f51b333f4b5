"""What a helper is handed may be masked by -inf: the lemma is verified on what is finite of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symprop
from symprop import nn


def two_attentions(U: "M N", A: "M N", scale: "") -> Any:
    M, N = U.shape
    plain = nn.softmax(U @ U.T / np.sqrt(N), axis=-1) @ U
    masked = np.where(np.tri(M, M) > 0, scale * (A @ A.T), -np.inf)
    return np.sum(plain * (nn.softmax(masked, axis=-1) @ A))


@pytest.mark.parametrize("structure", ["blocks", "flat"])
def test_a_helper_is_handed_minus_infinity(structure: str) -> None:
    system = symprop.trace(two_attentions)
    module = symprop.generate(symprop.derive(system, structure=structure))
    rng = np.random.default_rng(0)
    given = {"U": rng.normal(size=(4, 3)), "A": rng.normal(size=(4, 3)), "scale": 0.7}
    value, found = module.value_and_grad(**given)
    assert value == pytest.approx(two_attentions(**given))
    for name in ("U", "A"):
        way = rng.normal(size=(4, 3))

        def moved(step: float, name: str = name, way: Any = way) -> Any:
            return two_attentions(**{**given, name: given[name] + step * way})

        slope = (8 * (moved(1e-4) - moved(-1e-4)) - (moved(2e-4) - moved(-2e-4))) / 12e-4
        assert np.sum(found[name] * way) == pytest.approx(slope, rel=1e-8)
