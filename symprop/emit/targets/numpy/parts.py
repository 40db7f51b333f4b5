"""Parts of a statement that is too long to follow, under names of their own.

In: a statement's node with its shares. Out: the same with more of them, each short enough.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable

from symprop.lower.ir import Node, Share
from symprop.lower.shares import Sharing, is_window
from symprop.lower.walk import inner
from symprop.syntax.document import INDENT
from symprop.syntax.layout import BODY, width
from symprop.syntax.tree import plain

MOST = 1.85  # lines of a statement, inside its brackets
_SHORT = 24  # columns: what is shorter is not worth a name


def shortened(sharing: Sharing, tree: Callable[[Node], ast.expr], room: int) -> list[Share]:
    """Name parts while the statement is too long, windows first; the same with each part."""
    before, sharing.shares = sharing.shares, []
    while width(tree(sharing.node)) > room and (
        found := next((n for n in inner(sharing.node) if is_window(n) and n is not sharing.node),
                      None)
    ) is not None:
        sharing.name(found)
    while _is_long(tree(sharing.node), room):
        best = _best(sharing.node, tree, room)
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


def _best(node: Node, tree: Callable[[Node], ast.expr], room: int) -> Node | None:
    """The part whose name saves most, as long as it is itself short enough."""
    counts = Counter(n for n in inner(node) if n is not node)
    total = width(tree(node))
    best, most = None, 0
    for part, count in counts.items():
        found = tree(part)
        length = width(found)
        if length < _SHORT or length > max(0.7 * total, room) or plain(found):
            continue
        saved = count * length if length <= 2 * BODY else count * length // 2
        if saved > most:
            best, most = part, saved
    return best
