"""A narrow twin of a program whose axes are given as numbers.

In: a system and the adjoint equations of it, if any. Out: the same with a small number in place
of every long length that no position is calculated with: 512 channels become 6. Of an input that
becomes shorter so, the numbers are not known.

An equation that holds for the twin holds for the program, but where a length is a factor as well
(the 512 of a mean over 512 channels): what the twin refutes is to be looked at in full. Where what
is left is still large, all numbers of the program are made smaller in one proportion, coefficients
and positions too: with 2304 = 3 * 768, 12 heads of 64 and 1/768 in a mean, 64 becomes 2, 768
becomes 24, 1/768 becomes 1/24. Where a number is a multiple of 64 by chance, the twin refutes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from math import gcd

import numpy as np

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
    Term,
)
from symprop.algebra.renaming import Copying
from symprop.interpret.budget import AS_IT_IS, DRAWN, entries, work
from symprop.interpret.draw import draw_sizes
from symprop.system import Adjoint, Equation, System

_LONG = 16
_SHORT = 6  # longer than what named axes are drawn as, if they are few
_UNITS = (2, 3, 5, 7)  # what the greatest common divisor of long lengths becomes
_TIMES = 4  # a number is made of lengths if it is no more than so many of the longest


@dataclass(frozen=True)
class Twin:
    """The narrow system and its adjoint equations."""

    system: System
    adjoints: tuple[Adjoint, ...] = ()


def narrow(system: System, adjoints: Iterable[Adjoint] = ()) -> Twin | None:
    """The twin of a program that takes long to evaluate; None where there is no narrower one."""
    if is_light(system):
        return None
    whole = Twin(system, tuple(adjoints))
    lengths = _lengths([whole])
    return Narrowing(lengths).twin(whole) if lengths else None


def narrowing(parts: Sequence[Twin]) -> Narrowing | None:
    """How all parts of a program become narrow, the first of which is the whole of it.

    None where that does not take long to evaluate, or where there is no narrower one.
    """
    system = parts[0].system
    if is_light(system):
        return None
    lengths = _lengths(parts)
    plain = Narrowing(lengths)
    if entries(plain.system(system), draw_sizes(system, 0)) > DRAWN:
        smaller = _in_proportion(parts, lengths)
        if smaller is not None:
            return smaller
    return plain if lengths else None


def is_light(system: System) -> bool:
    """Whether a program is evaluated as it is."""
    sizes = draw_sizes(system, 0)
    return work(system, sizes) <= AS_IT_IS and entries(system, sizes) <= DRAWN


def _lines(part: Twin) -> Iterable[Expr]:
    for adjoint in part.adjoints:
        yield adjoint.rhs
        for step in adjoint.steps:
            yield from (step.before, step.after)
    for equation in part.system.equations:
        yield equation.rhs
    for step in part.system.recognised:
        yield from (step.before, step.after)


def _lengths(parts: Iterable[Twin]) -> dict[int, int]:
    """A short length for every long one that is only ever run through from end to end."""
    found: dict[int, None] = {}
    reckoned: set[int | None] = set()
    for part in parts:
        found |= dict.fromkeys(_declared(part.system))
        uses = _Uses(part.system)
        for line in _lines(part):
            uses.expr(line)
        reckoned |= uses.reckoned
    free = [n for n in sorted(found) if n >= _LONG and n not in reckoned]
    short = (n for n in range(_SHORT, _LONG) if n not in found)
    return dict(zip(free, short, strict=False))


def _declared(system: System) -> Iterable[int]:
    return (n for a in system.arrays.values() for n in map(_whole, a.shape) if n)


def _in_proportion(parts: Sequence[Twin], lengths: Mapping[int, int]) -> Narrowing | None:
    """All numbers that the longest lengths left have in common made smaller; None if in vain."""
    declared = {n for part in parts for n in _declared(part.system)}
    fixed = {n for part in parts for held in (part.system.constants, part.system.held)
             for c in held.values() for n in np.shape(c)}
    left = {n for n in declared if n >= _LONG and n not in lengths}
    whole = reduce(gcd, left, 0)
    small = {n for n in declared if n % whole} | {*lengths.values()} if whole else set[int]()
    for unit in _UNITS:
        apart = small.isdisjoint(n // whole * unit for n in left) if whole > unit else False
        if apart and not any(n and n % whole == 0 for n in fixed):
            return Narrowing(lengths, Proportion(whole, unit, _TIMES * max(left)))
    return None


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


@dataclass(frozen=True)
class Proportion:
    """What multiples of a number become, `unit` for each `whole` in them, up to a `most`."""

    whole: int
    unit: int
    most: int

    def of(self, value: int) -> int:
        """A number, smaller if it is such a multiple."""
        if value % self.whole or abs(value) > self.most:
            return value
        return value // self.whole * self.unit


class Narrowing(Copying):
    """A walk that puts short lengths in the place of long ones, and numbers in proportion."""

    def __init__(
        self, lengths: Mapping[int, int], proportion: Proportion | None = None
    ) -> None:
        super().__init__({}, {})
        self.lengths, self.proportion = lengths, proportion
        self.indices: dict[Index, Index] = {}

    def twin(self, part: Twin) -> Twin:
        """A system and its adjoint equations."""
        return Twin(self.system(part.system), tuple(map(self.adjoint, part.adjoints)))

    def system(self, system: System) -> System:
        """A system."""
        shapes = {n: self.sizes_of(system.arrays[n].shape) for n in system.held}
        return replace(
            system,
            held={n: a for n, a in system.held.items() if shapes[n] == system.arrays[n].shape},
            arrays={n: replace(a, shape=self.sizes_of(a.shape)) for n, a in system.arrays.items()},
            equations=tuple(map(self.equation, system.equations)),
            index_ranges=tuple(replace(r, size=self.size(r.size)) for r in system.index_ranges),
            output_shapes=tuple(map(self.sizes_of, system.output_shapes)),
            conditions=system.conditions if self.proportion is None else tuple(
                replace(c, left=self.expr(c.left), right=self.expr(c.right))
                for c in system.conditions),
        )

    def adjoint(self, adjoint: Adjoint) -> Adjoint:
        """An adjoint equation with its steps."""
        return replace(
            adjoint, indices=tuple(map(self.index, adjoint.indices)), rhs=self.expr(adjoint.rhs),
            steps=tuple(replace(s, before=self.expr(s.before), after=self.expr(s.after))
                        for s in adjoint.steps))

    def number(self, value: int) -> int:
        """A number in code, which may be a length."""
        return self.lengths.get(value) or (
            value if self.proportion is None else self.proportion.of(value))

    def term(self, term: Term) -> Term:
        """A term; its coefficient in proportion."""
        found = super().term(term)
        if self.proportion is None:
            return found
        coef = Fraction(*map(self.proportion.of, (found.coef.numerator, found.coef.denominator)))
        return found if coef == found.coef else Term(coef, found.factors, found.bound)

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
        whole = _whole(size)
        if whole is None:
            return size if self.proportion is None else self.expr(size)
        short = self.number(whole)
        return size if short == whole else number(short)

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
