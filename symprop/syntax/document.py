"""Documents: text with places where a line may end, and their lines within a width.

In: documents. Out: lines. This is Wadler's printer: a group stays on one line if it fits, and
each place ends a line if not; a run is filled, so that only those do that must.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

INDENT = "    "


@dataclass(frozen=True)
class Line:
    """A blank (or nothing), or the end of a line with brackets that are needed only there."""

    flat: str = ""
    before: str = ""
    after: str = ""

    @property
    def width(self) -> int:
        """The columns that it takes on one line."""
        return len(self.flat)


@dataclass(frozen=True)
class Block:
    """Parts one after the other: on one line if they fit, each Line an end of a line if not.

    fill: only those ends are taken that are needed, and one behind a part that is `torn`.
    deeper: how far further lines stand in; hang: how far those of a run that start anew do.
    """

    parts: tuple[Document, ...]
    group: bool = False
    fill: bool = False
    torn: bool = False
    deeper: int = 0
    hang: int = 0
    width: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", sum(map(width_of, self.parts)))


Document = str | Line | Block
Piece = tuple[int, bool, Document]  # how far it stands in, whether it stays on the line


def width_of(document: Document) -> int:
    """The columns of a document on one line."""
    return len(document) if isinstance(document, str) else document.width


def joined(*parts: Document) -> Block:
    """Parts one after the other."""
    return Block(parts)


def enclosed(left: str, items: Sequence[Document], right: str, comma: str = "") -> Block:
    """Items in brackets, filled where they take more than a line."""
    if not items:
        return joined(left + right)
    inside: list[Document] = []
    for k, item in enumerate(items):
        mark = "," if k + 1 < len(items) else comma
        inside += [Line(" ")] * bool(k) + [joined(item, mark)]
    body = Block((Line(), Block(tuple(inside), fill=True)), deeper=len(INDENT))
    return Block((left, body, Line(), right), group=True)


def rendered(document: Document, room: int) -> list[str]:
    """The lines of a document, each of at most `room` columns where that can be.

    >>> rendered(enclosed("f(", ["first", "second"], ")"), 14)
    ['f(', '    first,', '    second', ')']
    """
    lines, column = [""], 0
    stack: list[Piece] = [(0, False, document)]
    while stack:
        indent, flat, item = stack.pop()
        if isinstance(item, str):
            lines[-1] += item
            column += len(item)
        elif isinstance(item, Line):
            if flat:
                lines[-1] += item.flat
                column += len(item.flat)
            else:
                lines[-1] = lines[-1] + item.before if item.before else lines[-1].rstrip()
                lines.append(" " * indent + item.after)
                column = indent + len(item.after)
        else:
            indent += item.deeper
            flat = flat or (item.group and column + item.width + _after(stack) <= room)
            if item.fill and not flat:
                stack.extend(_filled(item, indent, column, room, stack))
            else:
                stack.extend((indent, flat, p) for p in reversed(item.parts))
    return lines


def _filled(
    item: Block, indent: int, column: int, room: int, stack: list[Piece]
) -> list[Piece]:
    """What to do next of a filled run: a blank or the end of a line, a part, then the rest."""
    several = 2 if isinstance(item.parts[0], Line) else 1
    now, rest = item.parts[:several], item.parts[several:]
    fits = column + sum(map(width_of, now)) + (0 if rest else _after(stack)) <= room
    torn = not fits and (several == 1 or indent + width_of(now[-1]) > room)
    left = [(indent, False, Block(rest, fill=True, torn=torn, deeper=item.hang))] * bool(rest)
    return [*left, (indent, fits, Block(now[-1:], group=True)),
            *((indent, fits and not item.torn, line) for line in now[:-1])]


def _after(stack: list[Piece]) -> int:
    """The columns up to the first place where the line may end."""
    total = 0
    for _, flat, item in reversed(stack):
        width, ended = (width_of(item), False) if flat else _first(item)
        total += width
        if ended:
            break
    return total


def _first(item: Document) -> tuple[int, bool]:
    """The columns up to the first Line in a document, and whether there is one."""
    if isinstance(item, str):
        return len(item), False
    if isinstance(item, Line):
        return 0, True
    total = 0
    for part in item.parts:
        width, ended = _first(part)
        total += width
        if ended:
            return total, True
    return total, False


def start_of(item: Document) -> int:
    """The columns up to the first place where the line may end."""
    return _first(item)[0]


def flat_text(item: Document) -> str:
    """A document on one line."""
    if isinstance(item, str):
        return item
    return item.flat if isinstance(item, Line) else "".join(map(flat_text, item.parts))
