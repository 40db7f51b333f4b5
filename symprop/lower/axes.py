"""Nodes with their axes in another order, cut into several, or joined to one.

In: a node and an order of axes, or a `Cut`. Out: the node with those axes.
"""

from __future__ import annotations

from symprop.algebra.build import ONE, mul
from symprop.algebra.canonical import normal
from symprop.lower.digits import Cut
from symprop.lower.ir import Axes, Fill, Node, Repeat, Reshape, Transpose


def aligned(node: Node, order: Axes) -> Node:
    """The node with its axes in the given order."""
    wanted = tuple(i for i in order if i in node.axes)
    if wanted == node.axes:
        return node
    if isinstance(node, Transpose):
        return aligned(node.body, order)
    return Transpose(wanted, node)


def bare(node: Node) -> Node:
    """The node without transpositions: einsum takes axes in any order."""
    return bare(node.body) if isinstance(node, Transpose) else node


def opened(node: Node, cut: Cut) -> Node:
    """The axis `cut.whole` as the axes `cut.parts`."""
    if cut.whole not in node.axes or len(cut.parts) == 1:
        return node
    place = node.axes.index(cut.whole)
    axes = (*node.axes[:place], *cut.parts, *node.axes[place + 1:])
    return reshaped(node, axes)


def reshaped(node: Node, axes: Axes) -> Node:
    """One reshape in the place of two."""
    return Reshape(axes, node.body if isinstance(node, Reshape) else node)


def closed(node: Node, cut: Cut) -> Node:
    """The axes `cut.parts` as the axis `cut.whole`; repeated along parts that it lacks."""
    present = [p for p in cut.parts if p in node.axes]
    if not present or len(cut.parts) == 1:
        return node
    place = node.axes.index(present[-1])
    before = tuple(a for a in node.axes[:place] if a not in present)
    after = tuple(a for a in node.axes[place:] if a not in present)
    if len(present) == len(cut.parts):
        return _joined(node, cut, before, after)
    node = aligned(node, (*before, *present, *after))
    if len(present) == 1 and present[0] in (cut.parts[0], cut.parts[-1]):
        each = present[0] is cut.parts[0]
        others = cut.parts[1:] if each else cut.parts[:-1]
        count = normal(mul(ONE, *(p.size for p in others)))
        return Repeat((*before, cut.whole, *after), node, present[0], count, each)
    return _joined(Fill((*before, *cut.parts, *after), node), cut, before, after)


def _joined(node: Node, cut: Cut, before: Axes, after: Axes) -> Node:
    node = aligned(node, (*before, *cut.parts, *after))
    return reshaped(node, (*before, cut.whole, *after))
