"""Nodes whose axes are cut into several, or joined to one.

In: a node and a `Cut`. Out: the node with the other axes.
"""

from __future__ import annotations

from symprop.algebra.build import ONE, mul
from symprop.algebra.canonical import normal
from symprop.lower.contract import aligned
from symprop.lower.digits import Cut
from symprop.lower.ir import Axes, Fill, Node, Repeat, Reshape


def opened(node: Node, cut: Cut) -> Node:
    """The axis `cut.whole` as the axes `cut.parts`."""
    if cut.whole not in node.axes:
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
    if not present:
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
