"""Strongly connected components.

In: a graph, as the nodes that each node points to. Out: its components, in an order in which what
is pointed to comes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

Node = TypeVar("Node", str, int)


def components(graph: Mapping[Node, Iterable[Node]]) -> Iterator[list[Node]]:
    """The strongly connected components of a graph, each after those that it points to.

    Tarjan's algorithm; the path is a list, for a network may be deeper than Python's stack.
    """
    low: dict[Node, int] = {}
    order: dict[Node, int] = {}
    stack: list[Node] = []
    pending: set[Node] = set()
    for root in graph:
        path = [] if root in order else [(root, iter(graph[root]))]
        while path:
            node, successors = path[-1]
            if node not in order:
                order[node] = low[node] = len(order)
                stack.append(node)
                pending.add(node)
            following = next((s for s in successors if s in graph), None)
            if following is None:
                path.pop()
                if low[node] == order[node]:
                    yield _cut(stack, node, pending)
                elif path:
                    above = path[-1][0]
                    low[above] = min(low[above], low[node])
            elif following not in order:
                path.append((following, iter(graph[following])))
            elif following in pending:
                low[node] = min(low[node], order[following])


def _cut(stack: list[Node], node: Node, pending: set[Node]) -> list[Node]:
    """The part of the stack from a node on, taken off it."""
    component: list[Node] = [stack.pop()]
    while component[-1] != node:
        component.append(stack.pop())
    pending.difference_update(component)
    return component[::-1]
