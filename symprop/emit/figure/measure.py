"""How large a box is.

In: a `Box`. Out: its width and height in the units of the figure, which are pixels of an SVG.
"""

from __future__ import annotations

from symprop.emit.figure.graph import Box, Graph
from symprop.emit.text_notation import columns

LETTER = 7.6  # the width of a letter of 13 px, generously
LINE = 18.0
MARGIN = 11.0
LEAST = 44.0


def size(box: Box) -> tuple[float, float]:
    """Width and height."""
    widest = max((columns(line) for line in box.lines), default=0)
    return max(LEAST, widest * LETTER + 2 * MARGIN), len(box.lines) * LINE + 12.0


def sizes(graph: Graph) -> dict[str, tuple[float, float]]:
    """The sizes of all boxes, by key."""
    return {box.key: size(box) for box in graph.boxes}
