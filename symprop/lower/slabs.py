"""Reductions over a few entries: whole slabs are added, or compared, one by one.

In: a statement's node with its shares. Out: the same without reductions over blocks and windows
of at most four entries an axis. NumPy's loop over so few takes 10 to 20 times as long as two
slabs and one addition.
"""

from __future__ import annotations

from dataclasses import dataclass

from symprop.algebra.expr import Index
from symprop.lower import ir
from symprop.lower.dtypes import FLOAT, flavour
from symprop.lower.ir import Axes, Node, Share
from symprop.lower.shares import Sharing, exchanged, is_window, role
from symprop.lower.walk import inner

_MOST = 4  # entries of an axis
_TWO = {"max": "maximum", "min": "minimum"}


@dataclass(frozen=True)
class Entry(Node):
    """The entries of a share at one position of one of its axes, which goes."""

    body: ir.Local
    axis: Index
    position: int


def by_slabs(sharing: Sharing) -> Sharing:
    """The same statement, its shares and its node reduced slab by slab."""
    shares: list[Share] = []
    for share in sharing.shares:
        part = _by_slabs(Sharing(share.node, counts=sharing.counts))
        shares += [*part.shares, Share(share.label, part.node)]
    own = _by_slabs(Sharing(sharing.node, counts=sharing.counts))
    return Sharing(own.node, [*shares, *own.shares], sharing.counts)


def _by_slabs(sharing: Sharing) -> Sharing:
    """Each turn leaves one such reduction less."""
    while (found := next(filter(_is_short, inner(sharing.node)), None)) is not None:
        assert isinstance(found, ir.Reduce)
        rest = found.body
        for axis in _gone(found):
            rest = _without(rest, axis, found.kind, sharing)
        sharing.node = exchanged(sharing.node, found, rest)
    return sharing


def _is_short(node: Node) -> bool:
    """Whether it reduces floats, or counts, over short axes of blocks or windows."""
    if not isinstance(node, ir.Reduce) or not node.axes or flavour(node.body) != FLOAT:
        return False
    gone = _gone(node)
    parts = len(gone) > 1 or isinstance(node.body, ir.Reshape) or is_window(node.body)
    return parts and all(2 <= _length(a) <= _MOST for a in gone)


def _gone(node: ir.Reduce) -> Axes:
    return tuple(a for a in node.body.axes if a not in node.axes)


def _length(axis: Index) -> int:
    return int(axis.size.number or 0)


def _without(body: Node, axis: Index, kind: str, sharing: Sharing) -> Node:
    """A node reduced over one axis: its slabs put together."""
    held = body.body if isinstance(body, ir.Cast) else body
    if not isinstance(held, ir.Local):
        label = sharing.add(held, "blocks" if isinstance(held, ir.Reshape) else role(held))
        held = ir.Local(held.axes, label, flavour(held))
    left = tuple(a for a in body.axes if a is not axis)
    slabs: list[Node] = [Entry(left, held, axis, k) for k in range(_length(axis))]
    if isinstance(body, ir.Cast):  # a sum of booleans is their disjunction
        slabs = [ir.Cast(left, slab) for slab in slabs]
    if kind == "sum":
        return ir.Sum(left, tuple((1, slab) for slab in slabs))
    result, *others = slabs
    for other in others:
        result = ir.Call(left, _TWO[kind], (result, other))
    return result
