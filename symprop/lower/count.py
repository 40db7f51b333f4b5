"""The operations of a program, counted on its whole-tensor nodes.

In: statements of a `Program`, the sizes of the axes. Out: a number of operations for every
equation, by its number; without sizes, a polynomial of them. The rules:

    an elementwise operation     1 for each entry of the result; a function such as exp 10, a root 6
    a sum, a maximum             1 for each entry that goes in
    a matrix product, an einsum  2 for each multiplication with its addition
    a linear system              2/3 of the cube of its size, and 2 for each entry and row
    a gather, a scatter          1 for each entry moved
    views and transpositions     0

A function, a sum or a product that stands in a statement twice is worked out once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

import sympy

from symprop.algebra import build, rows
from symprop.algebra.expr import Expr, Index
from symprop.interpret.evaluate import extent
from symprop.lower import ir
from symprop.lower.amounts import Amount
from symprop.lower.invoke import Invoke, Turns
from symprop.lower.ir import Axes, Node, Statement, Write
from symprop.lower.program import Program
from symprop.lower.scope import INTEGER_ROWS
from symprop.lower.walk import children
from symprop.lower.wanted import running

FUNCTION, ROOT = 10, 6
_PLAIN = (sympy.Abs, sympy.sign, sympy.Max, sympy.Min, sympy.floor, sympy.ceiling)
_FREE = (ir.Number, ir.SizeOf, ir.Infinity, ir.LoopIndex, ir.Arange, ir.Local, ir.Cast,
         ir.Transpose, ir.Reshape, ir.Expand, ir.Copy, ir.Fill)
_LONG = (ir.Call, ir.Reduce, ir.MatMul, ir.TensorDot, ir.Vdot, ir.Einsum, ir.Solve)


def operations(statements: Sequence[Statement], sizes: Mapping[str, int]) -> dict[str, int]:
    """The operations of each equation, for axes of the given sizes; of lines that use other
    blocks, none.

    >>> operations((), {"N": 3})
    {}
    """
    return _counted(statements, lambda size: extent(size, sizes))


def polynomials(statements: Sequence[Statement]) -> dict[str, Expr]:
    """The operations of each equation as a polynomial of the sizes.

    Where a choice is made (of two branches, of an order of products) it is made as it is where
    every named axis has the nominal size.
    """
    return {number: amount.polynomial if isinstance(amount, Amount) else build.number(amount)
            for number, amount in _counted(statements, Amount).items()}


def _counted(statements: Sequence[Statement], size: Callable[[Expr], Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for statement in statements:
        if isinstance(statement, ir.Loop):
            times = size(statement.index.size)
            for number, count in _counted(statement.body, size).items():
                found[number] = found.get(number, 0) + times * count
        elif not isinstance(statement, (ir.Zeros, ir.Allocate, Invoke, Turns)):
            count = _Count(size).statement(statement)
            found[statement.number] = found.get(statement.number, 0) + count
    return found


def backward_operations(program: Program, sizes: Mapping[str, int]) -> dict[str, int]:
    """Those of a backward pass; of a lemma at every use, without what that leaves out."""
    pairs = {pair.number: pair for pair in program.lemmas}
    found: dict[str, int] = {}

    def visit(
        part: Program, gradients: Sequence[str], sizes: Mapping[str, int],
        own: frozenset[str], missing: frozenset[str],
    ) -> None:
        for statement, line, less in running(part, gradients, program.skips, own, missing, pairs):
            if line is None:
                for number, count in operations((statement,), sizes).items():
                    found[number] = found.get(number, 0) + count
                continue
            pair = pairs[line.lemma]
            visit(pair.program, pair.block.gradients, {
                mine: sizes[name] for mine, name in line.sizes},
                program.skips.get(line.lemma, frozenset()), less)

    visit(program, program.system.wrt, sizes, frozenset(), frozenset())
    return found


class _Count:
    """The operations of one statement, each an int or an `Amount` as the sizes are."""

    def __init__(self, size: Callable[[Expr], Any]) -> None:
        self.size = size
        self.done: set[Node] = set()

    def points(self, axes: Iterable[Index]) -> Any:
        """The number of entries over axes."""
        result = 1
        for axis in axes:
            result = result * self.size(axis.size)
        return result

    def statement(self, statement: Write) -> Any:
        """The value, and what it takes to put it in its place."""
        if isinstance(statement, ir.Assign):
            return self.work(statement.node)
        assert isinstance(statement, (ir.Put, ir.Scatter))
        moved = self.points(statement.axes)
        passes = 1 if isinstance(statement, ir.Scatter) else \
            bool(statement.sign) + bool(statement.grid)
        return self.work(statement.value) + passes * moved

    def work(self, node: Node) -> Any:
        """A node and all that is inside it."""
        if isinstance(node, _LONG):
            if node in self.done:
                return 0
            self.done.add(node)
        if isinstance(node, ir.Where) and not node.condition.axes:
            return max(self.work(node.yes), self.work(node.no))
        return self.own(node) + sum(self.work(c) for c in children(node))

    def own(self, node: Node) -> Any:
        """What a node adds to its parts."""
        if isinstance(node, _FREE):
            return 0
        if isinstance(node, ir.View):
            return self.points(node.axes) if node.grid else 0
        if isinstance(node, ir.Sum):
            lone = all(sign < 0 for sign, _ in node.terms)
            return self.in_turn([n.axes for _, n in node.terms]) + lone * self.points(node.axes)
        if isinstance(node, ir.Product):
            return self.in_turn(_operands(node))
        if isinstance(node, ir.Both):
            return self.in_turn([c.axes for c in node.conditions])
        if isinstance(node, ir.Reduce):
            return self.points(node.body.axes)
        if isinstance(node, (ir.MatMul, ir.TensorDot, ir.Vdot)):
            return 2 * self.points({*node.left.axes, *node.right.axes})
        if isinstance(node, ir.Solve):
            size = self.points(node.matrix.axes[-1:])
            return 2 * self.points(node.matrix.axes) * size // 3 + 2 * self.points(node.axes) * size
        if isinstance(node, ir.Einsum):
            return self.contraction([frozenset(n.axes) for n in node.operands], node.axes)
        return self.points(node.axes) * _weight(node)

    def in_turn(self, operands: Sequence[Axes]) -> Any:
        """One operation after the other, each over the axes so far."""
        total: Any = 0
        axes = set(operands[0]) if operands else set()
        for operand in operands[1:]:
            axes |= set(operand)
            total += self.points(axes)
        return total

    def contraction(self, operands: Sequence[frozenset[Index]], out: Axes) -> Any:
        """The cheapest order of pairs."""
        if len(operands) <= 2:
            whole = frozenset().union(*operands)
            twice = len(operands) == 2 and whole != set(out)
            return self.points(whole) * (2 if twice else 1)
        best = None
        for a, b in combinations(range(len(operands)), 2):
            rest = [o for k, o in enumerate(operands) if k not in (a, b)]
            pair = operands[a] | operands[b]
            left = pair & frozenset(out).union(*rest)
            cost = self.points(pair) * (2 if left != pair else 1) + self.contraction(
                [*rest, left], out)
            best = cost if best is None or cost < best else best
        assert best is not None
        return best


def _operands(node: ir.Product) -> list[Axes]:
    """The axes of the operands in the order in which they are multiplied."""
    over, under = ([n.axes for n in side] for side in (node.above, node.below))
    numbers = [a for a in (*over, *under) if not a]
    one: list[Axes] = [()] if node.coef != 1 or not over else []
    return [*one, *numbers, *(a for a in over if a), *(a for a in under if a)]


def _weight(node: Node) -> int:
    """Operations for each entry of the result."""
    if isinstance(node, ir.Power):
        exponent = abs(node.exponent)
        whole = exponent.denominator == 1
        return int(exponent) - 1 + (node.exponent < 0) if whole else ROOT
    if isinstance(node, ir.Call) and node.function not in INTEGER_ROWS:
        return FUNCTION if _transcendental(node.function) else 1
    if isinstance(node, ir.Compare):
        truth = [n for n in (node.left, node.right)
                 if isinstance(n, ir.View) and n.dtype == "bool"]
        return 0 if truth and node.relation == "!=" else 1
    return 1


def _transcendental(function: str) -> bool:
    """Whether a row is more than arithmetic, comparisons and choices."""
    definition = rows.get(function).definition
    inside = definition.atoms(sympy.Function)
    return any(not isinstance(f, (*_PLAIN, sympy.Piecewise)) for f in inside)
