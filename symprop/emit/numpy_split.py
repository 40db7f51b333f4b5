"""Parts of a long statement under names of their own.

In: the node of a statement. Out: named parts, in the order in which they are computed, and
the node that reads them; each is short enough to follow.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from symprop.emit.numpy_layout import BODY, wrapped
from symprop.lower import ir
from symprop.lower.dtypes import WHOLE, flavour
from symprop.lower.ir import Node
from symprop.lower.walk import children, inner

MOST_LINES = 4
_SHORT = 24  # columns: what is shorter is not worth a name
_NAME = re.compile(r"\w+(\[[\w, :+-]*\])?(\.T)?")  # has a name as it is
Named = tuple[str, Node]  # a name in code, and what it stands for


def split(
    node: Node, text: Callable[[Node], str], name: Callable[[str], str], room: int
) -> tuple[list[Named], Node]:
    """Named parts and the node that is left. name: from a role to a new name.

    Windows always have a name, and so has what takes long and stands there twice; other parts
    only while the statement is too long.
    """
    parts: list[Named] = []
    while (repeated := _repeated(node, text)) is not None:
        parts, node = _take(parts, node, repeated, name, text)
    while len(text(node)) > room and (
        found := next((n for n in inner(node) if _is_window(n) and n is not node), None)
    ) is not None:
        parts, node = _take(parts, node, found, name, text)
    while len(wrapped(text(node), room)) > MOST_LINES:
        best = _best(node, text, room)
        if best is None:
            break
        parts, node = _take(parts, node, best, name, text)
    result: list[Named] = []
    for label, part in parts:  # a part may be too long itself
        more, short = split(part, text, name, room) if _long(part, text, room) else ([], part)
        result += [*more, (label, short)]
    return result, node


def _long(node: Node, text: Callable[[Node], str], room: int) -> bool:
    return len(wrapped(text(node), room)) > MOST_LINES


def _take(
    parts: list[Named], node: Node, part: Node, name: Callable[[str], str],
    text: Callable[[Node], str],
) -> tuple[list[Named], Node]:
    label, printed = name(role(part)), text(part)
    for same in {n for n in inner(node) if n == part or _is_same(n, part, printed, text)}:
        node = exchanged(node, same, ir.Local(same.axes, label, flavour(part)))
    return [*parts, (label, part)], node


def _is_same(node: Node, part: Node, printed: str, text: Callable[[Node], str]) -> bool:
    """Whether two nodes are one value: they read the same, be it over other bound indices."""
    return type(node) is type(part) and len(node.axes) == len(part.axes) and text(node) == printed


def _repeated(node: Node, text: Callable[[Node], str]) -> Node | None:
    """The largest part that stands twice and takes more than a look at an array."""
    parts = [n for n in inner(node) if n is not node and n.axes and _computes(n)]
    kinds = Counter((type(n), len(n.axes)) for n in parts)
    found: dict[str, Node] = {}
    best, most = None, 0
    for part in parts:
        if kinds[type(part), len(part.axes)] == 1:
            continue
        printed = text(part)
        if printed in found and len(printed) > most:
            best, most = found[printed], len(printed)
        found.setdefault(printed, part)
    return best


def _computes(node: Node) -> bool:
    """Whether a part takes work that is worth a name: a function, a sum, a product of tensors."""
    if isinstance(node, ir.Reshape | ir.Transpose | ir.Expand):
        return _computes(node.body)
    if isinstance(node, ir.View):
        return bool(node.pads or node.grid)
    if isinstance(node, ir.Call) and node.function in ("floordiv", "mod"):
        return False
    if isinstance(node, ir.Call | ir.Reduce | ir.Running | ir.MatMul | ir.TensorDot | ir.Einsum
                  | ir.Compare | ir.Solve):
        return True
    return isinstance(node, ir.Sum | ir.Product | ir.Power | ir.Where) and any(
        map(_computes, children(node)))


def _is_window(node: Node) -> bool:
    return isinstance(node, ir.View) and any(isinstance(s, ir.Window) for s in node.subscripts)


def _best(node: Node, text: Callable[[Node], str], room: int) -> Node | None:
    """The part whose name saves most, as long as it is itself short enough."""
    counts = Counter(n for n in inner(node) if n is not node)
    total = len(text(node))
    best, most = None, 0
    for part, count in counts.items():
        length = len(text(part))
        if length < _SHORT or length > max(0.7 * total, room) or _NAME.fullmatch(text(part)):
            continue
        saved = count * length if length <= 2 * BODY else count * length // 2
        if saved > most:
            best, most = part, saved
    return best


def exchanged(item: Any, old: Node, new: Node) -> Any:
    """The item with one node in the place of another, wherever it stands."""
    if isinstance(item, Node) and item == old:
        return new
    if isinstance(item, tuple):
        return tuple(exchanged(i, old, new) for i in item)
    if not isinstance(item, Node | ir.Grid):
        return item
    changes = {f.name: exchanged(getattr(item, f.name), old, new) for f in fields(item)}
    return replace(item, **changes)


def role(node: Node) -> str:
    """What a part is, in one word."""
    if isinstance(node, ir.View):
        return "windows" if _is_window(node) else "padded" if node.pads else "picked"
    if isinstance(node, ir.Call):
        return {"floordiv": "place", "mod": "place"}.get(node.function, node.function)
    if isinstance(node, ir.Reduce):
        return {"sum": "total"}.get(node.kind, node.kind)
    if isinstance(node, ir.Transpose | ir.Reshape | ir.Repeat | ir.Cast | ir.Fill | ir.Copy
                  | ir.Expand):
        return role(node.body)
    names: dict[type[Node], str] = {
        ir.Compare: "mask", ir.Both: "mask", ir.Where: "chosen", ir.Sum: "sum",
        ir.Product: "product", ir.Power: "power", ir.MatMul: "dot", ir.TensorDot: "dot",
        ir.Running: "running", ir.Einsum: "dot", ir.Vdot: "dot", ir.Solve: "solved",
    }
    if isinstance(node, ir.Sum | ir.Product) and flavour(node) == WHOLE:
        return "place"
    return names.get(type(node), "part")
