"""A lemma with the turns of its runs under one index, for print.

In: a lemma. Out: its system and its adjoint equations, those that differ by the turn alone as one
equation of a stack: x[l] for what comes out of turn l.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from symprop.algebra.build import number
from symprop.algebra.expr import Expr, Index
from symprop.algebra.renaming import Numbering
from symprop.blocks.backward import folded
from symprop.blocks.derive import Lemma
from symprop.blocks.folding import common, summed
from symprop.blocks.stacks import Stacks
from symprop.emit.letters import axis_letters, taken_by
from symprop.system import Adjoint, Array, Equation, System

_LETTERS = "lkrsijpq"


@dataclass(frozen=True)
class Stacked:
    """What is printed of a lemma: turns[array] are the first and the last turn of its equation."""

    system: System
    adjoints: tuple[Adjoint, ...]
    stacks: Stacks
    turns: dict[str, tuple[int, int]]


def stacked(lemma: Lemma) -> Stacked:
    """The lemma in stacks; as it is, where its block has no run."""
    system = lemma.derivation.system
    stacks = Stacks(lemma.block, _letter(system))
    if not stacks.places:
        return Stacked(system, lemma.derivation.adjoints, stacks, {})
    turns: dict[str, tuple[int, int]] = {}
    equations = tuple(_equations(system.equations, stacks, turns))
    adjoints = tuple(_adjoints(lemma.derivation.adjoints, stacks, turns))
    primals = {a.primal for a in adjoints}
    wrt = dict.fromkeys(w if w in primals else stacks.places[w][0] for w in system.wrt)
    shown = replace(system, arrays=_arrays(system, stacks), equations=equations, wrt=tuple(wrt))
    taken = taken_by(system) | {s.shown for s in stacks.by_name.values()}
    shown.__dict__["_letters"] = taken, axis_letters(system.sizes, taken)
    shown.__dict__["_turns"] = frozenset(index.letter for index in stacks.turns.values())
    return Stacked(shown, adjoints, stacks, turns)


def _letter(system: System) -> str:
    """A letter for the turns that nothing else has."""
    taken = {*taken_by(system), *axis_letters(system.sizes, taken_by(system)).values()}
    return next((c for c in _LETTERS if c not in taken), "l")


def _arrays(system: System, stacks: Stacks) -> dict[str, Array]:
    """All arrays, a stack in the place of its first, and behind them what the stacks hold."""
    found: dict[str, Array] = {}
    inside: dict[str, Array] = {}
    for name, array in system.arrays.items():
        if name not in stacks.places:
            found[name] = array
            continue
        stack = stacks.by_name[stacks.places[name][0]]
        inside[name] = array
        shape = (number(max(stack.arrays) + 1), *array.shape)
        kind = array.kind if 0 not in stack.arrays or name != stack.arrays[0] else "computed"
        found.setdefault(stack.name, replace(array, name=stack.name, shape=shape, kind=kind))
    return {**found, **{n: a for n, a in inside.items() if n not in found}}


def _equations(
    equations: Sequence[Equation], stacks: Stacks, turns: dict[str, tuple[int, int]]
) -> Iterator[Equation]:
    """The equations, those that hand something to each turn as one."""
    by_line: dict[tuple[str, str], list[Equation]] = {}
    for e in equations:
        stack = stacks.places.get(e.array, (e.array, 0))[0]
        by_line.setdefault((e.number, stack), []).append(e)
    for (_, stack), members in by_line.items():
        whole = _as_one(members, stack, stacks) if len(members) > 1 else None
        if whole is None:
            yield from (replace(e, rhs=_sum(e.rhs, e.indices, stacks)) for e in members)
            continue
        at = [stacks.places[e.array][1] for e in members]
        turns[whole.array] = at[0], at[-1]
        yield whole


def _as_one(members: Sequence[Equation], stack: str, stacks: Stacks) -> Equation | None:
    index = stacks.by_name[stack].index
    turns = [stacks.places[e.array][1] for e in members]
    if turns != [*range(turns[0], turns[0] + len(turns))]:
        return None
    made = common([(e.indices, [e.rhs]) for e in members], turns, index, stacks.places)
    return None if made is None else replace(
        members[0], array=stack, indices=(index, *members[0].indices), rhs=made[0])


def _adjoints(
    adjoints: Sequence[Adjoint], stacks: Stacks, turns: dict[str, tuple[int, int]]
) -> Iterator[Adjoint]:
    """The adjoint equations, those of one number as one."""
    for _, group in groupby(adjoints, key=lambda a: a.number):
        members = [*group]
        whole = folded(members, stacks) if len(members) > 1 else None
        if whole is not None:
            at = [stacks.places[a.primal][1] for a in members]
            turns[whole.array] = at[0], at[-1]
            yield whole
            continue
        for a in members:
            free = a.indices
            steps = tuple(replace(s, before=_sum(s.before, free, stacks),
                                  after=_sum(s.after, free, stacks)) for s in a.steps)
            rhs = _sum(a.rhs, free, stacks)
            if steps and _text(rhs, free) == _text(steps[-1].after, free):
                rhs = steps[-1].after  # the same but for the order of what is under the sum now
            yield replace(a, rhs=rhs, steps=steps, sources=tuple(dict.fromkeys(a.sources)))


def _text(expr: Expr, free: Sequence[Index]) -> str:
    numbers = Numbering(sizes=False)
    for index in free:
        numbers.index(index)
    return numbers.expr(expr)


def _sum(expr: Expr, free: Sequence[Index], stacks: Stacks) -> Expr:
    return summed(expr, free, stacks.indices, stacks.places)
