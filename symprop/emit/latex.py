r"""A derivation as LaTeX: a fragment for \input that needs amsmath, or a whole document.

In: a derivation. Out: LaTeX. Rows are cut by measured width before they overflow a text
345 pt wide; what a host document may want otherwise is a macro made by \providecommand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from symprop.emit.called import Called
from symprop.emit.compact import compact, compacted
from symprop.emit.depths import sheet as sheet_of
from symprop.emit.given_names import numbered
from symprop.emit.latex_names import escape, size_symbol, symbols
from symprop.emit.latex_notation import LINE, LatexNotation, width
from symprop.emit.page import Block, Derived, Row, Sheet, Style, runs
from symprop.emit.profile.apply import as_called
from symprop.emit.references import labelled
from symprop.emit.text_notation import columns
from symprop.emit.words import ENGLISH
from symprop.files.templates import render
from symprop.system import System

FRAGMENT = "derivation.tex.jinja"
DOCUMENT = "standalone.tex.jinja"
NARROW = 300.0  # points: a shorter line holds no table of symbols, and is set in small type
IN_COLUMNS = r"""\providecommand{\sympropsmall}{\footnotesize}
\providecommand{\sympropsection}[1]{\sympropkeep\subsection*{\normalsize\raggedright #1}}
\providecommand{\sympropsymbol}[4]{\par\noindent #1: {\small\ttfamily #2}, #3, #4}
\begingroup\small\emergencystretch=3em
%s\endgroup
"""
_EQUALS, _INDENT, _TAG = 18.0, 34.0, 56.0  # "=", a continued line, a gap and a number; in points
_QUAD = 10.0
_SMALL, _LETTER = 0.85, 5.0  # of words in small letters


class LatexStyle(Style):
    """Sentences and rows of LaTeX."""

    flavour = "latex"
    continuation = 20.0

    def math(self, text: str) -> str:
        return f"${text}$"

    def plain(self, text: str) -> str:
        return escape(text, self.words.every_letter)

    def times(self) -> str:
        return r" \times "


def notation(
    system: System, names: Mapping[str, str] | Called | None = None, room: float | None = None
) -> LatexNotation:
    """LaTeX for one system: a size that has an array's name is set apart.

    room: the width of a line in points, if not that of an article.
    """
    called = as_called(system, names)
    found = symbols(system.arrays, called.names, numbered(system))
    printed = {s.latex for s in found.values()}
    clashing = {n for n in system.sizes if n in system.arrays or size_symbol(n) in printed}
    return LatexNotation(clashing, system.numbers, found, room, called)


def latex(
    derivation: Derived,
    *,
    standalone: bool = False,
    only: Sequence[str] | None = None,
    templates: str | Path | None = None,
    names: Mapping[str, str] | Called | None = None,
    detail: str | None = None,
    equation: str | None = None,
    labels: str | None = None,
    room: float | None = None,
    language: str = ENGLISH,
) -> str:
    r"""The derivation for \input, or a document with `standalone`.

    only: names of gradients; what they depend on is printed, numbered as in the whole.
    templates: a folder whose derivation.tex.jinja or standalone.tex.jinja goes before ours.
    names: what arrays are called, in LaTeX. detail: "brief", "normal" or "full", by default
    normal, and full for an `equation`: the number of the only one to print. labels: a prefix, under
    which equations have labels. room: the width of a line in points. Raises InputError for a name
    that has no gradient.
    """
    style = LatexStyle(notation(derivation.system, names, room), language)
    sheet = sheet_of(derivation, style, only, detail, equation)
    text = fitted(render(FRAGMENT, values(sheet, style.to.room), templates, latex=True),
                  style.to.room)
    if labels is not None:
        text = labelled(text, labels)
    if not standalone:
        return text
    return render(DOCUMENT, {"sheet": sheet, "fragment": text}, templates, latex=True)


def fitted(fragment: str, room: float) -> str:
    """The fragment as a column of this width is set."""
    return IN_COLUMNS % fragment if room < NARROW else fragment


def values(sheet: Sheet, room: float = LINE) -> dict[str, Any]:
    """What the template of a fragment reads."""
    return {"sheet": sheet, "aligned": partial(aligned, room=room),
            "grouped": partial(grouped, room=room), "listed": listed,
            "wide": partial(wide, room=room),
            "compact": compact, "compacted": compacted}


def grouped(blocks: Sequence[Block], room: float = LINE) -> list[Block]:
    """The blocks, those of a line that stand under each other as one."""
    return runs(blocks, room - _EQUALS, width)


def listed(rows: Sequence[Row]) -> bool:
    """Whether every row is an equation of its own."""
    return all(row.number for row in rows)


def aligned(rows: Sequence[Row], small: bool = False, room: float = LINE) -> str:
    r"""The rows of an align* environment, each with its rule or number as a tag.

    small: sums and fractions as within a text, so that the lines of a table stay close.
    """
    left = max(width(row.left) for row in rows)
    size = r"\textstyle " if small else ""
    return " \\\\\n".join(_row(row, left, size, room) for row in rows)


def wide(rows: Sequence[Row], room: float = LINE) -> bool:
    """Whether a line is wider than there is room: one factor that nothing breaks."""
    left = max(width(row.left) for row in rows)
    return any(left + width(line) + (_QUAD if n else 0.0) > room
               for row in rows for n, line in enumerate(row.lines))


def sign(row: Row) -> str:
    """An equal sign, but for a line that is not equal to the one before."""
    return r"\to" if row.departs else "="


def _row(row: Row, left: float, size: str, room: float) -> str:
    above = size if "frac" in row.left else ""
    begun = f"  {above}{row.left} &{sign(row)} {size}{row.lines[0]}"
    whole = " \\\\\n".join([
        begun, *(rf"  &\quad {size}{{}}{line.strip()}" for line in row.lines[1:])])
    tag = rf" \tag{{{row.number}}}" if row.number else ""
    if not row.label:
        return whole + tag
    if not row.number:
        return rf"{whole} \tag*{{\sympropreason{{{row.label}}}}}"
    used = left + width(row.lines[-1]) + (_INDENT if len(row.lines) > 1 else _EQUALS)
    beside, needed = rf"\sympropreason{{{row.label}}}", _spelled(row.label)
    if used + needed + _TAG <= room:
        return rf"{whole} \qquad \text{{{beside}}}{tag}"
    if left + _INDENT + needed + _TAG <= room:
        return rf"{whole} \\*" + "\n" + rf"  &\qquad \text{{{beside}}}{tag}"
    return rf"{whole} \tag*{{{beside}}} \\*" + "\n" + rf"  &{tag}"


def _spelled(words: str) -> float:
    """The width of small words with some mathematics."""
    parts = words.split("$")
    return sum(_SMALL * (width(p) if k % 2 else _LETTER * columns(p)) for k, p in enumerate(parts))
