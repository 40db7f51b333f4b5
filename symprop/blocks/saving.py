"""What a border costs: how much shorter a block's adjoints get if they see what is handed to them.

In: a block, one of its results, and the adjoint equation that a reader has of it. Out: the
operations that are saved where that equation is inserted into the block's own, in passes over the
result. For p = softmax(z) and p̄ = -[m = y]/(N p) that is 3.5, for most borders less than 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from sympy.core.parameters import distribute

from symprop.algebra.build import size
from symprop.algebra.expr import ADJOINT, Atom, Expr, Index, Paren, Size
from symprop.algebra.renaming import Copying
from symprop.blocks.block import Block
from symprop.derive.absorb import absorb
from symprop.derive.absorb_cycles import STORE
from symprop.derive.cost import cost, volume
from symprop.derive.definitions import Definitions
from symprop.derive.derivation import opaque
from symprop.derive.memo import Memo
from symprop.derive.simplify import Trail
from symprop.derive.sweep import Draft, sweep
from symprop.system import Adjoint, Array, IndexRange, System


def may_save(handed: Expr) -> bool:
    """Whether the adjoint of a tensor is more than a name, and has no sum: entry by entry."""
    return bool(handed.free) and handed.single_atom is None and not _sums(handed)


def _sums(expr: Expr) -> bool:
    return any(t.bound or any(_sums(c) for a, _ in t.factors if isinstance(a, Paren)
                              for c in a.children) for t in expr.terms)


def passes_saved(
    block: Block, result: str, handed: Adjoint, reader: System, memo: Memo
) -> float:
    """Passes over `result` that are saved if `handed`, of `reader`, is inserted into the block."""
    system = block.system
    names = _Renaming(system, result, handed, reader)
    indices = tuple(map(names.index, handed.indices))
    rhs = names.expr(handed.rhs)
    shown = replace(system, arrays={**system.arrays, **names.added}, index_ranges=(
        *system.index_ranges, *names.ranges()))
    alone = _cost(_derived(system, (), memo))
    given = Draft("B0", result, indices, Trail("B0", rhs), ())
    apart = alone + cost(rhs) + volume(indices)  # written by the one, read by the other
    return (apart - _cost(_derived(shown, (given,), memo))) / volume(indices)


def _derived(system: System, given: Iterable[Draft], memo: Memo) -> list[Draft]:
    known = Definitions(opaque(system), memo)
    with distribute(False):
        drafts = [*given, *sweep(system, known, None)]
        absorb(drafts, known)
    return drafts


def _cost(drafts: Sequence[Draft]) -> float:
    return sum(cost(d.rhs) + STORE * volume(d.indices) for d in drafts if not d.inlined)


class _Renaming(Copying):
    """The reader's arrays under names that the block has not, its sizes by those of the result."""

    def __init__(self, system: System, result: str, handed: Adjoint, reader: System) -> None:
        super().__init__({}, {})
        self.result, self.own, self.reader = result, handed.primal, reader
        self.added: dict[str, Array] = {}
        self.indices: dict[Index, Index] = {}
        shape = system.arrays[result].shape
        self.known: Mapping[str, Expr] = {
            a.name: size for i, size in zip(handed.indices, shape, strict=True)
            if isinstance(a := i.size.single_atom, Size)}

    def index(self, index: Index) -> Index:
        if index not in self.indices:
            self.indices[index] = Index(index.letter, self.size(index.size))
        return self.indices[index]

    def size(self, length: Expr) -> Expr:
        """A size of the reader's, as the block has it."""
        item = length.single_atom
        return self.known.get(item.name, length) if isinstance(item, Size) else length

    def array(self, name: str) -> str:
        bar, primal = name[:name.startswith(ADJOINT)], name.removeprefix(ADJOINT)
        if primal == self.own:
            return bar + self.result
        new = f"reader_{primal}"
        if new not in self.added:  # of an adjoint, too, its shape is asked for
            old = self.reader.arrays[primal]
            self.added[new] = Array(new, old.dtype, tuple(map(self.size, old.shape)), "input")
        return bar + new

    def atom(self, item: Atom) -> Atom:
        if isinstance(item, Size):
            return self.size(size(item.name)).single_atom or item
        return super().atom(item)

    def ranges(self) -> Iterator[IndexRange]:
        """Where the reader's labels point, on axes of the block."""
        for found in self.reader.index_ranges:
            if f"reader_{found.array}" in self.added:
                yield replace(found, array=f"reader_{found.array}", size=self.size(found.size))
