"""Figures compile under pdflatex with tikz alone, and fit a page where they are not deep."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from built_models import built
from test_tex_derivation import compiled

from symprop.emit.figure import KINDS

pytestmark = pytest.mark.tex

HOST = r"""\documentclass{article}
\usepackage{amsmath}
\usepackage{tikz}
\begin{document}
%s
\end{document}
"""


@pytest.mark.parametrize("name", ["mlp", "gpt", "lstm", "transformer_block", "gaussian_mixture"])
def test_figures_compile(name: str, tmp_path: Path) -> None:
    derivation = built(name).derivation
    pictures = [rf"\begin{{center}}{derivation.figure(kind, 'tikz')}\end{{center}}\clearpage"
                for kind in KINDS]
    log = compiled(tmp_path, HOST % "\n".join(pictures))
    if name in ("mlp", "gpt"):
        assert not re.findall(r"Overfull.*", log)
