"""The bytes of a program, counted on its whole-tensor nodes.

In: statements, sizes, the bytes of a float. Out: for every equation the bytes that its operations
read and write; the bytes of every array that is made; the most that live at once. The rules:

    an operation          reads its operands and writes its result, each whole
    a view                is neither read nor written until an operation reads it
    an array with a name  lives until its function returns
    a result without one  until the operation that reads it is done, which writes over it where it
                          is as large and has at least `REUSED` bytes
    a part with a name    lives as an array does, where `finish.py` gave it the name; what is named
                          later, for the length of a line, is not counted
    np.tensordot          copies an operand whose summed axes do not stand together at one end
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from symprop.algebra import rows
from symprop.algebra.expr import Expr, Index
from symprop.interpret.evaluate import extent
from symprop.lower import ir
from symprop.lower.dtypes import BOOL, SCALAR, WHOLE, flavour
from symprop.lower.invoke import Invoke, Turns
from symprop.lower.ir import Node, Statement, Write
from symprop.lower.scope import INTEGER_ROWS
from symprop.lower.walk import children, everything

INTEGER = 8  # bytes of an integer
REUSED = 2**18
_VIEWS = (ir.Transpose, ir.Reshape, ir.Expand)
_HELD = 2  # arrays of the result's size that a function written out in NumPy holds beside it


@dataclass
class Memory:
    """The account of one function."""

    sizes: Mapping[str, int]
    item: int  # bytes of a float
    moved: dict[str, int] = field(default_factory=dict)  # by the number of the equation
    made: dict[str, int] = field(default_factory=dict)  # by array; parts with a name too
    peak: int = 0

    def run(self, statements: Sequence[Statement], times: int = 1) -> None:
        """Goes through statements in their order."""
        for statement in statements:
            if isinstance(statement, ir.Loop):
                self.run(statement.body, times * extent(statement.index.size, self.sizes))
            elif not isinstance(statement, Invoke | Turns):  # blocks have their own accounts
                self._statement(statement, times)

    def _statement(self, statement: Write, times: int) -> None:
        if isinstance(statement, (ir.Zeros, ir.Allocate)):
            if isinstance(statement, ir.Allocate) or statement.at is None:
                self._keep(statement.array, self.entries(statement.shape) * self.item)
            return
        for share in statement.shares:
            self._evaluate(share.node, statement.number, times)
            self._keep(f"{statement.array}, {share.label}", self.own(share.node))
        node = statement.node if isinstance(statement, ir.Assign) else statement.value
        held = self._evaluate(node, statement.number, times)
        into = not isinstance(statement, ir.Assign) or statement.at is not None
        if into:
            self._move(statement.number, times * (self.size(node) + held))
        else:
            self._keep(statement.array, held)

    def _keep(self, name: str, size: int) -> None:
        self.made[name] = max(size, self.made.get(name, 0))
        self.peak = max(self.peak, sum(self.made.values()))

    def _move(self, number: str, size: int) -> None:
        self.moved[number] = self.moved.get(number, 0) + size

    def entries(self, shape: Iterable[Expr]) -> int:
        """How many entries a shape has."""
        count = 1
        for size in shape:
            count *= extent(size, self.sizes)
        return count

    def size(self, node: Node) -> int:
        """The bytes of a node's entries."""
        each = {BOOL: 1, WHOLE: INTEGER, SCALAR: 0}.get(flavour(node), self.item)
        return self.entries(a.size for a in node.axes) * each if node.axes else 0

    def own(self, node: Node) -> int:
        """The bytes that a node's result takes beside what was there before."""
        if _is_view(node):
            return 0
        if isinstance(node, ir.View) and any(isinstance(s, ir.Window) for s in node.subscripts):
            return self._padded(node) * self.item
        return self.size(node)

    def _padded(self, node: ir.View) -> int:
        """The entries of an array with zeros around it, which windows are a view of."""
        windows = {s.outer: s for s in node.subscripts if isinstance(s, ir.Window)}
        inside = {w.inner for w in windows.values()}
        count = 1
        for axis in node.axes:
            length = extent(axis.size, self.sizes)
            if axis in windows:
                window = windows[axis]
                width = extent(window.inner.size, self.sizes)
                length = (length - 1) * window.step + (width - 1) * abs(window.dilation) + 1
            count *= 1 if axis in inside else length
        return count

    def _evaluate(self, node: Node, number: str, times: int) -> int:
        """Accounts for a node; the bytes of its result."""
        top = self._top(node)
        self.peak = max(self.peak, sum(self.made.values()) + top)
        self._move(number, times * self._traffic(node))
        return self.own(node)

    def _traffic(self, node: Node) -> int:
        """Bytes read and written by a node and all inside it."""
        inside = sum(self._traffic(c) for c in children(node))
        if _is_view(node) or not (node.axes or any(c.axes for c in children(node))):
            return inside
        if isinstance(node, (ir.Sum, ir.Product)):
            return inside + sum(self._pairs(node))
        return inside + sum(self.size(c) for c in children(node)) + self.size(node)

    def _pairs(self, node: ir.Sum | ir.Product) -> list[int]:
        """What each of the operations of a sum or product reads and writes."""
        parts = _operands(node)
        found, axes = [], list(parts[0].axes)
        for part in parts[1:]:
            left = self._bytes(axes)
            axes += [a for a in part.axes if a not in axes]
            found.append(left + self.size(part) + self._bytes(axes))
        return found or [2 * self.size(node)]

    def _bytes(self, axes: Sequence[Index]) -> int:
        return self.entries(a.size for a in axes) * self.item if axes else 0

    def _top(self, node: Node) -> int:
        """The most bytes that live while a node is worked out, its result among them."""
        if isinstance(node, ir.Where) and not node.condition.axes:
            return max(self._top(node.yes), self._top(node.no))
        if isinstance(node, (ir.Sum, ir.Product)):
            return self._in_turn(node)
        held = top = 0
        for child in children(node):
            top = max(top, held + self._top(child))
            held += self.own(child)
        return max(top, held + self.own(node) + self._extra(node))

    def _extra(self, node: Node) -> int:
        """What an operation makes for itself while it runs."""
        if isinstance(node, ir.Call) and _written_out(node):
            return _HELD * self.size(node)
        if isinstance(node, ir.TensorDot):
            return sum(self.size(part) for part in (node.left, node.right)
                       if not _together(part, node.over))
        return 0

    def _in_turn(self, node: ir.Sum | ir.Product) -> int:
        """One operation after the other; a result without a name is written over."""
        parts = _operands(node)
        top = self._top(parts[0])
        held, axes = self.own(parts[0]), list(parts[0].axes)
        for part in parts[1:]:
            other, left = self.own(part), bool(axes)  # beside a number NumPy makes a new array
            top = max(top, held + self._top(part))
            axes += [a for a in part.axes if a not in axes]
            result = self._bytes(axes)
            reused = result >= REUSED and (result == held or (result == other and left))
            top = max(top, held + other + (0 if reused else result))
            held = result
        return max(top, self.own(node))


def _operands(node: ir.Sum | ir.Product) -> list[Node]:
    """The operands in the order in which they meet."""
    if isinstance(node, ir.Sum):
        return [part for _, part in node.terms]
    factor: list[Node] = [] if abs(node.coef) == 1 and node.above else [ir.Number((), node.coef)]
    return [*factor, *(n for n in node.above if not n.axes), *(n for n in node.above if n.axes),
            *node.below]


def _is_view(node: Node) -> bool:
    """Whether a node's entries lie where another array's do."""
    if isinstance(node, ir.Local):
        return True
    if isinstance(node, ir.View):
        return not node.grid and not node.pads
    return isinstance(node, _VIEWS) and all(map(_is_view, children(node)))


def _together(part: Node, over: Sequence[Index]) -> bool:
    """Whether the entries of an operand lie as those of a matrix that is multiplied."""
    if any(isinstance(s, ir.Window) for n in everything(part) if isinstance(n, ir.View)
           for s in n.subscripts):
        return False
    while isinstance(part, ir.Transpose):
        part = part.body
    return part.axes[:len(over)] == tuple(over) or part.axes[-len(over):] == tuple(over)


def _written_out(node: ir.Call) -> bool:
    """Whether NumPy has no one function for a row."""
    if node.function in INTEGER_ROWS:
        return False
    spelling = rows.numpy_template(node.function)
    return not spelling.startswith("np.") or spelling.count("(") > 1
