r"""A derivation as LaTeX: a fragment for \input that needs amsmath, or a whole document.

In: a derivation. Out: LaTeX. Rows are cut by measured width before they overflow a text
345 pt wide; what a host document may want otherwise is a macro made by \providecommand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from symprop.emit.compact import compact, compacted
from symprop.emit.given_names import check_names, numbered
from symprop.emit.latex_names import escape, symbols
from symprop.emit.latex_notation import LatexNotation
from symprop.emit.references import labelled
from symprop.emit.sheet import Derived, Row, SheetPrinter, Style
from symprop.files.templates import render
from symprop.system import System

FRAGMENT = "derivation.tex.jinja"
DOCUMENT = "standalone.tex.jinja"
NARROW = 300.0  # points: a shorter line holds no table of symbols, and is set in small type
IN_COLUMNS = r"""\providecommand{\sympropsymbol}[4]{\par\noindent #1: {\small\ttfamily #2}, #3, #4}
\begingroup\small\emergencystretch=3em
%s\endgroup
"""


class LatexStyle(Style):
    """Sentences and rows of LaTeX."""

    flavour = "latex"
    continuation = 20.0

    def math(self, text: str) -> str:
        return f"${text}$"

    def plain(self, text: str) -> str:
        return escape(text)

    def times(self) -> str:
        return r" \times "


def notation(
    system: System, names: Mapping[str, str] | None = None, room: float | None = None
) -> LatexNotation:
    """LaTeX for one system: a size that has an array's name is set apart.

    room: the width of a line in points, if not that of an article.
    """
    clashing = frozenset(system.sizes) & frozenset(system.arrays)
    check_names(system, names or {})
    called = symbols(system.arrays, names, numbered(system))
    return LatexNotation(clashing, system.numbers, called, room)


def latex(
    derivation: Derived,
    *,
    standalone: bool = False,
    only: Sequence[str] | None = None,
    templates: str | Path | None = None,
    names: Mapping[str, str] | None = None,
    detail: str = "full",
    equation: str | None = None,
    labels: str | None = None,
    room: float | None = None,
) -> str:
    r"""The derivation for \input, or a document with `standalone`.

    only: names of gradients; what they depend on is printed, numbered as in the whole.
    templates: a folder whose derivation.tex.jinja or standalone.tex.jinja goes before ours.
    names: what arrays are called, in LaTeX. detail: "brief", "normal" or "full". equation: the
    number of the only one to print. labels: a prefix, under which equations have labels. room: the
    width of a line in points. Raises InputError for a name that has no gradient.
    """
    style = LatexStyle(notation(derivation.system, names, room))
    sheet = SheetPrinter(derivation, style, only, detail, equation).sheet()
    text = render(FRAGMENT, {"sheet": sheet, "aligned": aligned, "compact": compact,
                              "compacted": compacted},
                  templates, latex=True)
    if style.to.room < NARROW:
        text = IN_COLUMNS % text
    if labels is not None:
        text = labelled(text, labels)
    if not standalone:
        return text
    return render(DOCUMENT, {"sheet": sheet, "fragment": text}, templates, latex=True)


def aligned(rows: Sequence[Row]) -> str:
    r"""The rows of an align* environment, each with its rule or number as a tag."""
    return " \\\\\n".join(_row(row) for row in rows)


def sign(row: Row) -> str:
    """An equal sign, but for a line that is not equal to the one before."""
    return r"\to" if row.departs else "="


def _row(row: Row) -> str:
    begun = f"  {row.left} &{sign(row)} {row.lines[0]}"
    whole = " \\\\\n".join([begun, *(rf"  &\quad {{}}{line.strip()}" for line in row.lines[1:])])
    if row.number:
        return rf"{whole} \tag{{{row.number}}}"
    return rf"{whole} \tag*{{\sympropreason{{{row.label}}}}}" if row.label else whole
