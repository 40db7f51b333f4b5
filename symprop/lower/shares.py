"""Parts of a statement that stand in it twice, under names of their own.

In: the node of a statement. Out: named parts, in the order in which they are computed, and the
node that reads them.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from symprop.algebra.expr import Index
from symprop.lower import ir
from symprop.lower.dtypes import WHOLE, flavour
from symprop.lower.ir import Node, Share
from symprop.lower.walk import children, inner

_ROLES: dict[type[Node], str] = {
    ir.Compare: "mask", ir.Both: "mask", ir.Where: "chosen", ir.Sum: "added", ir.Product: "product",
    ir.Power: "power", ir.MatMul: "product", ir.TensorDot: "product", ir.Running: "running",
    ir.Einsum: "product", ir.Vdot: "product", ir.Solve: "solved",
}


@dataclass
class Sharing:
    """Names parts of one statement; `shares` come before it."""

    node: Node
    shares: list[Share] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, part: Node, word: str) -> str:
        """A part that the node is going to read: its label."""
        self.counts[word] += 1
        self.shares.append(Share(f"{word} {self.counts[word]}", part))
        return self.shares[-1].label

    def name(self, part: Node) -> None:
        """Give a part, and all that computes the same, a name."""
        label = self.add(part, role(part))
        alike = pattern(part)
        for same in {n for n in inner(self.node) if n == part or (
            type(n) is type(part) and pattern(n) == alike
        )}:
            self.node = exchanged(self.node, same, ir.Local(same.axes, label, flavour(part)))


def shared(node: Node) -> Sharing:
    """A statement's node with a name for every part that stands in it twice and takes work."""
    sharing = Sharing(node)
    while (part := _repeated(sharing.node)) is not None:
        sharing.name(part)
    return sharing


def _repeated(node: Node) -> Node | None:
    """The largest part that stands twice and takes more than a look at an array."""
    parts = [n for n in inner(node) if n is not node and n.axes and computes(n)]
    kinds = Counter((type(n), len(n.axes)) for n in parts)
    found: dict[Hashable, Node] = {}
    best, most = None, 0
    for part in parts:
        if kinds[type(part), len(part.axes)] == 1:
            continue
        first = found.setdefault(pattern(part), part)
        if first is not part and (large := sum(1 for _ in inner(part))) > most:
            best, most = first, large
    return best


def pattern(item: Any, numbers: dict[Index, int] | None = None) -> Hashable:
    """What a node computes, be it over other indices: they are numbered as they occur."""
    numbers = {} if numbers is None else numbers
    if isinstance(item, Index):
        known = item in numbers
        return numbers.setdefault(item, len(numbers)), None if known else item.size
    if isinstance(item, tuple):
        return tuple(pattern(i, numbers) for i in item)
    if isinstance(item, Node | ir.Grid | ir.Window):
        return type(item), *(pattern(getattr(item, f.name), numbers) for f in fields(item))
    assert isinstance(item, Hashable)
    return item


def computes(node: Node) -> bool:
    """Whether a part takes work that is worth a name: a function, a sum, a product of tensors."""
    if isinstance(node, ir.Reshape | ir.Transpose | ir.Expand):
        return computes(node.body)
    if isinstance(node, ir.View):
        return bool(node.pads or node.grid)
    if isinstance(node, ir.Call) and node.function in ("floordiv", "mod"):
        return False
    if isinstance(node, ir.Call | ir.Reduce | ir.Running | ir.MatMul | ir.TensorDot | ir.Einsum
                  | ir.Compare | ir.Solve):
        return True
    return isinstance(node, ir.Sum | ir.Product | ir.Power | ir.Where) and any(
        map(computes, children(node)))


def is_window(node: Node) -> bool:
    """Whether a node views windows of an array."""
    return isinstance(node, ir.View) and any(isinstance(s, ir.Window) for s in node.subscripts)


def exchanged(item: Any, old: Node, new: Node) -> Any:
    """The item with one node in the place of another, wherever it stands; itself if nowhere."""
    if isinstance(item, Node) and item == old:
        return new
    if isinstance(item, tuple):
        parts = tuple(exchanged(i, old, new) for i in item)
        return item if all(map(operator.is_, parts, item)) else parts
    if not isinstance(item, Node | ir.Grid):
        return item
    changes = {f.name: part for f in fields(item)
               if (part := exchanged(value := getattr(item, f.name), old, new)) is not value}
    return replace(item, **changes) if changes else item


def role(node: Node) -> str:
    """What a part is, in one word."""
    if isinstance(node, ir.View):
        return "windows" if is_window(node) else "padded" if node.pads else "picked"
    if isinstance(node, ir.Call):
        return {"floordiv": "place", "mod": "place"}.get(node.function, node.function)
    if isinstance(node, ir.Reduce):
        return {"sum": "total"}.get(node.kind, node.kind)
    if isinstance(node, ir.Transpose | ir.Reshape | ir.Repeat | ir.Cast | ir.Fill | ir.Copy
                  | ir.Expand):
        return role(node.body)
    if isinstance(node, ir.Sum | ir.Product) and flavour(node) == WHOLE:
        return "place"
    return _ROLES.get(type(node), "part")
