"""One trace that followed loops turn by turn, with recurrences in their place.

In: a tracer that has run with assumed lengths, the loss and the outputs. Out: the equations that
these need, the loops rolled one after the other; the lengths still stand in them as numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from symprop.algebra.build import access, idx, map_accesses
from symprop.algebra.expr import Access
from symprop.system import Condition, IndexRange
from symprop.trace.ends import LAST, with_last
from symprop.trace.families import Mismatch
from symprop.trace.finish import Returned
from symprop.trace.gathered import gathered
from symprop.trace.rolling import Place, Rolled, roll
from symprop.trace.tracer import PROVISIONAL, Draft, Tracer
from symprop.trace.turns import Turn

_COPY = f"{PROVISIONAL}="  # begins the name of a result outside of all loops


@dataclass(frozen=True)
class Program:
    """A traced program: drafts, what it returns, and what it asks of sizes and positions."""

    tracer: Tracer
    drafts: tuple[Draft, ...]
    results: Returned
    conditions: tuple[Condition, ...]
    ranges: tuple[IndexRange, ...]


def rolled(tracer: Tracer, results: Returned) -> Program:
    """The program with its loops as recurrences. Mismatch where one cannot be one."""
    drafts = list(tracer.drafts.values())
    try:  # the last turn may make what nothing reads, as the others do
        return _rolled(tracer, drafts, results)
    except Mismatch:
        return _rolled(tracer, _needed_of(drafts, results), results)


def _rolled(tracer: Tracer, drafts: list[Draft], results: Returned) -> Program:
    turns = tracer.turns
    assert turns is not None
    drafts, results = _results_apart(drafts, results)
    ranges, conditions = list(tracer.index_ranges), list(tracer.conditions)
    drafts = [replace(d, turn=turn, rhs=gathered(d.rhs, turns))
              for d, turn in zip(drafts, _apart(drafts), strict=True)]
    for depth in range(max((len(d.turn) for d in drafts), default=0), 0, -1):  # inner loops first
        endings = []
        for loop in dict.fromkeys(d.turn[-1][0] for d in drafts if len(d.turn) == depth):
            inside = [d for d in drafts if len(d.turn) == depth and d.turn[-1][0] == loop]
            found = roll(loop, turns.letters[loop], _by_turn(inside, turns.counts[loop]),
                         _read_by(_needed_of(drafts, results), inside))
            drafts, ranges = _replaced(drafts, ranges, inside, found)
            endings.append(found.ending)
        drafts = [replace(d, rhs=gathered(d.rhs, turns)) for d in drafts]
        for ending in endings:
            drafts, more = with_last(drafts, _needed_of(drafts, results), ending)
            conditions += more
    results = _results_direct(drafts, results)
    return Program(tracer, tuple(_needed_of(drafts, results)), results,
                   tuple(dict.fromkeys(conditions)),
                   tuple(dict.fromkeys(ranges)))


def _apart(drafts: Sequence[Draft]) -> list[Turn]:
    """The turns of each draft, where loops side by side (those of a zip) count as one."""
    around: dict[int, set[Turn]] = {}
    for draft in drafts:
        for k, (loop, _) in enumerate(draft.turn):
            around.setdefault(loop, set()).add(draft.turn[:k])
    return [tuple(t for t in d.turn if len(around[t[0]]) == 1) for d in drafts]


def _by_turn(drafts: Sequence[Draft], count: int) -> list[list[Draft]]:
    """The drafts of each turn."""
    turns: list[list[Draft]] = [[] for _ in range(count)]
    for draft in drafts:
        turns[draft.turn[-1][1]].append(draft)
    return turns


def _replaced(
    drafts: Sequence[Draft], ranges: Sequence[IndexRange], inside: Sequence[Draft], found: Rolled
) -> tuple[list[Draft], list[IndexRange]]:
    """The drafts with a loop's in the place of those of its turns."""
    gone = {d.array for d in inside if d.array in found.places}
    first = next(k for k, d in enumerate(drafts) if d.array in gone)
    read = _reader(found.places)
    around = inside[0].turn[:-1]  # where the turns that stay by themselves are now
    within = {d.array for d in inside}
    kept = [replace(d, rhs=map_accesses(d.rhs, read), turn=around if d.array in within else d.turn)
            for d in drafts if d.array not in gone]
    before = sum(d.array not in gone for d in drafts[:first])
    loop = [replace(d, rhs=map_accesses(d.rhs, read), turn=around) for d in found.drafts]
    renamed = [replace(r, array=found.places[r.array].array if r.array in found.places
                       else r.array) for r in ranges]
    return [*kept[:before], *loop, *kept[before:]], renamed


def _reader(places: Mapping[str, Place]) -> Callable[[Access], Access]:
    def read(item: Access) -> Access:
        place = places.get(item.array)
        return item if place is None else place.read(item)

    return read


# ---- what the loss and the outputs need ---------------------------------------------------------


def _results_apart(
    drafts: list[Draft], results: Returned
) -> tuple[list[Draft], Returned]:
    """The loss and the outputs as equations outside of all loops."""
    table = {d.array: d for d in drafts}
    added: dict[str, Draft] = {}
    for array in (results.loss, *results.outputs.values()):
        draft = table[array]
        if draft.turn and array not in added:
            rhs = access(array, [idx(i) for i in draft.indices])
            added[array] = Draft(f"{_COPY}{array}", draft.indices, rhs, draft.kind, "copy",
                                 draft.source, call=None)
    names = {old: new.array for old, new in added.items()}
    outputs = {k: names.get(v, v) for k, v in results.outputs.items()}
    return [*drafts, *added.values()], Returned(
        names.get(results.loss, results.loss), outputs, results.shapes)


def _results_direct(drafts: Sequence[Draft], results: Returned) -> Returned:
    """The loss and the outputs without copies of what is an equation of its own."""
    copied = {}
    last = {d.array for d in drafts if d.op == LAST}
    for draft in drafts:
        item = draft.rhs.single_atom
        if draft.array.startswith(_COPY) and isinstance(item, Access) and (
                item.array not in last
                and [p.single_index for p in item.indices] == list(draft.indices)):
            copied[draft.array] = item.array
    outputs = {k: copied.get(v, v) for k, v in results.outputs.items()}
    return Returned(copied.get(results.loss, results.loss), outputs, results.shapes)


def _needed_of(drafts: Sequence[Draft], results: Returned) -> list[Draft]:
    """The drafts that the loss and the outputs read."""
    table = {d.array: d for d in drafts}
    waiting = [results.loss, *results.outputs.values()]
    found: set[str] = set()
    while waiting:
        array = waiting.pop()
        if array in table and array not in found:
            found.add(array)
            waiting += [*table[array].reads, table[array].beside]
    return [d for d in drafts if d.array in found]


def _read_by(drafts: Iterable[Draft], inside: Sequence[Draft]) -> set[str]:
    """What is read outside of a loop."""
    own = {d.array for d in inside}
    return {a for d in drafts if d.array not in own for a in (*d.reads, d.beside)}


