"""Every model of the zoo and every network in natural style, at all depths, in all languages.

Each is a fragment with labels in a paper with hyperref and cleveref, a document, a page of two
columns and slides: TeX finds no error, no reference that is undefined and no box that is too
full. Each equation for the web is one that KaTeX sets and that GitHub does not refuse.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from natural_networks import NETWORKS

import symprop
from symprop.derivation import Derivation
from symprop.emit.profile.read import shipped
from symprop.emit.words import languages, words
from symprop.zoo import models

pytestmark = pytest.mark.pages

DETAILS = ("brief", "normal", "full")
OWN = {f"own {f.__name__}": f for f in NETWORKS}
NAMES = (*models(), *OWN)
GROUPS = 12  # of models that share a document
BEGINS = "symprop begins "
TITLE = re.compile(r"^\\title\{.*\n", re.M)
TROUBLE = re.compile(
    r".*(?:Overfull|undefined|multiply|same identifier|Missing character|^! ).*")
# What GitHub's Markdown refuses, or takes for its own before MathJax reads it.
REFUSED = {
    "operatorname", "DeclareMathOperator", "newcommand", "renewcommand", "def", "let", "require",
    "href", "url", "includegraphics", "html", "htmlClass", "htmlId", "htmlStyle", "class",
    "cssId", "style", "unicode", "label", "ref", "eqref", "mbox",
}
KATEX = Path(os.environ.get("SYMPROP_KATEX", ".venv/katex/node_modules/katex"))


@cache
def derived(name: str) -> Derivation:
    if name in OWN:
        return symprop.derive(symprop.trace(OWN[name]))
    m = models()[name]
    return symprop.derive(symprop.trace(m.function, shapes=m.shapes, wrt=m.wrt, facts=m.facts,
                                        static=m.static))


def split(documents: Iterator[str]) -> tuple[str, list[str]]:
    """What stands before \\begin{document} in all of them, but for titles, and the rest of each."""
    begun: set[str] = set()
    bodies = []
    for document in documents:
        before, after = document.split("\\begin{document}")
        title = "".join(TITLE.findall(before))
        begun.add(TITLE.sub("", before))
        bodies.append(title + after.split("\\end{document}")[0])
    assert len(begun) == 1
    return begun.pop(), bodies


def joined(before: str, bodies: list[str]) -> str:
    return (before + "\\begin{document}\n" + "\n\\clearpage\n".join(bodies)
            + "\\end{document}\n")


def hosts(names: tuple[str, ...], language: str, **options: Any) -> Iterator[tuple[str, str, int]]:
    """What is compiled: its kind, a document, and how often TeX has to read it.

    Several models share a document, which spares the starts of TeX; its log says where each begins.
    """
    preamble = words(language)("language.preamble")
    paper = "\\documentclass{article}\n%s\n\\usepackage{amsmath}\n%s\\begin{document}\n%s\n" \
        "\\end{document}\n"
    packages = "\\usepackage{hyperref}\n\\usepackage{cleveref}\n"
    pages = [(f"{name} {detail}", derived(name), {**options, "detail": detail,
                                                  "language": language})
             for name in names for detail in DETAILS]

    def told(texts: Iterator[str]) -> list[str]:
        return [f"\\typeout{{{BEGINS}{where}}}\n{text}"
                for (where, _, _), text in zip(pages, texts, strict=True)]

    fragments = told(d.latex(labels=re.sub(r"[ _]", "-", where), **o) for where, d, o in pages)
    yield "fragments", paper % (preamble, packages, "\n\\clearpage\n".join(fragments)), 2
    before, papers = split(d.latex(standalone=True, **o) for _, d, o in pages)
    yield "documents", joined(before, told(iter(papers))), 1
    narrow = told(d.latex(width=229, **o) for _, d, o in pages)
    columns = paper.replace("{article}", "[twocolumn]{article}")
    yield "columns", columns % (preamble, "", "\n\\clearpage\n".join(narrow)), 1
    # Of slides all overlays are one page: what is uncovered later takes its room from the first.
    before, slides = split(d.beamer(**o) for _, d, o in pages)
    before = before.replace("documentclass[aspect", "documentclass[handout,aspect")
    yield "slides", joined(before, told(iter(slides))), 1


def troubles(document: str, language: str, times: int, folder: Path) -> list[str]:
    """What TeX has to say against a document."""
    (folder / "main.tex").write_text(document, encoding="utf-8")
    program = words(language)("language.program")
    quick = "-draftmode" if program == "pdflatex" else "-no-pdf"  # all is set, no file is made
    command = [program, quick, "-interaction=nonstopmode", "-no-shell-escape", "main.tex"]
    for _ in range(times):
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=300, check=False)
    log = (folder / "main.log").read_text(encoding="utf-8", errors="replace")
    (folder / "main.aux").unlink(missing_ok=True)
    found = [] if done.returncode == 0 else [f"exit {done.returncode}"]
    where = "before"
    for line in log.splitlines():
        if line.startswith(BEGINS):
            where = line.removeprefix(BEGINS)
        elif TROUBLE.match(line):
            found.append(f"{where}: {line}")
    return found


Faults = dict[tuple[str, str], list[str]]


def faults(names: tuple[str, ...], folder: Path, **options: Any) -> Faults:
    found = {(language, kind): troubles(document, language, times, folder)
             for language in languages()
             for kind, document, times in hosts(names, language, **options)}
    return {where: what[:9] for where, what in found.items() if what}


@pytest.mark.parametrize("first", range(GROUPS))
def test_all_depths_in_all_languages_compile_and_fit(first: int, tmp_path: Path) -> None:
    assert faults(NAMES[first::GROUPS], tmp_path) == {}


@pytest.mark.parametrize("profile", [p for p in shipped() if p != "symprop"])
def test_all_profiles_of_the_mlp_compile_and_fit(profile: str, tmp_path: Path) -> None:
    assert faults(("mlp",), tmp_path, profile=profile) == {}


@pytest.mark.skipif(not (shutil.which("node") and KATEX.exists()), reason="make pages installs it")
@pytest.mark.parametrize("name", NAMES)
def test_equations_for_the_web_are_what_katex_and_github_set(name: str) -> None:
    shown: list[tuple[bool, str]] = []
    for language in languages():
        for detail in DETAILS:
            page = derived(name).markdown(detail=detail, language=language)
            blocks = re.findall(r"^\$\$\n(.*?)\n\$\$$", page, re.DOTALL | re.MULTILINE)
            between = re.sub(r"^\$\$\n.*?\n\$\$$", "", page, flags=re.DOTALL | re.MULTILINE)
            shown += [(True, b) for b in blocks]
            shown += [(False, b) for b in re.findall(r"(?<!\\)\$(.+?)(?<!\\)\$", between)]
    assert len(shown) > 20
    used = {c for _, block in shown for c in re.findall(r"\\([A-Za-z]+)", block)}
    assert used & REFUSED == set()
    done = subprocess.run(
        ["node", str(Path(__file__).parent / "katex.js"), str(KATEX.resolve())],
        input=json.dumps(shown), capture_output=True, text=True, timeout=120, check=True)
    assert json.loads(done.stdout) == []
