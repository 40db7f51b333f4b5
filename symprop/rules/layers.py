"""Finds the layers of a network by their structure: arrays that weights carry onward.

In: a System. Out: for every equation such as

    z[n,j] = Σ_k a[n,k] W[k,j] + b[j]

that the array `a` is carried by the weight `W`: the two meet in a product under a sum over an
index of both. No operation is named: a matrix product, a convolution and an einsum have this form.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from symprop.algebra.expr import (
    Access,
    Atom,
    Expr,
    Index,
    Paren,
    Size,
    Term,
    accesses,
    atoms,
    atoms_of,
    indices_of,
)
from symprop.derive.sweep import needed
from symprop.system import Equation, System, cycles


@dataclass(frozen=True)
class Layers:
    """The layers of a system: carried[U][V] are the weights that carry V into U."""

    system: System

    @cached_property
    def weights(self) -> frozenset[str]:
        """The parameters, and what is computed from parameters and constants alone."""
        found = set(self.system.wrt)
        for equation in self.system.equations:
            reads = [a for a in equation.reads if a not in self.system.constants]
            if reads and all(a in found for a in reads):
                found.add(equation.array)
        return frozenset(found)

    @cached_property
    def carried(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """Equations with weights: array -> what it is carried from -> by which weights."""
        table: dict[str, dict[str, tuple[str, ...]]] = {}
        wanted = set(needed(self.system))
        for equation in self.system.equations:
            if equation.array in wanted and equation.array not in self.weights:
                found = self._carried(equation)
                if found:
                    table[equation.array] = found
        return table

    def _carried(self, equation: Equation) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for weight, array in meetings(equation.rhs):
            if weight in self.weights and array not in self.weights:
                found[array] = tuple(dict.fromkeys((*found.get(array, ()), weight)))
        return found

    @cached_property
    def hidden(self) -> tuple[str, ...]:
        """The computed arrays that weights carry onward and that depend on parameters."""
        sources = {v for into in self.carried.values() for v in into}
        wanted = set(needed(self.system))
        return tuple(e.array for e in self.system.equations
                     if e.array in sources and e.array in wanted)

    @cached_property
    def recurrent(self) -> tuple[str, ...]:
        """The arrays of recurrences, in order."""
        found = cycles(self.system.equations)
        return tuple(e.array for e in self.system.equations if e.array in found)

    @cached_property
    def weight_axes(self) -> frozenset[str]:
        """The named axes that weights have; the others count examples or places."""
        return frozenset(
            a.name for w in self.weights for s in self.system.arrays[w].shape
            for a in atoms(s) if isinstance(a, Size))

    def reaches(self, start: str, without: str = "") -> frozenset[str]:
        """The arrays that depend on `start`, by ways that do not lead through `without`."""
        found = {start}
        for equation in self.system.equations:
            if equation.array != without and any(a in found for a in equation.reads):
                found.add(equation.array)
        return frozenset(found - {start})

    def shared(self, left: str, right: str) -> dict[int, int]:
        """Which axis of `left` is which of `right`: those of the examples, by their size."""
        places: dict[int, int] = {}
        there = self.system.arrays[right].shape
        for k, size in enumerate(self.system.arrays[left].shape):
            names = {a.name for a in atoms(size) if isinstance(a, Size)}
            same = [j for j, s in enumerate(there) if s == size and j not in places.values()]
            if names and not names & self.weight_axes and same:
                places[k] = same[0]
        return places


def meetings(expr: Expr, bound: frozenset[Index] = frozenset()) -> Iterator[tuple[str, str]]:
    """Pairs of arrays that stand in different factors and share an index that is summed over.

    The first of a pair is a factor itself, or a summand of one; the second may stand deeper.
    """
    for term in expr.terms:
        inside = bound | frozenset(term.bound)
        for place, (item, _) in enumerate(term.factors):
            for child in item.children:
                yield from meetings(child, inside)
            for one in _linear(item):
                for other, (partner, _) in enumerate(term.factors):
                    if other == place:
                        continue
                    for two in atoms_of(partner):
                        if isinstance(two, Access) and indices_of(one) & indices_of(two) & inside:
                            yield one.array, two.array


def _linear(item: Atom) -> Iterator[Access]:
    """The accesses in which a factor is linear: itself, or what its summands are made of."""
    if isinstance(item, Access):
        yield item
    elif isinstance(item, Paren):
        for term in item.body.terms:
            for inner, exponent in term.factors:
                if exponent == 1:
                    yield from _linear(inner)


def mentions(term: Term, array: str) -> bool:
    """Whether a term reads `array`, anywhere."""
    return any(a.array == array for a in accesses(Expr((term,))))
