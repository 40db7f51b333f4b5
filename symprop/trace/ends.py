"""What is read of a loop after it: its last carry, where it may have no turn as well.

In: drafts in which a loop's arrays are read at its last turn. Out: the same with an equation for
the last carry, and the conditions on the number of turns that other such reads put:

    h[K-1]     ->     h_last = [1 <= K] h[K-1] + [K <= 0] h_0
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from symprop.algebra.build import (
    ONE,
    ZERO,
    access,
    add,
    idx,
    instantiate,
    iverson,
    map_accesses,
    mul,
    number,
    sub,
)
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Access, Expr, Index, accesses
from symprop.algebra.integers import nonnegative
from symprop.system import Condition
from symprop.trace.replay import Entry
from symprop.trace.tracer import Draft

TURNS = "turns"  # the kind of a condition: a loop that may have no turn at small sizes has one
LAST = "last"  # the operation of an equation for the last carry


@dataclass(frozen=True)
class Ending:
    """A loop that has been rolled: how many turns it has, its carries before the first of them.

    arrays: all that have the turn as their first index; source: the line of the loop; whole: no
    turn stays by itself.
    """

    count: int
    carries: Mapping[str, Entry]
    arrays: frozenset[str]
    source: str
    whole: bool


def with_last(
    drafts: Sequence[Draft], needed: Sequence[Draft], ending: Ending
) -> tuple[list[Draft], list[Condition]]:
    """The drafts, with an equation for each last carry that is read after the loop."""
    table = {d.array: d for d in drafts}
    made: dict[str, Draft] = {}

    def read(item: Access) -> Access:
        if item.array not in ending.carries or item.indices[0] != number(ending.count - 1):
            return item
        made.setdefault(item.array, _last(table[item.array], ending))
        return Access(made[item.array].array, item.indices[1:])

    inside = ending.arrays
    found = [d if d.array in inside else replace(d, rhs=map_accesses(d.rhs, read))
             for d in drafts]
    others = {int(turn) for d in needed if d.array not in inside for a in accesses(d.rhs)
              if a.array in inside and (turn := a.indices[0].number) is not None
              and not (a.array in ending.carries and turn == ending.count - 1)}
    return [*found, *made.values()], list(_conditions(ending, others))


def _last(draft: Draft, ending: Ending) -> Draft:
    own = tuple(Index(i.letter, i.size) for i in draft.indices[1:])
    at = [idx(i) for i in own]
    last = access(draft.array, [number(ending.count - 1), *at])
    formals, start = ending.carries[draft.array]
    return Draft(f"{draft.array}!", own, add(last, instantiate(formals, start, at)), draft.kind,
                 LAST, draft.source, f"{draft.name}_last" if draft.name else None, call=draft.call,
                 turn=draft.turn)


def _conditions(ending: Ending, turns: Iterable[int]) -> Iterable[Condition]:
    """That the loop has no fewer turns than those of its own that it was split from need."""
    count = number(ending.count)
    yield Condition(TURNS if ending.whole else "at_least", count, ZERO, ending.source)
    for turn in sorted(turns):
        yield Condition("at_least", number(turn), ZERO, ending.source)
        yield Condition("at_least", count, number(turn + 1), ending.source)


# ---- once the number of turns is known -----------------------------------------------------------


def ended(drafts: Sequence[Draft]) -> list[Draft]:
    """The drafts, with brackets in the equations of the last carries, or without these equations.

    A loop that has a turn at every size needs none.
    """
    table = {d.array: d for d in drafts}
    certain: dict[str, Access] = {}
    found = []
    for draft in drafts:
        if draft.op != LAST:
            found.append(draft)
            continue
        last, start = draft.rhs.terms[0], Expr(draft.rhs.terms[1:])
        (item,) = [a for a, _ in last.factors if isinstance(a, Access)]
        count = table[item.array].indices[0].size
        if nonnegative(normal(sub(count, ONE))):
            certain[draft.array] = item
            continue
        some = mul(iverson("<=", ONE, count), Expr((last,)))
        none = mul(iverson("<=", count, ZERO), start)
        found.append(replace(draft, rhs=add(some, none)))

    def read(item: Access) -> Access:
        inside = certain.get(item.array)
        return item if inside is None else Access(
            inside.array, (inside.indices[0], *item.indices))

    return [replace(d, rhs=map_accesses(d.rhs, read)) for d in found]
