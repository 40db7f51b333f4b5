"""Whole-tensor nodes as Python trees, by the table of a target.

In: nodes of lower/ir.py, the names that arrays have in code. Out: expressions. Operands
are broadcast by their labels: r over (n,) beside X over (n, d) is written r[:, None].
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from symprop.algebra import rows
from symprop.algebra.expr import Expr, Index
from symprop.emit.targets.numpy.numerals import numeral, written
from symprop.emit.targets.numpy.views import WHOLE, ViewPrinter
from symprop.errors import UnsupportedError
from symprop.lower import ir
from symprop.lower.dtypes import SCALAR, flavour, guards
from symprop.lower.extrema import Determinant
from symprop.lower.graded import raises
from symprop.lower.ir import Axes, Node
from symprop.lower.slabs import Entry
from symprop.syntax.layout import ATOM, precedence
from symprop.syntax.tree import (
    Value,
    both,
    literal,
    minus,
    named,
    over,
    packed,
    plus,
    product,
    quote,
    root,
    same,
    tree,
)

NONE = ast.Constant(None)
_TURNED = {"<": ">", "<=": ">="}


@dataclass
class NumpyPrinter(ViewPrinter):
    """Makes trees of nodes."""

    dtype: str = "dtype"
    holds: str = "float"  # what the array of the equation at hand holds
    helper_names: Mapping[str, str] = field(default_factory=dict)
    locals: Mapping[str, str] = field(default_factory=dict)  # labels of shares -> names in code

    # ---- entry points ---------------------------------------------------------------------

    def tree(self, node: Node) -> ast.expr:
        """The tree of a node."""
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise UnsupportedError(f"no NumPy text for {type(node).__name__}")
        result: ast.expr = method(node)
        return result

    def spread(self, node: Node, axes: Axes) -> ast.expr:
        """The tree of a node, with None for the axes that it lacks (leading ones need none)."""
        if not node.axes or node.axes == axes[len(axes) - len(node.axes):]:
            return self.tree(node)
        if isinstance(node, ir.Reduce) and node.body.axes == axes:
            return self._reduced(node, keep=True)
        if isinstance(node, ir.Where) and not node.condition.axes and guards(node.condition):
            return quote("{yes} if {test} else {no}", test=self.tree(node.condition),
                         yes=self.spread(node.yes, axes), no=self.spread(node.no, axes))
        if isinstance(node, ir.View) and self._broadcasts(node, axes):
            return tree(self.name(node.array))
        marks = [WHOLE if a in node.axes else NONE for a in axes]
        while marks[0] is NONE:
            marks.pop(0)
        return quote("{x}[{marks}]", x=self.tree(node), marks=marks)

    def _broadcasts(self, view: ir.View, axes: Axes) -> bool:
        """Whether the array as it stands has axes of size 1 where the view lacks an axis."""
        shape = self.shape_of(view.array)
        if view.grid or view.pads or view.shape or (
            len(shape) != len(view.subscripts) or len(shape) > len(axes)
        ):
            return False
        labels = iter(view.axes)
        for subscript, size, axis in zip(
            view.subscripts, shape, axes[len(axes) - len(shape):], strict=True
        ):
            unit = isinstance(subscript, ir.At) and size.number == 1
            if not unit and not (isinstance(subscript, ir.Whole) and next(labels) is axis):
                return False
        return True

    # ---- leaves ---------------------------------------------------------------------------

    def _number(self, node: ir.Number) -> ast.expr:
        return self._written(node.value)

    def _written(self, value: Fraction) -> ast.expr:
        return written(value, self.system.numbers, self.target)

    def _sizeof(self, node: ir.SizeOf) -> ast.expr:
        return self.size(node.size)

    def _infinity(self, node: ir.Infinity) -> ast.expr:
        return self.target.spell("infinity")

    def _loopindex(self, node: ir.LoopIndex) -> ast.expr:
        return self.size(node.position)

    def _arange(self, node: ir.Arange) -> ast.expr:
        count = self.size(node.axes[0].size)
        if node.integer:
            return self.target.spell("positions", count=count)
        return self.target.spell("numbers", count=count, dtype=self.dtype)

    def _view(self, node: ir.View) -> ast.expr:
        return self.view(node)

    def _local(self, node: ir.Local) -> ast.expr:
        return tree(self.locals[node.label])

    def _entry(self, node: Entry) -> ast.expr:
        place = node.body.axes.index(node.axis)
        last = place == len(node.axes)
        marks = [tree(...)] if last and place > 1 else [WHOLE] * place
        return quote("{x}[{marks}]", x=self.tree(node.body), marks=[*marks, tree(node.position)])

    def _copy(self, node: ir.Copy) -> ast.expr:
        return self.target.spell("copy", x=self.tree(node.body))

    # ---- arithmetic -----------------------------------------------------------------------

    def _sum(self, node: ir.Sum) -> ast.expr:
        ordered = sorted(node.terms, key=lambda t: t[0] < 0) if node.terms[0][0] < 0 \
            else list(node.terms)
        found: ast.expr | None = None
        for sign, term in ordered:
            part = self.spread(term, node.axes)
            if found is None:
                found = part if sign > 0 else minus(part)
            else:
                found = plus(found, part) if sign > 0 else ast.BinOp(found, ast.Sub(), part)
        assert found is not None
        return found

    def _product(self, node: ir.Product) -> ast.expr:
        if node.coef == -1 and len(node.above) == 1 and not node.below:
            return ast.UnaryOp(ast.USub(), self.spread(node.above[0], node.axes))
        scalars = [n for n in node.above if not n.axes]
        arrays = [self.spread(n, node.axes) for n in node.above if n.axes]
        coef, under = node.coef, [n for n in node.below if not n.axes]
        sizes = [quote("{x} or np.nan", x=self.tree(n)) if raises(n, node) else self.tree(n)
                 for n in under if flavour(n) == SCALAR]
        if sizes and coef.numerator == 1 and 1 < coef.denominator <= 16:  # E / (2 * N)
            coef, sizes = Fraction(1), [tree(coef.denominator), *sizes]
        if coef.numerator == 1 and coef != 1 and len(node.above) == len(scalars) == 1 and not (
                node.below) and isinstance(scalars[0], ir.SizeOf):
            return over(self.tree(scalars[0]), [tree(coef.denominator)])
        head = [self.tree(n) for n in scalars]
        divisors = [product(sizes)] * bool(sizes)
        divisors += [self.tree(n) for n in under if flavour(n) != SCALAR]
        if coef == -1 and head:  # the sign belongs to the first factor
            head[0] = ast.UnaryOp(ast.USub(), head[0])
        elif coef == -1 and arrays and not divisors:
            arrays[0] = ast.UnaryOp(ast.USub(), arrays[0])
        elif coef != 1:
            head.insert(0, self._written(coef))
        if head or not arrays:
            arrays, divisors = [over(product(head), divisors), *arrays], []
        result = over(product(arrays), divisors)
        return over(result, [self.spread(n, node.axes) for n in node.below if n.axes])

    def _power(self, node: ir.Power) -> ast.expr:
        exponent, base = node.exponent, self.tree(node.base)
        if flavour(node.base) == SCALAR:  # np.sqrt(D) is a float64 that widens float32
            return ast.BinOp(base, ast.Pow(), numeral(exponent))
        if exponent == Fraction(1, 2):
            return self.target.spell("root", x=base)
        if exponent.denominator == 1 and 2 <= exponent <= 4 and named(base):
            return product([base] * int(exponent))
        if exponent == 2:
            return self.target.spell("square", x=base)
        return ast.BinOp(base, ast.Pow(), numeral(exponent))

    def _call(self, node: ir.Call) -> ast.expr:
        args: dict[str, Value] = {
            letter: self.spread(a, node.axes) for letter, a in zip("xyz", node.args, strict=False)}
        if node.function in ("floordiv", "mod"):
            return quote("{x} // {y}" if node.function == "floordiv" else "{x} % {y}", **args)
        spelling = rows.numpy_template(node.function)
        found = quote(spelling, **args, **{
            h: self.helper_names.get(h, h) for h in rows.helpers_in(spelling)})
        return quote("float({x})", x=found) if flavour(node) == SCALAR and node.args else found

    # ---- conditions -----------------------------------------------------------------------

    def _compare(self, node: ir.Compare) -> ast.expr:
        truth = self._truth(node)
        if truth is not None:
            return truth
        size = self._diagonal(node)
        if size is not None:
            return self.target.spell("identity", size=size, dtype="bool")
        left, right = (self.spread(n, node.axes) for n in (node.left, node.right))
        if isinstance(node.left, ir.Number) and node.relation in _TURNED:
            return quote(f"{{x}} {_TURNED[node.relation]} {{y}}", x=right, y=left)
        return quote(f"{{x}} {node.relation} {{y}}", x=left, y=right)

    def _diagonal(self, node: Node) -> ast.expr | None:
        """The size of the matrix [i = j]; None for any other node."""
        if not isinstance(node, ir.Compare) or node.relation != "==" or len(node.axes) != 2:
            return None
        plain = all(isinstance(n, ir.Arange) for n in (node.left, node.right))
        first, second = (self.size(a.size) for a in node.axes)
        return first if plain and same(first, second) else None

    def _truth(self, node: ir.Compare) -> ast.expr | None:
        """M or ~M for a boolean array that is compared with 0."""
        view, zero = node.left, node.right
        if not isinstance(view, ir.View):
            view, zero = zero, view
        if not (isinstance(view, ir.View) and view.dtype == "bool" and isinstance(zero, ir.Number)
                and zero.value == 0 and node.relation in ("==", "!=")):
            return None
        found = self.spread(view, node.axes)
        if node.relation == "!=":
            return found
        return ast.UnaryOp(ast.Invert() if view.axes else ast.Not(), found)

    def _both(self, node: ir.Both) -> ast.expr:
        parts = [self.spread(c, node.axes) for c in node.conditions]
        if not node.axes:
            return both(parts)
        found, *rest = parts
        for part in rest:
            found = ast.BinOp(found, ast.BitAnd(), part)
        return found

    def _where(self, node: ir.Where) -> ast.expr:
        lazy = not node.condition.axes and (not node.axes or guards(node.condition))
        test = self.tree(node.condition) if lazy else self.spread(node.condition, node.axes)
        yes, no = (self.spread(n, node.axes) for n in (node.yes, node.no))
        return ast.IfExp(test, yes, no) if lazy else self.target.spell(
            "choice", test=test, yes=yes, no=no)

    def _cast(self, node: ir.Cast) -> ast.expr:
        if not node.axes:
            return quote("int({x})" if node.whole else "float({x})", x=self.tree(node.body))
        if node.whole:
            return self.target.spell("cast", x=self.tree(node.body), dtype="int")
        size = self._diagonal(node.body)
        if size is not None:
            return self.target.spell("identity", size=size, dtype=self.dtype)
        return self.target.spell("cast", x=self.tree(node.body), dtype=self.dtype)

    # ---- reductions and products ------------------------------------------------------------

    def _reduce(self, node: ir.Reduce) -> ast.expr:
        return self._reduced(node, keep=False)

    def _reduced(self, node: ir.Reduce, keep: bool) -> ast.expr:
        gone = [k for k, a in enumerate(node.body.axes) if a not in node.axes]
        last = None
        short = node.body.axes[gone[-1]].size.number  # runs of so few entries are slow: last
        if not keep and node.axes and gone[-1] - gone[0] >= len(gone) and short and short <= 8:
            last = gone.pop() - len(gone)
        options = {} if not node.axes else {
            "axis": literal(gone[0] if len(gone) == 1 else tuple(gone))}
        if keep:
            options["keepdims"] = tree(True)
        body = node.body
        if isinstance(body, ir.Cast) and node.kind == "sum":  # no copy of the mask itself
            body, options["dtype"] = body.body, tree(self.dtype)
        found = self.tree(body)
        method = precedence(found) == ATOM and root(found) != "np"
        call = quote(f"{{x}}.{node.kind}()", x=found) if method else \
            self.target.spell(node.kind, x=found)
        assert isinstance(call, ast.Call)
        call.keywords = [ast.keyword(k, v) for k, v in options.items()]
        return call if last is None else quote(
            f"{{x}}.{node.kind}(axis={{axis}})", x=call, axis=last)

    def _matmul(self, node: ir.MatMul) -> ast.expr:
        return ast.BinOp(self.tree(node.left), ast.MatMult(), self.tree(node.right))

    def _tensordot(self, node: ir.TensorDot) -> ast.expr:
        axes = tuple(tuple(n.axes.index(i) for i in node.over) for n in (node.left, node.right))
        return self.target.spell("tensordot", x=self.tree(node.left), y=self.tree(node.right),
                                 axes=literal(axes))

    def _vdot(self, node: ir.Vdot) -> ast.expr:
        return self.target.spell("vdot", x=self.tree(node.left), y=self.tree(node.right))

    def _solve(self, node: ir.Solve) -> ast.expr:
        if node.right is None:
            return self.target.spell("inverse", x=self.tree(node.matrix))
        row = node.matrix.axes[-2]
        stack = node.axes[:node.axes.index(row)]
        vectors = node.axes[-1] is row and bool(stack)  # they would be taken for a matrix
        matrix = self._stacked(node.matrix, (*stack, *node.matrix.axes[-2:]))
        right = self._stacked(node.right, node.axes, [NONE] * vectors)
        found = self.target.spell("solve", x=matrix, y=right)
        return quote("{x}[..., 0]", x=found) if vectors else found

    def _determinant(self, node: Determinant) -> ast.expr:
        return quote(node.template, x=self.tree(node.matrix), **{
            h: self.helper_names.get(h, h) for h in rows.helpers_in(node.template)})

    def _stacked(self, node: Node, axes: Axes, after: list[ast.Constant] | None = None) -> ast.expr:
        """A node with None for all axes that it lacks, leading ones too."""
        marks = [*(WHOLE if a in node.axes else NONE for a in axes), *(after or ())]
        found = self.tree(node)
        return quote("{x}[{marks}]", x=found, marks=marks) if NONE in marks else found

    def _einsum(self, node: ir.Einsum) -> ast.expr:
        marks = self._einsum_letters(node)
        inside = ",".join("".join(marks[i] for i in n.axes) for n in node.operands)
        places = literal(f'{inside}->{"".join(marks[i] for i in node.axes)}')
        return self.target.spell("long einsum" if len(node.operands) > 2 else "einsum",
                                 places=places, operands=[self.tree(n) for n in node.operands])

    def _einsum_letters(self, node: ir.Einsum) -> dict[Index, str]:
        marks: dict[Index, str] = {}
        spare = [c for c in "ijklmnopqrstuvwxyzabcdefgh" if c not in self.letters.values()]
        for index in dict.fromkeys(i for n in node.operands for i in n.axes):
            wish = self.letters.get(index.uid, "")
            if len(wish) != 1 or not wish.isascii() or wish in marks.values():
                wish = next(c for c in spare if c not in marks.values())
            marks[index] = wish
        return marks

    def _transpose(self, node: ir.Transpose) -> ast.expr:
        body = self.tree(node.body)
        if len(node.axes) == 2:
            return self.target.spell("matrix transpose", x=body)
        return self.target.spell("transpose", x=body,
                                 order=[tree(node.body.axes.index(a)) for a in node.axes])

    def _reshape(self, node: ir.Reshape) -> ast.expr:
        sizes = [self.size(a.size) for a in node.axes]
        mixed = [k for k, size in enumerate(sizes) if ast.Mult in _operators(size)
                 and _operators(size) & {ast.Add, ast.Sub}]
        if len(mixed) == 1:  # N * (Y - 4) multiplied out: what is left
            sizes[mixed[0]] = tree(-1)
        return self.target.spell("reshape", x=self.tree(node.body), sizes=sizes)

    def _repeat(self, node: ir.Repeat) -> ast.expr:
        body, count = self.tree(node.body), self.size(node.count)
        place = node.body.axes.index(node.part)
        if node.each:
            return self.target.spell("repeat", x=body, count=count, axis=place)
        after = [tree(1)] * (len(node.axes) - place - 1)
        return self.target.spell("tile", x=body, count=packed([count, *after]) if after else count)

    def _running(self, node: ir.Running) -> ast.expr:
        found, place = self.tree(node.body), node.body.axes.index(node.along)
        steps = ["flip"] * node.before + ["running sum"] + ["flip"] * node.after
        for step in steps:
            found = self.target.spell(step, x=found, axis=place)
        return found

    def _fill(self, node: ir.Fill) -> ast.expr:
        if not node.axes:
            return self.target.spell("scalar", dtype=self.dtype, x=self.tree(node.body))
        shape = tuple(a.size for a in node.axes)
        if isinstance(node.body, ir.Number) and node.body.value == 0:
            return self.zeros(shape)
        if not node.body.axes:
            return self.target.spell("full", shape=self.shape(shape), x=self.tree(node.body),
                                     dtype=self.element())
        return self.target.spell("broadcast", shape=self.shape(shape),
                                 x=self.spread(node.body, node.axes))

    def element(self) -> str:
        """The dtype of the array of the equation at hand."""
        return self.holds if self.holds != "float" else self.dtype

    def zeros(self, shape: tuple[Expr, ...], kind: str = "zeros") -> ast.expr:
        """An array of zeros, or an empty one."""
        return self.target.spell(kind, shape=self.shape(shape), dtype=self.element())

    def _expand(self, node: ir.Expand) -> ast.expr:
        body = self.tree(node.body)
        if not node.body.axes:
            return self.target.spell("unit", x=body, shape=literal((1,) * len(node.axes)))
        marks = [WHOLE if a in node.body.axes else NONE for a in node.axes]
        return quote("{x}[{marks}]", x=body, marks=marks)


def _operators(item: ast.expr) -> set[type]:
    return {type(n) for n in ast.walk(item) if isinstance(n, ast.operator)}
