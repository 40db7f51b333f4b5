"""docs/classics.md: what symprop makes of networks of textbooks, beside the lines of the books."""

from __future__ import annotations

import inspect
import re
from functools import cache
from pathlib import Path
from typing import Any

import classics
import numpy as np
import pytest
from classics import CLASSICS, MAZUR, STEP, Classic

import symprop
from symprop.emit.depths import sheet
from symprop.emit.latex import notation
from symprop.emit.markdown import MarkdownStyle, for_github
from symprop.emit.page import Row, Sheet
from symprop.emit.profile.apply import called

PAGE = Path(__file__).parent.parent / "docs" / "classics.md"
HEAD = """\
# Classics beside their textbooks

Networks as books and lectures have them: the program, the lines of the book, and the lines that
symprop derives from the program, in the notation of the book where there is a
[profile](profiles.md) for it. Nothing of the books is known to symprop. What it prints is of
`detail="brief"`, the box in which every derivation ends, and compared word by word by
`tests/test_classics.py`.
"""


@cache
def derivation(function: Any) -> symprop.Derivation:
    wrt = next((c.wrt for c in CLASSICS if c.function is function), ["W1", "W2"])
    return symprop.derive(symprop.trace(function, wrt=wrt), structure="flat")


@cache
def printed(title: str) -> tuple[Sheet, Any]:
    classic = next(c for c in CLASSICS if c.title == title)
    found = derivation(classic.function)
    given = {n: v for n, v in classic.names.items() if n in found.system.arrays}
    to = notation(found.system, called(found.system, given, classic.profile))
    return sheet(found, MarkdownStyle(to), detail="brief"), to


def line(classic: Classic, wanted: str) -> tuple[str, str]:
    """The line of an array, or of its adjoint, and its number. "∂@W@0" is of what W is read by."""
    found, page = derivation(classic.function), printed(classic.title)[0]
    name = wanted.removeprefix("closed ")
    if name.startswith("∂@"):
        weight = name.split("@")[1]
        name = "∂" + next(e.array for e in found.system.equations if weight in e.reads)
    if name.startswith("∂") and "∂" + name[1:] not in {a.array for a in found.adjoints}:
        alike = [a.array for a in found.adjoints if a.array.startswith(name)]
        name = alike[0] if alike else name
    number = next(a.number for a in found.adjoints if a.array == name)
    blocks = page.gradients if wanted.startswith("closed ") else page.box
    row = next(b.rows[0] for b in blocks if b.number == number)
    return shown(row), number


def shown(row: Row) -> str:
    text = " ".join(part.strip() for part in row.lines).replace("{}{}", "")
    return for_github(f"{row.left} = {text}")


def told(classic: Classic) -> str:
    """One classic: its program, and the lines beside one another."""
    code = inspect.getsource(classic.function).rstrip()
    rows = ["| the book | symprop | |", "|---|---|---|"]
    for book, wanted in classic.lines:
        ours, number = line(classic, wanted)
        rows.append(f"| {book if book.startswith('`') else f'${book}$'} | ${ours}$ | ({number}) |")
    remark = f"\n{classic.remark}\n" if classic.remark else ""
    return (f"## {classic.title}\n\n{classic.source}\n\n```python\n{code}\n```\n\n"
            + "\n".join(rows) + "\n" + remark)


def numbers() -> dict[str, Any]:
    """Mazur's arrays before and after a step; a parameter after it is W1+."""
    found = derivation(classics.mazur)
    before = found.evaluate(MAZUR)
    after = found.evaluate({**MAZUR, **{
        w: np.asarray(MAZUR[w]) - STEP * before.gradients[w] for w in ("W1", "W2")}})
    loss = found.system.loss
    return {**before.arrays, "L": before.arrays[loss], "L+": after.arrays[loss],
            "W1+": after.arrays["W1"], "W2+": after.arrays["W2"]}


def mazur() -> str:
    """His numbers, and those that come out."""
    values = numbers()
    code = inspect.getsource(classics.mazur).rstrip()
    rows = ["| | the page | symprop |", "|---|---|---|"]
    rows += [f"| ${name}$ | {book:.9f} | {float(np.asarray(values[array])[at]):.9f} |"
             for name, book, array, at in classics.PAGE]
    return (
        "## Mazur's numbers\n\nM. Mazur, *A Step by Step Backpropagation Example*.\n\n"
        f"```python\n{code}\n```\n\n" + "\n".join(rows) + "\n\nThe page rounds on the way, which "
        "its last loss shows in the seventh digit. `worked_example` prints this with every "
        "equation: [a worked example](worked-example.md).\n")


def page() -> str:
    """docs/classics.md."""
    return "\n".join([HEAD, *map(told, CLASSICS), mazur()])


def test_the_page_is_generated(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text("utf-8") == page(), "pytest tests/test_classics.py --update rewrites it"


def test_the_numbers_of_the_page_are_those_that_come_out() -> None:
    values = numbers()
    for name, book, array, at in classics.PAGE:
        ours = float(np.asarray(values[array])[at])
        assert ours == pytest.approx(book, abs=2e-7 if array == "L+" else 6e-9), name


@pytest.mark.parametrize("name", ["two_layers", "softmax_classifier", "weight_decay"])
def test_every_line_of_the_box_stands_in_the_page_of_a_user(name: str) -> None:
    """The lines of the table are those that `markdown` prints."""
    classic = next(c for c in CLASSICS if c.function.__name__ == name)
    found = derivation(classic.function)
    given = {n: v for n, v in classic.names.items() if n in found.system.arrays}
    whole = found.markdown(detail="brief", profile=classic.profile, names=given)
    for _, wanted in classic.lines:
        assert line(classic, wanted)[0].partition(" = ")[2] in re.sub(r"&=", "=", whole)
