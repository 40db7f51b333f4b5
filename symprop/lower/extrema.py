"""Extrema, and determinants: what is said of all entries over some axes.

In: an atom that binds its axes, or a function of a determinant. Out: one operation of NumPy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from symprop.algebra.expansion import COFACTORS, DET, cofactor_of
from symprop.algebra.expansion_numpy import spelled
from symprop.algebra.expr import Apply, Atom, Expr, Extremum
from symprop.lower.axes import aligned
from symprop.lower.contract import reduced
from symprop.lower.dtypes import FLOAT, SCALAR, flavour
from symprop.lower.ir import Axes, Cast, Fill, Node
from symprop.lower.walk import union


@dataclass(frozen=True)
class Determinant(Node):
    """What the template says of the matrices over the last two axes of `matrix`."""

    matrix: Node
    template: str


class Lowering(Protocol):
    """Lowers expressions."""

    @property
    def integer(self) -> bool:
        """Whether these are positions."""

    def expr(self, expr: Expr, order: Axes) -> Node:
        """The node of an expression."""


def extreme(item: Atom, order: Axes, lowering: Lowering) -> Node | None:
    """The operation, or None for an atom of another kind."""
    if isinstance(item, Apply) and len(item.args) == 1:
        inside, template = item.args[0].single_atom, spelled(item.function)
        if isinstance(inside, Extremum) and inside.kind == DET and template:
            return _determinant(inside, order, lowering, template)
    if not isinstance(item, Extremum):
        return None
    if item.kind == DET:
        return _cofactors(item, order, lowering) or _determinant(
            item, order, lowering, spelled(DET) or "")
    inner = (*order, *item.bound)
    body = aligned(lowering.expr(item.body, inner), inner)
    body = body if lowering.integer else _float(body)
    if not any(b in body.axes for b in item.bound):
        return body
    return reduced(item.kind, body, item.bound, order)


def _determinant(item: Extremum, order: Axes, lowering: Lowering, template: str) -> Node:
    matrix = _matrix(item.body, item.bound, order, lowering)
    return Determinant(matrix.axes[:-2], matrix, template)


def _cofactors(item: Extremum, order: Axes, lowering: Lowering) -> Node | None:
    """All cofactors at once, where two indices run over their places."""
    found, template = cofactor_of(item), spelled(COFACTORS)
    if found is None or template is None:
        return None
    body, *places = found
    own = [p.single_index for p in places]
    if own[0] is own[1] or any(i is None or i not in order or i in body.free for i in own):
        return None
    matrix = _matrix(body, item.bound, order, lowering)
    axes = (*matrix.axes[:-2], *(i for i in own if i is not None))
    return aligned(Determinant(axes, matrix, template), order)


def _matrix(body: Expr, bound: Axes, order: Axes, lowering: Lowering) -> Node:
    """The matrices, over the axes of a stack, their rows and their columns."""
    inner = (*order, *bound)
    node = _float(aligned(lowering.expr(body, inner), inner))
    axes = (*union(order, node), *bound)
    return node if node.axes == axes else Fill(axes, node)


def _float(node: Node) -> Node:
    return node if flavour(node) in (FLOAT, SCALAR) else Cast(node.axes, node)


