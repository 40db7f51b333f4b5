"""Figures: what they show, that nothing overlaps, that every format says the same."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from built_models import built

import symprop
from symprop.cli.main import run
from symprop.emit.figure import KINDS, graph_of
from symprop.emit.figure.graph import Arrow, Box, Graph
from symprop.emit.figure.layout import layout
from symprop.emit.figure.measure import sizes
from symprop.errors import InputError

SVG = "{http://www.w3.org/2000/svg}"
SHOWN = ("linear_regression", "mlp", "lstm", "transformer_block", "gpt", "variational_autoencoder")


def long_way(X: "N D", W: "D D", y: "N"):
    a = X
    for k in range(14):
        b = a @ W
        c = np.tanh(b) * (k + 1)
        d = np.exp(-c * c)
        a = c + d if k % 3 else c * d + X
    return np.mean((a.sum(axis=1) - y) ** 2)


def derivations() -> dict[str, Any]:
    found = {name: built(name).derivation for name in SHOWN}
    found["long_way"] = symprop.derive(symprop.trace(long_way, wrt=["W"]))
    return found


CASES = [(name, kind) for name in (*SHOWN, "long_way") for kind in KINDS]


@pytest.fixture(scope="module")
def table() -> dict[str, Any]:
    return derivations()


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_boxes_are_apart_and_arrows_go_down(name: str, kind: str, table: dict[str, Any]) -> None:
    graph = graph_of(table[name], kind)
    measured = sizes(graph)
    placed = layout(graph, measured)
    assert len({b.key for b in graph.boxes}) == len(graph.boxes)
    for one, other in itertools.combinations(graph.boxes, 2):
        across, down = (abs(placed.centres[one.key][k] - placed.centres[other.key][k])
                        - (measured[one.key][k] + measured[other.key][k]) / 2 for k in (0, 1))
        assert max(across, down) > 5, (one.lines, other.lines)
    for box in graph.boxes:
        x, y = placed.centres[box.key]
        wide, high = measured[box.key]
        assert wide / 2 - 0.1 <= x <= placed.width - wide / 2 + 0.1
        assert high / 2 - 0.1 <= y <= placed.height - high / 2 + 0.1
    for arrow, path in zip(graph.arrows, placed.paths, strict=True):
        for leg, points in path:
            heights = [y for _, y in points]
            assert leg == "turn" or heights == sorted(heights)
        ends = [path[0][1][0], path[-1][1][-1]]
        for key, (x, y) in zip((arrow.start, arrow.end), ends, strict=True):
            across, down = (abs(a - b) for a, b in zip(placed.centres[key], (x, y), strict=True))
            assert across <= measured[key][0] / 2 + 0.1 and down <= measured[key][1] / 2 + 0.1
    assert layout(graph, measured) == placed


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_every_format_has_every_box_and_arrow(name: str, kind: str, table: dict[str, Any]) -> None:
    derivation = table[name]
    graph = graph_of(derivation, kind)
    picture = ElementTree.fromstring(derivation.figure(kind, "svg"))
    words = [t.text for t in picture.iter(f"{SVG}text")]
    for box in graph.boxes:
        assert set(box.lines) <= set(words)
    assert sum("marker-end" in p.attrib for p in picture.iter(f"{SVG}path")) == len(graph.arrows)
    mermaid = derivation.figure(kind, "mermaid")
    assert len(re.findall(r"^  n\d+ -(?:-|\.-)>", mermaid, re.M)) == len(graph.arrows)
    dot = derivation.figure(kind, "dot")
    assert dot.count(" -> ") == len(graph.arrows) and dot.count("[label=") >= len(graph.boxes)
    tikz = derivation.figure(kind, "tikz")
    assert tikz.count(r"\draw[symprop arrow") == len(graph.arrows)
    assert tikz.count("{") == tikz.count("}")


def test_forward_shows_values_and_shapes() -> None:
    graph = graph_of(built("mlp").derivation, "forward")
    lines = {line for box in graph.boxes for line in box.lines}
    assert {"X", "N × K", "A1 = tanh(z)", "(F2) N × H", "W1, b1", "cross_entropy"} <= lines
    kinds = {box.lines[0]: box.kind for box in graph.boxes}
    assert kinds["cross_entropy"] == "loss" and kinds["W2, b2"] == "parameter"


def test_backward_shows_adjoints_and_gradients() -> None:
    graph = graph_of(built("mlp").derivation, "backward")
    kinds = {box.lines[0]: box.kind for box in graph.boxes}
    assert kinds["Z\u03042 = (p - Y)/N"] == "adjoint"
    assert kinds["W\u03041, b\u03041"] == "gradient"
    ends = {(a.start, a.end) for a in graph.arrows}
    assert ends == {("the loss", "Z2"), ("Z2", "A1"), ("Z2", "∂W2"), ("A1", "z"), ("z", "∂W1")}


def test_equal_blocks_one_after_the_other_are_one_box() -> None:
    graph = graph_of(built("gpt").derivation, "forward")
    assert len(graph.boxes) <= 14
    assert [b.lines[0] for b in graph.boxes if b.several] == ["gpt_block × 2"]
    backward = graph_of(built("gpt").derivation, "backward")
    assert "gpt_block × 2, backward" in [b.lines[0] for b in backward.boxes if b.several]


def test_a_recurrence_is_one_box() -> None:
    graph = graph_of(built("lstm").derivation, "forward")
    assert "step × T" in [b.lines[0] for b in graph.boxes]


def test_a_ribbon_is_folded(table: dict[str, Any]) -> None:
    graph = graph_of(table["long_way"], "forward")
    assert len(graph.boxes) > 60
    placed = layout(graph, sizes(graph))
    assert 0.5 < placed.height / placed.width < 2
    short = graph_of(table["mlp"], "forward")
    assert all(leg == "flow" for path in layout(short, sizes(short)).paths for leg, _ in path)


def test_training_is_a_loop() -> None:
    graph = graph_of(built("mlp").derivation, "training")
    assert [(a.start, a.end) for a in graph.arrows if a.back] == [("update", "parameters")]


def test_arrows_do_not_cross_where_they_need_not() -> None:
    """Two parallel chains that are named crosswise."""
    boxes = tuple(Box(k, "value", (k,), (k,)) for k in ("a", "b", "d", "c"))
    graph = Graph("chains", boxes, (Arrow("a", "c"), Arrow("b", "d")))
    placed = layout(graph, sizes(graph)).centres
    assert (placed["a"][0] < placed["b"][0]) == (placed["c"][0] < placed["d"][0])
    assert abs(placed["a"][0] - placed["c"][0]) < 1


@pytest.mark.parametrize(("suffix", "first"), [
    ("svg", "<svg "), ("tex", "% The forward"), ("mmd", "flowchart TD"), ("dot", "digraph ")])
def test_the_command_writes_what_the_suffix_says(
    suffix: str, first: str, tmp_path: Path
) -> None:
    path = tmp_path / f"mlp.{suffix}"
    assert run(["figure", "mlp", "-o", str(path)]) == 0
    assert path.read_text(encoding="utf-8").splitlines()[1].startswith(first)
    assert run(["figure", "mlp", "-o", str(path), "--kind", "training"]) == 0  # it is ours


def test_what_is_no_figure_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    derivation = built("mlp").derivation
    with pytest.raises(InputError, match="forward, backward or training"):
        derivation.figure("sideways")
    with pytest.raises(InputError, match="svg, tikz, mermaid, dot"):
        derivation.figure(format="gif")
    assert run(["figure", "mlp", "-o", "mlp.gif"]) == 2
    assert "suffix" in capsys.readouterr().err
