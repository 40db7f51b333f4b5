"""A graph as an SVG picture that needs nothing else: no script, no font, no style sheet.

In: a `Graph`. Out: SVG.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from symprop.emit.figure.folding import Leg, Point
from symprop.emit.figure.graph import Arrow, Box, Graph
from symprop.emit.figure.layout import layout
from symprop.emit.figure.measure import LETTER, LINE, sizes
from symprop.emit.text_notation import columns

EDGE = 24.0
TITLE = 30.0
CORNER = 10.0
COLOURS = {  # fill and stroke
    "input": ("#f3f4f6", "#6b7280"),
    "parameter": ("#dbeafe", "#2563eb"),
    "value": ("#ffffff", "#374151"),
    "block": ("#f5f3ff", "#6d28d9"),
    "loss": ("#fee2e2", "#dc2626"),
    "adjoint": ("#fffbeb", "#b45309"),
    "gradient": ("#dcfce7", "#15803d"),
    "action": ("#ffffff", "#374151"),
}
ROUND = {"input": 14.0, "parameter": 14.0, "gradient": 14.0, "loss": 14.0}


def svg(graph: Graph) -> str:
    """The picture."""
    measured = sizes(graph)
    placed = layout(graph, measured)
    inside = max([placed.width, *(middle(path)[0] + 6 + LETTER * columns(arrow.words)
                                  for arrow, path in zip(graph.arrows, placed.paths, strict=True)
                                  if arrow.words)])
    width = max(inside, 9.0 * columns(graph.title)) + 2 * EDGE
    height = placed.height + 2 * EDGE + TITLE
    left = EDGE + max(0.0, 9.0 * columns(graph.title) - inside) / 2
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_n(width)}" height="{_n(height)}" '
        f'viewBox="0 0 {_n(width)} {_n(height)}" role="img">',
        f"<title>{escape(graph.title)}</title>",
        '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
        'markerHeight="7" orient="auto-start-reverse"><path d="M0,1 L9,5 L0,9 z" '
        'fill="#4b5563"/></marker></defs>',
        f'<rect width="{_n(width)}" height="{_n(height)}" fill="#ffffff"/>',
        '<g font-family="DejaVu Sans, Verdana, Helvetica, Arial, sans-serif" font-size="13" '
        'text-anchor="middle" fill="#111827">',
        f'<text x="{_n(width / 2)}" y="{_n(EDGE + 6)}" font-size="15" font-weight="bold">'
        f"{escape(graph.title)}</text>",
        f'<g transform="translate({_n(left)},{_n(EDGE + TITLE)})">',
    ]
    for arrow, path in zip(graph.arrows, placed.paths, strict=True):
        lines += _arrow(arrow, path)
    for box in graph.boxes:
        lines += _box(box, placed.centres[box.key], measured[box.key])
    return "\n".join([*lines, "</g>", "</g>", "</svg>", ""])


def _box(box: Box, centre: Point, size: Point) -> list[str]:
    fill, stroke = COLOURS[box.kind]
    x, y = centre[0] - size[0] / 2, centre[1] - size[1] / 2
    round_ = ROUND.get(box.kind, 4.0)
    lines = []
    if box.several:  # a sheet behind it: there is more than one
        lines.append(_rect(x + 4, y - 4, size, round_, fill, stroke))
    lines.append(_rect(x, y, size, round_, fill, stroke))
    top = centre[1] - (len(box.lines) - 1) * LINE / 2 + 4.5
    for k, words in enumerate(box.lines):
        small = ' font-size="11.5" fill="#4b5563"' if k else ""
        lines.append(f'<text x="{_n(centre[0])}" y="{_n(top + k * LINE)}"{small}>'
                     f"{escape(words)}</text>")
    return lines


def _rect(x: float, y: float, size: Point, round_: float, fill: str, stroke: str) -> str:
    return (f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(size[0])}" height="{_n(size[1])}" '
            f'rx="{_n(round_)}" fill="{fill}" stroke="{stroke}" stroke-width="1.3"/>')


def _arrow(arrow: Arrow, path: Sequence[Leg]) -> list[str]:
    dash = ' stroke-dasharray="5 4"' if arrow.back else ""
    (x, y) = path[0][1][0]
    way = " ".join([f"M{_n(x)},{_n(y)}", *(
        part for kind, points in path for part in (_flow if kind == "flow" else _turn)(points))])
    lines = [f'<path d="{way}" fill="none" stroke="#4b5563" stroke-width="1.2"{dash} '
             'marker-end="url(#arrow)"/>']
    if arrow.words:
        x, y = middle(path)
        lines.append(f'<text x="{_n(x + 6)}" y="{_n(y + 4)}" font-size="11.5" '
                     f'text-anchor="start" fill="#4b5563">{escape(arrow.words)}</text>')
    return lines


def _flow(path: Sequence[Point]) -> list[str]:
    """Straight down at every point, smooth between them."""
    (x, y), *rest = path
    parts = []
    for end_x, end_y in rest:
        if abs(end_x - x) < 0.5:
            parts.append(f"L{_n(end_x)},{_n(end_y)}")
        else:
            half = (y + end_y) / 2
            parts.append(f"C{_n(x)},{_n(half)} {_n(end_x)},{_n(half)} {_n(end_x)},{_n(end_y)}")
        x, y = end_x, end_y
    return parts


def _turn(path: Sequence[Point]) -> list[str]:
    """Straight from point to point, with round corners."""
    parts = []
    for before, corner, after in zip(path, path[1:], path[2:], strict=False):
        near, far = _towards(corner, before), _towards(corner, after)
        parts.append(f"L{_n(near[0])},{_n(near[1])} Q{_n(corner[0])},{_n(corner[1])} "
                     f"{_n(far[0])},{_n(far[1])}")
    return [*parts, f"L{_n(path[-1][0])},{_n(path[-1][1])}"]


def _towards(corner: Point, other: Point) -> Point:
    """Where the round part of a corner begins, on the way to another point."""
    x, y = other[0] - corner[0], other[1] - corner[1]
    length = max(abs(x), abs(y))
    part = min(CORNER, length / 2) / length if length else 0.0
    return corner[0] + part * x, corner[1] + part * y


def middle(path: Sequence[Leg]) -> Point:
    """The place for an arrow's words: beside its middle."""
    _, points = path[0]
    (x0, y0), (x1, y1) = points[(len(points) - 1) // 2:][:2]
    return (x0 + x1) / 2, (y0 + y1) / 2


def _n(value: float) -> str:
    """A coordinate with at most one decimal."""
    return f"{value:.1f}".rstrip("0").rstrip(".") if value else "0"
