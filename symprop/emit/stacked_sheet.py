"""The sheet of a lemma, or of the program, as far as names go: arrays of turns are stacks.

In: a lemma and a style. Out: what its arrays are called, their shapes, the table of symbols, and
the sentence that says what the program computes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from symprop.algebra.build import add, idx, number
from symprop.algebra.expr import ADJOINT, Index
from symprop.blocks.block import Use
from symprop.blocks.derive import Lemma
from symprop.blocks.stacks import Stacks
from symprop.emit.given_and_sought import given_and_sought
from symprop.emit.kept import Kept
from symprop.emit.page import SymbolRow
from symprop.emit.pieces import Piece
from symprop.emit.printer import Printer
from symprop.emit.profile.legend import legend
from symprop.emit.sheet import SheetPrinter
from symprop.system import Adjoint, Array, Equation


class StackedSheet(SheetPrinter):
    """Names, shapes and symbols of a lemma, or of the program."""

    lemma: Lemma
    kept: Kept
    prefix: str
    stacks: Stacks
    made: dict[str, Use]  # what comes out of a use

    def _keeps(self, number: str) -> bool:
        return self.kept.line(self.lemma.number, number.removeprefix(self.prefix))

    def _sought(self) -> str:
        """What the program computes, and what is wanted; a lemma says that itself."""
        if self.lemma.number:
            return ""
        places, arrays = self.stacks.places, self.system.arrays
        asked = self.kept.gradients or self.lemma.block.gradients
        wanted, every = (
            tuple(dict.fromkeys(map(self._stack_of, names)))
            for names in (asked, self.lemma.block.gradients))
        kept = None if self.kept.numbers is None else self._kept_arrays()
        inputs = [
            n for n in self.chosen.arrays
            if arrays[n].kind == "input" and n not in self.made and self._stack_of(n) == n
            and (kept is None or not kept.isdisjoint((n, places.get(n, (n, 0))[0])))]
        told = given_and_sought(
            replace(self.system, wrt=every), inputs, wanted, self.style,
            None if self.detail == "full" else self._shape_told, self._in_any_turn)
        return self.words("mark.after").join((told, *legend(self.style, self.chosen.arrays)))

    def _stack_of(self, array: str) -> str:
        """The stack of an input, all turns of which are inputs; else the array."""
        stack, _ = self.stacks.places.get(array, (array, 0))
        return stack if self.system.arrays[stack].kind == "input" else array

    def _in_any_turn(self, array: str) -> str:
        """An array's name; of a stack that of an entry."""
        stack = self.stacks.by_name.get(array.removeprefix(ADJOINT))
        if stack is None:
            return self._name(array)
        return self.style.math(self.to.entry(array, [self._position(stack.index, 0)]).text)

    def _shape_of(self, array: str) -> str:
        """Of a stack the shape of each turn."""
        stack = self.stacks.by_name.get(array)
        if stack is None:
            return super()._shape_of(array)
        return self.words.several(dict.fromkeys(
            super(StackedSheet, self)._shape_of(n) for n in stack.arrays.values() if n))

    def _rows(self) -> Iterator[SymbolRow]:
        """The table of symbols: stacks once, and of what is kept alone."""
        kept = None if self.kept.numbers is None else self._kept_arrays()
        for name in self.chosen.arrays:
            if name not in self.stacks.places and (kept is None or name in kept):
                yield self._symbol(self.system.arrays[name])

    def _kept_arrays(self) -> set[str]:
        """The arrays, and stacks, in the lines that are kept."""
        found: set[str] = set()
        lines: list[Equation | Adjoint] = [*self.system.equations, *self.derived.adjoints]
        for line in lines:
            if self._keeps(line.number):
                found |= {line.array, *line.reads}
        for use in self.lemma.block.uses:
            if self._keeps(use.number):
                found |= {self.stacks.places.get(a, (a, 0))[0]
                          for a in (*use.arguments, *use.results)}
        return found

    def _symbol(self, array: Array) -> SymbolRow:
        stack = self.stacks.by_name.get(array.name)
        names = [*stack.arrays.values()] if stack is not None else [array.name]
        row = super()._symbol(array)
        use = next((self.made[n] for n in names if n in self.made), None)
        if use is not None:
            row = replace(row, role=f"({self.prefix}{use.number})")
        elif {*names} & {*self.lemma.block.gradients}:
            row = replace(row, role=self.words("role.parameter"))
        if stack is None:
            return row
        return replace(row, symbol=self._in_any_turn(array.name),
                       code=self.style.plain(_pattern(names)))

    def _position(self, index: Index, offset: int) -> Piece:
        """l, or l - 1."""
        printer = Printer(self.to, {index.uid: index.letter})
        return printer.position(add(idx(index), number(offset)))


def _pattern(names: Sequence[str]) -> str:
    """blocks_0_W, blocks_1_W as blocks_*_W; others by their first and last."""
    if len({*names}) == 1:
        return names[0]
    start = _alike(names)
    end = _alike([n[start:][::-1] for n in names])
    inside = [n[start:len(n) - end] for n in names]
    if all(part.isdigit() for part in inside):
        return f"{names[0][:start]}*{names[0][len(names[0]) - end:]}"
    return f"{names[0]}, {names[1]}" + (", ..." if len(names) > 2 else "")


def _alike(names: Sequence[str]) -> int:
    """With how many letters all names begin that are the same."""
    first, last = min(names), max(names)
    pairs = enumerate(zip(first, last, strict=False))
    return next((k for k, (a, b) in pairs if a != b), min(len(first), len(last)))
