"""The arrays of a run under one name each, with the turn as their first position.

In: a block. Out: for every array that differs from turn to turn its place, a stack and a turn:
what block k of a GPT makes is x[k], and what goes into the first is x[0].
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from symprop.algebra.build import number
from symprop.algebra.expr import Index
from symprop.blocks.block import Block, Carried, Run
from symprop.blocks.folding import Place
from symprop.names import unused

_COUNTED = re.compile(r"(_\d+)+$")


@dataclass(frozen=True)
class Stack:
    """`name[turn]` is `arrays[turn]`, the caller's; `index` goes over the turns, 1 to its size.

    name: `shown` and brackets, as no array is called.
    """

    name: str
    shown: str
    arrays: Mapping[int, str]
    index: Index


class Stacks:
    """The stacks of a block's runs; `letter` is how their turns are printed."""

    def __init__(self, block: Block, letter: str = "l") -> None:
        self.block = block
        self.by_name: dict[str, Stack] = {}
        self.places: dict[str, Place] = {}
        self.results = {r for use in block.uses for r in use.results}
        self.turns = {id(run): Index(letter, number(len(run.turns))) for run in block.runs}
        for run in block.runs:
            self._add(run, self.turns[id(run)])

    @property
    def indices(self) -> dict[str, Index]:
        """The turns of every stack."""
        return {s.name: s.index for s in self.by_name.values()}

    def index(self, run: Run) -> Index:
        """The turns of a run."""
        return self.turns[id(run)]

    def _add(self, run: Run, index: Index) -> None:
        turns = [*enumerate(run.turns, 1)]
        for carried in sorted(run.carried, key=lambda c: not c.first):
            made = {k: turn[carried.maker].results[carried.result] for k, turn in turns}
            wish = run.turns[0][carried.use].block.ports[carried.port]
            self._stack(wish, self._begun(carried, wish) | made, index)
        for j, use in enumerate(run.turns[0]):
            for k in range(len(use.results)):
                made = {t: turn[j].results[k] for t, turn in turns}
                self._stack(_counted(made), made, index)
            for k, port in enumerate(use.block.ports):
                handed = {t: turn[j].arguments[k] for t, turn in turns}
                listed = any((x.use, x.port) == (j, k) for x in run.lists)
                self._stack(port if listed else _counted(handed), handed, index)

    def _begun(self, carried: Carried, wish: str) -> dict[int, str]:
        """What goes into turn 1, as turn 0; but an input has a name of its own."""
        first = carried.first
        made = first in self.results or (
            bool(first) and self.block.system.equation(first) is not None)
        return {0: first} if made or first == wish else {}

    def _stack(self, wish: str, arrays: Mapping[int, str], index: Index) -> None:
        new = [name for name in arrays.values() if name and name not in self.places]
        if len({*new}) < len(new) or len(new) < 2:
            return  # the same for all turns, or that of another stack
        arrays = {turn: name for turn, name in arrays.items() if name in new}
        names = {*new}
        others = {s.shown for s in self.by_name.values()}
        taken = {*self.block.system.arrays, *self.block.system.sizes, *others} - names
        shown = unused(wish, taken) if wish in taken else wish
        name = f"{shown}[]"
        self.by_name[name] = Stack(name, shown, arrays, index)
        self.places |= {array: (name, turn) for turn, array in arrays.items()}


def _counted(arrays: Mapping[int, str]) -> str:
    """A name without its count: hs of hs_0, hs_1."""
    return _COUNTED.sub("", next(filter(None, arrays.values()), "out"))
