"""Arguments with a structure, in the text of a self-check: drawn where they stand.

In: an argument's trees of shapes. Out: displays, and for lists of equal entries lines of a dict
display, as many for a hundred entries as for two.
"""

from collections.abc import Callable

from symprop.check.layout import INDENT, Display, layout
from symprop.check.trees import Tree, children, flatten, part_name
from symprop.shapes import ArraySpec

Drawn = Callable[[str, ArraySpec], str]
"""The expression that draws a leaf, by its name and shape."""


def assembled(name: str, tree: Tree, drawn: Drawn) -> str | Display:
    """The display that draws an argument.

    >>> from symprop.check.annotations import read_annotation
    >>> tree = read_annotation({"W": "D D", "b": ["D"]}, "p", {})
    >>> str(assembled("p", tree, lambda leaf, spec: leaf))
    '{"W": p_W, "b": [p_b_0]}'
    """
    parts = children(tree)
    if parts is None:
        return drawn(name, tree)
    built = [(key, assembled(part_name(name, key), part, drawn)) for key, part in parts.items()]
    if isinstance(tree, list | tuple):
        opening, closing = "[]" if isinstance(tree, list) else "()"
        return Display(opening, tuple(("", part) for _, part in built), closing)
    return Display("{", tuple((f'"{key}": ', part) for key, part in built), "}")


def is_looked_up(tree: Tree, constant: str) -> bool:
    """Whether all axes of an entry are names, which a constant of the module holds by key."""
    return bool(constant) and all(
        dim.kind == "name" for spec in flatten("", tree[0]).values() for dim in spec.dims)


def stacked_draws(name: str, tree: Tree, drawn: Drawn, constant: str) -> list[str]:
    """Entries that draw a list of equal entries; constant: with the axes of an entry's keys.

    >>> from symprop.check.annotations import read_annotation
    >>> tree = read_annotation([{"W": "D D"}] * 3, "blocks", {})
    >>> print(*stacked_draws("blocks", tree, lambda leaf, spec: "rng.normal()", ""), sep="\\n")
    "blocks": [
        {"W": rng.normal()}
        for _ in range(3)
    ],
    """
    if is_looked_up(tree, constant):
        made = ["{", "    key: rng.normal(size=[sizes[a] for a in axes.split()])",
                f"    for key, axes in {constant}.items()", "}"]
    else:
        made = layout("", assembled(part_name(name, 0), tree[0], drawn), INDENT + 4)
        made[-1] = made[-1].removesuffix(",")
    left, right = ("[", "]") if isinstance(tree, list) else ("tuple(", ")")
    return [f'"{name}": {left}', *(f"    {line}" for line in made),
            f"    for _ in range({len(tree)})", f"{right},"]
