"""Lemmas in print: each once, with a line each way where it is used; parts of it; notebooks."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from block_networks import in_turn, pair, transformer, unrolled

import symprop
from symprop.by_blocks import BlockDerivation
from symprop.cli import main
from symprop.emit.text_notation import columns
from symprop.errors import InputError


@cache
def derived(depth: int) -> BlockDerivation:
    return symprop.derive(transformer(depth))


def test_a_lemma_is_printed_once_with_a_line_each_way() -> None:
    derivation = symprop.derive(symprop.trace(pair()))
    text = derivation.text(detail="full").split("THE BACKWARD PASS")[0]
    page, tex = derivation.markdown(), derivation.latex()
    assert text.startswith("Lemma 1 (scaled). Given x (N) and w (N):\n")
    assert len(re.findall(r"= scaled\(", text)) == 2
    assert len(re.findall(r"^\(B\d+\) \S+, \S+ from \S+ by Lemma 1\.$", text, re.MULTILINE)) == 2
    numbers = re.findall(r"^\((\d*\.?B\d+)\)", text, re.MULTILINE)
    assert len(numbers) == len(set(numbers)) and "1.B1" in numbers
    assert page.count("# Lemma 1") == 1 and tex.count("by Lemma 1") == 4 == page.count("by Lemma 1")


def test_a_run_is_one_line_each_way() -> None:
    """The same lines whatever the depth, but for the turns; slices and shared parameters too."""
    (lemmas, two), (same, four) = (derived(k).text().split("The gradients of") for k in (2, 4))
    assert lemmas == same
    numbers = [re.findall(r"^\([FB]\d+\)|\([FB]\d+\)$", text, re.MULTILINE) for text in (two, four)]
    assert numbers[0] == numbers[1] and abs(len(two.split("\n")) - len(four.split("\n"))) <= 2
    assert " block(x[l-1], g_2[l], b_2[l], W[l], c[l], d[l], V[l]),  l = 1, ..., 4" in four
    text = symprop.derive(unrolled()).text()
    assert re.search(r"x\[l,i\] +=  ?X\[l-1,i\]", text)
    assert re.search(r"h′\[l,i\] += h\[l-1,i\],  l = 2, 3", text)
    assert "= Σ_l W\u0304′[l,i,j]" in text


def test_two_blocks_in_turn_are_two_lines() -> None:
    text = symprop.derive(in_turn()).text()
    assert text.count(" = one(") == 1 == text.count(" = other(")
    assert re.search(r"by Lemma \d; .* by Lemma \d, l = 3, 2,\s1\.", text)


@pytest.mark.parametrize("asked, lines, none", [
    ({"equation": "1.B3"}, ["(1.B3)"], "(1.B2)"),
    ({"equation": "(F1)"}, ["= block(x[l-1]"], "Lemma 1 (layer_norm)"),
    ({"equation": "b8"}, ["(B8)", "from"], "(B6) The"),
    ({"only": ["E"]}, ["The gradients of loss", "by Lemma 4"], "The adjoint of nothing"),
    ({"only": ["g"]}, ["g\u0304", "Lemma 1"], "(B10)"),
    ({"detail": "brief"}, ["= block(x[l-1]"], "chain rule"),
    ({"detail": "normal"}, ["from (", "likewise", "= block(x[l-1]"], "sifting"),
])
def test_parts_of_it_are_printed(asked: dict[str, Any], lines: list[str], none: str) -> None:
    derivation = derived(2)
    text = derivation.text(**asked)
    assert all(line in text for line in lines) and none not in text
    assert derivation.latex(**asked) and derivation.markdown(**asked)


def test_parts_that_there_are_not() -> None:
    derivation = symprop.derive(symprop.trace(pair()))
    with pytest.raises(InputError, match=r"no equation '3.B1'; there are \(F1\) to"):
        derivation.text(equation="3.B1")
    with pytest.raises(InputError, match="no gradient of 'z'"):
        derivation.text(only=["z"])
    with pytest.raises(InputError, match="exclude each other"):
        derivation.text(only=["x"], equation="B1")
    with pytest.raises(InputError, match="no detail"):
        derivation.text(detail="long")


def test_a_notebook_shows_lemmas_in_brief() -> None:
    derivation = symprop.derive(symprop.trace(pair()))
    page = derivation._repr_markdown_()
    assert "# Lemma 1 (scaled)" in page and "chain rule" not in page
    assert repr(derivation).startswith("<BlockDerivation of loss: lemmas scaled; gradients of x")


def test_the_command_line_prints_lemmas(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "twice.py"
    file.write_text(
        "import numpy as np\n\n\ndef layer(x, W):\n    z = x @ W\n    s = np.sqrt(1 + z * z)\n"
        "    return z / s\n\n\ndef loss(x: 'N', V: 'N N', W: 'N N'):\n"
        "    return (layer(layer(x, V), W) ** 2).sum()\n")
    command = ["derive", f"{file}:loss", "--quiet"]
    assert main.run([*command, "--format", "text"]) == 0
    assert capsys.readouterr().out.startswith("Lemma 1 (layer). Given x (N) and W (N × N):")
    assert main.run([*command, "--equation", "1.B2", "--detail", "normal"]) == 0
    assert "1.B2" in capsys.readouterr().out
    assert main.run([*command, "--label", "t", "--width", "229", "--name", "W=Q"]) == 0
    assert r"\label{sp:t:1.B2}" in capsys.readouterr().out
    numbers = tmp_path / "numbers.json"
    numbers.write_text('{"x": [1, 2], "V": [[1, 0], [0, 1]], "W": [[1, 0], [0, 1]]}')
    for others in (["--numbers", str(numbers)], ["--format", "beamer"]):
        assert main.run([*command, *others]) == 0
        own = capsys.readouterr().out
        assert main.run([*command, *others, "--flat"]) == 0
        assert capsys.readouterr().out == own


def test_names_are_given_to_arrays_of_lemmas_too() -> None:
    names = {"W": r"W^{(1)}", "s": r"\sigma"}
    derivation = symprop.derive(symprop.trace(in_a_list))
    text, tex = derivation.text(names=names, width=100), derivation.latex(names=names)
    assert "σ" in text and "W⁽¹⁾[l]" in text and r"W^{(1)}" in tex
    assert all(columns(line) <= 100 for line in text.splitlines())
    with pytest.raises(InputError, match="has no array 'Ws_9'; did you mean Ws_"):
        derivation.markdown(names={"Ws_9": "Q"})
    with pytest.raises(InputError, match="at least 80 columns"):
        derivation.text(width=40)


def in_a_list(x: "N D", Ws: ["D D", "D D", "D D"]):
    def layer(x: Any, W: Any) -> Any:
        z = x @ W
        s = np.sqrt(1 + z * z)
        return z / s

    for W in Ws:
        x = layer(x, W)
    return (x * x).sum()


def test_names_of_a_stack_may_end_alike() -> None:
    """Windows that a loop slices, as the author of a convolution writes it: x2, x_step, x2_step."""
    def loss(img: "H W", K: "3 3") -> Any:
        out = np.zeros((img.shape[0] - 2, img.shape[1] - 2))
        for u in range(3):
            for v in range(3):
                out = out + img[u:img.shape[0] - 2 + u, v:img.shape[1] - 2 + v] * K[u, v]
        return np.sum(np.tanh(out) ** 2)

    derivation = symprop.derive(symprop.trace(loss, wrt=["K"]))
    assert derivation.lemmas and "step" in derivation.text(detail="full")
    assert derivation.latex(detail="full")
