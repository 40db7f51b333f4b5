"""A derivation as Unicode text for a terminal.

In: a derivation. Out: lines of at most 88 columns, the rule or number of each at its right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from symprop.emit.compact import compact, compacted
from symprop.emit.given_names import check_names, in_unicode, lowered_numbers
from symprop.emit.sheet import Derived, Row, SheetPrinter, Style
from symprop.emit.text_notation import TextNotation, columns
from symprop.files.templates import render
from symprop.system import System

PAGE = "derivation.txt.jinja"
WIDTH = 88
INDENT = 2


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


def notation(system: System, names: Mapping[str, str] | None = None) -> TextNotation:
    """Text for one system: a size that has an array's name is set apart."""
    clashing = frozenset(system.sizes) & frozenset(system.arrays)
    check_names(system, names or {})
    shown = lowered_numbers(system) | in_unicode(names or {})
    return TextNotation(WIDTH - INDENT, shown, clashing, system.numbers)


def text(
    derivation: Derived,
    *,
    only: Sequence[str] | None = None,
    templates: str | Path | None = None,
    names: Mapping[str, str] | None = None,
    detail: str = "full",
    equation: str | None = None,
) -> str:
    """The derivation as text.

    only: names of gradients; what they depend on is printed, numbered as in the whole.
    templates: a folder whose derivation.txt.jinja goes before ours. Raises InputError for a
    name that has no gradient.
    """
    style = TextStyle(notation(derivation.system, names))
    sheet = SheetPrinter(derivation, style, only, detail, equation).sheet()
    values = {"sheet": sheet, "aligned": aligned, "padded": padded, "wrapped": wrapped,
              "compact": compact, "compacted": compacted}
    return render(PAGE, values, templates)


def padded(words: str, width: int) -> str:
    """A text filled up to a width in columns."""
    return words + " " * max(0, width - columns(words))


def wrapped(words: str, indent: int = INDENT) -> str:
    """A paragraph, indented; its first line has its indent from the template."""
    lines, width = [""], indent
    for word in words.split():
        added = columns(word) + bool(lines[-1])
        if lines[-1] and width + added > WIDTH:
            lines, width, added = [*lines, ""], indent, columns(word)
        lines[-1] += f" {word}" if lines[-1] else word
        width += added
    return f"\n{' ' * indent}".join(lines)


def aligned(rows: Sequence[Row]) -> str:
    """Rows with their equal signs under each other."""
    left = max(columns(row.left) for row in rows)
    return "\n".join(line for row in rows for line in _row(row, left))


def sign(row: Row) -> str:
    """An equal sign, but for a line that is not equal to the one before."""
    return " → " if row.departs else " = "


def _row(row: Row, left: int) -> list[str]:
    begun = " " * INDENT + padded(row.left, left) + sign(row) + row.lines[0]
    rest = [" " * (INDENT + left + 5) + line.strip() for line in row.lines[1:]]
    done = [begun, *rest]
    beside = f"({row.number})" if row.number else row.label
    if not beside:
        return done
    gap = WIDTH - columns(done[-1]) - columns(beside)
    if gap >= 2:
        return [*done[:-1], done[-1] + " " * gap + beside]
    return [*done, " " * (WIDTH - columns(beside)) + beside]
