"""A derivation as Markdown: one $$ block for each equation, of what KaTeX knows.

In: a derivation. Out: Markdown. A block holds no `align` and no label, so that it shows the
same in GitHub, Jupyter, MyST and Quarto.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from symprop.emit.called import Called
from symprop.emit.compact import compact, compacted
from symprop.emit.depths import sheet as sheet_of
from symprop.emit.latex import LatexStyle, notation, sign
from symprop.emit.page import Derived, Row, Sheet
from symprop.emit.words import ENGLISH
from symprop.files.templates import render

PAGE = "derivation.md.jinja"
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|$~])")


class MarkdownStyle(LatexStyle):
    """Words of Markdown around the mathematics of LaTeX."""

    def plain(self, text: str) -> str:
        return _SPECIAL.sub(r"\\\1", text)


def markdown(
    derivation: Derived,
    *,
    only: Sequence[str] | None = None,
    templates: str | Path | None = None,
    names: Mapping[str, str] | Called | None = None,
    detail: str | None = None,
    equation: str | None = None,
    language: str = ENGLISH,
) -> str:
    """The derivation as Markdown.

    only: names of gradients; what they depend on is printed, numbered as in the whole.
    templates: a folder whose derivation.md.jinja goes before ours. names: what arrays are
    called, in LaTeX. Raises InputError for a name that has no gradient.
    """
    style = MarkdownStyle(notation(derivation.system, names), language)
    sheet = sheet_of(derivation, style, only, detail, equation)
    return for_github(render(PAGE, values(sheet), templates))


def for_github(page: str) -> str:
    r"""GitHub refuses \operatorname."""
    return page.replace(r"\operatorname{", r"\mathrm{")


def values(sheet: Sheet) -> dict[str, Any]:
    """What the template reads."""
    return {"sheet": sheet, "draw": block, "compact": compact, "compacted": compacted}


def block(rows: Sequence[Row]) -> str:
    """The rows of one equation as a $$ block, aligned, with reasons at the right."""
    number = next((row.number for row in rows if row.number), "")
    tag = rf" \tag{{{number}}}" if number else ""
    first = rows[0]
    if len(rows) == 1 and len(first.lines) == 1:
        beside = rf" \qquad {in_text(first.label)}" if first.label else ""
        return f"$$\n{f'{first.left} {sign(first)} {first.lines[0]}'.lstrip()}{beside}{tag}\n$$"
    inside = " \\\\\n".join(line for row in rows for line in _lines(row))
    return f"$$\n\\begin{{aligned}}\n{inside}\n\\end{{aligned}}{tag}\n$$"


def _lines(row: Row) -> list[str]:
    found = [f"{row.left} &{sign(row)} {row.lines[0]}".lstrip(),
             *(rf"&\quad {{}}{line.strip()}" for line in row.lines[1:])]
    if row.label:
        found[-1] += rf" && {in_text(row.label)}"
    return found


def in_text(words: str) -> str:
    """Words, and mathematics between dollars, within mathematics."""
    parts = words.split("$")
    return "".join(p if k % 2 else rf"\text{{{_plainly(p)}}}" for k, p in enumerate(parts) if p)


def _plainly(words: str) -> str:
    return re.sub(r"\\(?=[`*{}\[\]<>|~])", "", words)
