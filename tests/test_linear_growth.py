"""Equations, steps, printed characters and lines of code grow linearly with depth.

A counting test: the increments from each depth to the next are equal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symprop
from symprop.files.load import load_text

DEPTHS = (4, 6, 8, 10)


def network(depth: int) -> symprop.Derivation:
    """The derivation of a tanh network with so many hidden layers."""
    shapes: dict[str, Any] = {"X": "N K", "y": "int N"}
    widths = ["K", *["H"] * depth, "M"]
    for layer in range(1, depth + 2):
        shapes[f"W{layer}"] = f"{widths[layer - 1]} {widths[layer]}"
        shapes[f"b{layer}"] = widths[layer]
    lines = [f"def loss({', '.join(shapes)}):", "    A0 = X"]
    for layer in range(1, depth + 1):
        lines.append(f"    A{layer} = np.tanh(A{layer - 1} @ W{layer} + b{layer})")
    lines.append(f"    Z = A{depth} @ W{depth + 1} + b{depth + 1}")
    lines.append("    return nn.cross_entropy(Z, y)")
    source = "import numpy as np\nfrom symprop import nn\n\n\n" + "\n".join(lines) + "\n"
    function = load_text(source, f"network_{depth}").loss
    return symprop.derive(symprop.trace(
        function, shapes=shapes, wrt=[n for n in shapes if n[0] in "Wb"]))


COUNTS: dict[str, Callable[[symprop.Derivation], int]] = {
    "forward equations": lambda d: len(d.system.equations),
    "adjoint equations": lambda d: len(d.adjoints),
    "steps": lambda d: len(d.steps),
    "lines of LaTeX": lambda d: len(d.latex().splitlines()),
}


@pytest.fixture(scope="module")
def networks() -> list[symprop.Derivation]:
    return [network(depth) for depth in DEPTHS]


@pytest.mark.parametrize("what", COUNTS)
def test_counts_grow_linearly(what: str, networks: list[symprop.Derivation]) -> None:
    counts = np.array([COUNTS[what](d) for d in networks])
    first = np.diff(counts)
    assert (first > 0).all()
    assert (np.diff(first) == 0).all(), f"{what}: {counts.tolist()}"


def test_lines_of_code_grow_linearly(networks: list[symprop.Derivation]) -> None:
    """On a line, up to where lists and comments are broken at 88 columns."""
    lines = [len(symprop.generate(d).source.splitlines()) for d in networks]
    slope, start = np.polyfit(DEPTHS, lines, 1)
    away = np.abs(start + slope * np.array(DEPTHS) - lines)
    assert slope > 0 and away.max() <= 0.02 * lines[-1], lines
    numbered = np.diff([sum("  # (" in line or line.strip().startswith("# (")
                            for line in symprop.generate(d).source.splitlines())
                        for d in networks])
    assert (np.diff(numbered) == 0).all(), numbered.tolist()


@pytest.mark.parametrize("what", ["latex", "text", "markdown"])
def test_printed_characters_grow_linearly(
    what: str, networks: list[symprop.Derivation]
) -> None:
    """Up to the digits of equation numbers, which get longer."""
    first = np.diff([len(getattr(d, what)()) for d in networks])
    assert np.abs(np.diff(first)).max() <= 0.03 * first.mean(), first.tolist()


def test_characters_of_code_grow_linearly(networks: list[symprop.Derivation]) -> None:
    first = np.diff([len(symprop.generate(d).source) for d in networks])
    assert np.abs(np.diff(first)).max() <= 0.05 * first.mean(), first.tolist()


def test_expressions_stay_small(networks: list[symprop.Derivation]) -> None:
    """No right-hand side gets longer with depth: nothing is inlined from layer to layer."""
    longest = [max(len(a.rhs.key) for a in d.adjoints) for d in networks]
    assert longest[-1] <= longest[0] + 20, longest


def test_a_layer_is_derived_the_same_way_every_time() -> None:
    """The rules of the steps of one hidden layer are those of the next."""
    derivation = network(5)
    rules = {a.primal: [s.rule for s in a.steps] for a in derivation.adjoints}
    assert rules["W3"] == rules["W4"] == rules["W2"]
    assert rules["b3"] == rules["b4"] == rules["b2"]
