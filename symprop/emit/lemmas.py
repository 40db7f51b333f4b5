"""A derivation by lemmas in print: each block once, a line each way where it is used.

In: the lemmas and the program. Out: pages of LaTeX, Markdown or text, one after the other: a lemma
says what it is given, what it makes of it, and then the adjoints; its proof are the steps. The
numbers of lemma 2 are 2.F1 and 2.B1. What a run does is one line each way, with an index for the
turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from symprop.blocks.derive import Lemma
from symprop.emit import latex, markdown, text
from symprop.emit.called import Called
from symprop.emit.depths import BriefPrinter, NormalPrinter, known
from symprop.emit.kept import Kept
from symprop.emit.latex_notation import LINE
from symprop.emit.lemma_printer import LemmaPrinter
from symprop.emit.page import Sheet, Style
from symprop.emit.references import labelled
from symprop.emit.stacked import stacked
from symprop.emit.words import ENGLISH
from symprop.files.templates import render
from symprop.system import System

Styled = Callable[[System], Style]
Calling = Callable[[System], Called]


class _Brief(LemmaPrinter, BriefPrinter):
    pass


class _Normal(LemmaPrinter, NormalPrinter):
    pass


PRINTERS: dict[str, type[LemmaPrinter]] = {
    "brief": _Brief, "normal": _Normal, "full": LemmaPrinter}


def latex_pages(
    lemmas: Sequence[Lemma], kept: Kept, called: Calling, *, standalone: bool = False,
    templates: str | Path | None = None, detail: str = "normal", labels: str | None = None,
    room: float | None = None, language: str = ENGLISH,
) -> str:
    """The lemmas as a LaTeX fragment, or as a document."""
    sheets = _sheets(lemmas, kept, lambda s: latex.LatexStyle(
        latex.notation(s, called(s), room), language), detail)
    wide = LINE if room is None else room
    fragment = latex.fitted("\n".join(
        render(_template(latex.FRAGMENT, s), latex.values(s, wide), templates, latex=True)
        for s in sheets), wide)
    if labels is not None:
        fragment = labelled(fragment, labels)
    if not standalone:
        return fragment
    return render(latex.DOCUMENT, {"sheet": sheets[-1], "fragment": fragment}, templates,
                  latex=True)


def markdown_pages(
    lemmas: Sequence[Lemma], kept: Kept, called: Calling, *,
    templates: str | Path | None = None, detail: str = "normal", language: str = ENGLISH,
) -> str:
    """The lemmas as Markdown."""
    sheets = _sheets(lemmas, kept, lambda s: markdown.MarkdownStyle(
        latex.notation(s, called(s)), language), detail)
    return markdown.for_github("\n".join(
        render(_template(markdown.PAGE, s), markdown.values(s), templates) for s in sheets))


def text_pages(
    lemmas: Sequence[Lemma], kept: Kept, called: Calling, *,
    templates: str | Path | None = None, detail: str = "normal", width: int = text.WIDTH,
    language: str = ENGLISH,
) -> str:
    """The lemmas as text."""
    text.check_width(width)
    sheets = _sheets(lemmas, kept, lambda s: text.TextStyle(
        text.notation(s, called(s), width), language), detail)
    return "\n".join(render(_template(text.PAGE, s), text.values(s, width), templates)
                     for s in sheets)


def nameable(lemmas: Sequence[Lemma]) -> Iterator[str]:
    """Everything that somebody may give a name: arrays of the program, of lemmas, and stacks."""
    for lemma in lemmas:
        shown = stacked(lemma)
        yield from shown.system.arrays
        yield from (s.shown for s in shown.stacks.by_name.values())


def _template(page: str, sheet: Sheet) -> str:
    """The template of a lemma, or of the program, which is that of any derivation."""
    return page.replace("derivation", "lemma") if sheet.title else page


def _sheets(lemmas: Sequence[Lemma], kept: Kept, style: Styled, detail: str) -> list[Sheet]:
    """A sheet for each; what is explained once stands at the end."""
    known(detail)
    numbers = {id(lemma.block): lemma.number for lemma in lemmas}
    printed = [PRINTERS[detail](lemma, numbers, style, kept).sheet()
               for lemma in lemmas if kept.lemma(lemma)]
    rules = tuple(dict.fromkeys(r for s in printed for r in s.rules))
    said = tuple(dict.fromkeys(c for s in printed for c in s.conventions))
    return [*(replace(s, rules=(), conventions=()) for s in printed[:-1]),
            replace(printed[-1], rules=rules, conventions=said)]
