"""What the README shows is what its commands print; `pages` says how a page is read."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import ROOT, Page, blocks, commands, dead_links, holds, matches

README = ROOT / "README.md"
CHINESE = ROOT / "README.zh-CN.md"


@pytest.mark.slow
@pytest.mark.parametrize("path", [
    README, pytest.param(CHINESE, marks=pytest.mark.deep)], ids=lambda p: p.name)
def test_the_readme_is_true(path: Path, tmp_path: Path) -> None:
    page = Page(path, tmp_path)
    page.run()
    assert page.commands >= 8


@pytest.mark.parametrize("path", [README, CHINESE], ids=lambda p: p.name)
def test_the_readme_is_short_and_its_links_lead_somewhere(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 220
    assert dead_links(path) == []


def test_both_readmes_have_the_same_commands_and_files() -> None:
    """And as many headings; each has a link to the other."""
    texts = [p.read_text(encoding="utf-8") for p in (README, CHINESE)]
    first, second = (list(blocks(t)) for t in texts)
    assert [b.body for b in first if b.kind == "python"] == [
        b.body for b in second if b.kind == "python"]
    done = [[c for b in page if b.kind == "console" for c, _ in commands(b.body)]
            for page in (first, second)]
    assert done[0] == [c.replace(" --language zh", "") for c in done[1]]
    heads = [[line.count("#") for line in t.splitlines() if line.startswith("#")] for t in texts]
    assert heads[0] == heads[1]
    assert f"/{CHINESE.name})" in texts[0] and f"/{README.name})" in texts[1]


# ---- the comparison itself ------------------------------------------------------------------


@pytest.mark.parametrize(("shown", "printed"), [
    ("a\n", "a"),
    ("", ""),
    ("a\n...\nd\n", "a\nb\nc\nd\n"),
    ("a\n...\nb\n", "a\nb\n"),
    ("...\nb\n...\n", "a\nb\nc\n"),
    ("a\n...\nb\n", "a\nb\nb\n"),
    ("a ...\n", "a b c\n"),
    ("error 8.0e-13  6/6\n", "error 3.1e-12  6/6\n"),
    ("error 8.0e-13  6/6\n", "error 0.0e+00  6/6\n"),
])
def test_what_is_shown_is_printed(shown: str, printed: str) -> None:
    assert matches(shown, printed)


@pytest.mark.parametrize(("shown", "printed"), [
    ("a\n", "b"),
    ("a\n", ""),
    ("", "a"),
    ("a\n", "a\nb\n"),
    ("a\n...\nd\n", "a\nb\n"),
    ("a\n...\na\n", "a\n"),
    ("...\nb\n...\na\n", "a\nb\nc\n"),
    ("a b ...\n", "a c\n"),
    ("error 8.0e-13  6/6\n", "error 1.2e-03  6/6\n"),
    ("error 8.0e-13  6/6\n", "error 3.1e-12  5/6\n"),
])
def test_what_is_not_printed_is_found(shown: str, printed: str) -> None:
    assert not matches(shown, printed)


def test_the_comparison_ends_soon() -> None:
    assert not matches("...\nx\n" * 40 + "y\n", "x\n" * 4000)


def test_an_excerpt() -> None:
    assert holds("a\nb\nc\nd\n", "b\n...\nd\n")
    assert not holds("a\nb\nc\n", "c\n...\nb\n")


def write_page(folder: Path, text: str) -> Page:
    path = folder / "page.md"
    path.write_text(text, encoding="utf-8")
    (folder / "run").mkdir()
    return Page(path, folder / "run")


@pytest.mark.parametrize("wrong", [
    "Words.\n\n```console\n$ echo a\nb\n```\n",
    "Words.\n\n```console\n$ echo a; exit 1\na\n```\n",
    "Words.\n\n```console\na\n```\n",
    "Words.\n\n```python\nx = 1\n```\n",
    "In `a.py`:\n\n```python\nx = 1\n```\n\nFrom `a.py`:\n\n```python\nx = 2\n```\n",
    "Words.\n\n```console\n$ make nothing_of_that_name\n```\n",
])
def test_a_page_that_is_wrong_fails(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        write_page(tmp_path, wrong).run()


def test_a_page_that_is_right_passes(tmp_path: Path) -> None:
    page = write_page(tmp_path, (
        "In `a.py`:\n\n```python\nprint(1)\n```\n\nFrom `a.py`:\n```python\nprint(1)\n```\n\n"
        "Then\n\n```console\n$ python a.py\n1\n$ make test\n$ echo b\nb\n```\n"))
    page.run()
    assert page.commands == 2


def test_every_block_is_read() -> None:
    text = "a\n```console\n$ x\n```\n\n```python\ny\n```\n"
    assert [(b.kind, b.line) for b in blocks(text)] == [("console", 2), ("python", 6)]
    assert commands("$ a\n1\n2\n$ b\n") == [("a", "1\n2\n"), ("b", "")]
