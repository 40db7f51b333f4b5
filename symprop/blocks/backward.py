"""The lines of a block's backward pass: adjoint equations, and uses pulled back.

In: a block and its derivation. Out: both in an order in which they can run, under one numbering:

    (B11)  h̄ = logits̄ Wᵀ
    (B12)  x̄, ḡ, b̄ from h̄ by Lemma 2

A run is one line, from its last turn to its first. Adjoint equations that differ by the turn alone
are one line as well, under one number; those between the turns stand right before the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from symprop.algebra.expr import adjoint
from symprop.algebra.graphs import components
from symprop.blocks.block import Block, Run, Use
from symprop.blocks.folding import common
from symprop.blocks.stacks import Stacks
from symprop.derive.derivation import Derivation
from symprop.system import Adjoint, Step, System


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
    """The lines, and the derivation with its adjoints in their order, numbered as they are.

    Adjoints of the same number are those of the turns of a run, turn by turn.
    """
    pulls: list[list[Line]] = [[pull] for pull in _pulls(block)]
    lines = _ordered([*_families(derivation.adjoints, Stacks(block)), *pulls])
    numbers = {line.number: f"B{k}" for k, same in enumerate(lines, 1)
               for line in same if isinstance(line, Adjoint)}
    done = tuple(_numbered(line, numbers) if isinstance(line, Adjoint)
                 else replace(line, number=f"B{k}")
                 for k, same in enumerate(lines, 1) for line in same)
    adjoints = tuple(line for line in done if isinstance(line, Adjoint))
    return replace(derivation, adjoints=adjoints), done


def _families(adjoints: Sequence[Adjoint], stacks: Stacks) -> Iterator[list[Line]]:
    """Adjoints by themselves, and those of successive turns that are equal but for the turn."""
    turns = {a.number: stacks.places[a.primal] for a in adjoints if a.primal in stacks.places}
    members: dict[tuple[str, ...], list[Adjoint]] = {}
    for a in adjoints:
        stack, turn = turns.get(a.number, ("", 0))
        key = (stack, _told(a, turn, turns)) if stack else (a.number,)
        members.setdefault(key, []).append(a)
    for same in members.values():
        ordered = sorted(same, key=lambda a: turns.get(a.number, ("", 0))[1])
        if len(ordered) == 1 or folded(ordered, stacks) is not None:
            yield [*ordered]
        else:
            for a in same:
                yield [a]


def folded(adjoints: Sequence[Adjoint], stacks: Stacks) -> Adjoint | None:
    """Adjoints of successive turns as one, of a stack; None where they are not one."""
    places = [stacks.places[a.primal] for a in adjoints]
    name, first = places[0]
    turns = [turn for _, turn in places]
    index = stacks.by_name[name].index
    exprs = [[a.rhs, *(e for s in a.steps for e in (s.before, s.after, *(
        c.of for c in s.conditions)))] for a in adjoints]
    if turns != [*range(first, first + len(turns))] or len({len(e) for e in exprs}) > 1:
        return None
    made = common([(a.indices, e) for a, e in zip(adjoints, exprs, strict=True)], turns, index,
                  stacks.places)
    if made is None:
        return None
    rhs, *rest = made
    found = iter(rest)
    steps = tuple(
        replace(s, before=next(found), after=next(found), conditions=tuple(
            replace(c, of=next(found)) for c in s.conditions)) for s in adjoints[0].steps)
    return replace(adjoints[0], array=adjoint(name), primal=name, rhs=rhs, steps=steps,
                   indices=(index, *adjoints[0].indices))


def _told(a: Adjoint, turn: int, turns: Mapping[str, tuple[str, int]]) -> str:
    """What an adjoint leans on, at turns beside its own."""
    def told(number: str) -> str:
        stack, other = turns.get(number, (number, turn))
        return f"{stack}+{other - turn}"

    steps = [(s.rule, s.departs, *map(told, s.because)) for s in a.steps]
    return f"{a.inlined} {a.sources} {[*map(told, a.absorbed)]} {steps}"


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


def _ordered(lines: list[list[Line]]) -> list[list[Line]]:
    """Each line after what it reads or has inserted; what waits for each other together."""
    makers: dict[str, int] = {}
    for k, same in enumerate(lines):
        for line in same:
            made = [line.array, line.number] if isinstance(line, Adjoint) else [
                adjoint(a) for gives in line.gives for a in gives]
            makers |= dict.fromkeys(made, k)
    graph = {k: [makers[a] for line in same for a in _needs(line) if a in makers]
             for k, same in enumerate(lines)}
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
