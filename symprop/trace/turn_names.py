"""What the turns of a loop call an equation, and the call that makes it.

In: the drafts of several turns. Out: the author's name for all of them, and the call without
the turn in it.

    h, h_2, h_3        ->  h           ys_0, ys_1, ys_2     ->  ys
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from symprop.system import Call
from symprop.trace.tracer import Draft


def common_names(drafts: Sequence[Draft]) -> dict[str, Any]:
    """The fields of a draft that hold its names."""
    variable = _common([d.variable for d in drafts])
    return {
        "name": None if drafts[0].name is None else variable or drafts[0].name,
        "local": _common([d.local for d in drafts]),
        "hint": _common([d.hint for d in drafts]),
        "variable": variable,
    }


def _common(names: Sequence[str | None]) -> str | None:
    """The name, but for the number of an entry of a list."""
    known = [n for n in names if n is not None]
    if len(set(known)) == 1:
        return known[0]
    bases = {re.sub(r"_[0-9]+$", "", n) for n in known}
    return bases.pop() if len(bases) == 1 else None


class Calls:
    """Calls without a turn of the loop among those around them."""

    def __init__(self) -> None:
        self.done: dict[Call, Call | None] = {}

    def outside(self, calls: Sequence[Call | None]) -> Call | None:
        """The call of the first turn, the turn left out."""
        chains = [c.chain if c is not None else () for c in calls]
        for turn, *others in zip(*chains, strict=False):
            if all(turn is o for o in others):
                continue
            if turn.iteration:
                self.done.setdefault(turn, turn.parent)
            break
        return self._without(calls[0])

    def _without(self, call: Call | None) -> Call | None:
        if call is None:
            return None
        if call not in self.done:
            parent = self._without(call.parent)
            self.done[call] = call if parent is call.parent else replace(call, parent=parent)
        return self.done[call]
