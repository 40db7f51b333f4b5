r"""A derivation as slides: a frame for each equation, an overlay for each of its steps.

In: a derivation. Out: a LaTeX document of the class beamer. What would be higher than a frame goes
on in the next one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from symprop.emit.called import Called
from symprop.emit.depths import sheet as sheet_of
from symprop.emit.latex import LatexStyle, notation, sign
from symprop.emit.latex_notation import width
from symprop.emit.page import Block, Derived, Row, Sheet
from symprop.emit.text_notation import columns
from symprop.emit.words import ENGLISH, Words
from symprop.files.templates import render

SLIDES = "beamer.tex.jinja"
HIGH, WIDE = 190.0, 392.0  # of the rows of a frame 16:9 under its title, in points
SUBTITLE = 12.0
TALL, FLAT, SMALL = 33.0, 20.0, 14.0  # lines with sums or fractions, others, a reason below
_TALL = re.compile(r"\\(?:sum|frac|max|min|prod|Bigl|begin)(?![a-z])")
_LETTER = 4.4  # the width of a letter of a reason


@dataclass(frozen=True)
class Frame:
    """A slide: its title, what stands below that, its rows; `stepwise` is one after the other."""

    title: str
    subtitle: str
    rows: tuple[Row, ...]
    stepwise: bool


def beamer(
    derivation: Derived,
    *,
    only: Sequence[str] | None = None,
    templates: str | Path | None = None,
    names: Mapping[str, str] | Called | None = None,
    detail: str | None = None,
    equation: str | None = None,
    language: str = ENGLISH,
) -> str:
    """The slides; options as for `latex.latex`, with a template beamer.tex.jinja."""
    style = LatexStyle(notation(derivation.system, names), language)
    sheet = sheet_of(derivation, style, only, detail or "full", equation)
    found = [*_together("forward", sheet, sheet.forward)]
    for block in filter(lambda b: b.rows, sheet.backward):
        found += _one(block, sheet)
    found += _together(sheet.found, sheet, sheet.box)
    values = {"sheet": sheet, "frames": found, "overlaid": overlaid}
    return render(SLIDES, values, templates, latex=True)


def _one(block: Block, sheet: Sheet) -> Iterator[Frame]:
    """The frames of one equation."""
    say = sheet.words
    said = [say(f"equation.{key}", numbers=say.several(numbers)) for key, numbers in (
        ("from", block.sources), ("inserted", block.absorbed),
        ("absorbed_slide", block.absorbed_by)) if numbers]
    said += [say("equation.zero")] if block.zero else []
    title = f"({block.number}) {sheet.head(block)}"
    yield from _cut(title, say.beside(*said), block.rows, True, say)


def _together(heading: str, sheet: Sheet, blocks: Sequence[Block]) -> Iterator[Frame]:
    """Equations without steps, as many to a frame as there is room for."""
    rows = [row for block in blocks for row in block.rows]
    yield from _cut(sheet.words(f"heading.{heading}"), "", rows, False, sheet.words)


def _cut(
    title: str, subtitle: str, rows: Sequence[Row], stepwise: bool, say: Words
) -> Iterator[Frame]:
    """Frames no higher than there is room."""
    room = HIGH - (SUBTITLE if subtitle else 0)
    several: list[Row] = []
    used, part, first = 0.0, 1, ""
    for row in rows:
        first = row.left or first
        high = _height(row)
        if several and used + high > room:
            row = row if row.left else replace(row, left=first)
            yield Frame(_numbered(title, part, say), subtitle, tuple(several), stepwise)
            several, used, part = [], 0.0, part + 1
        several.append(row)
        used += high
    if several:
        yield Frame(_numbered(title, part, say), subtitle, tuple(several), stepwise)


def _numbered(title: str, part: int, say: Words) -> str:
    return title if part == 1 else say("title.continued", title=title)


def _height(row: Row) -> float:
    lines = sum(TALL if _TALL.search(line) else FLAT for line in row.lines)
    beside = 30.0 if row.number else _LETTER * columns(row.label)
    used = width(row.left) + width(row.lines[-1]) + 34.0 + beside
    return lines + (SMALL if used > WIDE else 0.0)


def overlaid(frame: Frame) -> str:
    r"""The rows of an align* environment, each on the screen from its overlay on."""
    return " \\\\\n".join(_row(row, number if frame.stepwise else 1)
                          for number, row in enumerate(frame.rows, start=1))


def _row(row: Row, number: int) -> str:
    def from_here(text: str) -> str:
        return rf"\uncover<{number}->{{{text}}}" if text and number > 1 else text

    begun = (f"  {from_here(row.left)} &"
             f"{from_here('{}' + sign(row) + ' ' + row.lines[0])}")
    rest = ["  &" + from_here(rf"\quad {{}}{line.strip()}") for line in row.lines[1:]]
    whole = " \\\\\n".join([begun, *rest])
    beside = f"({row.number})" if row.number else rf"\sympropreason{{{row.label}}}"
    return rf"{whole} \tag*{{{from_here(beside)}}}" if row.number or row.label else whole
