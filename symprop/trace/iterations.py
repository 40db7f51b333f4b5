"""The iterations of Python's `for` loops, as calls.

In: the code of a function and the line that it comes to. Out: the call that the iteration counts
as; so the body of a loop is a block, whether or not it stands in a helper.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from keyword import iskeyword
from types import CodeType

from symprop.system import Call


@dataclass(frozen=True)
class Loop:
    """The lines of a loop: its head from `head` on, its body from `first` to `last`.

    name: what one turn is called, "layer" for what `layers` holds.
    """

    head: int
    first: int
    last: int
    name: str = "step"


@lru_cache(maxsize=1024)
def loops(code: CodeType) -> tuple[Loop, ...]:
    """The `for` loops of a function, the outer ones first; none where its source is not there."""
    try:
        lines, start = inspect.getsourcelines(code)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, SyntaxError, TypeError, ValueError):
        return ()
    shift = max(start, 1) - 1
    found = [Loop(node.lineno + shift, node.body[0].lineno + shift,
                  (node.body[-1].end_lineno or node.body[-1].lineno) + shift, _name(node))
             for node in ast.walk(tree) if isinstance(node, ast.For)]
    return tuple(sorted(found, key=lambda loop: (loop.head, -loop.last)))


def _name(node: ast.For) -> str:
    """A name for the body of a loop: of what it goes over, in the singular."""
    over = node.iter
    while isinstance(over, ast.Call) and over.args:
        over = over.args[0]
    match over:
        case ast.Name(id=several) | ast.Attribute(attr=several) | ast.Subscript(
                slice=ast.Constant(value=str(several))):
            one = several[:-1] if several.endswith("s") else several
            return one if len(one) > 1 and one.isidentifier() and not iskeyword(one) else "step"
    return "step"


class Iterations:
    """The loops that one frame is in."""

    def __init__(self, code: CodeType, around: Call | None) -> None:
        self.loops, self.around = loops(code), around
        self.inside: list[tuple[Loop, Call | None]] = []

    def at(self, line: int, begin: Callable[[Loop, Call | None], Call]) -> Call | None:
        """The innermost call at a line; `begin` makes that of an iteration within another."""
        while self.inside and not self.inside[-1][0].head <= line <= self.inside[-1][0].last:
            self.inside.pop()
        held = {loop for loop, _ in self.inside}
        self.inside += [(loop, None) for loop in self.loops
                        if loop not in held and loop.head <= line <= loop.last]
        for k, (loop, call) in enumerate(self.inside):
            if line < loop.first:
                self.inside[k:] = [(loop, None)]
                break
            if call is None or loop.first == loop.head == line:
                around = self.inside[k - 1][1] if k else self.around
                self.inside[k] = loop, begin(loop, around)
        running = [call for _, call in self.inside if call is not None]
        return running[-1] if running else self.around
