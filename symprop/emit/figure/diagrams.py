"""A graph in the languages of other programs, which lay it out themselves: Mermaid and DOT.

In: a `Graph`. Out: its text.
"""

from __future__ import annotations

from symprop.emit.figure.build import keys_of
from symprop.emit.figure.graph import Arrow, Box, Graph
from symprop.emit.figure.svg import COLOURS

_SHAPES = {"input": ("([", "])"), "parameter": ("([", "])"), "gradient": ("([", "])"),
           "loss": ("([", "])"), "block": ("[[", "]]")}
_ENTITIES = {"&": "#amp;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "#": "#35;"}


def mermaid(graph: Graph) -> str:
    """A flowchart, as GitHub and notebooks show it in a ```mermaid block."""
    keys = keys_of(graph.boxes)
    lines = ["flowchart TD"]
    for box in graph.boxes:
        opened, closed = _SHAPES.get(box.kind, ("[", "]"))
        words = "<br/>".join("".join(_ENTITIES.get(c, c) for c in line) for line in box.lines)
        lines.append(f'  {keys[box.key]}{opened}"{words}"{closed}:::{box.kind}')
    for arrow in graph.arrows:
        line = "-.->" if arrow.back else "-->"
        said = f'|"{arrow.words}"|' if arrow.words else ""
        lines.append(f"  {keys[arrow.start]} {line}{said} {keys[arrow.end]}")
    for kind in dict.fromkeys(b.kind for b in graph.boxes):
        fill, stroke = COLOURS[kind]
        lines.append(f"  classDef {kind} fill:{fill},stroke:{stroke},color:#111827")
    return "\n".join([*lines, ""])


def dot(graph: Graph) -> str:
    """A digraph for Graphviz."""
    keys = keys_of(graph.boxes)
    lines = [f"digraph {_quoted(graph.title)} {{",
             "  rankdir=TB;",
             '  node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=11];',
             '  edge [color="#4b5563", fontname="Helvetica", fontsize=10];']
    lines += [_dot_box(box, keys[box.key]) for box in graph.boxes]
    lines += [_dot_arrow(arrow, keys) for arrow in graph.arrows]
    return "\n".join([*lines, "}", ""])


def _dot_box(box: Box, key: str) -> str:
    fill, stroke = COLOURS[box.kind]
    more = ", peripheries=2" if box.several else ""
    return (f'  {key} [label={_quoted(chr(10).join(box.lines))}, fillcolor="{fill}", '
            f'color="{stroke}"{more}];')


def _dot_arrow(arrow: Arrow, keys: dict[str, str]) -> str:
    said = [f"label={_quoted(arrow.words)}"] if arrow.words else []
    said += ["style=dashed, constraint=false"] if arrow.back else []
    more = f" [{', '.join(said)}]" if said else ""
    return f"  {keys[arrow.start]} -> {keys[arrow.end]}{more};"


def _quoted(words: str) -> str:
    inside = words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{inside}"'
