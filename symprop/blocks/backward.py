"""The lines of a block's backward pass: adjoint equations, and uses pulled back.

In: a block and its derivation. Out: both in an order in which they can run, under one numbering:

    (B11)  h̄ = logits̄ Wᵀ
    (B12)  x̄, ḡ, b̄ from h̄ by Lemma 2

A run is one line, from its last turn to its first. Adjoint equations between its turns, as of what
other lines read of a turn, stand right before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from symprop.algebra.expr import adjoint
from symprop.blocks.block import Block, Run, Use
from symprop.derive.derivation import Derivation
from symprop.system import Adjoint, Step, System, components


@dataclass(frozen=True)
class Pull:
    """A use pulled back, or all `uses` of a `run`: from the last to the first.

    takes, gives: for each of `uses`, the caller's arrays whose adjoints go into the lemma, and
    those whose adjoints come out. A result of the lemma that is not in `takes`, though its
    adjoint is given there, has the adjoint 0 here.
    """

    number: str
    uses: tuple[Use, ...]
    run: Run | None
    takes: tuple[tuple[str, ...], ...]
    gives: tuple[tuple[str, ...], ...]


Line = Adjoint | Pull


def backward(block: Block, derivation: Derivation) -> tuple[Derivation, tuple[Line, ...]]:
    """The lines, and the derivation with its adjoints in their order, numbered as they are."""
    lines = _ordered([*derivation.adjoints, *_pulls(block)])
    numbers = {line.number: f"B{k}" for k, line in enumerate(lines, 1)
               if isinstance(line, Adjoint)}
    done = tuple(_numbered(line, numbers) if isinstance(line, Adjoint)
                 else replace(line, number=f"B{k}") for k, line in enumerate(lines, 1))
    adjoints = tuple(line for line in done if isinstance(line, Adjoint))
    return replace(derivation, adjoints=adjoints), done


def _pulls(block: Block) -> Iterator[Pull]:
    """The uses that hand back adjoints, the last first."""
    system, runs = block.system, {id(u): run for run in block.runs for u in run.uses}
    done: set[int] = set()
    for use in reversed(block.uses):
        run = runs.get(id(use))
        uses = (use,) if run is None else run.uses
        if id(uses[0]) in done:
            continue
        done.add(id(uses[0]))
        gives = tuple(tuple(a for a in u.arguments if a in system.given) for u in uses)
        if any(gives):
            yield Pull("", uses, run, tuple(_taken(u, system) for u in uses), gives)


def _taken(use: Use, system: System) -> tuple[str, ...]:
    """The results that have an adjoint here, of those whose adjoint the lemma takes."""
    known = {*system.given, *system.wrt}
    return tuple(mine for mine, its in zip(use.results, use.block.results, strict=True)
                 if mine in known and its in use.block.system.given)


def _ordered(lines: list[Line]) -> list[Line]:
    """Each line after what it reads or has inserted; what waits for each other together."""
    makers: dict[str, int] = {}
    for k, line in enumerate(lines):
        made = [line.array, line.number] if isinstance(line, Adjoint) else [
            adjoint(a) for gives in line.gives for a in gives]
        makers |= dict.fromkeys(made, k)
    graph = {k: [makers[a] for a in _needs(line) if a in makers] for k, line in enumerate(lines)}
    return [lines[k] for group in components(graph) for k in sorted(group)]


def _needs(line: Line) -> Iterator[str]:
    if isinstance(line, Pull):
        yield from (adjoint(a) for takes in line.takes for a in takes)
        return
    yield from line.reads
    yield from line.absorbed
    for step in line.steps:
        yield from (b for b in step.because if b != line.number)


def _numbered(line: Adjoint, numbers: dict[str, str]) -> Adjoint:
    def step(s: Step) -> Step:
        return replace(s, equation=numbers.get(s.equation, s.equation),
                       because=tuple(numbers.get(b, b) for b in s.because))

    return replace(line, number=numbers[line.number], steps=tuple(map(step, line.steps)),
                   absorbed=tuple(numbers.get(n, n) for n in line.absorbed))
