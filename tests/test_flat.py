"""A stack of matrices times a turned one is one product in the fast style, and prose elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np

import symprop


def loss(x: "N T D", W: "D F", V: "F D") -> Any:
    return np.sum(np.sin(np.tanh(x @ W) @ V))


def test_stacks_times_a_turned_matrix_are_flat_where_it_is_fast() -> None:
    derivation = symprop.derive(symprop.trace(loss, wrt=["W", "V"]))
    readable = symprop.generate(derivation).source
    fast = symprop.generate(derivation, style="fast").source
    assert "@ V.T" in readable
    assert ".reshape(N * T, D) @ V.T" not in readable
    assert ".reshape(N * T, D), V.T" in fast
