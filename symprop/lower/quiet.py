"""Statements that may compute what no one uses: infinities in branches that are not taken.

In: equations, a statement's node. Out: whether NumPy's warnings must be off around it.
"""

from __future__ import annotations

from collections.abc import Iterable

from symprop.algebra import rows
from symprop.algebra.expr import Access, Atom, Expr, Iverson, accesses, atoms
from symprop.derive.regions import Branches
from symprop.lower import ir
from symprop.lower.dtypes import SCALAR, flavour, guards
from symprop.lower.walk import children
from symprop.system import Adjoint, Equation, System


class Guards:
    """What is known of all equations of a program; `handed` are read by other blocks."""

    def __init__(
        self, equations: Iterable[Equation | Adjoint], system: System, handed: Iterable[str] = ()
    ) -> None:
        found = list(equations)
        branches = _branches(found, system, handed)
        self.wild = frozenset(branches.wild)
        self.chosen = _only_chosen(found) | {
            name for name, region in branches.regions.items() if region.is_partial}

    def risky(self, array: str, node: ir.Node) -> bool:
        """Whether a statement may warn although all that is used of it is finite."""
        return self._may_warn(node) if array in self.chosen else self._chooses(node)

    def _chooses(self, node: ir.Node) -> bool:
        """Whether a np.where inside has a branch that may warn."""
        if isinstance(node, ir.Where) and not guards(node.condition) and (
            self._may_warn(node.yes) or self._may_warn(node.no)
        ):  # a Python conditional works out one branch alone
            return True
        return any(self._chooses(child) for child in children(node))

    def _may_warn(self, node: ir.Node) -> bool:
        """Whether a node holds an operation that is no number, or too large, somewhere."""
        if isinstance(node, ir.Call) and node.function in rows.registry().rows and not (
            rows.get(node.function).bounded
        ):
            return True
        if isinstance(node, ir.Power) and (node.exponent < 0 or node.exponent.denominator != 1):
            return True
        if isinstance(node, ir.Product) and any(flavour(n) != SCALAR for n in node.below):
            return True
        if not isinstance(node, ir.View) and self._mixes(node):
            return True
        return any(self._may_warn(child) for child in children(node))

    def _mixes(self, node: ir.Node) -> bool:
        """Whether entries that may be infinite meet others: 0 inf and inf - inf are nan."""
        parts = [n for n in children(node) if n.axes]
        if len(parts) < 2 or isinstance(node, ir.Where | ir.Compare | ir.Both):
            return False
        return sum(map(self._is_wild, parts)) > isinstance(node, ir.Sum)

    def _is_wild(self, node: ir.Node) -> bool:
        if isinstance(node, ir.View):
            return node.array in self.wild
        return any(self._is_wild(child) for child in children(node))


def _branches(
    equations: Iterable[Equation | Adjoint], system: System, handed: Iterable[str]
) -> Branches:
    """Which forward arrays have entries without an effect on what is handed back."""
    forward = [e for e in equations if isinstance(e, Equation)]
    read = {system.loss, *(array for _, array in system.outputs), *handed}
    read.update(a.array for e in forward for item in atoms(e.rhs) if isinstance(item, Iverson)
                for c in item.children for a in accesses(c))
    return Branches(forward, system, read & {e.array for e in forward})


def _only_chosen(equations: list[Equation | Adjoint]) -> set[str]:
    """The arrays of which every entry is read behind a bracket on data only."""
    open_reads: set[str] = set()
    guarded: set[str] = set()
    for equation in equations:
        _reads(equation.rhs, False, open_reads, guarded)
    return guarded - open_reads


def _reads(expr: Expr, inside: bool, free: set[str], guarded: set[str]) -> None:
    for term in expr.terms:
        held = inside or any(isinstance(a, Iverson) and _on_data(a) for a, _ in term.factors)
        for item, _ in term.factors:
            _atom_reads(item, held, free, guarded)


def _atom_reads(item: Atom, held: bool, free: set[str], guarded: set[str]) -> None:
    if isinstance(item, Access):
        (guarded if held else free).add(item.array)
    if isinstance(item, Iverson):
        free.update(a.array for c in item.children for a in accesses(c))
        return
    for child in item.children:
        _reads(child, held, free, guarded)


def _on_data(bracket: Iverson) -> bool:
    """Whether a bracket compares entries of arrays with < or <=."""
    return bracket.relation in ("<", "<=", "!=", "==") and any(
        isinstance(a, Access) for side in bracket.children for a in atoms(side))
