"""Which gradients of a lemma some calls leave out, and what need not run for them.

In: a program by lemmas. Out: for every lemma the gradients that a call may leave out (`left_out`);
for every statement of a backward pass the gradients that it is needed for (`reaches`); what runs
where some are left out (`running`). The first layer of a network asks for no gradient of the data:
its backward is called with `need_dx=False`, and does without dz @ W.T.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from symprop.algebra.expr import adjoint
from symprop.lower.invoke import Invoke, Turns
from symprop.lower.ir import Loop, Statement, Write
from symprop.lower.program import Pair, Program

Names = frozenset[str]
NONE: Names = frozenset()


@dataclass(frozen=True)
class Wish:
    """Whether a line asks for a gradient: always, never, at all turns but the first; or if one
    of the gradients `of` is asked for of its caller."""

    kind: str  # "always", "never", "later", "if"
    of: Names = NONE


def reaches(part: Program, gradients: Sequence[str]) -> list[Names]:
    """For each statement of backward, which of the gradients it is needed for."""
    needed: dict[str, set[str]] = {adjoint(g): {g} for g in gradients}
    reads = {a.array: a.reads for a in part.adjoints}
    found: list[Names] = []
    for statement in reversed(part.backward):
        own = frozenset(g for a in made_by(statement) for g in needed.get(a, ()))
        found.append(own)
        for array in _reads(statement, reads):
            needed.setdefault(array, set()).update(own)
    return found[::-1]


def guards(part: Program, gradients: Sequence[str], own: Names) -> list[Names]:
    """For each statement, the gradients of which one must be asked for, or it does not run.

    own: the gradients that may be left out; one of all is asked for at every call.
    """
    return [r if r and r <= own and len(r) < len(gradients) else NONE
            for r in reaches(part, gradients)]


def made_by(statement: Statement) -> Iterator[str]:
    """The arrays that a statement makes."""
    if isinstance(statement, Invoke | Turns):
        for line in statement.lines if isinstance(statement, Turns) else (statement,):
            yield from filter(None, line.targets)
    else:
        for write in _writes(statement):
            yield write.array


def _reads(statement: Statement, reads: Mapping[str, Sequence[str]]) -> Iterator[str]:
    if isinstance(statement, Invoke | Turns):
        for line in statement.lines if isinstance(statement, Turns) else (statement,):
            yield from line.arrays
    else:
        for write in _writes(statement):
            yield from reads.get(write.array, ())


def _writes(statement: Loop | Write) -> Sequence[Write]:
    return statement.body if isinstance(statement, Loop) else (statement,)


def wishes(
    statement: Invoke | Turns, of: Mapping[str, Names], gradients: Sequence[str], own: Names
) -> dict[str, Wish]:
    """What a line asks of its lemma, by the lemma's gradients.

    of: what every array of the caller is needed for; own: what the caller's may leave out.
    """
    lines = statement.lines if isinstance(statement, Turns) else (statement,)
    found: dict[str, Wish] = {}
    for k, gradient in enumerate(gradients):
        targets = [line.targets[k] for line in lines]
        if not any(targets):
            found[gradient] = Wish("never")
        elif isinstance(statement, Turns):
            later = all(targets[:-1]) and not targets[-1]
            found[gradient] = Wish("later" if later else "always")
        else:
            reach = of.get(targets[0], NONE)
            found[gradient] = Wish("if", reach) if reach and reach <= own else Wish("always")
    return found


def needed_for(part: Program, gradients: Sequence[str]) -> dict[str, Names]:
    """For each array that backward makes, which of the gradients it is needed for."""
    found: dict[str, set[str]] = {adjoint(g): {g} for g in gradients}
    reads = {a.array: a.reads for a in part.adjoints}
    for statement, own in reversed([*zip(part.backward, reaches(part, gradients), strict=True)]):
        for array in _reads(statement, reads):
            found.setdefault(array, set()).update(own)
    return {a: frozenset(names) for a, names in found.items()}


def left_out(program: Program) -> dict[int, Names]:
    """The gradients of each lemma that a call may leave out, where that saves a statement."""
    pairs = {p.number: p for p in program.lemmas}
    asked: dict[int, set[str]] = {p: set() for p in pairs}
    passed: dict[int, list[tuple[int, Names]]] = {}  # by lemma: what follows from its own wishes
    parts: list[tuple[int, Program, Sequence[str]]] = [
        (0, program, program.system.wrt),
        *((p.number, p.program, p.block.gradients) for p in reversed(program.lemmas))]
    for number, part, gradients in parts:
        own, of = frozenset(asked.get(number, ())), needed_for(part, gradients)
        for statement in part.backward:
            if isinstance(statement, Invoke | Turns):
                inner = statement.lemma
                told = wishes(statement, of, pairs[inner].block.gradients, own)
                asked[inner] |= {g for g, wish in told.items() if wish.kind != "always"}
                passed.setdefault(number, []).append((inner, frozenset(
                    g for g, wish in told.items() if wish.kind == "if")))
    found: dict[int, Names] = {}
    for pair in program.lemmas:
        own = frozenset(asked[pair.number])
        if any(guards(pair.program, pair.block.gradients, own)) or any(
                found.get(inner, NONE) & names for inner, names in passed.get(pair.number, ())):
            found[pair.number] = own
    return found


def running(
    part: Program, gradients: Sequence[str], skips: Mapping[int, Names], own: Names,
    missing: Names, pairs: Mapping[int, Pair],
) -> Iterator[tuple[Statement, Invoke | None, Names]]:
    """The statements that run where `missing` gradients are left out.

    A line that uses a lemma stands by itself, every turn of a loop, with what it leaves out.
    """
    of = needed_for(part, gradients)
    for statement, guard in zip(part.backward, guards(part, gradients, own), strict=True):
        if guard and guard <= missing:
            continue
        if not isinstance(statement, Invoke | Turns):
            yield statement, None, NONE
            continue
        told = wishes(statement, of, pairs[statement.lemma].block.gradients, own)
        may = skips.get(statement.lemma, NONE)
        lines = statement.lines if isinstance(statement, Turns) else (statement,)
        for line in lines:
            yield statement, line, may & {
                g for g, wish in told.items() if wish.kind == "never"
                or (wish.kind == "if" and wish.of <= missing)
                or (wish.kind == "later" and line is lines[-1])}
