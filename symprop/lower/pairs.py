"""Every block as two functions: one runs it forward, the other hands back its adjoints.

In: a derivation by lemmas. Out: a `Program` for every lemma and for the whole, whose statements
are its own equations and `Invoke`, the lines at which it runs others.

    forward     what it returns, and what its backward reads (`saved`; `kept` of the lines)
    backward    from the adjoints of what it returns, those of what it takes
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from symprop.algebra.build import add, mul, number, power, rebuild, size
from symprop.algebra.canonical import same
from symprop.algebra.expr import Access, Atom, Expr, Size, adjoint
from symprop.blocks import Block, BlockDerivation, Lemma, Pull, Use
from symprop.blocks.numbers import numbered, prefix
from symprop.lower.hoist import MADE, hoisted
from symprop.lower.invoke import Invoke, Turns
from symprop.lower.ir import Statement
from symprop.lower.once import once
from symprop.lower.program import Either, Pair, Program, is_given, read_of, seeded, statements
from symprop.lower.slides import COLUMNS, slid
from symprop.lower.turns import Item, Passes, looped, makes_of, reads_of
from symprop.lower.wanted import left_out
from symprop.system import System, cycles


def lower_blocks(derivation: BlockDerivation) -> Program:
    """The program, and every lemma lowered once."""
    numbers = {id(m.block): m.number for m in derivation.lemmas}
    lemmas = tuple(Pair(m.number, m.block, _lowered(m, numbers)) for m in derivation.lemmas)
    program = replace(_lowered(derivation.program, numbers), lemmas=lemmas)
    return replace(program, skips=left_out(program))


def _lowered(lemma: Lemma, numbers: Mapping[int, int]) -> Program:
    block, found = lemma.block, numbered(lemma.derivation, prefix(lemma.number))
    system = _coded(found.system, block)
    adjoints = [a if lemma.number else seeded(a, system) for a in found.adjoints
                if not a.inlined and (lemma.number or not is_given(a, system))]
    margins: dict[str, Either] = {e.array: e for e in system.equations}
    system, equations, after = slid(system, system.equations, adjoints)
    handed = {a for use in block.uses for a in (*use.arguments, *use.results)}
    outside = {*handed, *map(adjoint, handed), *block.results, system.loss, *map(
        adjoint, (*block.gradients, *block.results)), *(a for _, a in system.outputs)}
    system, equations, after, changed = once(system, equations, after, outside, margins)
    margins.update(changed)
    margins.update((e.array, e) for e in equations if e.role in (COLUMNS, MADE))
    system, equations = hoisted(system, equations)
    system, after = hoisted(replace(system, equations=equations), after)
    lines = _Lines(lemma, numbers)
    backward = _runs(lines.backward(after), [adjoint(w) for w in block.gradients])
    live = [e for item in backward if not isinstance(item, Invoke | Turns) for e in item]
    margins.update((a.array, a) for a in adjoints if any(a.array == e.array for e in live))
    saved, kept = read_of(live), {i.use for i in backward if isinstance(i, Invoke)}
    ends = [lines.whole.get(r, r) for r in block.results] or [system.loss]
    nodes = lines.forward(equations, kept)
    forward = _runs(nodes, [*ends, *saved], kept)
    outputs = [array for _, array in system.outputs]
    predict = _runs(lines.forward(equations, set()), outputs)
    inside = {n for n, a in found.system.arrays.items() if a.kind == "input"}
    read = {a for item in predict for a in reads_of(item)}
    passes = Passes(forward, backward, predict, frozenset((*ends, *saved, *outputs)))
    passes, stacks = looped(passes, lines.runs, system)
    return Program(
        system=system,
        adjoints=tuple(live),
        margins=margins,
        forward=_written(passes.forward, system, {*ends, *saved}),
        backward=_written(passes.backward, system, {adjoint(w) for w in block.gradients}),
        predict=_written(passes.predict, system, set(outputs)),
        saved=saved,
        predict_inputs=tuple(n for n in system.arrays if n in inside and n not in lines.made
                             and (n in read or n in outputs)),
        departing={},
        kept=tuple(i.use for i in passes.forward if isinstance(i, Invoke | Turns) and i.kept),
        stacks=stacks,
        results=tuple(ends) if block.results else (),
        whole=lines.whole,
    )


def _coded(system: System, block: Block) -> System:
    """The system of a block as functions see it.

    What comes from other blocks counts as computed: nothing is known of its values. Only what
    the block hands back has a gradient, which must be an array of its own.
    """
    made = {r for use in block.uses for r in use.results} | (
        {*block.ports} if block.ports else set())
    arrays = {n: replace(a, kind="computed") if n in made else a
              for n, a in system.arrays.items()}
    return replace(
        system, arrays=arrays, wrt=block.gradients,
        facts=tuple(f for f in system.facts if f.array in arrays),
        index_ranges=tuple(r for r in system.index_ranges if r.array in arrays))


# ---- lines in the order in which they run ---------------------------------------------------

class _Lines:
    """The lines of a block: groups of equations, and uses of other blocks."""

    def __init__(self, lemma: Lemma, numbers: Mapping[int, int]) -> None:
        self.block, self.numbers, self.before = lemma.block, numbers, prefix(lemma.number)
        self.pulls = [line for line in lemma.backward if isinstance(line, Pull)]
        self.given = frozenset(self.block.system.given)
        self.live = self.given | frozenset(self.block.system.wrt)
        uses = self.block.uses
        self.made = {r for use in uses for r in use.results}
        handed = {a for use in uses for a in use.arguments} | set(self.block.results)
        self.whole = {e.array: source for e in self.block.system.equations
                      if e.array in handed and (source := _copied(self.block.system, e))}
        often = Counter(use.number for use in uses)
        turn: Counter[str] = Counter()
        self.names: dict[int, str] = {}  # of uses; turns of a loop have one number
        for use in uses:
            turn[use.number] += 1
            self.names[id(use)] = use.number if often[use.number] == 1 else \
                f"{use.number}_{turn[use.number]}"
        self.runs = [(run, [self.names[id(u)] for u in run.uses])
                     for run in self.block.runs]

    def forward(self, equations: Sequence[Either], kept: AbstractSet[str]) -> list[Item]:
        """All of them in the order of their numbers."""
        return _by_number([*_groups(equations),
                           *(self._forward(use, kept) for use in self.block.uses)])

    def backward(self, adjoints: Sequence[Either]) -> list[Item]:
        """The adjoint equations, and uses pulled back, the last of a loop first."""
        return _by_number([*_groups(adjoints), *(
            self._backward(pull.number, use) for pull in self.pulls
            for use, gives in reversed([*zip(pull.uses, pull.gives, strict=True)]) if gives)])

    def _forward(self, use: Use, kept: AbstractSet[str]) -> Invoke:
        arguments = tuple(self.whole.get(a, a) for a in use.arguments)
        name = self.names[id(use)]
        return Invoke(self.numbers[id(use.block)], self.before + use.number, name, False,
                      arguments, use.results, use.sizes, name in kept)

    def _backward(self, number: str, use: Use) -> Invoke:
        arguments: list[str | tuple[Expr, ...]] = []
        inner = use.block.system
        for mine, its in zip(use.results, use.block.results, strict=True):
            if its in inner.given and mine in self.live:
                arguments.append(adjoint(mine))
            elif its in inner.given:
                arguments.append(tuple(_resized(s, dict(use.sizes))
                                       for s in inner.arrays[its].shape))
        by_port = dict(zip(use.block.ports, use.arguments, strict=True))
        targets = tuple(adjoint(by_port[p]) if by_port[p] in self.given else ""
                        for p in use.block.gradients)
        return Invoke(self.numbers[id(use.block)], self.before + number, self.names[id(use)],
                      True, tuple(arguments), targets, use.sizes)


def _by_number(items: Sequence[Item]) -> list[Item]:
    def place(item: Item) -> int:
        first = item.lines[0] if isinstance(item, Turns) else item
        return _place(first.number if isinstance(first, Invoke) else first[0].number)

    return sorted(items, key=place)


def _copied(system: System, equation: Either) -> str:
    """The array that an equation hands on as it stands; "" where it does not."""
    item = equation.rhs.single_atom
    if not isinstance(item, Access):
        return ""
    at = tuple(p.single_index for p in item.indices)
    own = system.arrays[item.array]
    whole = at == equation.indices and own.kind != "constant" and all(
        same(i.size, s) for i, s in zip(equation.indices, own.shape, strict=True))
    return item.array if whole else ""


def _place(number: str) -> int:
    return int(number.rpartition(".")[2][1:])


def _groups(equations: Sequence[Either]) -> list[Sequence[Either]]:
    component = cycles(equations)
    groups: dict[object, list[Either]] = {}
    for equation in equations:
        groups.setdefault(component.get(equation.array, equation.array), []).append(equation)
    return list(groups.values())


def _runs(items: Sequence[Item], roots: Iterable[str],
          kept: AbstractSet[str] = frozenset()) -> list[Item]:
    """The lines that the roots and the kept ones need, each after what it reads."""
    makes = {array: k for k, item in enumerate(items) for array in makes_of(item)}
    needs = [[makes[a] for a in reads_of(item) if a in makes and makes[a] != k]
             for k, item in enumerate(items)]
    todo = [makes[r] for r in roots if r in makes]
    todo += [k for k, i in enumerate(items) if isinstance(i, Invoke) and i.use in kept]
    live: set[int] = set()
    while todo:
        k = todo.pop()
        if k not in live:
            live.add(k)
            todo += needs[k]
    order: dict[int, None] = {}
    stack = [k for k in reversed(range(len(items))) if k in live]
    while stack:
        waiting = [n for n in needs[stack[-1]] if n not in order]
        if not waiting or stack[-1] in order:
            order[stack.pop()] = None
        stack += reversed(waiting)
    return [items[k] for k in order]


def _written(
    items: Sequence[Item], system: System, kept: AbstractSet[str]
) -> tuple[Statement, ...]:
    """The statements of all lines."""
    read = [set(reads_of(item)) for item in items]
    found: list[Statement] = []
    for k, item in enumerate(items):
        if isinstance(item, Invoke | Turns):
            found.append(item)
        else:
            others = (r for n, r in enumerate(read) if n != k)
            found += statements(item, system, set(kept).union(*others))
    return tuple(found)


def _resized(expr: Expr, sizes: Mapping[str, str]) -> Expr:
    """A size of a block as its caller has it."""
    def item(atom: Atom) -> Expr:
        if isinstance(atom, Size):
            return size(sizes[atom.name])
        return rebuild(atom, tuple(_resized(c, sizes) for c in atom.children))

    return add(*(mul(number(t.coef), *(power(item(a), e) for a, e in t.factors))
                 for t in expr.terms))
