"""Fragments in a paper, in two columns, and slides: nothing undefined, nothing too wide."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from built_models import built
from test_tex_derivation import compiled

import symprop
from symprop.emit.words import ENGLISH, languages, words

pytestmark = pytest.mark.tex

PAPER = r"""\documentclass{article}
\usepackage{amsmath}
\usepackage{hyperref}
\begin{document}
See \eqref{sp:one:B8}, \ref{sp:one:B12} and \eqref{sp:two:B3}.
\section{One}
%s
\section{Two}
%s
\end{document}
"""
COLUMNS = r"""\documentclass[twocolumn]{article}
\usepackage{amsmath}
\begin{document}
%s
\end{document}
"""
OTHERS = [n for n in languages() if n != ENGLISH]
TROUBLE = re.compile(r"^.*(?:Overfull|undefined|multiply|same identifier).*$", re.M)


def test_two_fragments_in_one_paper_keep_apart(tmp_path: Path) -> None:
    one = built("mlp").derivation.latex(labels="one")
    two = built("logistic_regression").derivation.latex(labels="two")
    for _ in range(2):
        log = compiled(tmp_path, PAPER % (one, two))
    assert TROUBLE.findall(log) == []
    labels = (tmp_path / "main.aux").read_text(encoding="latin-1")
    for label in ("sp:one:B8", "sp:two:B3"):
        assert re.search(rf"newlabel\{{{label}\}}\{{\{{(?:\\mbox )?\{{?{label[-2:]}\}}", labels)


# One factor of the lstm in full is .6 pt wider than a column, and no factor is broken.
@pytest.mark.parametrize("name, detail", [
    (n, d) for n in ("mlp", "lstm", "gaussian_mixture") for d in ("full", "normal", "brief")
    if (n, d) != ("lstm", "full")])
def test_two_columns(name: str, detail: str, tmp_path: Path) -> None:
    log = compiled(tmp_path, COLUMNS % built(name).derivation.latex(width=229, detail=detail))
    assert TROUBLE.findall(log) == []


@pytest.mark.parametrize("name", ["mlp", "lstm", "attention", "transformer_block"])
def test_slides(name: str, tmp_path: Path) -> None:
    log = compiled(tmp_path, built(name).derivation.beamer())
    assert TROUBLE.findall(log) == []


@pytest.mark.parametrize("language", OTHERS)
def test_another_language_compiles_with_the_tex_that_it_names(
    language: str, tmp_path: Path
) -> None:
    """A page, a page of lemmas, slides, a worked example, a figure: every letter has a glyph."""
    program = words(language)("language.program")
    small, lstm = built("logistic_regression").derivation, built("lstm").derivation
    lemmas = symprop.derive(built("deep_mlp").derivation.system, structure="blocks")
    inputs = {"X": [[1.0, 2.0]], "y": [1.0], "w": [0.5, 0.25], "b": 0.0}
    pages = [lstm.latex(standalone=True, detail="full", language=language),
             lemmas.latex(standalone=True, language=language), small.beamer(language=language),
             small.worked_example(inputs, format="latex", standalone=True, language=language)]
    drawn = small.figure("training", "tikz", language=language)
    preamble = words(language)("language.preamble")
    pages.append("\\documentclass{article}\\usepackage{tikz}" + preamble
                 + "\\begin{document}\n" + drawn + "\\end{document}")
    for page in pages:
        log = compiled(tmp_path, page, program)
        assert TROUBLE.findall(log) == []
        assert "Missing character" not in log
