"""Equations, steps, calls, printed characters and lines of code grow linearly with depth.

Counting tests: the increments from each depth to the next are equal.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from cProfile import Profile
from typing import Any

import numpy as np
import pytest

import symprop
from symprop import nn
from symprop.files.load import load_text
from symprop.zoo import models
from symprop.zoo.attention import GPT_BLOCK

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
    "lines of LaTeX": lambda d: len(d.latex().split("over inputs")[0].splitlines()),
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


@pytest.mark.parametrize("detail", ["normal", "full"])
@pytest.mark.parametrize("what", ["latex", "text", "markdown"])
def test_printed_characters_grow_linearly(
    what: str, detail: str, networks: list[symprop.Derivation]
) -> None:
    """All but the digits of numbers, which get longer; blanks only fill lines up.

    Behind the box stand the gradients that fit a line: as many as there are, however deep. From
    some length on the sums of all equations are set small.
    """
    whole = ["".join(getattr(d, what)(detail=detail).replace(r"\textstyle", "").split())
             for d in networks]
    printed, behind = zip(*(re.split("(?i)overinputs", text) for text in whole), strict=True)
    assert len(behind[-1]) < 1.1 * len(behind[0])
    first = np.diff([len(re.sub(r"[0-9]+", "0", text)) for text in printed])
    assert (first == first[0]).all() and first[0] > 0, first.tolist()


def test_characters_of_code_grow_linearly() -> None:
    """From ten layers on: z10 is longer than z9; blanks only set notes below each other."""
    sources = [symprop.generate(network(d)).source for d in (10, 12, 14)]
    first = np.diff([len("".join(source.split())) for source in sources])
    assert np.abs(np.diff(first)).max() <= 0.01 * first.mean(), first.tolist()


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


# ---- deep networks ------------------------------------------------------------------------


def perceptron(depth: int, wrt: tuple[str, ...] | None = ("layers",)) -> symprop.System:
    """A tanh network of equal layers."""
    def loss(X: Any, y: Any, layers: Any) -> Any:
        A = X
        for W, b in layers:
            A = np.tanh(A @ W + b)
        return nn.cross_entropy(A, y)

    shapes = {"X": "N H", "y": "int N", "layers": [("H H", "H")] * depth}
    return symprop.trace(loss, shapes=shapes, wrt=wrt)


def gpt(blocks: int) -> symprop.System:
    """The zoo's gpt with so many blocks."""
    model = models()["gpt"]
    shapes = {**model.shapes, "blocks": [GPT_BLOCK] * blocks}
    return symprop.trace(model.function, shapes=shapes, wrt=model.wrt)


def calls(action: Callable[[], Any]) -> tuple[int, Any]:
    """How many calls of Python functions are made, and the result."""
    profile = Profile(builtins=False)
    result = profile.runcall(action)
    return sum(entry.callcount for entry in profile.getstats()), result


@pytest.mark.parametrize("make, depths", [
    (perceptron, (32, 40, 48)), pytest.param(gpt, (2, 3, 4), marks=pytest.mark.deep)])
def test_calls_grow_linearly(
    make: Callable[[int], symprop.System], depths: tuple[int, int, int]
) -> None:
    """Further layers cost as much as those before them, in every stage."""
    symprop.generate(symprop.derive(make(depths[0])))  # SymPy's derivatives are remembered
    rows, counts = [], []
    for depth in depths:
        traced, system = calls(lambda depth=depth: make(depth))  # type: ignore[misc]
        derived, derivation = calls(lambda system=system: symprop.derive(system))  # type: ignore[misc]
        verified, _ = calls(derivation.verify)
        generated, _ = calls(lambda d=derivation: symprop.generate(d))  # type: ignore[misc]
        rows.append([traced, derived, verified, generated])
        counts.append([len(system.equations), len(derivation.adjoints), len(derivation.steps)])
    assert (np.diff(counts, 2, axis=0) == 0).all(), counts
    first, second = np.diff(np.array(rows), axis=0)
    assert (first > 0).all()
    np.testing.assert_allclose(second, first, rtol=0.05)


def test_notes_grow_linearly() -> None:
    """A trace to which nobody has said what the parameters are looks at each argument once."""
    perceptron(24, None)  # what is remembered is made once
    counts = [calls(lambda d=d: perceptron(d, None))[0] for d in (24, 32, 40)]  # type: ignore[misc]
    first, second = np.diff(counts)
    assert second == pytest.approx(first, rel=0.02)


def test_a_network_deeper_than_the_stack() -> None:
    """No stage calls itself once for each layer."""
    here, frame = 0, sys._getframe()
    while frame.f_back is not None:
        here, frame = here + 1, frame.f_back
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(here + 330)
    try:
        derivation = symprop.derive(perceptron(120))
        derivation.verify()
        module = symprop.generate(derivation)
    finally:
        sys.setrecursionlimit(limit)
    assert len(module.WRT) == 240 or module.WRT == ("layers",)
