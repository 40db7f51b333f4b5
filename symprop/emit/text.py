"""A derivation as Unicode text for a terminal.

In: a derivation, a width. Out: lines of at most that width, the rule or number of each at its
right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from symprop.algebra.expr import adjoint
from symprop.emit.called import Called
from symprop.emit.compact import compact, compacted
from symprop.emit.depths import sheet as sheet_of
from symprop.emit.given_names import in_unicode, lowered_numbers
from symprop.emit.page import Block, Derived, Row, Sheet, Style, runs
from symprop.emit.profile.apply import as_called
from symprop.emit.text_notation import TextNotation, columns
from symprop.emit.words import ENGLISH
from symprop.errors import InputError
from symprop.files.templates import render
from symprop.system import System

PAGE = "derivation.txt.jinja"
WIDTH = 88
NARROWEST = 80
INDENT = 2
_CHINESE, _OPENED, _CLOSED = "\u3400-\u9fff", "（“", "，。、；：）”"
_WORD = re.compile(rf"[{_OPENED}]*(?:[{_CHINESE}]|[^{_CHINESE}{_OPENED}{_CLOSED}]+|)[{_CLOSED}]*")
_TAG = 12  # " = " and a number with the space before it


class TextStyle(Style):
    """Sentences of plain text."""

    flavour = "text"
    continuation = 4.0

    def math(self, text: str) -> str:
        return text

    def plain(self, text: str) -> str:
        return text

    def times(self) -> str:
        return " × "


def notation(
    system: System, names: Mapping[str, str] | Called | None = None, width: int = WIDTH
) -> TextNotation:
    """Text for one system: a size that has an array's name is set apart."""
    called = as_called(system, names)
    shown = lowered_numbers(system) | in_unicode(called.names)
    printed = {*system.arrays} - {*called.names} | {*shown.values()}
    own = {adjoint(n): latex for n, latex in called.adjoints.items()}
    clashing = {n for n in system.sizes if n in system.arrays or n in printed}
    return TextNotation(width - INDENT, shown | in_unicode(own), clashing, system.numbers, called)


def text(
    derivation: Derived,
    *,
    only: Sequence[str] | None = None,
    templates: str | Path | None = None,
    names: Mapping[str, str] | Called | None = None,
    detail: str | None = None,
    equation: str | None = None,
    width: int = WIDTH,
    language: str = ENGLISH,
) -> str:
    """The derivation as text, `width` columns wide, at least 80.

    only: names of gradients; what they depend on is printed, numbered as in the whole.
    templates: a folder whose derivation.txt.jinja goes before ours. Raises InputError for a
    name that has no gradient.
    """
    check_width(width)
    style = TextStyle(notation(derivation.system, names, width), language)
    sheet = sheet_of(derivation, style, only, detail, equation)
    return render(PAGE, values(sheet, width), templates)


def check_width(width: int) -> None:
    """InputError for a width at which lines would be torn."""
    if width < NARROWEST:
        raise InputError(f"text is at least {NARROWEST} columns wide, not {width}")


def values(sheet: Sheet, width: int = WIDTH) -> dict[str, Any]:
    """What the template reads."""
    return {"sheet": sheet, "padded": padded, "aligned": partial(aligned, width=width),
            "wrapped": partial(wrapped, width=width), "grouped": partial(grouped, width=width),
            "compact": compact, "compacted": compacted}


def grouped(blocks: Sequence[Block], width: int = WIDTH) -> list[Block]:
    """The blocks, those of a line that stand under each other as one."""
    return runs(blocks, width - INDENT - _TAG, columns)


def padded(words: str, width: int) -> str:
    """A text filled up to a width in columns."""
    return words + " " * max(0, width - columns(words))


def wrapped(words: str, indent: int = INDENT, width: int = WIDTH) -> str:
    """A paragraph, indented; its first line has its indent from the template."""
    lines, used = [""], indent
    for gap, word in _words(words):
        gap = gap if lines[-1] else ""
        added = columns(gap + word)
        if lines[-1] and used + added > width:
            lines, used, gap, added = [*lines, ""], indent, "", columns(word)
        lines[-1] += gap + word
        used += added
    return f"\n{' ' * indent}".join(lines)


def _words(text: str) -> Iterator[tuple[str, str]]:
    """What a line may end after, and the gap before it: words, and letters of Chinese each."""
    for word in text.split():
        gap = " "
        for part in _WORD.findall(word):
            yield gap, part
            gap = ""


def aligned(rows: Sequence[Row], width: int = WIDTH) -> str:
    """Rows with their equal signs under each other."""
    left = max(columns(row.left) for row in rows)
    return "\n".join(line for row in rows for line in _row(row, left, width))


def sign(row: Row) -> str:
    """An equal sign, but for a line that is not equal to the one before."""
    return " → " if row.departs else " = "


def _row(row: Row, left: int, width: int) -> list[str]:
    begun = " " * INDENT + padded(row.left, left) + sign(row) + row.lines[0]
    rest = [" " * (INDENT + left + 5) + line.strip() for line in row.lines[1:]]
    done = [begun, *rest]
    beside = "  ".join(filter(None, (row.label, row.number and f"({row.number})")))
    if not beside:
        return done
    gap = width - columns(done[-1]) - columns(beside)
    if gap >= 2:
        return [*done[:-1], done[-1] + " " * gap + beside]
    return [*done, " " * (width - columns(beside)) + beside]
