"""Arguments that are dicts, lists, tuples or dataclasses of arrays, seen as flat tables.

In: a structure and the name of the argument that it is. Out: a table from leaf names such as
`blocks_0_Wq` to leaves, and the way back. The leaves may be shapes, arrays or gradients.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from symprop.errors import InputError
from symprop.shapes import ArraySpec

_BETWEEN = re.compile("[ .:/-]+")  # may stand in a key, and not in a name

Tree = Any
"""A leaf, or a dict, list, tuple, dataclass or `Record` of trees."""


@dataclass(frozen=True)
class Record:
    """The shapes of a dataclass: the class to build and the trees of its fields."""

    cls: type
    items: dict[str, Tree]


def children(tree: Tree) -> dict[Any, Tree] | None:
    """Return the parts of a structure by key, or None for a leaf."""
    if isinstance(tree, Record):
        return dict(tree.items)
    if isinstance(tree, Mapping):
        return dict(tree)
    if isinstance(tree, list | tuple):
        return dict(enumerate(tree))
    if is_dataclass(tree) and not isinstance(tree, type) and not isinstance(tree, ArraySpec):
        return {field.name: getattr(tree, field.name) for field in fields(tree)}
    return None


def part_name(name: str, key: object) -> str:
    """Return the name of a part of a structure; blanks, dots and dashes in a key become `_`.

    >>> part_name("params", "layer 1.weight")
    'params_layer_1_weight'
    """
    return f"{name}_{_BETWEEN.sub('_', str(key))}"


def flatten(name: str, tree: Tree) -> dict[str, Any]:
    """Return the leaves of `tree` by name, in order.

    >>> flatten("blocks", [{"Wq": 1}, {"Wq": 2}])
    {'blocks_0_Wq': 1, 'blocks_1_Wq': 2}
    """
    parts = children(tree)
    if parts is None:
        return {name: tree}
    found: dict[str, Any] = {}
    for key, part in parts.items():
        found.update(flatten(part_name(name, key), part))
    return found


def subtrees(name: str, tree: Tree) -> dict[str, Tree]:
    """Return every node of `tree` by name: the whole, its parts, and the leaves."""
    found = {name: tree}
    for key, part in (children(tree) or {}).items():
        found.update(subtrees(part_name(name, key), part))
    return found


def rebuild(name: str, shape: Tree, leaves: Mapping[str, Any]) -> Tree:
    """Return a structure like `shape` whose leaves are taken from the table `leaves`."""
    parts = children(shape)
    if parts is None:
        return leaves[name]
    built = {key: rebuild(part_name(name, key), part, leaves) for key, part in parts.items()}
    if isinstance(shape, Record):
        return shape.cls(**built)
    if isinstance(shape, Mapping):
        return built
    if isinstance(shape, list | tuple):
        return sequence(type(shape), built.values())
    return type(shape)(**built)


def sequence(kind: type, values: Iterable[Any]) -> Any:
    """Build a list, tuple or named tuple."""
    if hasattr(kind, "_fields"):  # a named tuple takes its parts one by one
        return kind(*values)
    return kind(values)


def matched(name: str, shape: Tree, values: Tree, partial: bool = False) -> dict[str, Any]:
    """Return the leaves of `values`, a structure that must be built like `shape`, by name.

    InputError names the part that is strange or, unless `partial`, missing.
    """
    parts = children(shape)
    if parts is None:
        return {name: values}
    given = children(values)
    if given is None:
        raise InputError(f"{name} must be a structure with the parts {_listed(parts)}")
    if set(given) - set(parts) or (set(parts) - set(given) and not partial):
        raise InputError(f"{name} must have the parts {_listed(parts)}, not {_listed(given)}")
    found: dict[str, Any] = {}
    for key in (key for key in parts if key in given):
        found.update(matched(part_name(name, key), parts[key], given[key], partial))
    return found


def _listed(parts: Iterable[Any]) -> str:
    return ", ".join(str(part) for part in parts) or "none"
