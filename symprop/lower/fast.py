"""The fast style of a program: every operation has a place for its result.

In: a finished program. Out: `Fast`: the same program with `Placed` statements, its lemmas too, and
the buffers of forward and of backward. Backward may use those buffers of forward in which nothing
is saved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from symprop.algebra.expr import adjoint
from symprop.lower.buffers import Buffer, Plan, planned
from symprop.lower.dtypes import FLOAT
from symprop.lower.ir import Statement
from symprop.lower.program import Pair, Program
from symprop.lower.walk import invokes


@dataclass(frozen=True)
class Fast:
    """A program with places, and what a workspace keeps for its two functions and its lemmas'."""

    program: Program
    forward: tuple[Buffer, ...]
    backward: tuple[Buffer, ...]
    lemmas: Mapping[int, tuple[Plan, Plan]]


def fast(program: Program) -> Fast:
    """Places for all statements of a program."""
    system = program.system
    others = _others(program)
    forward = planned(program.forward, {
        system.loss, *program.saved, *_handed(program.forward)}, others=others)
    wanted = {adjoint(w) for w in system.wrt}
    given_up = {n: system.arrays[n].shape for n in program.saved if n in forward.owned}
    backward = planned(
        program.backward, {*wanted, *_handed(program.backward)}, spare=forward.spare,
        first=max((b.number for b in forward.buffers), default=0) + 1, given_up=given_up,
        gradients=wanted, others=others)
    predict = planned(program.predict, {
        *(a for _, a in system.outputs), *_handed(program.predict)}, others=others)
    lemmas = {pair.number: _plans(pair) for pair in program.lemmas}
    return Fast(replace(
        program, forward=forward.statements, backward=backward.statements,
        predict=predict.statements,
        lemmas=tuple(_placed(p, *lemmas[p.number]) for p in program.lemmas),
    ), forward.buffers, backward.buffers, lemmas)


def _plans(pair: Pair) -> tuple[Plan, Plan]:
    """A lemma: what it makes lives for one call, but for what it returns and saves."""
    program, others = pair.program, _others(pair.program)
    forward = planned(program.forward, {
        *program.results, *program.saved, *_handed(program.forward)}, others=others)
    return forward, planned(program.backward, {
        *(adjoint(w) for w in pair.block.gradients), *_handed(program.backward)}, others=others)


def _others(program: Program) -> dict[str, str]:
    """The arrays that hold no floats, which may not lie where floats do."""
    return {n: a.dtype for n, a in program.system.arrays.items() if a.dtype != FLOAT}


def _placed(pair: Pair, forward: Plan, backward: Plan) -> Pair:
    return replace(pair, program=replace(
        pair.program, forward=forward.statements, backward=backward.statements))


def _handed(statements: Iterable[Statement]) -> set[str]:
    """What other blocks are handed and hand back: they may keep it, or look at it."""
    return {a for line in invokes(statements) for a in (*line.arrays, *line.targets) if a}
