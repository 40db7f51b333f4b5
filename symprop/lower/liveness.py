"""How long each value of a function is needed.

In: a function's statements as steps. Out: a `Life`: the position of each step, the last position
at which a value is read.

A value is an array of the program, or a part of a statement: (array, label), label "" for the array
itself. What a loop reads of what was made before it is needed until the loop is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from symprop.lower import ir
from symprop.lower.invoke import Invoke, Turns
from symprop.lower.ir import Node
from symprop.lower.stepwise import Steps
from symprop.lower.walk import children

Value = tuple[str, str]


def read_by(node: Node, array: str) -> Iterator[Value]:
    """The values that a node in a statement for `array` reads."""
    if isinstance(node, ir.View):
        yield node.array, ""
    if isinstance(node, ir.Local):
        yield array, node.label
    for child in children(node):
        yield from read_by(child, array)


@dataclass
class Life:
    """Positions count up from 0; `last` is behind all of them."""

    position: dict[int, int] = field(default_factory=dict)  # by the id of a step or statement
    ends: dict[Value, int] = field(default_factory=dict)
    stops: list[int] = field(default_factory=list)  # the last position of each statement
    last: int = 0

    def end(self, value: Value) -> int:
        """The last position at which a value is read; -1 where nobody reads it."""
        return self.ends.get(value, -1)


def life_of(statements: Sequence[ir.Statement | Steps], kept: Iterable[str]) -> Life:
    """The life of all values; `kept` are needed when the function returns."""
    life = Life()
    for item in statements:
        _walk([item], life)
        life.stops.append(life.last - 1)
    life.ends |= {(name, ""): life.last for name in sorted(kept)}
    return life


def _walk(statements: Sequence[ir.Statement | Steps], life: Life) -> dict[Value, None]:
    """Positions and ends; the values that were read, in their order: places follow from it."""
    every: dict[Value, None] = {}
    for item in statements:
        if isinstance(item, ir.Loop):
            read = _walk(item.body, life)
            own = {(s.array, step.label) for s in item.body if isinstance(s, Steps)
                   for step in s.steps}
            read = {v: None for v in read if v not in own}
            _at(item, read, life)
        elif isinstance(item, Steps):
            read = _of_steps(item, life)
        else:
            assert isinstance(item, Invoke | Turns)
            lines = item.lines if isinstance(item, Turns) else (item,)
            read = {(a, ""): None for line in lines for a in line.arrays}
            _at(item, read, life)
        every |= read
    return every


def _of_steps(item: Steps, life: Life) -> dict[Value, None]:
    every: dict[Value, None] = {}
    for step in item.steps:
        read = dict.fromkeys(read_by(step.node, item.array))
        _at(step, read, life)
        every |= read
    if item.last is not None:
        read = {v: None for node in children(item.last) for v in read_by(node, item.array)}
        read[item.array, ""] = None
        _at(item, read, life)
        every |= read
    return every


def _at(item: object, read: Iterable[Value], life: Life) -> None:
    """The next position is that of an item which reads these."""
    life.position[id(item)] = life.last
    life.ends |= dict.fromkeys(read, life.last)
    life.last += 1
