"""A derivation as Markdown: one $$ block for each equation, of what KaTeX knows.

In: a derivation. Out: Markdown. A block holds no `align` and no label, so that it shows the
same in GitHub, Jupyter, MyST and Quarto.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from symprop.emit.compact import compact, compacted
from symprop.emit.latex import LatexStyle, notation, sign
from symprop.emit.sheet import Derived, Row, SheetPrinter
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
    names: Mapping[str, str] | None = None,
    detail: str = "full",
    equation: str | None = None,
) -> str:
    """The derivation as Markdown.

    only: names of gradients; what they depend on is printed, numbered as in the whole.
    templates: a folder whose derivation.md.jinja goes before ours. names: what arrays are
    called, in LaTeX. Raises InputError for a name that has no gradient.
    """
    style = MarkdownStyle(notation(derivation.system, names))
    sheet = SheetPrinter(derivation, style, only, detail, equation).sheet()
    return render(PAGE, {"sheet": sheet, "draw": block, "compact": compact,
                         "compacted": compacted}, templates)


def block(row: Row) -> str:
    """One row as a $$ block; several lines are aligned inside it."""
    tag = rf" \tag{{{row.number}}}" if row.number else ""
    if len(row.lines) == 1:
        return f"$$\n{f'{row.left} {sign(row)} {row.lines[0]}'.lstrip()}{tag}\n$$"
    begun = f"{row.left} &{sign(row)} {row.lines[0]}"
    rest = [rf"&\quad {{}}{line.strip()}" for line in row.lines[1:]]
    inside = " \\\\\n".join([begun, *rest])
    return f"$$\n\\begin{{aligned}}\n{inside}\n\\end{{aligned}}{tag}\n$$"
