"""Printed mathematics as pieces that know their width and where a line may end.

In: texts with widths (points for LaTeX, columns for a terminal). Out: `Piece`s that join to
longer ones, and `lines`, which cuts a piece where nothing is torn apart: at the outermost
plus sign that fits, else between factors, else inside parentheses.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace

# How tightly a piece binds: what it may stand next to without parentheses.
SUM, SIGNED, BIG, PRODUCT, ATOM = range(5)
NEVER = 99
_FULL = 0.4  # of a line


@dataclass(frozen=True)
class Chunk:
    """A text that stays on one line. A line may end before it unless `level` is NEVER.

    level: the depth of the break, 0 at an outermost plus sign. carry: what a new line begins
    with when it begins here.
    """

    text: str
    width: float
    level: int = NEVER
    carry: str = ""
    carry_width: float = 0.0


@dataclass(frozen=True)
class Piece:
    """Chunks with the tightness of the whole; `tall` asks for big parentheses around it."""

    chunks: tuple[Chunk, ...]
    binds: int = ATOM
    tall: bool = False

    @property
    def text(self) -> str:
        """The piece on one line."""
        return "".join(c.text for c in self.chunks)

    @property
    def width(self) -> float:
        """The width on one line."""
        return sum(c.width for c in self.chunks)

    def bound_as(self, binds: int) -> Piece:
        """The same with another tightness."""
        return replace(self, binds=binds)

    def opening(self, level: int, carry: str = "", carry_width: float = 0.0) -> Piece:
        """The same, with leave to begin a new line before it."""
        first = replace(self.chunks[0], level=level, carry=carry, carry_width=carry_width)
        return replace(self, chunks=(first, *self.chunks[1:]))

    def deeper(self, levels: int) -> Piece:
        """The same inside something: its breaks are worse ones."""
        if all(c.level == NEVER for c in self.chunks):
            return self
        return replace(self, chunks=tuple(
            c if c.level == NEVER else replace(c, level=c.level + levels) for c in self.chunks
        ))

    def fused(self) -> Piece:
        """The first two chunks made one: a sign stays with what follows it."""
        first, second, *rest = self.chunks
        head = Chunk(first.text + second.text, first.width + second.width)
        return replace(self, chunks=(head, *rest))

    def unbroken(self) -> Piece:
        """The same as a single chunk."""
        return replace(self, chunks=(Chunk(self.text, self.width),))


def piece(text: str, width: float, binds: int = ATOM, tall: bool = False) -> Piece:
    """A piece of one chunk."""
    return Piece((Chunk(text, width),), binds, tall)


def join(pieces: Iterable[Piece], binds: int) -> Piece:
    """Pieces one after the other."""
    parts = list(pieces)
    return Piece(tuple(c for p in parts for c in p.chunks), binds, any(p.tall for p in parts))


def lines(whole: Piece, first: float, other: float) -> list[str]:
    """The piece cut into lines: `first` is the width of the first line, `other` of the rest."""
    result: list[str] = []
    rest = list(whole.chunks)
    room = first
    while rest:
        cut = _cut(rest, room)
        result.append("".join(c.text for c in rest[:cut]))
        rest = rest[cut:]
        if rest:
            head = rest[0]
            rest[0] = Chunk(head.carry + head.text, head.carry_width + head.width)
        room = other
    return result


def _cut(chunks: list[Chunk], room: float) -> int:
    """How many chunks go on this line: up to the outermost break, the last of several.

    A break that would leave most of the line empty counts only at an outermost plus sign.
    """
    before = list(itertools.accumulate((c.width for c in chunks), initial=0.0))
    if before[-1] <= room:
        return len(chunks)
    breaks = [n for n, c in enumerate(chunks) if n and c.level != NEVER]
    inside = [n for n in breaks if before[n] <= room]
    full = [n for n in inside if chunks[n].level == 0 or before[n] >= room * _FULL]
    if full or inside:
        return min(full or inside, key=lambda n: (chunks[n].level, -n))
    return breaks[0] if breaks else len(chunks)
