"""Shares of a sum over an axis, and its logarithm: which function of symprop.nn an equation is.

In: a system. Out: for every equation that is one, its name, the array that it is of, and the
function in terms of this array alone. The table is made by tracing every function of `symprop.nn`
that takes one array and an axis; both sides are read as expressions of z and Σ exp(z)
(reductions.py) and must be equal as such, whatever was subtracted before the exponentials.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import sympy

from symprop import nn
from symprop.algebra import rows
from symprop.algebra.build import ONE, apply, atom, idx, substitute, sum_over
from symprop.algebra.expr import Access, Apply, Expr, Index
from symprop.algebra.renaming import Numbering
from symprop.algebra.rows_registry import Registry
from symprop.algebra.sympy_convert import from_sympy
from symprop.errors import SympropError
from symprop.recognise.pieces import Unproven
from symprop.recognise.reductions import Reading, cone
from symprop.recognise.zero import FAILURES, vanishes
from symprop.system import Equation, System
from symprop.trace.trace import trace

_NEAR = 1e-9
_LETTER = "i"
_Known = tuple[tuple[str, str, Expr] | None, tuple[rows.Row, ...]]
_known: WeakKeyDictionary[Registry, dict[str, _Known]] = WeakKeyDictionary()
ENTRY, TOTAL = sympy.Symbol("z", real=True), sympy.Symbol("S", positive=True)


@dataclass(frozen=True)
class Share:
    """An equation is the function `name` of the array `of`, which `value` spells out."""

    name: str
    of: str
    value: Expr


def shares(system: System) -> Iterator[tuple[Equation, Share]]:
    """The equations that are such functions."""
    exponential = rows.registry().natives[sympy.exp]
    grown = {e.array for e in system.equations if _applies(e.rhs, exponential)}
    totals = {e.array for e in system.equations
              if len(e.rhs.terms) == 1 and len(e.rhs.terms[0].bound) == 1
              and (e.array in grown or grown.intersection(e.reads))}
    near = set(totals)
    for equation in system.equations:
        if equation.array in totals or any(t.bound for t in equation.rhs.terms):
            continue
        if not near.intersection(equation.reads):
            continue
        near.add(equation.array)
        if isinstance(equation.rhs.single_atom, Access):
            continue  # an array that has the name already, handed on
        found = _share(equation, system)
        if found is not None:
            yield equation, found


def _share(equation: Equation, system: System) -> Share | None:
    """The function that an equation is; what is made alike is read once."""
    inside, cuts = cone(equation, system)
    count = Numbering()
    key = ";".join(f"{count.array(e.array)}[{','.join(map(count.index, e.indices))}]"
                   f"={count.expr(e.rhs)}" for e in inside)
    known = _known.setdefault(rows.registry(), {})
    if key not in known:
        found = _read(equation, system, cuts)
        template = None
        if found is not None:
            count.expr(found.value)
            value, entry = count.forth(found.value, Access(found.of))
            template = found.name, entry.array, value
        known[key] = template, tuple(count.rows)
        return found
    template = known[key][0]
    if template is None:
        return None
    name, of, value = template
    count.index(Index(_LETTER, ONE))  # that of the sum, which is new
    arrays = {n: a for a, n in count.arrays.items()}
    return Share(name, arrays[of], count.back(value))


def _read(equation: Equation, system: System, cuts: list[str]) -> Share | None:
    labels = {i: str(k) for k, i in enumerate(equation.indices)}
    for cut in cuts:
        reading = Reading(system, cut)
        try:
            found, own, total = _in_two(reading.expr(equation.rhs, labels), reading)
        except (Unproven, *FAILURES):
            continue
        for name, form in _forms():
            if found == form or (_is_near(found, form) and vanishes(found - form)):
                return Share(name, cut, _spelled(form, own, *total))
    return None


def _applies(expr: Expr, function: str) -> bool:
    return any(isinstance(a, Apply) and a.function == function for a in expr.atoms)


def _is_near(left: sympy.Expr, right: sympy.Expr) -> bool:
    """Whether two expressions of z and S agree at one point: a look before the proof."""
    at = {ENTRY: sympy.Float(0.37), TOTAL: sympy.Float(2.9)}
    return bool(abs(left.xreplace(at).evalf() - right.xreplace(at).evalf()) < _NEAR)


def _in_two(
    found: sympy.Expr, reading: Reading
) -> tuple[sympy.Expr, Access | None, tuple[Access, Index]]:
    """The expression in z and S alone, the entry z, and what is summed; or Unproven."""
    found = sympy.expand(found)
    own = {s: k for k, s in reading.entries.items() if s in found.free_symbols}
    sums = {s: k for k, s in reading.sums.items() if s in found.free_symbols}
    if len(sums) != 1 or len(own) > 1 or any(k in reading.summed for k in own.values()):
        raise Unproven("several entries, or several sums")
    new = found.xreplace({**dict.fromkeys(own, ENTRY), **dict.fromkeys(sums, TOTAL)})
    if new.free_symbols - {ENTRY, TOTAL}:
        raise Unproven("something that is subtracted stays")
    (summed,), single = sums.values(), next(iter(own.values()), None)
    item, running = reading.summed[summed]
    entry = None if single is None else reading.single[single]
    if entry is not None and not _same_row(entry, item, running):
        raise Unproven("the sum runs over another row")
    return new, entry, (item, running)


def _same_row(entry: Access, summed: Access, running: Index) -> bool:
    """Whether an entry is one of those that are summed."""
    pairs = zip(entry.indices, summed.indices, strict=True)
    return all(a == b or b.single_index is running for a, b in pairs)


def _spelled(form: sympy.Expr, entry: Access | None, item: Access, running: Index) -> Expr:
    """The function in terms of the entries of its array."""
    fresh = Index(_LETTER, running.size)
    inner = substitute(atom(item), {running: idx(fresh)})
    total = sum_over(apply(rows.registry().natives[sympy.exp], inner), [fresh])
    table: dict[sympy.Basic, Expr] = {TOTAL: total}
    if entry is not None:
        table[ENTRY] = atom(entry)
    return from_sympy(form, table)


@lru_cache(maxsize=1)
def _forms() -> tuple[tuple[str, sympy.Expr], ...]:
    """Every function of symprop.nn of one array and an axis, in z and Σ exp(z)."""
    found = []
    for name in nn.__all__:
        form = _form(getattr(nn, name))
        if form is not None:
            found.append((name, form))
    return tuple(found)


def _form(function: Callable[..., Any]) -> sympy.Expr | None:
    parameters = inspect.signature(function).parameters.values()
    required = [p for p in parameters if p.default is p.empty]
    if len(required) != 1 or not any(p.name == "axis" for p in parameters):
        return None

    def probe(z: Any) -> Any:
        result = function(z, axis=1)
        return np.sum(result), {"r": result}

    try:
        system = trace(probe, {"z": "N M"})
        (_, array), = system.outputs
        equation = system.equation(array)
        assert equation is not None
        reading = Reading(system, "z")
        labels = {i: str(k) for k, i in enumerate(equation.indices)}
        return _in_two(reading.expr(equation.rhs, labels), reading)[0]
    except (SympropError, Unproven, *FAILURES):
        return None
