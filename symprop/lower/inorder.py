"""Operations entry by entry, in the order in which their operands lie in memory (fast style).

In: a program with its shares. Out: the same values. NumPy lays a new array as its operands lie; an
array that is handed to `out=` lies as it was made. So the order is written down: where z lies as
k, d, n,

    dz = -dL * p[:, :, None] * z
    dz = (-dL * p.T[:, None, :] * z.transpose(1, 2, 0)).transpose(2, 0, 1)

and the memory of the product is asked for in that order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from symprop.algebra.build import mul
from symprop.algebra.canonical import normal, same
from symprop.algebra.expr import Expr, Index, adjoint
from symprop.lower import ir
from symprop.lower.axes import aligned
from symprop.lower.ir import Axes, Node
from symprop.lower.program import Program
from symprop.lower.slabs import Entry

_ELEMENTWISE = (ir.Sum, ir.Product, ir.Power, ir.Call, ir.Compare, ir.Both, ir.Where, ir.Cast)
Order = tuple[int, ...]


def in_order(program: Program) -> Program:
    """The program, its arrays laid as what they are made of."""
    system = program.system
    fixed = {system.loss, *map(adjoint, system.wrt), *(a for _, a in system.outputs),
             *program.results}
    found = _Orders(fixed)
    forward = found.statements(program.forward)
    backward = found.statements(program.backward)
    return replace(program, forward=forward, backward=backward,
                   predict=_Orders(fixed).statements(program.predict))


@dataclass
class _Orders:
    """How arrays and parts lie: the places of their axes, the outermost first."""

    fixed: Collection[str]
    arrays: dict[str, Order] = field(default_factory=dict)
    parts: dict[str, Order] = field(default_factory=dict)

    def statements(self, several: Iterable[ir.Statement]) -> tuple[ir.Statement, ...]:
        """All of them; those of loops stay."""
        found: list[ir.Statement] = []
        for item in several:
            if isinstance(item, ir.Zeros) and item.at is None and item.order:
                self.arrays[item.array] = item.order
            found.append(self._statement(item) if isinstance(
                item, ir.Assign | ir.Put | ir.Scatter) and item.at is None else item)
        return tuple(found)

    def _statement(self, item: ir.Assign | ir.Put | ir.Scatter) -> ir.Statement:
        self.parts = {}
        shares = []
        for share in item.shares:
            node = self.laid(share.node)
            self.parts[share.label] = _places(node.axes, self.lying(node))
            shares.append(ir.Share(share.label, node))
        item = replace(item, shares=tuple(shares))
        if not isinstance(item, ir.Assign) or item.array in self.fixed:
            return item
        node = self.laid(item.node)
        self.arrays[item.array] = _places(node.axes, self.lying(node))
        return replace(item, node=node)

    def laid(self, node: Node) -> Node:
        """The node worked out in the order in which its operands lie."""
        if isinstance(node, ir.Transpose):
            return aligned(self.laid(node.body), node.axes)
        if isinstance(node, ir.Reshape):
            return replace(node, body=self.laid(node.body))
        order = self.lying(node)
        if order == node.axes:
            return node
        if isinstance(node, ir.Einsum):
            return aligned(replace(node, axes=order), node.axes)
        if isinstance(node, ir.Reduce):
            return aligned(replace(node, axes=order, body=aligned(
                node.body, self.lying(node.body))), node.axes)
        return aligned(_turned(node, order, self.laid), node.axes) if isinstance(
            node, _ELEMENTWISE) else node

    def lying(self, node: Node) -> Axes:
        """The axes of a node as they lie in memory."""
        if isinstance(node, ir.Transpose):
            return self.lying(node.body)
        if isinstance(node, ir.Local):
            return _axes(node.axes, self.parts.get(node.label, ()))
        if isinstance(node, Entry):
            return tuple(a for a in self.lying(node.body) if a is not node.axis)
        if isinstance(node, ir.Reshape):
            return _cut(self.lying(node.body), node.body.axes, node.axes)
        if isinstance(node, ir.View):
            return self._viewed(node)
        if isinstance(node, _ELEMENTWISE):
            full = [n for n in _operands(node) if len(n.axes) == len(node.axes)]
            return next((order for n in full if (order := self.lying(n)) != node.axes), node.axes)
        if isinstance(node, ir.Reduce):
            return tuple(a for a in self.lying(node.body) if a in node.axes)
        if isinstance(node, ir.Einsum):  # what is summed lies innermost or outermost, as it stands
            full = [n for n in node.operands if set(n.axes) >= set(node.axes)]
            return tuple(a for a in self.lying(full[0]) if a in node.axes) if full else node.axes
        return node.axes

    def _viewed(self, view: ir.View) -> Axes:
        order = self.arrays.get(view.array, ())
        kinds = (ir.Whole, ir.Stretch, ir.At)
        if view.grid or view.pads or view.shape or len(order) != len(view.subscripts) or not all(
                isinstance(s, kinds) for s in view.subscripts):
            return view.axes
        labels = iter(view.axes)
        by_place = [None if isinstance(s, ir.At) else next(labels) for s in view.subscripts]
        return tuple(a for k in order if (a := by_place[k]) is not None)


def _places(axes: Axes, lying: Axes) -> Order:
    return tuple(axes.index(a) for a in lying)


def _axes(axes: Axes, order: Order) -> Axes:
    return tuple(axes[k] for k in order) if len(order) == len(axes) else axes


def _cut(lying: Axes, before: Axes, after: Axes) -> Axes:
    """How the axes lie when some are cut into several; a copy is made of anything else."""
    parts: dict[Index, Axes] = {}
    left = list(after)
    for axis in before:
        found: list[Index] = []
        while left and not (found and same(_product(found), axis.size)):
            found.append(left.pop(0))
            if found == [axis]:
                break
        parts[axis] = tuple(found)
    whole = all(p == (a,) or (a not in after and same(_product(p), a.size))
                for a, p in parts.items())
    return after if left or not whole else tuple(p for a in lying for p in parts[a])


def _product(axes: Sequence[Index]) -> Expr:
    return normal(mul(*(a.size for a in axes)))


def _operands(node: Node) -> Sequence[Node]:
    """What an operation reads entry by entry."""
    if isinstance(node, ir.Sum):
        return [n for _, n in node.terms]
    if isinstance(node, ir.Product):
        return [*node.above, *node.below]
    if isinstance(node, ir.Where):
        return [node.condition, node.yes, node.no] if node.condition.axes else []
    if isinstance(node, ir.Call):
        return node.args
    if isinstance(node, ir.Compare):
        return [node.left, node.right]
    if isinstance(node, ir.Both):
        return node.conditions
    return [node.base if isinstance(node, ir.Power) else node.body] if isinstance(
        node, ir.Power | ir.Cast) else []


def _turned(node: Node, order: Axes, laid: Callable[[Node], Node]) -> Node:
    """The node with its axes, and those of all that it reads entry by entry, in an order."""
    if not node.axes:
        return node
    axes = tuple(a for a in order if a in node.axes)
    if not isinstance(node, _ELEMENTWISE) or not _operands(node):
        return aligned(laid(node), axes)
    turned = [_turned(n, order, laid) for n in _operands(node)]
    if isinstance(node, ir.Sum):
        signs = [s for s, _ in node.terms]
        return replace(node, axes=axes, terms=tuple(zip(signs, turned, strict=True)))
    if isinstance(node, ir.Product):
        count = len(node.above)
        return replace(node, axes=axes, above=tuple(turned[:count]), below=tuple(turned[count:]))
    if isinstance(node, ir.Where):
        return ir.Where(axes, *turned)
    if isinstance(node, ir.Call):
        return replace(node, axes=axes, args=tuple(turned))
    if isinstance(node, ir.Compare):
        return replace(node, axes=axes, left=turned[0], right=turned[1])
    if isinstance(node, ir.Both):
        return replace(node, axes=axes, conditions=tuple(turned))
    if isinstance(node, ir.Power):
        return replace(node, axes=axes, base=turned[0])
    assert isinstance(node, ir.Cast)
    return replace(node, axes=axes, body=turned[0])
