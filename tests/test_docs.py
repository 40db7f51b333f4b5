"""What the documentation shows is what its commands print; `pages` says how a page is read."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from pages import ROOT, Page, blocks, dead_links

import symprop
from symprop.emit.page import Block, Row, Sheet, SymbolRow
from symprop.emit.targets.numpy.module import module_context
from symprop.lower.program import lower
from symprop.zoo import models

DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [*DOCS, *sorted((ROOT / "docs").glob("*/*.md")), ROOT / "generated" / "README.md"]
GENERATED = ("programs.md", "rules.md", "classics.md")  # compared word by word, in a test each
RUN = [p for p in PAGES if p.name not in GENERATED and any(
    True for _ in blocks(p.read_text(encoding="utf-8")))]


DEEP = (  # they train, build all there is, or run the tests
    "adding-a-template.md", "adding-a-zoo-model.md", "adding-an-operation.md", "frozen.md",
    "learning-rules.md", "nn.md", "training.md")


@pytest.mark.slow
@pytest.mark.parametrize("path", [
    pytest.param(p, id=str(p.relative_to(ROOT)), marks=[pytest.mark.deep] * (
        p.name in DEEP or p.parent.name == "zh")) for p in RUN])
def test_the_page_is_true(path: Path, tmp_path: Path) -> None:
    Page(path, tmp_path).run()


@pytest.mark.parametrize("path", PAGES, ids=[str(p.relative_to(ROOT)) for p in PAGES])
def test_links_lead_somewhere(path: Path) -> None:
    assert dead_links(path) == []


@pytest.mark.parametrize("path", PAGES, ids=[str(p.relative_to(ROOT)) for p in PAGES])
def test_no_block_is_left_unread(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(re.findall(r"^```", text, re.M)) == 2 * len(list(blocks(text)))


@pytest.mark.parametrize("path", PAGES, ids=[str(p.relative_to(ROOT)) for p in PAGES])
def test_files_that_a_page_names_are_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:symprop|tests|templates|examples|benchmarks)/[\w/.]+)`", text))
    assert [n for n in sorted(named) if not (ROOT / n).exists()] == []


def test_the_index_lists_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert [p.name for p in DOCS if p.name != "README.md" and f"]({p.name})" not in index] == []


def test_the_page_on_templates_names_the_whole_context() -> None:
    page = (ROOT / "docs" / "adding-a-template.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([A-Za-z_]+)", page))
    system = symprop.trace(models()["linear_regression"].function, wrt=["w"])
    program = lower(system, symprop.derive(system).adjoints)
    context = {*module_context(program), *(
        f.name for kind in (Sheet, Block, Row, SymbolRow) for f in fields(kind))}
    assert sorted(context - named) == []
    templates = {p.name for p in (ROOT / "templates").glob("*.jinja")}
    assert sorted(t for t in templates if f"`{t}`" not in page) == []
