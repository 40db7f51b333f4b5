"""A narrow twin of a program whose axes are given as numbers.

In: a system and the adjoint equations of it, if any. Out: the same with a small number in place
of every long length that no position is calculated with: 512 channels become 6. Of an input that
becomes shorter so, the numbers are not known.

An equation that holds for the twin holds for the program, but where a length is a factor as well
(the 512 of a mean over 512 channels): what the twin refutes is to be looked at in full.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from symprop.algebra.build import number
from symprop.algebra.expr import (
    ADJOINT,
    Access,
    Atom,
    Expr,
    Idx,
    Index,
    Iverson,
    Partial,
    Size,
)
from symprop.algebra.renaming import Copying
from symprop.interpret.budget import AS_IT_IS, work
from symprop.interpret.draw import draw_sizes
from symprop.system import Adjoint, Equation, System

_LONG = 16
_SHORT = 6  # longer than what named axes are drawn as, if they are few


@dataclass(frozen=True)
class Twin:
    """The narrow system and its adjoint equations."""

    system: System
    adjoints: tuple[Adjoint, ...] = ()


def narrow(system: System, adjoints: Iterable[Adjoint] = ()) -> Twin | None:
    """The twin of a program that takes long to evaluate; None where there is no narrower one."""
    if work(system, draw_sizes(system, 0)) <= AS_IT_IS:
        return None
    adjoints = tuple(adjoints)
    lengths = _lengths(system, [*_lines(adjoints), *(e.rhs for e in system.equations), *(
        side for s in system.recognised for side in (s.before, s.after))])
    return _Narrowing(lengths).twin(system, adjoints) if lengths else None


def _lines(adjoints: Iterable[Adjoint]) -> Iterable[Expr]:
    for adjoint in adjoints:
        yield adjoint.rhs
        for step in adjoint.steps:
            yield from (step.before, step.after)


def _lengths(system: System, lines: Iterable[Expr]) -> dict[int, int]:
    """A short length for every long one that is only ever run through from end to end."""
    lengths = {n: None for a in system.arrays.values() for n in map(_whole, a.shape) if n}
    uses = _Uses(system)
    for line in lines:
        uses.expr(line)
    free = [n for n in sorted(lengths) if n >= _LONG and n not in uses.reckoned]
    short = (n for n in range(_SHORT, _LONG) if n not in lengths)
    return dict(zip(free, short, strict=False))


def _whole(size: Expr) -> int | None:
    return None if size.number is None else int(size.number)


class _Uses:
    """The lengths that positions, brackets, constants or conditions are calculated with."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.reckoned: set[int | None] = {n for a in system.constants.values() for n in a.shape}
        self.reckoned.update(
            _whole(s) for c in system.conditions for s in (c.left, c.right))
        self.ranges = {r.array: _whole(r.size) for r in system.index_ranges}
        self.seen: dict[int, Expr] = {}

    def expr(self, expr: Expr) -> None:
        """All that stands in an expression."""
        if id(expr) in self.seen:
            return
        self.seen[id(expr)] = expr
        for term in expr.terms:
            self.reckoned.update((abs(term.coef.numerator), term.coef.denominator))
            for item, _ in term.factors:
                self.atom(item)

    def atom(self, item: Atom) -> None:
        """An atom: an index that is not a whole position is reckoned with."""
        if isinstance(item, Idx):
            self.reckoned.add(_whole(item.index.size))
        elif isinstance(item, Access):
            shape = self.system.arrays[item.array.removeprefix(ADJOINT)].shape
            for position, size in zip(item.indices, shape, strict=True):
                self.position(position, _whole(size))
        elif isinstance(item, Partial):
            self.atom(item.numerator)
            self.atom(item.denominator)
        elif isinstance(item, Iverson) and item.relation == "==":
            lengths = [self.runs(child) for child in item.children]
            if None in lengths or lengths[0] != lengths[1]:
                for child in item.children:
                    self.expr(child)
        else:
            for child in item.children:
                self.expr(child)

    def position(self, position: Expr, length: int | None) -> None:
        """A position on an axis: its index, or a label, runs through all of it."""
        if length is None or self.runs(position) != length:
            self.reckoned.add(length)
            self.expr(position)

    def runs(self, position: Expr) -> int | None:
        """The length that an index, or a label among the inputs, runs through."""
        single = position.single_index
        if single is not None:
            return _whole(single.size)
        item = position.single_atom
        if not isinstance(item, Access):
            return None
        self.atom(item)
        return self.ranges.get(item.array)


class _Narrowing(Copying):
    """A walk that puts short lengths in the place of long ones."""

    def __init__(self, lengths: Mapping[int, int]) -> None:
        super().__init__({}, {})
        self.lengths = lengths
        self.indices: dict[Index, Index] = {}

    def twin(self, system: System, adjoints: Iterable[Adjoint]) -> Twin:
        """The system and its adjoint equations."""
        shapes = {n: self.sizes_of(system.arrays[n].shape) for n in system.held}
        return Twin(replace(
            system,
            held={n: a for n, a in system.held.items() if shapes[n] == system.arrays[n].shape},
            arrays={n: replace(a, shape=self.sizes_of(a.shape)) for n, a in system.arrays.items()},
            equations=tuple(map(self.equation, system.equations)),
            index_ranges=tuple(replace(r, size=self.size(r.size)) for r in system.index_ranges),
            output_shapes=tuple(map(self.sizes_of, system.output_shapes)),
        ), tuple(replace(
            a, indices=tuple(map(self.index, a.indices)), rhs=self.expr(a.rhs),
            steps=tuple(replace(s, before=self.expr(s.before), after=self.expr(s.after))
                        for s in a.steps),
        ) for a in adjoints))

    def equation(self, equation: Equation) -> Equation:
        """An equation, with what was recognised in it."""
        written, remark = equation.written, equation.remark
        return replace(
            equation, indices=tuple(map(self.index, equation.indices)), rhs=self.expr(equation.rhs),
            written=None if written is None else self.expr(written),
            remark=None if remark is None else (self.expr(remark[0]), *remark[1:]))

    def sizes_of(self, shape: tuple[Expr, ...]) -> tuple[Expr, ...]:
        """A shape."""
        return tuple(map(self.size, shape))

    def size(self, size: Expr) -> Expr:
        """A length."""
        short = self.lengths.get(_whole(size) or 0)
        return size if short is None else number(short)

    def index(self, index: Index) -> Index:
        """An index, one for one."""
        found = self.indices.get(index)
        if found is None:
            size = self.size(index.size)
            found = self.indices[index] = (
                index if size is index.size else Index(index.letter, size))
        return found

    def array(self, name: str) -> str:
        """Arrays keep their names."""
        return name

    def atom(self, item: Atom) -> Atom:
        """Named sizes stay, and so do local derivatives."""
        if isinstance(item, Size):
            return item
        if isinstance(item, Partial):
            above, below = self.atom(item.numerator), self.atom(item.denominator)
            assert isinstance(above, Access) and isinstance(below, Access)
            return Partial(above, below)
        return super().atom(item)
