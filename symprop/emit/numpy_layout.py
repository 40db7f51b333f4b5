"""Lines of Python within 88 columns, with notes in the margin.

In: statements and notes. Out: lines; a long statement is broken where it is nested least,
in parentheses; a long note stands above its statement.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

WIDTH = 88
INDENT = "    "
BODY = WIDTH - len(INDENT)  # the lines of a function, before they are indented
_ASSIGNS = re.compile(r" [-+]?= ")
_OPENING, _CLOSING = "([{", ")]}"
_OPERATOR = re.compile(r" [-+=·] ")
_OPERATORS = {" if ": 0.1, " else ": 0.1, " or ": 0.2, " and ": 0.2, " & ": 0.3, " + ": 0.4,
              " - ": 0.4, " * ": 0.6, " / ": 0.6, " // ": 0.7, " @ ": 0.7, " % ": 0.7}


@dataclass(frozen=True)
class Line:
    """Code and what stands in its margin."""

    code: str
    note: str = ""


def laid_out(rows: Sequence[Line]) -> list[str]:
    """Notes in one column where they fit, else on lines of their own above the code."""
    fitting = [len(r.code) for r in rows if r.note and len(r.code) + 4 + len(r.note) <= BODY]
    column = max(fitting, default=0) + 2
    result: list[str] = []
    for row in rows:
        indent = row.code[: len(row.code) - len(row.code.lstrip())]
        one = f"{row.code:<{column}}# {row.note}" if row.note else row.code
        if row.note and len(row.code) < column and len(one) <= BODY:
            result.append(one)
            continue
        if row.note:
            result += comment(row.note, indent)
        result.extend(wrapped(row.code))
    return result


def comment(note: str, indent: str = "") -> list[str]:
    """A note as comment lines."""
    lines = filled(note, BODY - len(indent) - 2, BODY - len(indent) - 8, _gaps)
    return [indent + "# " + lines[0], *(f"{indent}#       {t}" for t in lines[1:])]


def wrapped(code: str, width: int = BODY) -> list[str]:
    """A statement on several lines: what it is made of in parentheses, then broken."""
    if len(code) <= width:
        return [code]
    indent = code[: len(code) - len(code.lstrip())]
    prefix, rest, suffix = _parts(code.strip())
    opening, closing = _first_opening(rest), _end_of_call(rest)
    if closing and len(indent + prefix) + opening <= width:
        head, inner, tail = prefix + rest[:opening], rest[opening:closing], rest[closing:] + suffix
    else:
        head, inner, tail = prefix + "(", rest, ")" + suffix
    deeper = indent + INDENT
    room = width - len(deeper)
    heads = filled(head, width - len(indent), room, _breaks_inside)
    lines = filled(inner, room, room, breaks)
    return [indent + heads[0], *(deeper + h for h in heads[1:]),
            *(deeper + t for t in lines), indent + tail]


def _parts(body: str) -> tuple[str, str, str]:
    """What comes before the expression of a statement, the expression, and a colon."""
    suffix = ":" if body.endswith(":") else ""
    body = body.removesuffix(":")
    keyword = re.match(r"(return|raise|if|with|for \w+ in) ", body)
    if keyword:
        return keyword[0], body[keyword.end():], suffix
    depth = 0
    for place, character in _unquoted(body):
        depth += (character in _OPENING) - (character in _CLOSING)
        match = _ASSIGNS.match(body, place) if depth == 0 else None
        if match:
            return body[:match.end()], body[match.end():], suffix
    return "", body, suffix


def _end_of_call(text: str) -> int:
    """Where the bracket closes that holds all of a text but its ends: f( )[:, None]; else 0."""
    start = _first_opening(text)
    if not start or not re.fullmatch(r"[\w.]*", text[: start - 1]):
        return 0
    depth = 0
    for place, character in _unquoted(text):
        depth += (character in _OPENING) - (character in _CLOSING)
        if place >= start and depth == 0:
            short = re.fullmatch(r"(\.\w+|\([^()]*\)|\[[^\[\]()]*\])*", text[place + 1:])
            return place if short and len(text) - place < 40 else 0
    return 0


def _first_opening(text: str) -> int:
    return next((k + 1 for k, c in enumerate(text) if c in _OPENING), 0)


def _unquoted(text: str) -> Iterator[tuple[int, str]]:
    """The characters outside quotes."""
    quoted = False
    for place, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif not quoted:
            yield place, character


Break = tuple[int, float, str]  # where, how little it is wanted, the quote that it cuts through


def filled(
    text: str, first: int, room: int, places: Callable[[str], Iterator[Break]]
) -> list[str]:
    """A text on lines of at most `room` columns (the first: `first`)."""
    lines = []
    width = first
    while len(text) > width:
        found = (b for b in places(text) if 0 < b[0] < len(text))
        near, beyond = _up_to(width, found)
        best = [b for b in near if b[0] > 0.5 * width]
        if best:
            place, _, quote = min(best, key=lambda b: (b[1], -b[0]))
        elif near:
            place, _, quote = min(near, key=lambda b: (b[1] >= 20, -b[0]))
        elif beyond is not None:
            place, _, quote = beyond
        else:
            break
        lines.append(text[:place].rstrip() + quote if not quote else text[:place] + quote)
        text = quote + (text[place:] if quote else text[place:].lstrip())
        width = room
    return [*lines, text]


def _up_to(width: int, places: Iterator[Break]) -> tuple[list[Break], Break | None]:
    """The places up to a width, and the first beyond it; what comes later is not looked at."""
    near: list[Break] = []
    for found in places:
        if found[0] + len(found[2]) > width:
            return near, found
        near.append(found)
    return near, None


def breaks(text: str) -> Iterator[Break]:
    """Where a line inside brackets may end."""
    depth = 0
    quoted = False
    for place, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif quoted:
            if character == " ":
                yield place + 1, depth + 9.0, '"'
        elif character in _OPENING:
            depth += 1
            yield place + 1, depth + 0.9, ""
        elif character in _CLOSING:
            depth -= 1
        elif text.startswith(", ", place):
            yield place + 1, depth, ""
        elif text.startswith(": ", place) and text[place - 1] == '"':
            yield place + 1, depth + 0.8, ""
        elif character == " ":
            cost = next((c for o, c in _OPERATORS.items() if text.startswith(o, place)), None)
            if cost is not None:
                yield place, depth + cost, ""


def _breaks_inside(text: str) -> Iterator[Break]:
    """Where the start of a statement may be broken: only inside its brackets."""
    return (b for b in breaks(text) if b[1] >= 1)


def _gaps(text: str) -> Iterator[Break]:
    """Where a note may be broken: between its parts, or before an operator."""
    depth = 0
    for place, character in enumerate(text):
        depth += (character in _OPENING) - (character in _CLOSING)
        if character in ",([":  # for names so long that nothing else will do
            yield place + 1, depth + 20.0, ""
        if character != " ":
            continue
        outer = text.startswith("  ", place)
        operator = _OPERATOR.match(text, place) is not None
        yield place, depth + (-1 if outer else 0 if operator else 0.5), ""
