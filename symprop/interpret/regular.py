"""Draws on which the forward pass is regular: no divisor is only what rounding has left.

In: a system with the values of a draw. Out: the first equation whose value is 0 but for rounding
and is divided by, or is what a logarithm is of: the last pivot of a singular matrix.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from symprop.algebra import rows
from symprop.algebra.expansion import DET
from symprop.algebra.expr import Access, Apply, Atom, Expr, Extremum, atoms_of
from symprop.interpret.determinant import SINGULAR, condition
from symprop.interpret.evaluate import Evaluator, magnitude
from symprop.system import Adjoint, Equation, System

_ROUNDING = 1e-10  # of what was added up


def irregular(
    system: System, arrays: Mapping[str, Any], sizes: Mapping[str, int]
) -> Equation | None:
    """The first such equation; an exact 0 is none, for it may stand in a branch not taken."""
    delicate = {n for e in system.equations for n in _delicate(e.rhs)}
    for equation in system.equations:
        value = np.asarray(arrays[equation.array])
        if equation.array not in delicate or value.dtype.kind != "f" or _is_one(equation.rhs):
            continue
        size = magnitude(equation.rhs, arrays, sizes, equation.indices)
        with np.errstate(all="ignore"):
            if np.any((np.abs(value) <= _ROUNDING * size) & (value != 0) & np.isfinite(size)):
                return equation
    return singular(system, arrays, sizes)


def singular(
    system: System, arrays: Mapping[str, Any], sizes: Mapping[str, int]
) -> Equation | None:
    """The first equation that looks at a determinant that is 0 but for rounding."""
    return next((e for e in system.equations if looks_at_singular(e, arrays, sizes)), None)


def looks_at_singular(
    item: Equation | Adjoint, arrays: Mapping[str, Any], sizes: Mapping[str, int]
) -> bool:
    """Whether an equation divides by such a determinant, or has a function of it."""
    for found in _determinants(item.rhs, False):
        if found.free <= set(item.indices):
            matrices = Evaluator(arrays, sizes).value(found.body, (*item.indices, *found.bound))
            if np.any(condition(matrices) > SINGULAR):
                return True
    return False


def _determinants(expr: Expr, inside: bool) -> Iterator[Extremum]:
    """Those that an expression divides by or has functions of."""
    for term in expr.terms:
        for item, exponent in term.factors:
            within = inside or exponent < 0
            if within and isinstance(item, Extremum) and item.kind == DET:
                yield item
            for child in item.children:
                yield from _determinants(child, within or isinstance(item, Apply))


def _is_one(rhs: Expr) -> bool:
    """Whether nothing is added up."""
    return len(rhs.terms) == 1 and not rhs.terms[0].bound


def _delicate(expr: Expr) -> Iterator[str]:
    """The arrays that an expression divides by, or of which it takes a root or a logarithm."""
    for term in expr.terms:
        for item, exponent in term.factors:
            if exponent < 0 or exponent != int(exponent) or _is_unbounded(item):
                yield from (a.array for a in atoms_of(item) if isinstance(a, Access))
            for child in item.children:
                yield from _delicate(child)


def _is_unbounded(item: Atom) -> bool:
    row = rows.registry().rows.get(item.function) if isinstance(item, Apply) else None
    return row is not None and not row.bounded
