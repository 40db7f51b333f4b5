"""Derivations compile under their TeX, alone and in a host document, without overfull boxes."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from print_systems import Builder, at, index, layer_norm, least_squares, mlp

from symprop.algebra import rows
from symprop.algebra.build import add, apply, mul, number, sum_over
from symprop.cli.pdf import program_for
from symprop.derive.derivation import derive
from symprop.emit.latex import latex
from symprop.system import Fact, System

pytestmark = pytest.mark.tex

HOST = r"""\documentclass{book}
\usepackage{amsmath}
\usepackage{hyperref}
\begin{document}
\chapter{Ours}
\input{fragment}
\input{fragment}
\end{document}
"""


def compiled(folder: Path, document: str, program: str = "pdflatex") -> str:
    """The log of TeX; the test fails where TeX does."""
    (folder / "main.tex").write_text(document, encoding="utf-8")
    command = [program, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape",
               "main.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
    log = (folder / "main.log").read_text(encoding="latin-1")
    assert done.returncode == 0, re.findall(r"^!.*(?:\n.*){3}", log, re.MULTILINE)
    return log


def long_names() -> System:
    """Names that make rows long, or that TeX would trip over."""
    names = {"input_features": "N K", "blocks_0_Wq": "K H", "offset_b": "H", "x_1": "H",
             "x1": "H", "epsilon": "H"}
    b = Builder(names)
    n, k, h = (index(a) for a in "NKH")
    terms = [mul(number(0.044715), at(name, h), at("offset_b", h), at("x1", h), at("x_1", h))
             for name in ("offset_b", "x_1", "x1", "epsilon")]
    b.define("pre_activation_2", (n, h), add(
        sum_over(mul(at("input_features", n, k), at("blocks_0_Wq", k, h)), [k]), *terms))
    n, h = index("N"), index("H")
    b.define("total_loss", (), sum_over(apply("sigmoid", at("pre_activation_2", n, h)), [n, h]))
    return b.system("long_names", ["blocks_0_Wq", "offset_b", "x_1", "x1"], sizes="N K H")


def every_row() -> System:
    """Each scalar function once."""
    b = Builder({"x": "N"})
    n = index("N")
    terms = [apply(name, *[at("x", n)] * rows.get(name).arity) for name in rows.names()]
    b.define("L", (), sum_over(add(*terms), [n]))
    system = b.system("every_row", [], [Fact("one_of", "x", (1, 2)), Fact("positive", "x")],
                      sizes="N")
    return replace(system, wrt=())


SYSTEMS = {
    "mlp": mlp(2), "deep": mlp(8), "norm": layer_norm(), "squares": least_squares(),
    "long names": long_names(), "every row": every_row(),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_document_compiles_and_fits(name: str, tmp_path: Path) -> None:
    log = compiled(tmp_path, latex(derive(SYSTEMS[name]), standalone=True))
    assert re.findall(r"Overfull .*", log) == []
    assert "undefined" not in log


def test_the_fragment_compiles_in_a_host_twice(tmp_path: Path) -> None:
    (tmp_path / "fragment.tex").write_text(latex(derive(SYSTEMS["mlp"])), encoding="utf-8")
    log = compiled(tmp_path, HOST)
    assert re.findall(r"Overfull .*", log) == []


def test_a_hostile_title_compiles(tmp_path: Path) -> None:
    """Its é stays, and makes the document one for XeLaTeX, as every letter beyond ASCII does."""
    system = replace(SYSTEMS["squares"], name="\\input{/etc/passwd} 100% $x_1^2$ #&~ \"<é>|")
    page = latex(derive(system), standalone=True)
    assert "é" in page and program_for(document=page) == "xelatex"
    compiled(tmp_path, page, program_for(document=page))
