"""Statements with notes in the margin.

In: rows of statements and notes. Out: lines within 88 columns; a long note stands above its
statement.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from symprop.syntax.document import INDENT
from symprop.syntax.layout import BODY, lines

_OPERATOR = re.compile(r" [-+=·] ")


@dataclass(frozen=True)
class Row:
    """A statement, what stands in its margin, how deep it stands; a remark is not moved."""

    statement: ast.stmt
    note: str = ""
    depth: int = 0
    remark: str = ""


def opened(head: ast.stmt, *body: ast.stmt) -> ast.stmt:
    """A loop or a block with another body; without one, it is what stands in the next rows."""
    return type(head)(**{**dict(ast.iter_fields(head)), "body": [*body]})


def laid_out(rows: Sequence[Row]) -> list[str]:
    """Notes in one column where they fit, else behind their code, else on lines above it."""
    blocks = [_code(row) for row in rows]
    ends = [(len(code[0]), len(row.note) + 4) for row, code in zip(rows, blocks, strict=True)
            if row.note and len(code) == 1 and len(code[0]) + 4 + len(row.note) <= BODY]
    column = max(ends, default=(0, 0), key=lambda end: (
        sum(code <= end[0] and end[0] + note <= BODY for code, note in ends), -end[0]))[0]
    result: list[str] = []
    for row, code in zip(rows, blocks, strict=True):
        if row.note and len(code) == 1 and len(code[0]) + 4 + len(row.note) <= BODY:
            aligned = f"{code[0]:<{column}}  # {row.note}"
            result.append(aligned if len(aligned) <= BODY else f"{code[0]}  # {row.note}")
            continue
        if row.note:
            result += comment(row.note, INDENT * row.depth)
        result += code
    return result


def _code(row: Row) -> list[str]:
    indent = INDENT * row.depth
    *code, last = lines(row.statement, BODY - len(indent))
    last += f"  # {row.remark}" if row.remark else ""
    return [indent + line for line in (*code, last)]


def comment(note: str, indent: str = "") -> list[str]:
    """A note as comment lines."""
    first, *rest = filled(note, BODY - len(indent) - 2, BODY - len(indent) - 8)
    return [indent + "# " + first, *(f"{indent}#       {t}" for t in rest)]


def filled(text: str, first: int, room: int) -> list[str]:
    """A note on lines of at most `room` columns (the first: `first`)."""
    found = []
    width = first
    while len(text) > width:
        near = [(cost, place) for place, cost in _gaps(text[:width + 1]) if 0 < place <= width]
        far = [b for b in near if b[1] > 0.5 * width]
        if far:
            place = min(far, key=lambda b: (b[0], -b[1]))[1]
        elif near:
            place = min(near, key=lambda b: (b[0] >= 20, -b[1]))[1]
        else:
            place = next((p for p, _ in _gaps(text) if 0 < p < len(text)), len(text))
        found.append(text[:place].rstrip())
        text, width = text[place:].lstrip(), room
    return [*found, text] if text else found


def _gaps(text: str) -> Iterator[tuple[int, float]]:
    """Where a note may be broken, and how little that is wanted: between its parts at best."""
    depth = 0
    for place, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if character in ",([":  # for names so long that nothing else will do
            yield place + 1, depth + 20.0
        if character != " ":
            continue
        outer = text.startswith("  ", place)
        operator = _OPERATOR.match(text, place) is not None
        yield place, depth + (-1 if outer else 0 if operator else 0.5)
