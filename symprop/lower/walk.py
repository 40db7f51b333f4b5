"""The nodes that a node is made of.

In: a node, a subscript or a tuple of them; statements. Out: the nodes, the writes
inside; the axes that nodes have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from functools import cache
from typing import Any

from symprop.lower import ir
from symprop.lower.invoke import Invoke, Turns
from symprop.lower.ir import Axes, Node


def inner(node: Node) -> Iterator[Node]:
    """The node and all nodes inside it that are computed whenever it is."""
    if isinstance(node, ir.Where) and not node.condition.axes:
        yield node  # a Python conditional computes only one of its branches
        return
    for child in children(node):
        yield from inner(child)
    yield node


def everything(node: Node) -> Iterator[Node]:
    """The node and all nodes inside it."""
    yield node
    for child in children(node):
        yield from everything(child)


def children(item: Any) -> Iterator[Node]:
    """The nodes that a node, a subscript or a tuple of them holds."""
    values = item if isinstance(item, tuple) else [getattr(item, n) for n in _names(item.__class__)]
    for value in values:
        if isinstance(value, Node):
            yield value
        elif isinstance(value, (tuple, ir.Grid, ir.Share)):
            yield from children(value)


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind))


def writes(statements: Iterable[ir.Statement]) -> Iterator[ir.Write]:
    """All statements that write into one array, those inside loops too."""
    for statement in statements:
        if isinstance(statement, ir.Loop):
            yield from statement.body
        elif not isinstance(statement, Invoke | Turns):
            yield statement


def invokes(statements: Iterable[ir.Statement]) -> Iterator[Invoke]:
    """The lines at which other blocks run, every turn of a loop by itself."""
    for statement in statements:
        if isinstance(statement, Turns):
            yield from statement.lines
        elif isinstance(statement, Invoke):
            yield statement


def union(order: Axes, *nodes: Node) -> Axes:
    """The axes that some node has, in the given order."""
    present = {a for n in nodes for a in n.axes}
    return tuple(i for i in order if i in present)
