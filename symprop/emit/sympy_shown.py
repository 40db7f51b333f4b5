"""Expressions as SymPy's own printers and users know them.

In: SymPy expressions of the calculus. Out: the same with sums as `sympy.Sum`, brackets as
`KroneckerDelta` or `Piecewise`, and entries that print in LaTeX as everywhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sympy

from symprop.algebra.sympy_nodes import BoundSum, Bracket, Entry, Group
from symprop.emit.latex_names import symbol

_RELATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": sympy.Lt, "<=": sympy.Le, "!=": sympy.Ne, "==": sympy.Eq}


class ShownEntry(sympy.Indexed):  # type: ignore[misc]
    """An entry whose array has its printed name in LaTeX."""

    def _latex(self, printer: Any) -> str:
        return symbol(str(self.base.label)).at(",".join(map(printer._print, self.indices)))


def shown(expr: sympy.Basic) -> Any:
    """The expression in SymPy's own classes, as far as it has them."""
    if not expr.args or isinstance(expr, sympy.IndexedBase):
        return expr
    if isinstance(expr, BoundSum):
        limits = [(name, 0, size - 1) for name, size in expr.limits]
        return sympy.Sum(shown(expr.body), *limits)
    parts = [shown(part) for part in expr.args]
    if isinstance(expr, Entry | sympy.Indexed):
        return ShownEntry(expr.base, *parts[1:])
    if isinstance(expr, Group):
        return parts[0]
    if isinstance(expr, Bracket):
        left, right = parts[1:]
        if expr.relation == "==" and left.is_Symbol and right.is_Symbol:
            return sympy.KroneckerDelta(left, right)
        return sympy.Piecewise((1, _RELATIONS[expr.relation](left, right)), (0, True))
    return expr.func(*parts)
