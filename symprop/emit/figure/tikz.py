r"""A graph as a tikzpicture, in the layout of the SVG; it needs \usepackage{tikz} and no library.

In: a `Graph`. Out: LaTeX.
"""

from __future__ import annotations

from collections.abc import Sequence

from symprop.emit.figure.build import keys_of
from symprop.emit.figure.folding import Leg, Point
from symprop.emit.figure.graph import Arrow, Box, Graph
from symprop.emit.figure.layout import layout
from symprop.emit.figure.measure import sizes
from symprop.emit.figure.svg import COLOURS, ROUND, middle
from symprop.emit.latex_names import escape
from symprop.emit.words import words

POINTS = 0.72  # of a pixel: 13 px are 9.4 pt


def tikz(graph: Graph) -> str:
    """The picture, which a document may scale."""
    measured = sizes(graph)
    placed = layout(graph, measured)
    keys, say = keys_of(graph.boxes), words(graph.language)
    lines = [
        "% " + say("figure.needs", title=escape(graph.title, say.every_letter),
                   packages=say("figure.packages")),
        r"\begin{tikzpicture}[x=0.72bp, y=-0.72bp, font=\small, align=center,",
        "    symprop box/.style={draw, line width=0.5pt, inner sep=0pt},",
        "    symprop arrow/.style={->, >=stealth, line width=0.5pt, draw=black!70}]",
        *(_colour(kind) for kind in dict.fromkeys(b.kind for b in graph.boxes)),
    ]
    lines += [_box(box, keys[box.key], placed.centres[box.key], measured[box.key])
              for box in graph.boxes]
    for arrow, path in zip(graph.arrows, placed.paths, strict=True):
        lines.append(_arrow(arrow, path, escape(arrow.words, say.every_letter)))
    return "\n".join([*lines, r"\end{tikzpicture}", ""])


def _colour(kind: str) -> str:
    fill, stroke = (c.removeprefix("#").upper() for c in COLOURS[kind])
    return (rf"  \definecolor{{symprop{kind}}}{{HTML}}{{{fill}}}"
            rf"\definecolor{{symprop{kind}line}}{{HTML}}{{{stroke}}}")


def _box(box: Box, key: str, centre: Point, size: Point) -> str:
    around = ROUND.get(box.kind, 4.0) / 2
    first, *rest = box.latex
    lines = r" \\ ".join([first, *(rf"{{\footnotesize {line}}}" for line in rest)])
    behind = ""
    if box.several:  # a sheet behind it: there is more than one
        behind = (rf"  \node[symprop box, fill=sympropblock, draw=sympropblockline, "
                  rf"rounded corners={around:g}pt, minimum width={size[0] * POINTS:.1f}bp, "
                  rf"minimum height={size[1] * POINTS:.1f}bp] "
                  rf"at ({centre[0] + 4:.1f},{centre[1] - 4:.1f}) {{}};" + "\n")
    return behind + (
        rf"  \node[symprop box, fill=symprop{box.kind}, draw=symprop{box.kind}line, "
        rf"rounded corners={around:g}pt, minimum width={size[0] * POINTS:.1f}bp, "
        rf"minimum height={size[1] * POINTS:.1f}bp] ({key}) "
        rf"at ({centre[0]:.1f},{centre[1]:.1f}) {{{lines}}};")


def _arrow(arrow: Arrow, path: Sequence[Leg], words: str) -> str:
    parts = [_at(path[0][1][0])]
    for kind, points in path:
        parts.append(_flow(points) if kind == "flow" else
                     f"{{[rounded corners=5pt] {' '.join('-- ' + _at(p) for p in points[1:])}}}")
    dash = ", dashed" if arrow.back else ""
    line = rf"  \draw[symprop arrow{dash}] {' '.join(parts)};"
    if not arrow.words:
        return line
    x, y = middle(path)
    return (line + "\n" + rf"  \node[anchor=west, font=\footnotesize] at ({x + 4:.1f},{y:.1f}) "
            rf"{{{words}}};")


def _at(point: Point) -> str:
    return f"({point[0]:.1f},{point[1]:.1f})"


def _flow(points: Sequence[Point]) -> str:
    """Straight down at every point, smooth between them."""
    (x, y), *rest = points
    parts = []
    for end_x, end_y in rest:
        half = (y + end_y) / 2
        parts.append(f"-- {_at((end_x, end_y))}" if abs(end_x - x) < 0.5 else
                     f".. controls {_at((x, half))} and {_at((end_x, half))} .. "
                     f"{_at((end_x, end_y))}")
        x, y = end_x, end_y
    return " ".join(parts)
