"""Sums that several equations have are worked out once, and before products where that is less.

`generate` compares every module with its equations; here it is what has become of the program.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symprop
from symprop.lower.hoist import MADE
from symprop.lower.program import Program, lower


def program(function: Any, wrt: list[str]) -> tuple[Program, str]:
    found = symprop.derive(symprop.trace(function, wrt=wrt))
    made = lower(found.system, found.adjoints)
    texts = [symprop.generate(found, style=s).source for s in ("fast", "readable")]
    return made, texts[1]


def made(found: Program) -> list[str]:
    equations = {e.array: e for e in (*found.margins.values(), *found.adjoints)}
    return [e.array for e in equations.values() if getattr(e, "role", "") == MADE]


def diagonal(x: "N D", L: "D D", e: "D", scale: "") -> Any:
    return np.sum(np.tanh(x @ L.T + scale * 2 * x * e))


def whitened(x: "N D", m: "K D", L: "K D D", e: "K D") -> Any:
    c = x[:, None, :] - m
    z = np.exp(e) * c + np.einsum("kij,nkj->nki", L, c)
    return np.sum(np.log(1 + np.sum(z * z, axis=2)))


def offset(x: "N D", b: "D", W: "D M") -> Any:
    return np.sum(np.tanh((x + b) @ W))


def shares(x: "N D", a: "D", b: "D") -> Any:
    return np.sum(np.tanh(x @ a + x @ np.exp(b))) + np.sum(a * a)


def test_a_diagonal_joins_the_matrix_that_the_same_array_is_multiplied_with() -> None:
    """Made once for both passes; a number may stand before it."""
    for function, wrt in ((whitened, ["m", "L", "e"]), (diagonal, ["e", "L", "x"])):
        found, text = program(function, wrt)
        matrix, = [a for a in made(found) if a.endswith("_matrix")]
        assert matrix in found.saved
        assert text.count(f"{matrix} = ") == 1


def test_a_sum_over_examples_is_taken_before_a_product() -> None:
    """The gradient of b is a row times a matrix; the one of x + b itself is never worked out."""
    found, text = program(offset, ["b", "W"])
    assert [a.array for a in found.adjoints] == ["∂z", "∂W", "∂b"]
    assert "db = W @ dz.sum(axis=0)  # (B6)  db[d] = Σ_n du[n,d]  (D,)  from (F1) with (B5)" in text


@pytest.mark.parametrize("wrt", [["m", "L", "e"], ["L", "e"]])
def test_a_sum_that_is_an_entry_of_another_is_read_there(wrt: list[str]) -> None:
    """Σ_n dz[n,k,d] c[n,k,d] is the diagonal of the gradient of L."""
    found, _ = program(whitened, wrt)
    gradient = next(a for a in found.adjoints if a.array == "∂e")
    assert "∂L" in gradient.reads


def test_a_sum_in_two_equations_is_an_array() -> None:
    found, text = program(shares, ["a", "b"])
    total, = made(found)
    assert text.count(f"{total.replace('∂', 'd')} = ") == 1
    assert sum(total in a.reads for a in found.adjoints) == 2
