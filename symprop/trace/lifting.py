"""Traces at several lengths as one program.

In: the programs of one function, its loops rolled, with an axis of 6, 7 and 9 entries. Out: the
program in which the axis has its name wherever a number goes up with its length. `Mismatch`
where the programs are not the same but for such numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from symprop.algebra.build import ONE, size, sub
from symprop.algebra.canonical import normal
from symprop.algebra.integers import nonnegative
from symprop.system import Condition, IndexRange
from symprop.trace.ends import TURNS, ended
from symprop.trace.families import Family, Mismatch, Names, Parameter
from symprop.trace.finish import Returned
from symprop.trace.loops import Program
from symprop.trace.tracer import PROVISIONAL, Draft, Tracer


def lifted(programs: Sequence[Program]) -> Program:
    """The one program, in the tracer of the first."""
    tracers = [p.tracer for p in programs]
    if len({tuple(map(_form, p.drafts)) for p in programs}) > 1:
        raise Mismatch
    _expect_same_constants(tracers)
    names = {d.array: f"{PROVISIONAL}{k + 1}" for k, d in enumerate(programs[0].drafts)}
    places = [{d.array: k for k, d in enumerate(p.drafts)} for p in programs]

    def read(arrays: Names) -> str:
        at = {p.get(a) for p, a in zip(places, arrays, strict=True)}
        if len(at) > 1 or (None in at and len(set(arrays)) > 1):
            raise Mismatch
        return names.get(arrays[0], arrays[0])

    parameters = _parameters(tracers)
    family = Family(parameters, read, inverse=True)
    drafts = [family.draft(same, names[same[0].array])
              for same in zip(*(p.drafts for p in programs), strict=True)]
    drafts = ended(drafts)
    for draft in drafts:
        draft.beside = names.get(draft.beside, "")
    conditions = _conditions([p.conditions for p in programs], family)
    ranges = _ranges([p.ranges for p in programs], family)
    return Program(tracers[0], tuple(drafts), _results([p.results for p in programs], family),
                   conditions, ranges)


def _form(draft: Draft) -> tuple[str, str, int]:
    return draft.op, draft.kind, len(draft.indices)


def _parameters(tracers: Sequence[Tracer]) -> list[Parameter]:
    """Every axis with an assumed length, with its length in each trace."""
    turns = [t.turns for t in tracers]
    axes = turns[0].lengths if turns[0] is not None else {}
    return [([t.lengths[axis] for t in turns if t is not None], size(axis)) for axis in axes]


def _expect_same_constants(tracers: Sequence[Tracer]) -> None:
    first, *others = ({**t.constants, **t.held} for t in tracers)
    for other in others:
        if other.keys() != first.keys() or not all(
                np.array_equal(first[k], other[k]) for k in first):
            raise Mismatch


def _results(all_: Sequence[Returned], family: Family) -> Returned:
    if len({tuple(r.outputs) for r in all_}) > 1:
        raise Mismatch
    outputs = {name: family.read(tuple(r.outputs[name] for r in all_))
               for name in all_[0].outputs}
    shapes = []
    for same in zip(*(r.shapes for r in all_), strict=True):
        if len({len(s) for s in same}) > 1:
            raise Mismatch
        shapes.append(tuple(family.position(sizes) for sizes in zip(*same, strict=True)))
    return Returned(family.read(tuple(r.loss for r in all_)), outputs, tuple(shapes))


def _conditions(
    all_: Sequence[Sequence[Condition]], family: Family
) -> tuple[Condition, ...]:
    """The conditions; one that asks of a length what it has is none."""
    if len({tuple((c.kind, c.source) for c in conditions) for conditions in all_}) > 1:
        raise Mismatch
    found = []
    for same in zip(*all_, strict=True):
        left, right = (family.position(sides) for sides in (
            [c.left for c in same], [c.right for c in same]))
        if same[0].kind == "divides" or not nonnegative(normal(sub(left, right))):
            turns = same[0].kind == TURNS
            found.append(replace(same[0], kind="at_least" if turns else same[0].kind, left=left,
                                 right=ONE if turns else right))
    return tuple(found)


def _ranges(all_: Sequence[Sequence[IndexRange]], family: Family) -> tuple[IndexRange, ...]:
    if len({tuple((r.ignored, r.start is None, r.at) for r in ranges) for ranges in all_}) > 1:
        raise Mismatch
    found = []
    for same in zip(*all_, strict=True):
        start = None if same[0].start is None else family.position(
            [r.start for r in same if r.start is not None])
        found.append(IndexRange(
            family.read(tuple(r.array for r in same)), family.position([r.size for r in same]),
            start, same[0].ignored, same[0].at))
    return tuple(dict.fromkeys(found))


def adopted(program: Program) -> tuple[Tracer, Returned]:
    """The tracer of a program, whose record is the program."""
    tracer = program.tracer
    tracer.drafts = {d.array: d for d in program.drafts}
    tracer.observer.views.clear()  # they are of single turns
    for draft in program.drafts:
        if draft.name:
            own = draft.variable if draft.name.startswith(draft.variable or "\n") else None
            draft.name = own or draft.name
    tracer.conditions = list(program.conditions)
    tracer.index_ranges = list(program.ranges)
    tracer.turns = None
    return tracer, program.results
