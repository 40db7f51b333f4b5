"""What has its mean taken off adds up to nothing, and a derivation says so in one step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from built_models import built

import symprop
from symprop.derive.centred import RULE, centred
from symprop.interpret import draw, run


def batch_norm(x: "N D", g: "D", G: "N D") -> Any:
    mu = x.mean(axis=0)
    c = x - mu
    h = c / np.sqrt((c**2).mean(axis=0) + 1e-5)
    return np.sum(h * g * G)


def layer_norm(x: "N D", g: "D", G: "N D") -> Any:
    h = x - x.mean(axis=1, keepdims=True)
    return np.sum(h / np.sqrt(np.mean(h**2, axis=1, keepdims=True) + 1e-5) * g * G)


def pictures(x: "N C A B", g: "C", G: "N C A B") -> Any:
    mean = x.mean(axis=(0, 2, 3), keepdims=True)
    h = (x - mean) / np.sqrt(((x - mean) ** 2).mean(axis=(0, 2, 3), keepdims=True) + 1e-5)
    return np.sum(h * g[:, None, None] * G)


def sums_only(x: "N D", g: "D") -> Any:
    return np.sum((x - x.sum(axis=0)) * g - x * g.mean())


SYSTEMS = {f.__name__: symprop.trace(f) for f in (batch_norm, layer_norm, pictures, sums_only)}


@pytest.mark.parametrize("name", [*SYSTEMS, "transformer_block", "mlp_batch_norm"])
def test_what_is_called_centred_adds_up_to_nothing(name: str) -> None:
    system = SYSTEMS[name] if name in SYSTEMS else built(name).system
    sizes, inputs = draw(system, 5)
    arrays = run(system, inputs, sizes)
    found = centred(system)
    assert bool(found) == (name != "sums_only")
    for array, known in found.items():
        value = np.asarray(arrays[array])
        np.testing.assert_allclose(value.sum(axis=known.axes), 0, atol=1e-9 * np.abs(value).sum())


@pytest.mark.parametrize("name", ["batch_norm", "layer_norm", "pictures"])
def test_no_step_goes_around_through_what_was_centred(name: str) -> None:
    """No line is longer than the product that is multiplied out, and the next one is shorter."""
    derivation = symprop.derive(SYSTEMS[name])
    derivation.verify()
    steps = [s for s in derivation.steps if s.rule == RULE]
    assert steps and all(len(s.after.terms) < len(s.before.terms) for s in steps)
    assert max(len(s.after.terms) for s in derivation.steps) <= 4
    page = derivation.text(detail="full")
    assert "centred sum" in page and "] = 0" in page
    for a in derivation.adjoints:
        for first, second in zip(a.steps, a.steps[1:], strict=False):
            assert first.after == second.before
