"""Entries at which a program has no derivative: a root at 0, as of a distance to itself.

In: a derivation that was refuted, the values of the draw. Out: a sentence that names the line,
the entry and the remedy; or nothing, and then the derivation is to blame.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from symprop.algebra.build import access, idx, instantiate, mul
from symprop.algebra.expr import Access, Expr, Index
from symprop.algebra.sympy_bridge import local_derivative
from symprop.derive.regions import Branches
from symprop.interpret.evaluate import Evaluator
from symprop.system import Equation, System
from symprop.verify.whole import Derived


def kink(
    derivation: Derived, arrays: Mapping[str, Any], sizes: Mapping[str, int]
) -> str | None:
    """What to tell the user where an entry that counts is finite and its derivative is not."""
    system = derivation.system
    wanted = {a.primal for a in derivation.adjoints if a.role == "adjoint"}
    live = [e for e in system.equations if e.array in wanted]
    branches = Branches(live, system, [e.array for e in live if e.array == system.loss])
    evaluator = Evaluator(dict(arrays), sizes)
    for equation in live:
        for name in (n for n in equation.reads if n in wanted):
            for where in _infinite(system, equation, name, branches, evaluator):
                return _sentence(equation, name, where, arrays)
    return None


def _infinite(
    system: System, equation: Equation, name: str, branches: Branches, evaluator: Evaluator
) -> Iterator[tuple[int, ...]]:
    """The entries of an equation at which its derivative by one array is no number."""
    indices = tuple(Index("i", s) for s in system.arrays[name].shape)
    at = tuple(idx(i) for i in equation.indices)
    wrt = access(name, [idx(i) for i in indices]).single_atom
    assert isinstance(wrt, Access)
    derivative = local_derivative(instantiate(equation.indices, equation.rhs, at), wrt)
    guard = branches.guard(equation.array, derivative, at)
    whole = Expr(tuple(t for term in derivative.terms for t in mul(guard, Expr((term,))).terms))
    with np.errstate(all="ignore"):
        found = evaluator.value(whole, (*equation.indices, *indices))
        values = np.asarray(evaluator.arrays[equation.array])
    bad = ~np.isfinite(found).all(axis=tuple(range(values.ndim, found.ndim)))
    yield from map(tuple, np.argwhere(bad & np.isfinite(values)).tolist())


def _sentence(
    equation: Equation, name: str, where: tuple[int, ...], arrays: Mapping[str, Any]
) -> str:
    entry = f"{equation.array}{list(where) if where else ''}"
    value = float(np.asarray(arrays[equation.array])[where])
    line = f"{equation.source}: " if equation.source else ""
    return (
        f"{line}{entry} is {value:g}, where its derivative by {name} is infinite, whatever the "
        "inputs: a root at 0 has no slope. Take such entries out twice, before the root and "
        "after it: safe = np.where(s > 0, s, 1.0), then np.where(s > 0, np.sqrt(safe), 0.0), "
        "where s is what the root is of")
