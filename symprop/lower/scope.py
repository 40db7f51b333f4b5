"""Where an expression stands: the system, the loop around it, and what is finite there.

In: a system. Out: shapes of arrays, and whether a factor may be multiplied by 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from symprop.algebra import rows
from symprop.algebra.build import ONE, ZERO, map_accesses, number, sub
from symprop.algebra.expr import (
    ADJOINT,
    Access,
    Apply,
    Atom,
    Exponent,
    Expr,
    Idx,
    Index,
    Iverson,
    Size,
)
from symprop.algebra.integers import Facts, filled, within
from symprop.derive.regions import Region, regions
from symprop.system import System

INTEGER_ROWS = ("floordiv", "mod")


def is_whole(function: str) -> bool:
    """Whether a function of whole numbers is one."""
    row = rows.registry().rows.get(function)
    return function in INTEGER_ROWS or (row is not None and row.whole)


@dataclass(frozen=True)
class Scope:
    """The system, and the index of the loop around.

    passing: arrays of the loop that have no axis for its index: each step makes them anew.
    laid: the order of an array's axes in memory, where it is another one (see `layout.py`).
    """

    system: System
    loop: Index | None = None
    passing: frozenset[str] = frozenset()
    labels: dict[Any, Index] = field(default_factory=dict)  # of axes that are cut or joined
    laid: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def shape(self, array: str) -> tuple[Expr, ...]:
        """The shape of an array; an adjoint has that of its primal."""
        shape = self.system.arrays[array.removeprefix(ADJOINT)].shape
        return shape[1:] if array in self.passing else shape

    def filled(self, size: Expr) -> bool:
        """Whether an axis is known to have an entry, by the door's tests too."""
        return filled(size) or filled(size, Facts(self._tested))

    def inside(self, position: Expr, size: Expr) -> bool:
        """Whether a position is known to lie in an axis, or the door tests that it does."""
        return within(position, size) or within(position, size, Facts(self._tested, tuple(
            ends for array in position.arrays for ends in self._entries(array))))

    @property
    def _tested(self) -> tuple[Expr, ...]:
        """What the door's tests of sizes leave at 0 or above."""
        return tuple(sub(c.left, c.right) for c in self.system.conditions if c.kind == "at_least")

    def _entries(self, array: str) -> Iterator[tuple[str, Expr, Expr]]:
        """The least and the largest entry of an array of positions."""
        for found in self.system.index_ranges:
            if found.array == array and found.inside:
                yield array, ZERO, sub(found.size, ONE)
        values = self.system.constants.get(array)
        if values is not None and values.dtype.kind in "iu" and values.size:
            yield array, number(int(values.min())), number(int(values.max()))

    def dtype(self, array: str) -> str:
        """The dtype of an array: "float", "int" or "bool"; an adjoint holds floats."""
        return "float" if array.startswith(ADJOINT) else self.system.arrays[array].dtype

    def is_finite(self, item: Atom, exponent: Exponent, strict: bool = False) -> bool:
        """Whether a factor is finite for all finite inputs, so that 0 times it is 0.

        strict: entries of the forward pass may be infinite (they may stand in a branch that
        is not taken); adjoints are finite all the same.
        """
        if isinstance(item, (Size, Iverson, Idx)):
            return True
        if exponent < 0 or exponent != int(exponent):
            return False
        if isinstance(item, Access):
            if strict and not item.array.startswith(ADJOINT):
                return self.dtype(item.array) != "float"
            return self._array_finite(item.array)
        if isinstance(item, Apply):
            row = rows.registry().rows.get(item.function)
            bounded = item.function in INTEGER_ROWS or (row is not None and row.bounded)
            return bounded and all(self._expr_finite(a, strict) for a in item.args)
        return all(self._expr_finite(c, strict) for c in item.children)

    def is_steady(self, item: Atom, exponent: Exponent) -> bool:
        """Whether a factor that is not finite would make the loss so, whatever brackets say.

        Its entries are finite, or the forward pass reads all of them in every case.
        """
        if isinstance(item, Access) and not item.array.startswith(ADJOINT):
            region = _regions(self.system).get(item.array)
            return (region is not None and region.is_everywhere) and (
                isinstance(exponent, int) and exponent > 0)
        return self.is_finite(item, exponent, strict=True)

    def _expr_finite(self, expr: Expr, strict: bool) -> bool:
        return all(self.is_finite(a, e, strict) for t in expr.terms for a, e in t.factors)

    def _array_finite(self, array: str) -> bool:
        own = self.system.arrays.get(array)  # an adjoint is finite, and so is an input
        other = own is not None and own.kind == "computed"  # nothing is known of another block's
        return _finite(self.system).get(array, not other)


def _finite(system: System) -> dict[str, bool]:
    """For every computed array whether it is finite for all finite inputs; once for a system.

    In the order of the equations; a recurrence is finite if it is so where its last step was.
    """
    known: dict[str, bool] | None = system.__dict__.get("_finite")
    if known is None:
        known = system.__dict__["_finite"] = {e.array: True for e in system.equations}
        scope, changed = Scope(system), True
        while changed:
            changed = False
            for equation in system.equations:
                if known[equation.array]:
                    known[equation.array] = scope._expr_finite(equation.rhs, strict=False)
                    changed |= not known[equation.array]
    return known


def _regions(system: System) -> dict[str, Region]:
    """Where the entries of every array are read by the forward pass; once for a system."""
    known: dict[str, Region] | None = system.__dict__.get("_regions")
    if known is None:
        known = regions(system.equations, system, {system.loss})
        system.__dict__["_regions"] = known
    return known


def without_first(expr: Expr, arrays: frozenset[str]) -> Expr:
    """The expression with the first position of every read of `arrays` left out."""
    return map_accesses(
        expr, lambda a: Access(a.array, a.indices[1:]) if a.array in arrays else a)
