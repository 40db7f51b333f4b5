"""Which calls may be blocks.

In: a System whose equations know their calls. Out: the calls of which there are at least two that
are equal, each with its text. None is short, lies in a recurrence, holds the loss or an output,
or reads again what others have made of its results.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Set
from dataclasses import replace

from symprop.blocks.equal import Seen, seen
from symprop.blocks.ports import cut
from symprop.system import Call, Equation, System, cycles

SHORTEST = 3  # equations of a block


def repeated(system: System, told: Set[str] = frozenset()) -> dict[Call, Seen]:
    """The calls that may be blocks, and of which there are two that are equal."""
    members: dict[Call, list[Equation]] = {}
    for equation in system.equations:
        for call in equation.call.chain if equation.call is not None else ():
            members.setdefault(call, []).append(equation)
    cyclic = cycles(system.equations)
    ends = {system.loss, *(a for _, a in system.outputs)}
    here = {name: name for name in system.arrays}
    found: dict[Call, Seen] = {}
    hollow = {c.parent for c, own in members.items()
              if c.parent is not None and len(members[c.parent]) == len(own)}
    place = {e.array: k for k, e in enumerate(system.equations)}
    for call, own in members.items():
        if call in hollow:
            continue  # all that it does is another call
        names = {e.array for e in own}
        if len(own) >= SHORTEST and not names & ends and names.isdisjoint(cyclic) and (
                _is_closed(system.equations[place[own[0].array]:place[own[-1].array] + 1], names)):
            found[call] = seen(cut(call, own, system, here), system, told)
    often = Counter(s.text for s in found.values())
    return {call: s for call, s in found.items() if often[s.text] > 1}


def _is_closed(equations: Iterable[Equation], own: set[str]) -> bool:
    """Whether nothing that others make of a call's results comes back into it.

    equations: from the call's first to its last.
    """
    after: set[str] = set()
    for equation in equations:
        if equation.array in own:
            if not after.isdisjoint(equation.reads):
                return False
        elif any(a in own or a in after for a in equation.reads):
            after.add(equation.array)
    return True


def with_tables_outside(system: System) -> System:
    """The system in which no call makes what depends on no input and several calls read.

    A table of cosines is made once, by the first call that asks for it; as one of that call's own
    it would make it unequal to all others.
    """
    alone: dict[str, Equation] = {}
    for equation in system.equations:
        if all(a in alone or a in system.constants for a in equation.reads):
            alone[equation.array] = equation
    readers: dict[str, set[Call | None]] = {}
    for equation in reversed(system.equations):
        own = readers.get(equation.array, set()) if equation.array in alone else {equation.call}
        for array in equation.reads:
            readers.setdefault(array, set()).update(own or {equation.call})
    outside = {a for a in alone if len(readers.get(a, ())) > 1}
    return replace(system, equations=tuple(
        replace(e, call=None) if e.array in outside else e for e in system.equations))
