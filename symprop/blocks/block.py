"""A block, the lines at which it uses others, and the loops among these: the data.

In: nothing; these are plain frozen records. Out: what outline.py makes and all that print, run or
emit blocks read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symprop.system import Call, Fact, System


@dataclass(frozen=True)
class Use:
    """A line of a block that is another: `results` = block(`arguments`), names of the caller's.

    A result is "" where nobody here reads it. sizes: those of the block, each with the caller's.
    """

    number: str
    call: Call
    block: Block
    arguments: tuple[str, ...]
    results: tuple[str, ...]
    sizes: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Carried:
    """What use `use` of a turn takes as its argument `port`: result `result` of use `maker`.

    That is of the turn before, of turn 1 it is the array `first`; of the same turn where
    `first` is "". Positions count from 0.
    """

    use: int
    port: int
    maker: int
    result: int
    first: str


@dataclass(frozen=True)
class Listed:
    """What use `use` takes as its argument `port`, turn by turn: the caller's names."""

    use: int
    port: int
    arrays: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """Uses that are turns of a loop, all of the same `number`.

    `turns[l - 1]` are the uses of turn l, as many in each (one, if there is one block). Every
    argument of a turn is in `carried`, in `lists`, or in `shared`, which holds what is handed
    alike to all turns: (use, port) -> the caller's array. A `Use` keeps what it is without the
    run: its arguments, its results ("" where nobody reads one in this turn), its sizes, which may
    differ by turn. An argument that is a copy or a view which the caller makes for it (equations
    of the same number) counts as what it is a copy of if it is the whole of it, so that what is
    carried is found in `carried`; views that differ are a list. Where readers other than the next
    turn have an adjoint of what is carried, that adjoint is an equation of the caller which
    `Lemma.backward` has between the turns.
    """

    number: str
    turns: tuple[tuple[Use, ...], ...]
    carried: tuple[Carried, ...]
    lists: tuple[Listed, ...]
    shared: Mapping[tuple[int, int], str]

    @property
    def uses(self) -> tuple[Use, ...]:
        """The uses of all turns, in order."""
        return tuple(use for turn in self.turns for use in turn)


@dataclass(frozen=True)
class Block:
    """Equal calls, each a renaming of this one. `uses` stand between the system's equations.

    ports, results: the system's inputs and what it hands back, in the order in which a use has
    its arguments and results. gradients: the ports whose adjoints it gives, of the program the
    parameters; the adjoint of one that a use alone reads is given by that use. runs: the uses
    among `uses` that are turns of a loop. text: what is equal of all calls. more_facts: of ports,
    what some uses know beside the system's facts, which all of them do.
    """

    name: str
    system: System
    ports: tuple[str, ...]
    results: tuple[str, ...]
    uses: tuple[Use, ...]
    gradients: tuple[str, ...]
    runs: tuple[Run, ...] = ()
    text: str = ""
    more_facts: tuple[tuple[Fact, ...], ...] = ()

    @property
    def below(self) -> tuple[Block, ...]:
        """The blocks that this one uses, directly or not, each once, callers first."""
        found: dict[int, Block] = {}
        for use in self.uses:
            for block in (use.block, *use.block.below):
                found.pop(id(block), None)
                found[id(block)] = block
        return tuple(found.values())
