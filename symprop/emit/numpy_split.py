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
from symprop.lower.walk import inner

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
    for found in [n for n in inner(node) if _is_window(n)]:
        if len(text(node)) <= room and found is not node:
            break
        if found is not node:
            parts, node = _take(parts, node, found, name)
    while (again := _again(node)) is not None:
        parts, node = _take(parts, node, again, name)
    while len(wrapped(text(node), room)) > MOST_LINES:
        best = _best(node, text, room)
        if best is None:
            break
        parts, node = _take(parts, node, best, name)
    result: list[Named] = []
    for label, part in parts:  # a part may be too long itself
        more, short = split(part, text, name, room) if _long(part, text, room) else ([], part)
        result += [*more, (label, short)]
    return result, node


def _long(node: Node, text: Callable[[Node], str], room: int) -> bool:
    return len(wrapped(text(node), room)) > MOST_LINES


def _take(
    parts: list[Named], node: Node, part: Node, name: Callable[[str], str]
) -> tuple[list[Named], Node]:
    label = name(role(part))
    local = ir.Local(part.axes, label, flavour(part))
    return [*parts, (label, part)], exchanged(node, part, local)


def _is_window(node: Node) -> bool:
    return isinstance(node, ir.View) and any(isinstance(s, ir.Window) for s in node.subscripts)


def _again(node: Node) -> Node | None:
    """The largest function, sum or product that would be computed more than once."""
    long = ir.Call | ir.Reduce | ir.MatMul | ir.TensorDot | ir.Vdot | ir.Einsum
    counts = Counter(n for n in inner(node) if isinstance(n, long) and n.axes)
    several = [n for n, count in counts.items() if count > 1
               and not (isinstance(n, ir.Call) and n.function in ("floordiv", "mod"))]
    return max(several, key=lambda n: sum(1 for _ in inner(n)), default=None)


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
        ir.Einsum: "dot", ir.Vdot: "dot",
    }
    if isinstance(node, ir.Sum | ir.Product) and flavour(node) == WHOLE:
        return "place"
    return names.get(type(node), "part")
