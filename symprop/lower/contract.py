"""Sums over products: matrix products where they are, one einsum where nothing else fits.

In: factors with labelled axes, the indices summed over. Out: a node over the indices left.
"""

from __future__ import annotations

from fractions import Fraction

from symprop.algebra.expr import Index
from symprop.lower.ir import (
    Axes,
    Einsum,
    MatMul,
    Node,
    Product,
    Reduce,
    TensorDot,
    Transpose,
    Vdot,
    union,
)


def contract(factors: list[Node], bound: Axes, order: Axes) -> Node:
    """The sum over `bound` of the product of `factors`, axes in `order`."""
    every = (*order, *bound)
    nodes = _without_private(factors, bound, every)
    while len(nodes) > 2 and (merged := _merge_one(nodes, every)) is not None:
        nodes = _without_private(merged, bound, every)
    bound = tuple(b for b in bound if any(b in n.axes for n in nodes))
    if not bound:
        return product(nodes, every)
    if len(nodes) == 1:
        return _summed(nodes[0], bound, every)
    out = tuple(i for i in union(every, *nodes) if i not in bound)
    if len(nodes) == 2:
        return _pair(nodes[0], nodes[1], bound, out, every)
    return Einsum(out, tuple(map(_bare, nodes)))


def product(nodes: list[Node], order: Axes) -> Node:
    """The elementwise product."""
    if len(nodes) == 1:
        return aligned(nodes[0], order)
    return Product(union(order, *nodes), Fraction(1), tuple(aligned(n, order) for n in nodes))


def _without_private(nodes: list[Node], bound: Axes, order: Axes) -> list[Node]:
    """Bound indices that only one factor has are summed before anything is multiplied."""
    if len(nodes) == 1:
        return nodes
    counts = {b: sum(b in n.axes for n in nodes) for b in bound}
    return [_summed(n, tuple(b for b in bound if b in n.axes and counts[b] == 1), order)
            for n in nodes]


def _summed(node: Node, bound: Axes, order: Axes) -> Node:
    return reduced("sum", node, bound, order) if bound else node


def reduced(kind: str, node: Node, bound: Axes, order: Axes) -> Node:
    """The sum, max or min over `bound`, axes in `order`; a transposition comes after it."""
    node = _bare(node)
    left = tuple(i for i in node.axes if i not in bound)
    return aligned(Reduce(left, kind, node), order)


def natural(nodes: list[Node], order: Axes) -> Axes:
    """The order of axes that a full factor has by itself, else the given one."""
    axes = union(order, *nodes)
    for node in nodes:
        if set(node.axes) == set(axes):
            own = _bare(node).axes
            return (*own, *(i for i in order if i not in own))
    return order


def aligned(node: Node, order: Axes) -> Node:
    """The node with its axes in the given order."""
    wanted = tuple(i for i in order if i in node.axes)
    if wanted == node.axes:
        return node
    if isinstance(node, Transpose):
        return aligned(node.body, order)
    return Transpose(wanted, node)


def _bare(node: Node) -> Node:
    """The node without transpositions: einsum takes axes in any order."""
    return _bare(node.body) if isinstance(node, Transpose) else node


def _merge_one(nodes: list[Node], order: Axes) -> list[Node] | None:
    """Multiplies the smallest factor into one that has all its axes."""
    for small in sorted(range(len(nodes)), key=lambda k: len(nodes[k].axes)):
        for large in range(len(nodes)):
            if large != small and set(nodes[small].axes) <= set(nodes[large].axes):
                pair = product([nodes[small], nodes[large]], order)
                return [pair if k == large else n for k, n in enumerate(nodes) if k != small]
    return None


def _pair(left: Node, right: Node, bound: Axes, out: Axes, order: Axes) -> Node:
    a, b = set(left.axes), set(right.axes)
    batch = tuple(i for i in out if i in a and i in b)
    rows = tuple(i for i in out if i in a and i not in b)
    columns = tuple(i for i in out if i in b and i not in a)
    if not out and a == b:
        return Vdot((), left, aligned(right, left.axes))
    if len(bound) == 1 and len(rows) <= 1 and len(columns) <= 1 and (
        not batch or (rows and columns)
    ):
        return _matmul(left, right, bound[0], (batch, rows, columns), out)
    if len(bound) == 1 and not batch:  # (T, N, K) @ (K, M)
        for first, second, before, after in (
            (left, right, rows, columns), (right, left, columns, rows)
        ):
            if len(after) <= 1 and out == (*before, *after):
                return MatMul(out, aligned(first, (*before, *bound)),
                              aligned(second, (*bound, *after)))
    if not batch and out:
        if out[0] in b:
            left, right, rows, columns = right, left, columns, rows
        left, right = _bare(left), _bare(right)
        axes = (*(i for i in left.axes if i in rows), *(i for i in right.axes if i in columns))
        return aligned(TensorDot(axes, left, right, bound), out)
    return Einsum(out, (_bare(left), _bare(right)))


def _matmul(
    left: Node, right: Node, over: Index, parts: tuple[Axes, Axes, Axes], out: Axes
) -> Node:
    """left @ right, turned round where that gives the axes in the wanted order."""
    batch, rows, columns = parts
    if (rows and columns and out.index(columns[0]) < out.index(rows[0])) or (not rows and columns):
        left, right, rows, columns = right, left, columns, rows
    result = MatMul(
        (*batch, *rows, *columns),
        aligned(left, (*batch, *rows, over)),
        aligned(right, (*batch, over, *columns)),
    )
    return aligned(result, out)
