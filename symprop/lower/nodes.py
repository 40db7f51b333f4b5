"""Small changes of whole nodes: signs, casts, places.

In: a node. Out: the node negated, as floats, or of the shape that its place needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symprop.lower.dtypes import FLOAT, SCALAR, WHOLE, flavour
from symprop.lower.ir import (
    Axes,
    Cast,
    Expand,
    Fill,
    Node,
    Number,
    Product,
    Reshape,
    Sum,
    Transpose,
    View,
    Where,
)


def negative(node: Node) -> Node:
    """-node, the sign in a number where there is one."""
    if isinstance(node, Number):
        return Number((), -node.value)
    if isinstance(node, Product):
        return Product(node.axes, -node.coef, node.above, node.below)
    return Product(node.axes, Fraction(-1), (node,))


def broadcast(node: Node, axes: Axes) -> Node:
    """A value for a place that broadcasts it to `axes`, where 0 will do for an array of zeros."""
    if isinstance(node, Sum):
        return Sum(node.axes, tuple((s, broadcast(n, axes)) for s, n in node.terms))
    if isinstance(node, Where) and node.axes == axes[len(axes) - len(node.axes):]:
        yes, no = (n.body if isinstance(n, Fill) else n for n in (node.yes, node.no))
        return Where(node.axes, node.condition, yes, no)
    return node


def filled(node: Node, axes: Axes) -> Node:
    """A branch of a Python conditional, which does not broadcast."""
    return node if node.axes == axes else Fill(axes, node)


def as_float(node: Node) -> Node:
    """Booleans and integers as the module's dtype; Python numbers stay what they are."""
    return node if flavour(node) in (FLOAT, SCALAR) else Cast(node.axes, node)


def castable(nodes: Sequence[Node]) -> list[Node]:
    """Integers as floats: they would widen float32."""
    return [as_float(n) if flavour(n) == WHOLE else n for n in nodes]


def is_new(node: Node) -> bool:
    """Whether a node makes an array of its own, that may be written into."""
    if isinstance(node, (Transpose, Reshape, Expand)):
        return is_new(node.body)
    if isinstance(node, Where) and not node.condition.axes:  # a if c else b
        return is_new(node.yes) and is_new(node.no)
    return not isinstance(node, View) or bool(node.pads or node.grid)
