"""Equations that stay as they are, and are a function that has a name all the same.

In: a system. Out: the same with remarks on the equations: what the author made in several named
lines, what is kept in parts because the gradient reads them, and shares of a sum over an axis:

    a = z s, s = σ(z)       is silu(z)            p = e / s, s = Σ e, e = exp(z)     is softmax of z
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symprop.algebra.build import atom
from symprop.algebra.expr import Apply, Expr
from symprop.recognise.hits import find
from symprop.recognise.shares import shares
from symprop.recognise.table import factors
from symprop.recognise.written import Cuts, leaves
from symprop.system import Equation, System

Remark = tuple[Expr, tuple[str, ...]]


def with_remarks(system: System) -> System:
    """The system with a remark on every such equation that is no function already."""
    found = dict(_remarks(system))
    return replace(system, equations=tuple(
        replace(e, remark=found.get(e.array)) for e in system.equations))


def _remarks(system: System) -> Iterator[tuple[str, Remark]]:
    cuts = Cuts(system, named=True)
    rows_of = {e.array: item.function for e in system.equations
               if isinstance(item := e.rhs.single_atom, Apply)}
    for equation in system.equations:
        if equation.array in rows_of:
            continue
        function = _function(equation, cuts, rows_of, system)
        if function is not None:
            item = function.single_atom
            assert isinstance(item, Apply)
            rows_of[equation.array] = item.function
            yield equation.array, (function, ())
    for equation, share in shares(system):
        yield equation.array, (share.value, (share.name,))


def _function(
    equation: Equation, cuts: Cuts, rows_of: dict[str, str], system: System
) -> Expr | None:
    """The row that an equation is of one entry; None where it is none, or a line in its value."""
    if system.arrays[equation.array].dtype != "float":
        return None
    entries = leaves(equation.rhs) or ()
    line = len(entries) == 1 and all(
        t.factors in ((), ((entries[0], 1),)) for t in equation.rhs.terms)
    for entry, written in reversed(cuts.of(equation.rhs, equation.call)):
        hit = find(written, system.numbers)
        if hit is None or hit.corners:
            continue
        if abs(hit.function.scale) != 1 and hit.function.scale not in factors(written):
            continue
        if line and (hit.dearer or hit.function.scale < 0
                     or rows_of.get(entries[0].array) == hit.function.row):
            continue
        return hit.function.at(atom(entry))
    return None

