"""The nodes that a node is made of.

In: a node, a subscript or a tuple of them. Out: the nodes inside.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any

from symprop.lower import ir
from symprop.lower.ir import Node


def inner(node: Node) -> Iterator[Node]:
    """The node and all nodes inside it that are computed whenever it is."""
    if isinstance(node, ir.Where) and not node.condition.axes:
        yield node  # a Python conditional computes only one of its branches
        return
    for child in children(node):
        yield from inner(child)
    yield node


def children(item: Any) -> Iterator[Node]:
    """The nodes that a node, a subscript or a tuple of them holds."""
    values = item if isinstance(item, tuple) else [getattr(item, n) for n in _names(item.__class__)]
    for value in values:
        if isinstance(value, Node):
            yield value
        elif isinstance(value, (tuple, ir.Grid)):
            yield from children(value)


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind))
