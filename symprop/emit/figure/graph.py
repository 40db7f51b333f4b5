"""What a figure shows: boxes and arrows.

In: nothing; these are plain records. Out: a `Graph`, which a layout places and a format writes.
"""

from __future__ import annotations

from dataclasses import dataclass

from symprop.emit.words import ENGLISH

KINDS = ("input", "parameter", "value", "block", "loss", "adjoint", "gradient", "action")


@dataclass(frozen=True)
class Box:
    """A node: `lines` in Unicode, `latex` the same lines in LaTeX; of one of the `KINDS`.

    several: it stands for equal parts of the network.
    """

    key: str
    kind: str
    lines: tuple[str, ...]
    latex: tuple[str, ...]
    several: bool = False


@dataclass(frozen=True)
class Arrow:
    """From box to box; one that goes `back` closes a loop, and may say when."""

    start: str
    end: str
    back: bool = False
    words: str = ""


@dataclass(frozen=True)
class Graph:
    """The boxes in an order in which they can be worked out, and the arrows between them."""

    title: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    language: str = ENGLISH
