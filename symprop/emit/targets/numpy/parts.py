"""Parts of a statement that is too long to follow, under names of their own.

In: a statement's node with its shares. Out: the same with more of them, each short enough.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable

from symprop.lower import ir
from symprop.lower.ir import Node, Share
from symprop.lower.shares import Sharing, is_window
from symprop.lower.walk import children, inner
from symprop.syntax.document import INDENT
from symprop.syntax.layout import BODY, width
from symprop.syntax.tree import plain

MOST = 1.85  # lines of a statement, inside its brackets
_PAGE = 40  # lines
_SHORT = 24  # columns: what is shorter is not worth a name


Tree = Callable[[Node], ast.expr]


class _Widths:
    """The columns of parts, each written once: naming one part leaves the others as they are."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.found: dict[int, tuple[Node, int, bool]] = {}  # keeps the node: its id stays its own

    def of(self, part: Node) -> tuple[int, bool]:
        """The columns of a part, and whether it is no more than a name or a number."""
        known = self.found.get(id(part))
        if known is None:
            written = self.tree(part)
            known = self.found[id(part)] = part, width(written), plain(written)
        return known[1:]


def shortened(sharing: Sharing, tree: Tree, room: int) -> list[Share]:
    """Name parts while the statement is too long, windows first; the same with each part."""
    widths = _Widths(tree)
    before, sharing.shares = sharing.shares, []
    while width(tree(sharing.node)) > room and (
        found := next((n for n in inner(sharing.node) if is_window(n) and n is not sharing.node),
                      None)
    ) is not None:
        sharing.name(found)
    for term in _far_too_many(sharing.node, widths, room):
        sharing.name(term)
    while _is_long(tree(sharing.node), room):
        best = _best(sharing.node, widths, room)
        if best is None:
            break
        sharing.name(best)
    result: list[Share] = []
    for share in [*before, *sharing.shares]:
        if not _is_long(tree(share.node), room):
            result.append(share)
            continue
        part = Sharing(share.node, counts=sharing.counts)
        result += [*shortened(part, tree, room), Share(share.label, part.node)]
    return result


def _is_long(value: ast.expr, room: int) -> bool:
    return width(value) > MOST * (room - len(INDENT))


def _far_too_many(node: Node, widths: _Widths, room: int) -> list[Node]:
    """The terms of a sum that is longer than a page, down to a page: each that is worth a name.

    Named one by one, with a look at the whole after each, they would take their number squared.
    """
    excess = widths.of(node)[0] - _PAGE * room
    found: list[Node] = []
    for part in children(node) if isinstance(node, ir.Sum) else ():
        if excess <= 0:
            break
        length, is_plain = widths.of(part)
        if _SHORT <= length <= room and not is_plain and part not in found:
            found.append(part)
            excess -= length
    return found


def _best(node: Node, widths: _Widths, room: int) -> Node | None:
    """The part whose name saves most, as long as it is itself short enough."""
    counts = Counter(n for n in inner(node) if n is not node)
    total, _ = widths.of(node)
    best, most = None, 0
    for part, count in counts.items():
        length, is_plain = widths.of(part)
        if length < _SHORT or length > max(0.7 * total, room) or is_plain:
            continue
        saved = count * length if length <= 2 * BODY else count * length // 2
        if saved > most:
            best, most = part, saved
    return best
