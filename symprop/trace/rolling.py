"""Loops that a trace has followed turn by turn, as recurrences.

In: the drafts of a trace, each with its turn. Out: one draft for what every turn has made again,
with the turn as its first index, in the form that `symprop.scan` gives:

    h_1 = tanh(x[0] + h_0), h_2 = tanh(x[1] + h_1), ...
        ->   h_prev[t] = [t = 0] h_0 + [1 <= t] h[t-1],   h[t] = tanh(x[t] + h_prev[t])

What only adds up becomes a sum. A first or a last turn that is unlike the others stays as it
is. `Mismatch` where the turns are not one another's repetition.
"""

from __future__ import annotations

import itertools
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace

from symprop.algebra.build import (
    ONE,
    ZERO,
    access,
    add,
    atom,
    idx,
    instantiate,
    iverson,
    map_accesses,
    mul,
    number,
    sub,
)
from symprop.algebra.canonical import normal, same
from symprop.algebra.expr import Access, Idx, Index, atoms
from symprop.trace.accumulated import as_sum
from symprop.trace.ends import Ending
from symprop.trace.families import Family, Mismatch, Names
from symprop.trace.naming import CARRY
from symprop.trace.replay import BEFORE, Common, Entry, Replay, inserted
from symprop.trace.tracer import PROVISIONAL, Draft
from symprop.trace.turn_names import Calls, common_names

_SETTLED = 2  # the first turn of which nothing is asked but that it is like those after it
_FEWEST = 2  # turns that show a pattern
_MOST_TRIED = 64  # carries before the first turn
_LONGEST = 2  # turns that a read may go back


@dataclass(frozen=True)
class Place:
    """Where the draft of one turn is found in the loop: at a turn of an array, or once for all."""

    array: str
    turn: int | None

    def read(self, item: Access) -> Access:
        """The access to the loop's array."""
        first = () if self.turn is None else (number(self.turn),)
        return Access(self.array, (*first, *item.indices))


@dataclass(frozen=True)
class Rolled:
    """The drafts of a loop, where those of its turns are found in them, and how it ends."""

    drafts: tuple[Draft, ...]
    places: Mapping[str, Place]
    ending: Ending


@dataclass(frozen=True)
class Turning:
    """A loop: its number, the letter of its turns, the drafts of each, the turns that differ."""

    number: int
    letter: str
    turns: Sequence[Sequence[Draft]]
    first: int
    last: int

    @property
    def regular(self) -> range:
        """The turns that are one another's repetition."""
        return range(self.first, self.last + 1)


def roll(
    loop: int, letter: str, turns: Sequence[Sequence[Draft]], outside: Container[str]
) -> Rolled:
    """The loop with as few turns of their own as can be. `outside`: what is read after it."""
    final = len(turns) - 1
    for last in (final, final - 1):
        turning = Turning(loop, letter, turns, _SETTLED, last)
        if len(turning.regular) < _FEWEST or any(d.op == CARRY for t in turns for d in t):
            break
        try:
            return _written(*_extended(turning), outside)
        except Mismatch:
            continue
    raise Mismatch


# ---- what the turns have in common -----------------------------------------------------------


class _Reads:
    """The names of arrays read in turns: those of the same turn, of the one before, of none."""

    def __init__(self, turning: Turning) -> None:
        self.turning = turning
        self.at = {d.array: (k, j) for k, t in enumerate(turning.turns) for j, d in enumerate(t)}
        self.carried: dict[str, str] = {}
        self.entries: dict[str, str] = {}  # what the first of the turns reads of the one before

    def name(self, place: int) -> str:
        """The loop's draft at a place in the turn."""
        return f"{PROVISIONAL}{self.turning.number}.{place}"

    def beside(self, same: Sequence[Draft]) -> str:
        """What is kept beside a draft for the gradient's sake, if every turn keeps one."""
        names = tuple(d.beside for d in same)
        return self.read(names) if all(n in self.at for n in names) else ""

    def read(self, names: Names) -> str:
        """The one name for the reads of an array in all turns."""
        turns = self.turning.regular
        found = [self.at.get(n) for n in names]
        own = [None if f is None else (k - f[0], f[1]) for k, f in zip(turns, found, strict=True)]
        if len(set(names)) == 1 and own[-1] is None:
            return names[0]
        where = own[-1]
        if where is None or not 0 <= where[0] <= min(_LONGEST, len(names) - 1) or any(
                o != where for o in own[where[0]:]):
            raise Mismatch
        before = self.name(where[1])
        for lag in range(1, where[0] + 1):  # of what was made two turns before: that of one, too
            later, before = before, BEFORE + before
            self.carried[before] = later
            first = names[where[0] - lag]
            if self.entries.setdefault(before, first) != first:
                raise Mismatch
        return before


def _common(turning: Turning) -> tuple[Common, _Reads]:
    """The equations of a turn, counted from the first of the regular ones."""
    regular = [turning.turns[k] for k in turning.regular]
    time = Index(turning.letter, number(len(regular)))
    reads = _Reads(turning)
    family = Family([(range(len(regular)), idx(time))], reads.read)
    if len({len(turn) for turn in regular}) > 1:
        raise Mismatch
    calls = Calls()
    drafts = tuple(
        replace(family.draft(same, reads.name(j)), call=calls.outside([d.call for d in same]),
                beside=reads.beside(same), **common_names(same))
        for j, same in enumerate(zip(*regular, strict=True)))
    if any(time in i.size.free for i in family.indices.values()):
        raise Mismatch  # an inner loop that gets longer from turn to turn
    return Common(time, drafts, reads.carried), reads


@dataclass(frozen=True)
class Start:
    """How a loop begins: the carry before its first turn, and what its early turns made.

    made: by the names of drafts of turns that are not regular, the equation and the turn.
    """

    carry: Mapping[str, Entry]
    made: Mapping[str, tuple[str, int]]


def _extended(turning: Turning) -> tuple[Turning, Common, Start]:
    """The loop from as early a turn as can be."""
    common, reads = _common(turning)
    formals = {d.array: d.indices for d in common.drafts}
    entries: dict[str, Entry] = {
        read: (at := formals[read.lstrip(BEFORE)], access(name, [idx(i) for i in at]))
        for read, name in reads.entries.items()}
    made = {d.array: (reads.name(j), k)
            for k in turning.regular for j, d in enumerate(turning.turns[k])}
    for first in range(turning.first):
        start = _started(turning, common, first, entries)
        if start is not None:
            earlier = replace(turning, first=first)
            return earlier, _common_from(earlier, common, turning), replace(
                start, made={**start.made, **made})
    return turning, common, Start(entries, made)


def _common_from(earlier: Turning, common: Common, turning: Turning) -> Common:
    """The same equations, counted from an earlier turn."""
    time = Index(common.time.letter, number(len(earlier.regular)))
    shift = normal(sub(idx(time), number(turning.first - earlier.first)))
    drafts = tuple(
        replace(d, rhs=inserted(d.rhs, {common.time: shift}, atom)) for d in common.drafts)
    return Common(time, drafts, common.carried)


def _started(
    turning: Turning, common: Common, first: int, entries: Mapping[str, Entry]
) -> Start | None:
    """How a loop begins at an early turn, if its equations hold from there on."""
    begin = Replay(common, first - turning.first, turning.turns[first])
    for replay in itertools.islice(begin.solutions(), _MOST_TRIED):
        made = _made(replay, first)
        start = dict(replay.carry)
        current: Replay | None = replay
        for turn in range(first + 1, turning.first):
            assert current is not None
            again = Replay(common, turn - turning.first, turning.turns[turn],
                           current.handed_over())
            current = next(again.solutions(), None)
            if current is None:
                break
            made |= _made(current, turn)
        if current is not None and all(same(entry, entries[read][1]) for read, (_, entry)
                                       in current.handed_over().items()):
            return Start(start, made)
    return None


def _made(replay: Replay, turn: int) -> dict[str, tuple[str, int]]:
    return {array: (name, turn) for name, array in replay.made_by().items()}


# ---- the equations of the loop -----------------------------------------------------------------


def _written(
    turning: Turning, common: Common, start: Start, outside: Container[str]
) -> Rolled:
    """The drafts of the loop, with the turn as an index where they depend on it."""
    time = common.time
    moving = _moving(common)

    def read(item: Access) -> Access:
        if item.array not in moving:
            return item
        return Access(_own(item.array), (idx(time), *item.indices))

    drafts = [replace(
        d, indices=(time, *d.indices) if d.array in moving else d.indices,
        rhs=map_accesses(d.rhs, read)) for d in common.drafts]
    later: dict[str, set[int]] = {}
    for array, (name, turn) in start.made.items():
        if array in outside:
            later.setdefault(name, set()).add(turn)
    added: set[str] = set()
    carries: list[Draft] = []
    for before, name in common.carried.items():
        draft = next(d for d in drafts if d.array == name.lstrip(BEFORE))
        if draft.kind != "float":
            raise Mismatch
        found = None
        lone = draft.array == name and BEFORE + before not in common.carried
        if lone and later.get(name, set()) <= {turning.last}:
            found = as_sum(drafts, name, _own(before), start.carry[before], later)
        if found is not None:
            drafts = found
            added.add(name)
        else:
            carries.append(_carry(_own(before), _own(name), draft, time, start.carry[before]))
    places = {
        array: Place(name, turn - turning.first if name in moving - added else None)
        for array, (name, turn) in start.made.items()}
    ending = Ending(
        len(turning.regular),
        {name: start.carry[before] for before, name in common.carried.items()
         if name not in added and not name.startswith(BEFORE)},
        frozenset((*(d.array for d in drafts if time in d.indices),
                   *(c.array for c in carries))),
        drafts[0].source, len(turning.regular) == len(turning.turns))
    return Rolled((*carries, *drafts), places, ending)


def _own(name: str) -> str:
    """The name of an array of the loop, a read of the turn before included."""
    return PROVISIONAL + name if name.startswith(BEFORE) else name


def _moving(common: Common) -> set[str]:
    """The arrays that depend on the turn."""
    found = {*common.carried, *(n.lstrip(BEFORE) for n in common.carried.values())}
    before = -1
    while before != len(found):
        before = len(found)
        found |= {d.array for d in common.drafts if not found.isdisjoint(d.rhs.arrays) or any(
            isinstance(a, Idx) and a.index is common.time for a in atoms(d.rhs))}
    return found


def _carry(name: str, new: str, draft: Draft, time: Index, entry: Entry) -> Draft:
    """What a turn finds: the entry at first, then what the turn before made."""
    own = tuple(Index(i.letter, i.size) for i in draft.indices[1:])
    formals, start = entry
    first = mul(iverson("==", idx(time), ZERO), instantiate(formals, start, [idx(i) for i in own]))
    before = access(new, [normal(sub(idx(time), ONE)), *(idx(i) for i in own)])
    turn = Index(time.letter, time.size)
    rhs = add(first, mul(iverson("<=", ONE, idx(time)), before))
    rhs = instantiate((time,), rhs, [idx(turn)])
    base = draft.name or draft.local
    return Draft(name, (turn, *own), rhs, draft.kind, CARRY, draft.source,
                 f"{base}_prev" if base else None, call=draft.call)
