"""Which lines of a derivation by lemmas are printed: all, one, or what some gradients depend on.

In: the lemmas, and what is asked for. Out: a `Kept`, which says of every lemma and of every number
whether it is printed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from symprop.algebra.expr import ADJOINT, Access, Expr, adjoint, atoms
from symprop.blocks.backward import Pull
from symprop.blocks.block import Use
from symprop.blocks.derive import Lemma
from symprop.blocks.numbers import prefix
from symprop.emit.selection import asked
from symprop.errors import InputError
from symprop.system import Adjoint, Equation, System

Line = Equation | Use | Adjoint | Pull


@dataclass(frozen=True)
class Kept:
    """numbers: by lemma those that are printed; None stands for all of all.

    gradients: those that are asked for; none stand for all.
    """

    numbers: dict[int, frozenset[str]] | None = None
    single: bool = False  # one equation, without what belongs to a page
    gradients: tuple[str, ...] = ()

    def lemma(self, lemma: Lemma) -> bool:
        """Whether anything of a lemma is printed."""
        return self.numbers is None or bool(self.numbers.get(lemma.number))

    def line(self, lemma: int, number: str) -> bool:
        """Whether a line is printed."""
        return self.numbers is None or number in self.numbers.get(lemma, ())


def kept(
    lemmas: Sequence[Lemma], system: System, only: Sequence[str] | None, equation: str | None
) -> Kept:
    """What to print; the program is the last lemma. InputError for what there is not."""
    if only is not None and equation is not None:
        raise InputError("only= and equation= exclude each other")
    if equation is not None:
        return Kept(_one(lemmas, equation), single=True)
    if only is None:
        return Kept()
    gradients = asked(system, only)
    return Kept(_needed(lemmas, gradients), gradients=gradients)


def _one(lemmas: Sequence[Lemma], equation: str) -> dict[int, frozenset[str]]:
    wanted = equation.strip("() ").upper()
    known: list[str] = []
    for lemma in (*lemmas[-1:], *lemmas[:-1]):
        own = prefix(lemma.number)
        numbers = dict.fromkeys(line.number for line in _lines(lemma))
        if wanted.startswith(own) and wanted.removeprefix(own) in numbers:
            return {lemma.number: frozenset((wanted.removeprefix(own),))}
        last = [[n for n in numbers if n[0] == kind][-1:] for kind in "FB"]
        known += [f"({own}{n[0][0]}1) to ({own}{n[0]})" for n in last if n]
    raise InputError(f"there is no equation {equation!r}; there are {', '.join(known)}")


def _needed(
    lemmas: Sequence[Lemma], gradients: Sequence[str]
) -> dict[int, frozenset[str]]:
    """The lines of the program that some gradients need, and all of the lemmas used there."""
    program = lemmas[-1]
    found = {program.number: _closure(program, gradients)}
    used = {id(b) for use in program.block.uses
            if use.number in found[program.number] for b in (use.block, *use.block.below)}
    return found | {m.number: frozenset(line.number for line in _lines(m))
                    for m in lemmas if id(m.block) in used}


def _closure(program: Lemma, gradients: Sequence[str]) -> frozenset[str]:
    """The numbers of what these gradients depend on, steps and forward lines included."""
    lines = [*_lines(program)]
    makers: dict[str, list[Line]] = {}
    for line in lines:
        for name in (*_makes(line), line.number):
            makers.setdefault(name, []).append(line)
    names: set[str] = set()
    numbers: set[str] = set()
    waiting = [adjoint(g) for g in gradients] + [program.block.system.loss]
    while waiting:
        name = waiting.pop()
        if name in names:
            continue
        names.add(name)
        for line in makers.get(name, ()):
            numbers.add(line.number)
            waiting += [line.number, *_reads(line)]
    return frozenset(numbers)


def _lines(lemma: Lemma) -> Iterator[Line]:
    """All that has a number."""
    forward: list[Equation | Use] = [*lemma.block.system.equations, *lemma.block.uses]
    yield from sorted(forward, key=lambda line: int(line.number[1:]))
    yield from lemma.backward


def _makes(line: Line) -> tuple[str, ...]:
    if isinstance(line, Use):
        return line.results
    if isinstance(line, Pull):
        return tuple(adjoint(a) for gives in line.gives for a in gives)
    return (line.array,)


def _reads(line: Line) -> Iterator[str]:
    if isinstance(line, Use):
        yield from line.arguments
    elif isinstance(line, Pull):
        yield from (adjoint(a) for takes in line.takes for a in takes)
        yield from (a for use in line.uses for a in use.results)
    else:
        yield from line.reads
    if isinstance(line, Adjoint):
        yield from (*line.sources, *line.absorbed, line.primal)
        for step in line.steps:
            yield from step.because
            yield from _mentioned(step.after)


def _mentioned(expr: Expr) -> Iterator[str]:
    for atom in atoms(expr):
        if isinstance(atom, Access):
            yield atom.array
            yield atom.array.removeprefix(ADJOINT)
