"""A worked example as LaTeX, Markdown or text.

In: a derivation, its evaluations before and after a step. Out: a text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from symprop.emit import latex, text
from symprop.emit.called import Called
from symprop.emit.latex_notation import LatexNotation
from symprop.emit.markdown import MarkdownStyle, for_github
from symprop.emit.page import Derived, Row
from symprop.emit.words import ENGLISH
from symprop.emit.worked import WorkedPrinter
from symprop.errors import InputError
from symprop.files.templates import render
from symprop.interpret.evaluation import Evaluation

FORMATS = ("text", "markdown", "latex")


def worked_page(
    derived: Derived, before: Evaluation, after: Evaluation, *, step: float, precision: int,
    form: str, standalone: bool = False, templates: str | Path | None = None,
    names: Mapping[str, str] | Called | None = None, language: str = ENGLISH,
) -> str:
    """A worked example in one of the `FORMATS`; `standalone` makes a LaTeX document of it."""
    notation: LatexNotation = latex.notation(derived.system, names)
    styles = {"latex": latex.LatexStyle(notation, language),
              "markdown": MarkdownStyle(notation, language),
              "text": text.TextStyle(text.notation(derived.system, names), language)}
    if form not in styles:
        raise InputError(f"there is no format {form!r}; there are {', '.join(FORMATS)}")
    worked = WorkedPrinter(derived, styles[form], before, after, step, precision).worked()
    if form == "text":
        return render("worked.txt.jinja", {"worked": worked, "aligned": text.aligned}, templates)
    if form == "markdown":
        values = {"worked": worked, "draw": _drawn}
        return for_github(render("worked.md.jinja", values, templates))
    fragment = render("worked.tex.jinja", {"worked": worked, "aligned": latex.aligned}, templates,
                      latex=True)
    if not standalone:
        return fragment
    context = {"worked": worked, "fragment": fragment}
    return render("worked_document.tex.jinja", context, templates, latex=True)


def _drawn(rows: Sequence[Row]) -> str:
    """Rows as one $$ block, aligned; a number stands behind the first of them."""
    number = next((r.number for r in rows if r.number), "")
    inside = []
    for row in rows:
        inside.append(f"{row.left} &= {row.lines[0]}")
        inside += [rf"&\quad {{}}{line.strip()}" for line in row.lines[1:]]
    tag = rf" \tag{{{number}}}" if number else ""
    body = " \\\\\n".join(inside)
    return f"$$\n\\begin{{aligned}}\n{body}\n\\end{{aligned}}{tag}\n$$"
