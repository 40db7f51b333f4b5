"""Statements as single operations, each with a place of its own for its result.

In: the statements of a program that `finish.py` has finished. Out: the same statements as
`Steps`: `out = x * y` where there stood `w * (x * y + z)`. `places.py` of the fast style then says
where each result is written; nothing here knows of memory.

    operand     what is read as it stands: an array, a view of one, a number, a scalar expression
    elementwise an operation that NumPy can write over one of its operands
    product     a product of matrices or a reduction: written anywhere but over its operands
    look        an array as another one sees it: no entry is copied
    other       everything else: NumPy makes an array of its own
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from itertools import count
from typing import Any

from symprop.algebra import rows
from symprop.algebra.build import mul
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Expr, Index
from symprop.lower import ir
from symprop.lower.dtypes import BOOL, FLOAT, WHOLE, flavour, guards
from symprop.lower.invoke import Invoke, Turns
from symprop.lower.ir import Axes, Node
from symprop.lower.scope import INTEGER_ROWS
from symprop.lower.slabs import Entry
from symprop.lower.ufuncs import FLOATS, MASKED, Elementwise, Spelled, spelled
from symprop.lower.walk import children, union

ELEMENTWISE, PRODUCT, LOOK, OTHER = "elementwise", "product", "look", "other"
_AS_IT_STANDS = (ir.Number, ir.SizeOf, ir.Infinity, ir.LoopIndex, ir.Arange, ir.Local, Entry)
_LOOKS = (ir.Transpose, ir.Reshape, ir.Expand)
_MADE = (ir.TensorDot, ir.Cast, ir.Fill, ir.Copy, ir.Repeat, ir.Solve, ir.Where, ir.Both, Spelled)
_SAME = {"<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal",
         "==": "equal", "!=": "not_equal"}


@dataclass(frozen=True)
class Step:
    """One operation. label: of its result, "" for the statement's own array; kind: see above."""

    label: str
    node: Node
    kind: str
    holds: str = FLOAT


@dataclass(frozen=True)
class Steps:
    """A statement as its operations; `last` is what then writes the result into an array.

    Without `last` the last step makes the array."""

    array: str
    number: str
    at: Expr | None
    steps: tuple[Step, ...]
    last: ir.Write | None = None
    quiet: bool = False


def stepwise(statements: Sequence[ir.Statement]) -> list[ir.Statement | Steps]:
    """The statements, those of loops too, as steps."""
    number = count()
    return [replace(s, body=tuple(in_steps(w, next(number)) for w in s.body))  # type: ignore[misc]
            if isinstance(s, ir.Loop) else s if isinstance(s, Invoke | Turns)
            else in_steps(s, next(number)) for s in statements]


def in_steps(statement: ir.Write, number: int) -> Steps:
    """One statement as its operations; `number` tells its labels from those of all others."""
    if isinstance(statement, ir.Zeros | ir.Allocate):
        return Steps(statement.array, statement.number, getattr(statement, "at", None), (),
                     statement)
    maker = _Maker(number)
    statement = _labelled(statement, number)
    assert isinstance(statement, ir.Assign | ir.Put | ir.Scatter)
    for share in statement.shares:
        maker.make(share.label, share.node)
    if not isinstance(statement, ir.Assign):
        value = maker.operand(statement.value)
        return Steps(statement.array, statement.number, statement.at, tuple(maker.steps),
                     replace(statement, value=value, shares=()), statement.quiet)
    if statement.at is None:
        maker.make("", statement.node)
        return Steps(statement.array, statement.number, None, tuple(maker.steps),
                     quiet=statement.quiet)
    value = maker.operand(statement.node)
    return Steps(statement.array, statement.number, statement.at, tuple(maker.steps),
                 replace(statement, node=value, shares=()), statement.quiet)


@dataclass
class _Maker:
    """Makes the steps of one statement."""

    number: int
    steps: list[Step] = field(default_factory=list)

    def make(self, label: str, node: Node) -> None:
        """A step whose result has this label, and all before it."""
        if not node.axes:
            self.steps.append(Step(label, self.scalar(node), OTHER, flavour(node)))
            return
        found = self.operand(node)
        last = self.steps[-1] if self.steps else None
        if last is not None and isinstance(found, ir.Local) and found.label == last.label and (
                last.label.startswith("part ")):
            self.steps[-1] = replace(last, label=label)
        else:
            kind = LOOK if is_look(found) else OTHER
            self.steps.append(Step(label, found, kind, flavour(found)))

    def step(self, node: Node, kind: str, holds: str = FLOAT) -> ir.Local:
        """One more operation, and its result as an operand."""
        label = f"part {self.number} {len(self.steps) + 1}"
        self.steps.append(Step(label, node, kind, holds))
        return ir.Local(node.axes, label, holds)

    # ---- operands ---------------------------------------------------------------------------

    def operand(self, node: Node) -> Node:
        """What an operation may read, after the steps that make it."""
        if not node.axes:
            return self.scalar(node)
        if isinstance(node, _AS_IT_STANDS) or flavour(node) == WHOLE or _is_lazy(node):
            return node
        if isinstance(node, ir.View):
            return node if is_look(node) else self.step(node, OTHER, flavour(node))
        if isinstance(node, _LOOKS):
            return replace(node, body=self.operand(node.body))
        if flavour(node) == BOOL:
            return self.truth(node)
        return self.computed(node)

    def scalar(self, node: Node) -> Node:
        """A number made of arrays: what it reads is worked out before."""
        if _is_lazy(node) or flavour(node) == WHOLE:
            return node
        changes: dict[str, object] = {}
        if isinstance(node, ir.Sum):
            changes["terms"] = tuple((s, self.operand(n)) for s, n in node.terms)
        elif isinstance(node, ir.Product):
            changes["above"] = tuple(map(self.operand, node.above))
            changes["below"] = tuple(map(self.operand, node.below))
        elif isinstance(node, ir.Call):
            changes["args"] = tuple(map(self.operand, node.args))
        elif isinstance(node, ir.Power):
            changes["base"] = self.operand(node.base)
        elif isinstance(node, ir.Reduce | ir.Fill):
            changes["body"] = self.operand(node.body)
        elif isinstance(node, ir.Vdot):
            changes["left"], changes["right"] = self.operand(node.left), self.operand(node.right)
        return replace(node, **changes) if changes else node  # type: ignore[arg-type]

    def truth(self, node: Node) -> Node:
        """A mask."""
        if isinstance(node, ir.Compare) and FLOAT in (flavour(node.left), flavour(node.right)):
            args = tuple(map(self.operand, (node.left, node.right)))
            return self.step(Elementwise(node.axes, _SAME[node.relation], args), PRODUCT, BOOL)
        if isinstance(node, ir.Both):
            several = tuple(map(self.operand, node.conditions))
            if all(isinstance(c, ir.Local | Entry | ir.Transpose) for c in several):
                return self.all_of(node.axes, several)
            return self.step(replace(node, conditions=several),
                             OTHER, BOOL)
        return node

    def all_of(self, axes: Axes, several: Sequence[Node]) -> Node:
        """Where all masks hold, one after the other."""
        found, *others = several
        for other in others:
            own = union(axes, found, other)
            found = self.step(Elementwise(own, "logical_and", (found, other), BOOL), ELEMENTWISE,
                              BOOL)
        return found

    # ---- operations -------------------------------------------------------------------------

    def computed(self, node: Node) -> Node:
        """The result of a node of floats."""
        if isinstance(node, ir.Sum):
            return self.sum(node)
        if isinstance(node, ir.Product):
            return self.product(node)
        if isinstance(node, ir.Power):
            return self.power(node)
        if isinstance(node, ir.Call) and node.function not in INTEGER_ROWS:
            args = tuple(map(self.operand, node.args))
            return self.tree(spelled(rows.numpy_template(node.function), args, node.axes))
        if isinstance(node, ir.Where):
            return self.where(node)
        if isinstance(node, ir.MatMul):
            return self.step(replace(node, left=self.operand(node.left),
                                     right=self.operand(node.right)), PRODUCT)
        if isinstance(node, ir.TensorDot):
            left, right = self.operand(node.left), self.operand(node.right)
            flat = _flat(node, left, right)
            return self.step(flat or replace(node, left=left, right=right),
                             PRODUCT if flat else OTHER)
        if isinstance(node, ir.Einsum):
            operands = tuple(map(self.operand, node.operands))
            return self.step(replace(node, operands=operands), PRODUCT)
        if isinstance(node, ir.Reduce):
            body = node.body if isinstance(node.body, ir.Cast) else self.operand(node.body)
            return self.step(replace(node, body=body), PRODUCT)
        if isinstance(node, ir.Copy) and flavour(node) == FLOAT:
            return self.apply("positive", node.axes, self.operand(node.body))
        if isinstance(node, ir.Cast) and not node.whole and flavour(node.body) == BOOL:
            mask = self.operand(node.body)
            if isinstance(mask, ir.Local | Entry | ir.Transpose):
                return self.step(Elementwise(node.axes, FLOATS, (mask,)), PRODUCT)
            return self.step(replace(node, body=mask), OTHER)
        if isinstance(node, ir.Cast | ir.Fill | ir.Copy | ir.Running):
            return self.step(replace(node, body=self.operand(node.body)), OTHER, flavour(node))
        return self.step(node, OTHER, flavour(node))

    def tree(self, node: Node, done: dict[Node, Node] | None = None) -> Node:
        """The steps of nested ufuncs, each once."""
        if isinstance(node, Spelled):
            return self.step(node, OTHER)
        if not isinstance(node, Elementwise):
            return node
        done = {} if done is None else done
        if node not in done:
            own = replace(node, args=tuple(self.tree(a, done) for a in node.args))
            done[node] = self.step(own, PRODUCT if node.holds == BOOL else ELEMENTWISE, node.holds)
        return done[node]

    def apply(self, name: str, axes: Axes, *args: Node) -> Node:
        """A ufunc of operands."""
        return self.step(Elementwise(axes, name, args), ELEMENTWISE)

    def sum(self, node: ir.Sum) -> Node:
        """Terms with a plus first; then one after the other."""
        terms = [_signed(s, n) for s, n in node.terms]
        if terms[0][0] < 0:
            terms.sort(key=lambda t: t[0] < 0)
        (sign, first), *rest = terms
        total = self.operand(first)
        if sign < 0:
            total = self.negative(total)
        for sign, term in rest:
            part = self.operand(term)
            axes = union(node.axes, total, part)
            if not axes:
                total = ir.Sum((), ((1, total), (sign, part)))
            else:
                total = self.apply("add" if sign > 0 else "subtract", axes, total, part)
        return total

    def negative(self, node: Node) -> Node:
        """-node."""
        if not node.axes:
            return ir.Product((), Fraction(-1), (node,))
        return self.apply("negative", node.axes, node)

    def product(self, node: ir.Product) -> Node:
        """A number times the smallest factors first."""
        arrays = sorted((n for n in node.above if n.axes), key=lambda n: (_is_mask(n), len(n.axes)))
        below = [n for n in node.below if n.axes]
        scalars = tuple(self.operand(n) for n in node.above if not n.axes)
        under = tuple(self.operand(n) for n in node.below if not n.axes)
        head = ir.Product((), node.coef, scalars, under) if scalars or node.coef not in (1, -1) \
            else None
        total: Node | None = head
        for factor in arrays:
            mask = total is not None and bool(total.axes) and _is_mask(factor)
            part = self.operand(factor.body if mask and isinstance(factor, ir.Cast) else factor)
            total = part if total is None else self.apply(
                "multiply", union(node.axes, total, part), total, part)
        if head is None and total is not None and under:
            total = self.apply("divide", total.axes, total, ir.Product((), Fraction(1), under))
        elif total is None:
            total = ir.Product((), Fraction(1), (), under)
        for divisor in below:
            part = self.operand(divisor)
            total = self.apply("divide", union(node.axes, total, part), total, part)
        return self.negative(total) if head is None and node.coef == -1 else total

    def power(self, node: ir.Power) -> Node:
        """Small powers as products."""
        base, exponent = self.operand(node.base), node.exponent
        if exponent == Fraction(1, 2):
            return self.apply("sqrt", node.axes, base)
        if exponent == 2:
            return self.apply("square", node.axes, base)
        if exponent == 3:
            return self.apply("multiply", node.axes,
                              self.apply("square", node.axes, base), base)
        if exponent == 4:
            return self.apply("square", node.axes, self.apply("square", node.axes, base))
        return self.apply("power", node.axes, base, ir.Number((), exponent))

    def where(self, node: ir.Where) -> Node:
        """The larger branch, and the other one written over it where the condition says so."""
        condition = self.operand(node.condition)
        yes, no = self.operand(node.yes), self.operand(node.no)
        if condition.axes == node.axes and flavour(condition) == BOOL and (
                flavour(yes) == FLOAT and yes.axes and isinstance(no, ir.Number)
                and not no.value):
            return self.apply(MASKED, node.axes, condition, yes)
        if FLOAT in (flavour(yes), flavour(no)) and node.axes in (yes.axes, no.axes):
            keep, put = (yes, no) if yes.axes == node.axes and flavour(yes) == FLOAT else (no, yes)
            if keep.axes == node.axes and flavour(keep) == FLOAT:
                whole = self.apply("positive", node.axes, keep)
                return self.apply("unless" if keep is yes else "when", node.axes, whole,
                                  condition, put)
        return self.step(replace(node, condition=condition, yes=yes, no=no), OTHER, flavour(node))


def _flat(node: ir.TensorDot, left: Node, right: Node) -> ir.MatMul | None:
    """A sum over the leading axes of both as one product of matrices, if one axis is left each."""
    gone = len(node.over)
    if left.axes[:gone] != node.over or right.axes[:gone] != node.over or (
            len(left.axes) != gone + 1 or len(right.axes) != gone + 1):
        return None
    rows_ = Index(node.over[0].letter, normal(mul(*(a.size for a in node.over))))
    first, second = (ir.Reshape((rows_, n.axes[-1]), n) if gone > 1 else n for n in (left, right))
    return ir.MatMul(node.axes, ir.Transpose((left.axes[-1], first.axes[0]), first), second)


def _signed(sign: int, node: Node) -> tuple[int, Node]:
    """A term without the sign of its number."""
    if isinstance(node, ir.Product) and node.coef < 0:
        return -sign, replace(node, coef=-node.coef)
    return sign, node


def _labelled(item: Any, number: int) -> Any:
    """A statement with its number in the labels of its shares."""
    if isinstance(item, ir.Local | ir.Share):
        item = replace(item, label=f"{item.label} {number}")
    if isinstance(item, tuple):
        return tuple(_labelled(i, number) for i in item)
    if not isinstance(item, Node | ir.Share | ir.Grid | ir.Assign | ir.Put | ir.Scatter):
        return item
    changes = {f.name: found for f in fields(item)
               if (found := _labelled(value := getattr(item, f.name), number)) is not value}
    return replace(item, **changes) if changes else item


def _is_mask(node: Node) -> bool:
    """Whether a factor is a mask as floats: beside other floats it need not be made floats."""
    return isinstance(node, ir.Cast) and flavour(node.body) == BOOL and bool(node.axes)


def _is_lazy(node: Node) -> bool:
    """Whether it holds a Python conditional, of which only one branch may be worked out."""
    return (isinstance(node, ir.Where) and not node.condition.axes and (
        not node.axes or guards(node.condition))) or any(map(_is_lazy, children(node)))


def is_look(node: Node) -> bool:
    """Whether an operand's entries lie where another array's do."""
    if isinstance(node, ir.View):
        return not node.grid and not node.pads
    return isinstance(node, (ir.Local, Entry)) or (
        isinstance(node, _LOOKS) and is_look(node.body))


def whole_array(node: Node) -> bool:
    """Whether an operand is an array as it stands."""
    return isinstance(node, ir.Local) or (
        isinstance(node, ir.View) and not (node.grid or node.pads or node.shape)
        and all(isinstance(s, ir.Whole) for s in node.subscripts))


def makes(node: Node) -> bool:
    """Whether NumPy makes an array of its own for a node of kind `other`."""
    if isinstance(node, ir.View):
        return not any(isinstance(s, ir.Window) for s in node.subscripts) and bool(
            node.grid or node.pads)
    return isinstance(node, _MADE) and not _is_lazy(node)
