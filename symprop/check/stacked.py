"""Arguments with a structure, in the text of a self-check: drawn where they stand.

In: an argument's trees of shapes. Out: displays, those of lists of equal entries as short for a
hundred entries as for two.
"""

from collections.abc import Callable, Mapping

from symprop.check.layout import Display
from symprop.check.trees import Tree, children, flatten, part_name
from symprop.shapes import ArraySpec

Drawn = Callable[[str, ArraySpec], str]
"""The expression that draws a leaf, by its name and shape."""


def assembled(
    name: str, tree: Tree, drawn: Drawn, stacked: Mapping[str, str] | None = None
) -> str | Display:
    """The display that draws an argument, or a part of one.

    stacked: the parts that are lists of equal entries, each with the constant of the module that
    has the axes of an entry's keys, or "".

    >>> from symprop.check.annotations import read_annotation
    >>> tree = read_annotation({"W": "D D", "b": ["D", "D"]}, "p", {})
    >>> str(assembled("p", tree, lambda leaf, spec: leaf))
    '{"W": p_W, "b": [p_b_0, p_b_1]}'
    >>> str(assembled("p", tree, lambda leaf, spec: "rng.normal()", {"p_b": ""}))
    '{"W": rng.normal(), "b": [rng.normal() for _ in range(2)]}'
    """
    stacked = stacked or {}
    parts = children(tree)
    if parts is None:
        return drawn(name, tree)
    if name in stacked:
        return _comprehension(name, tree, drawn, stacked[name])
    built = [(key, assembled(part_name(name, key), part, drawn, stacked))
             for key, part in parts.items()]
    if isinstance(tree, list | tuple):
        opening, closing = "[]" if isinstance(tree, list) else "()"
        return Display(opening, tuple(("", part) for _, part in built), closing)
    return Display("{", tuple((f'"{key}": ', part) for key, part in built), "}")


def is_looked_up(tree: Tree, constant: str) -> bool:
    """Whether all axes of an entry are names, which a constant of the module holds by key."""
    return bool(constant) and all(
        dim.kind == "name" for spec in flatten("", tree[0]).values() for dim in spec.dims)


def _comprehension(name: str, tree: Tree, drawn: Drawn, constant: str) -> Display:
    """What draws a list of equal entries."""
    made = assembled(part_name(name, 0), tree[0], drawn)
    if is_looked_up(tree, constant):
        each = "rng.normal(size=[sizes[a] for a in axes.split()])"
        made = Display("{", (("key: ", each),), "}", f"for key, axes in {constant}.items()")
    opening, closing = ("[", "]") if isinstance(tree, list) else ("tuple(", ")")
    return Display(opening, (("", made),), closing, f"for _ in range({len(tree)})")
