"""Statements of the fast style: one operation a line, each with the place of its result.

In: `Placed` statements of lower/buffers.py. Out: rows for the layout.

    Z = np.matmul(X, W, out=buffer_1)
    Z += b
    A = np.tanh(Z, out=Z)
    del Z
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from symprop.emit.targets.numpy.layout import Row, opened
from symprop.emit.targets.numpy.lines import Lines
from symprop.emit.targets.numpy.nodes import NumpyPrinter
from symprop.lower import ir
from symprop.lower.buffers import LAID, Buffer, Place, Placed, Plan, order_of
from symprop.lower.dtypes import BOOL, FLOAT
from symprop.lower.fast import Fast
from symprop.lower.liveness import Value
from symprop.lower.stepwise import Step
from symprop.lower.ufuncs import FIRST_ALONE, FLOATS, MASKED, Constant, Elementwise, Spelled
from symprop.names import unused
from symprop.syntax.tree import literal, packed, quote, same, state, tree
from symprop.system import Adjoint, Equation

_INFIX: Mapping[str, Any] = {"add": ast.Add, "subtract": ast.Sub, "multiply": ast.Mult,
                             "divide": ast.Div}
_TURNS = ("add", "multiply")
_REDUCING = {"sum": "add", "max": "maximum", "min": "minimum"}


class StepPrinter(NumpyPrinter):
    """Makes trees of single operations too."""

    def _constant(self, node: Constant) -> ast.expr:
        return tree(node.value)

    def _spelled(self, node: Spelled) -> ast.expr:
        args = {letter: self.spread(a, node.axes)
                for letter, a in zip("xyz", node.args, strict=False)}
        return quote(node.template, **args, **self.helper_names)

    def _elementwise(self, node: Elementwise) -> ast.expr:
        args = [self.spread(a, node.axes) for a in node.args]
        if node.name == FLOATS:
            return self.target.spell("cast", x=args[0], dtype=self.dtype)
        if node.name in _INFIX:
            return ast.BinOp(args[0], _INFIX[node.name](), args[1])
        return quote(f"{_called(node)}({{x}})", x=args)

    def into(self, node: ir.Node, out: ast.expr, rowwise: bool) -> ast.expr:
        """An operation that writes into an array, which it returns; one that lies row by row?"""
        if isinstance(node, Elementwise) and node.name == FLOATS:
            return quote("np.positive({x}.view(np.int8), out={out}, dtype={d})", out=out,
                         x=self.spread(node.args[0], node.axes), d=self.dtype)
        if isinstance(node, Elementwise):
            return quote(f"{_called(node)}({{x}}, out={{out}})", out=out,
                         x=[self.spread(a, node.axes) for a in node.args])
        found = self.tree(node)
        if isinstance(found, ast.BinOp) and isinstance(found.op, ast.MatMult):
            plain = isinstance(node, ir.MatMul) and len(node.left.axes) == 2 == len(node.right.axes)
            # For two matrices np.dot is half the cost of a call; it writes into rows only.
            product = "dot" if plain and rowwise else "matmul"
            return quote(f"np.{product}({{x}}, {{y}}, out={{out}})", x=found.left, y=found.right,
                         out=out)
        assert isinstance(found, ast.Call)
        keywords = [*found.keywords, ast.keyword("out", out)]
        method = found.func
        if isinstance(node, ir.Reduce) and isinstance(method, ast.Attribute) and not found.args:
            ufunc = _REDUCING[node.kind]  # what the method calls, by way of Python
            return ast.Call(quote(f"np.{ufunc}.reduce"), [method.value], keywords)
        return ast.Call(found.func, found.args, keywords)


def _called(node: Elementwise) -> str:
    """A ufunc of NumPy, or a helper of the module."""
    return node.name if node.name == MASKED else f"np.{node.name}"


class StepLines(Lines):
    """Writes statements of single operations."""

    by_number = True
    lasting = False  # whether buffers are those of a workspace, if the caller has one
    consume = ""  # the name of the flag by which a caller gives up what is saved

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.buffers: dict[int, str] = {}
        self.same_names: dict[Value, str] = {}
        self.gone: set[str] = set()  # what the function at hand has deleted

    def rows(self, statements: Sequence[ir.Statement]) -> list[Row]:
        """As there; each function deletes for itself."""
        self.gone = set()
        return super().rows(statements)

    def both(
        self, forward: Sequence[ir.Statement], backward: Sequence[ir.Statement]
    ) -> tuple[list[Row], list[Row]]:
        """With the buffers of a workspace."""
        self.lasting, self.calls.workspace = True, self.names.own["workspace"]
        first = self.rows(forward)
        self.consume = self.names.own["consume"]
        second = self.rows(backward)
        self.lasting, self.consume, self.calls.workspace = False, "", ""
        return first, second

    def call_rows(
        self, functions: tuple[str, str], plans: tuple[Plan, Plan]
    ) -> list[list[Row]]:
        """How the two functions of a lemma come by theirs: some last, some are for one call."""
        found = []
        for function, plan in zip(functions, plans, strict=True):
            lasting = [b for b in plan.buffers if b not in plan.spare]
            passing = [b for b in plan.buffers if b in plan.spare]
            found.append(self._rows_of(
                [*lasting, *passing], "of_call", function, self._wanted(lasting),
                self._wanted(passing)))
        return found

    def buffer_rows(self, plans: Fast) -> list[list[Row]]:
        """How forward and backward come by their buffers."""
        return [self._rows_of(b, "arrays", f, self._wanted(b))
                for f, b in (("forward", plans.forward), ("backward", plans.backward))]

    def _wanted(self, buffers: Sequence[Buffer]) -> ast.expr:
        """The numbers, shapes and dtypes of buffers."""
        dtype = {FLOAT: tree(self.printer.dtype), BOOL: quote("np.bool_")}
        return packed(packed([tree(b.number), self.printer.shape(b.shape), dtype[b.holds]])
                      for b in buffers)

    def _rows_of(
        self, buffers: Sequence[Buffer], method: str, function: str, *wanted: ast.expr
    ) -> list[Row]:
        """buffer_1, buffer_2 = (None,) * 2 if there is no workspace, else those that it keeps."""
        if not buffers:
            return []
        sizes = sorted({n.id for w in wanted for n in ast.walk(w) if isinstance(n, ast.Name)}
                       - {"np", self.printer.dtype})
        return [Row(state(
            f"{{names}} = (None,) * {{count}} if {{w}} is None else {{w}}.{method}({{x}})",
            names=packed(map(self.buffer, buffers)), count=len(buffers),
            w=self.names.own["workspace"], x=[
                literal(function), packed([*sizes, self.printer.dtype]),
                *(quote("lambda: {w}", w=w) for w in wanted)]))]

    def _write(self, statement: ir.Write, depth: int) -> list[Row]:
        if not isinstance(statement, Placed):
            return super()._write(statement, depth)
        equation = self.by_array[statement.array]
        self._prepare(equation)
        called = dict(statement.called)
        self.same_names |= {(statement.array, label): name for label, name in statement.called}
        names: dict[str, ast.expr] = {}
        for step, place in zip(statement.steps, statement.places, strict=True):
            names[step.label] = self._target(statement.array, statement.at) \
                if place.kind == "entry" else self._called(
                    equation, called.get(step.label, step.label))
        self.printer.locals = names  # type: ignore[assignment]
        found: list[ast.stmt] = []
        bound: set[str] = set()
        for step, place in zip(statement.steps, statement.places, strict=True):
            found += self._step(step, place, names[step.label], bound)
        found += self._last(statement, equation)
        quiet = statement.quiet and bool(found)
        rows = [Row(s, depth=depth + quiet) for s in found]
        if quiet:
            head = opened(self.printer.target.do("quiet"))
            rows = [Row(head, depth=depth, remark="only finite entries are used"), *rows]
        if rows and statement.array != self.noted:
            rows[0] = replace(rows[0], note=self._note(equation))
            self.noted = statement.array
        gone = [n for n in dict.fromkeys(map(self._value, statement.dropped))
                if n not in self.gone]
        if depth == 0 and gone:
            self.gone.update(gone)
            rows.append(Row(ast.Delete([ast.Name(n, ast.Del()) for n in gone])))
        return rows

    def _called(self, equation: Equation | Adjoint, label: str) -> ast.expr:
        return tree(self._local(equation, label) if label else self.printer.name(equation.array))

    def _value(self, value: Value) -> str:
        """The name of a value of an earlier statement."""
        array, label = value
        label = self.same_names.get(value, label)
        return self.locals[array, label] if label else self.printer.name(array)

    # ---- steps ------------------------------------------------------------------------------

    def _step(
        self, step: Step, place: Place, name: ast.expr, bound: set[str]
    ) -> list[ast.stmt]:
        node, own = step.node, isinstance(name, ast.Name) and name.id in bound
        if isinstance(name, ast.Name):
            bound.add(name.id)
        if isinstance(node, Elementwise) and node.name in FIRST_ALONE:
            return [self._chosen(node, name)]
        assert isinstance(self.printer, StepPrinter)
        out = self._out(place, name)
        if out is None:
            return [state("{y} = {x}", y=name, x=self.printer.tree(node))]
        if isinstance(node, Elementwise) and node.name == "positive" and same(
                self.printer.spread(node.args[0], node.axes), out):
            return [] if same(out, name) else [state("{y} = {x}", y=name, x=out)]
        if isinstance(node, Elementwise) and own and same(out, name):
            first, *rest = [self.printer.spread(a, node.axes) for a in node.args]
            if node.name in _TURNS and same(rest[0], name):
                first, rest = rest[0], [first]
            if node.name in _INFIX and same(first, name):
                return [ast.AugAssign(ast.Name(name.id, ast.Store()), _INFIX[node.name](),  # type: ignore[attr-defined]
                                      rest[0])]
        found = self.printer.into(node, out, place.rowwise or place.kind == "entry")
        if place.kind == "entry" or (own and same(out, name)):
            return [ast.Expr(found)]
        return [state("{y} = {x}", y=name, x=found)]

    def _chosen(self, node: Elementwise, name: ast.expr) -> ast.stmt:
        """The first operand, with the third written over it where a condition says so."""
        condition, other = (self.printer.spread(a, node.axes) for a in node.args[1:])
        if node.name == "unless" and not node.args[1].axes:
            condition = ast.UnaryOp(ast.Not(), condition)
        elif node.name == "unless":
            condition = ast.UnaryOp(ast.Invert(), condition)
        return state("np.copyto({x}, {y}, where={c})", x=name, y=other, c=condition)

    def _out(self, place: Place, name: ast.expr) -> ast.expr | None:
        """Where a result is written; None where NumPy makes an array."""
        if place.kind == "entry":
            return name
        if place.kind == "over":
            assert place.over is not None
            return tree(self._value(place.over))
        kept = tree(self.buffer(place.buffer)) if self.lasting and place.buffer else None
        if place.kind == "saved":
            assert place.over is not None
            return quote("{x} if {c} else {b}", x=self._value(place.over), c=self.consume,
                         b=kept or tree(None))
        return kept

    def buffer(self, buffer: Buffer) -> str:
        """The name of a buffer."""
        if buffer.number not in self.buffers:
            self.buffers[buffer.number] = unused(f"buffer_{buffer.number}", self.names.taken)
            self.names.taken.add(self.buffers[buffer.number])
        return self.buffers[buffer.number]

    # ---- what then writes into an array -----------------------------------------------------

    def _last(self, statement: Placed, equation: Equation | Adjoint) -> list[ast.stmt]:
        last = statement.last
        if last is None:
            return []
        target = self._target(statement.array, statement.at)
        if isinstance(last, ir.Allocate | ir.Zeros):
            return self._started(statement, last)
        if isinstance(last, ir.Assign):
            value = self.printer.tree(last.node)
            return [] if same(value, target) else [
                self._assigned(statement.array, statement.at, value)]
        if isinstance(last, ir.Scatter):
            return [self._scatter(last, last.value, target)]
        return self._put(last, last.value, equation)

    def _started(self, statement: Placed, last: ir.Allocate | ir.Zeros) -> list[ast.stmt]:
        """An array that later statements fill; it may be a look at memory in another order."""
        name, zero = tree(self.printer.name(last.array)), isinstance(last, ir.Zeros)
        if statement.at is not None:
            return [self._assigned(last.array, statement.at, tree(0))]
        order = order_of(last)
        shape = tuple(last.shape[k] for k in order) or last.shape
        memory = tree(self._local(self.by_array[last.array], LAID)) if order else name
        out = self._out(statement.start, memory) if statement.start is not None else None
        if out is None:
            kind = "zeros" if zero else "empty"
            found = [state("{y} = {x}", y=memory, x=self.printer.zeros(shape, kind))]
        else:
            assert statement.start is not None
            if statement.start.kind != "over":
                made = self.printer.zeros(shape, "empty")
                out = quote("{made} if {out} is None else {out}", made=made, out=out)
            found = [state("{y} = {x}", y=memory, x=out),
                     *([state("{y}.fill(0)", y=memory)] if zero else [])]
        if order:
            turned = self.printer.target.spell("transpose", x=memory, order=[
                tree(order.index(k)) for k in range(len(order))])
            found.append(state("{y} = {x}", y=name, x=turned))
        return found
