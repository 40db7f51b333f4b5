"""Whole-tensor nodes as NumPy text.

In: nodes of lower/ir.py, the names that arrays have in code. Out: expressions. Operands
are broadcast by their labels: r over (n,) beside X over (n, d) is written r[:, None].
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from symprop.algebra import rows
from symprop.algebra.build import add, mul, number, sub
from symprop.algebra.canonical import normal, same
from symprop.algebra.expr import ADJOINT, Access, Apply, Expr, Idx, Index, Paren, Size, Term
from symprop.errors import UnsupportedError
from symprop.lower import ir
from symprop.lower.ir import Axes, Node
from symprop.system import System

ATOM, POWER, UNARY, PRODUCT, SUM, LOOSE = 5, 4, 3, 2, 1, 0
_PRECEDENCE = {"atom": ATOM, "power": POWER, "unary": UNARY, "product": PRODUCT, "sum": SUM}
_NAME = re.compile(r"[A-Za-z_]\w*(\[t( [+-] \d+)?\])?")
Text = tuple[str, int]


@dataclass
class NumpyPrinter:
    """Prints nodes; notes what the module must define for them."""

    system: System
    names: Mapping[str, str]  # arrays and adjoints -> names in code
    sizes: Mapping[str, str]  # axes -> names in code
    letters: Mapping[int, str] = field(default_factory=dict)
    dtype: str = "dtype"
    uses_dtype: bool = False
    helpers: dict[str, None] = field(default_factory=dict)
    helper_names: Mapping[str, str] = field(default_factory=dict)

    # ---- entry points ---------------------------------------------------------------------

    def text(self, node: Node) -> str:
        """The text of a node."""
        return self._print(node)[0]

    def within(self, node: Node, least: int) -> str:
        """The text, in parentheses when it binds less tightly than `least`."""
        text, binds = self._print(node)
        return text if binds >= least else f"({text})"

    def spread(self, node: Node, axes: Axes, least: int = LOOSE) -> str:
        """The text of a node, with None for the axes that it lacks (leading ones need none)."""
        if not node.axes or node.axes == axes[len(axes) - len(node.axes):]:
            return self.within(node, least)
        if isinstance(node, ir.Reduce) and node.body.axes == axes:
            return self._reduced(node, keep=True)
        if isinstance(node, ir.View) and self._broadcasts(node, axes):
            return self.name(node.array)
        marks = [":" if a in node.axes else "None" for a in axes]
        while marks[0] == "None":
            marks.pop(0)
        return f"{self.within(node, ATOM)}[{', '.join(marks)}]"

    def _broadcasts(self, view: ir.View, axes: Axes) -> bool:
        """Whether the array as it stands has axes of size 1 where the view lacks an axis."""
        shape = self.system.arrays[view.array.removeprefix(ADJOINT)].shape
        if view.grid or len(shape) != len(view.subscripts) or len(shape) > len(axes):
            return False
        labels = iter(view.axes)
        for subscript, size, axis in zip(view.subscripts, shape, axes[-len(shape):], strict=True):
            unit = isinstance(subscript, ir.At) and size.number == 1
            if not unit and not (isinstance(subscript, ir.Whole) and next(labels) is axis):
                return False
        return True

    def _print(self, node: Node) -> Text:
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise UnsupportedError(f"no NumPy text for {type(node).__name__}")
        result: Text = method(node)
        return result

    # ---- leaves ---------------------------------------------------------------------------

    def _number(self, node: ir.Number) -> Text:
        text = literal(node.value)
        return text, ATOM if node.value >= 0 and "/" not in text else UNARY

    def _sizeof(self, node: ir.SizeOf) -> Text:
        return self.size(node.size)

    def _infinity(self, node: ir.Infinity) -> Text:
        return "np.inf", ATOM

    def _loopindex(self, node: ir.LoopIndex) -> Text:
        return self.size(node.position)

    def _arange(self, node: ir.Arange) -> Text:
        count = self.size(node.axes[0].size)[0]
        if node.integer:
            return f"np.arange({count})", ATOM
        self.uses_dtype = True
        return f"np.arange({count}, dtype={self.dtype})", ATOM

    def _view(self, node: ir.View) -> Text:
        inside = self.subscripts(node.array, node.subscripts, node.grid)
        return self.name(node.array) + inside, ATOM

    def name(self, array: str) -> str:
        """The name of an array in code."""
        return self.names[array]

    def subscripts(
        self, array: str, subscripts: tuple[ir.Subscript, ...], grid: Axes, full: bool = False
    ) -> str:
        """[...] of a view, without trailing whole axes (unless `full`)."""
        shape = self.system.arrays[array.removeprefix(ADJOINT)].shape
        parts = [self._subscript(s, size, grid)
                 for s, size in zip(subscripts, shape[-len(subscripts):] if subscripts else (),
                                    strict=False)]
        while parts and parts[-1] == ":" and not full:
            parts.pop()
        return f"[{', '.join(parts)}]" if parts else ""

    def _subscript(self, item: ir.Subscript, size: Expr, grid: Axes) -> str:
        if isinstance(item, ir.Whole):
            return ":"
        if isinstance(item, ir.At):
            return self.size(item.position)[0]
        if isinstance(item, ir.Grid):
            text = self.spread(item.positions, grid)
            if item.size is None:
                return text
            top = self.size(normal(sub(item.size, number(1))))[0]
            return f"np.clip({text}, 0, {top})"
        return self._stretch(item, size)

    def _stretch(self, item: ir.Stretch, size: Expr) -> str:
        if item.step < 0:
            start, count = self.size(item.start), self.size(item.count)[0]
            return f"{start[0]} + {item.step} * np.arange({count})"
        last = add(item.start, mul(sub(item.count, number(1)), number(item.step)))
        stop = normal(add(last, number(1)))
        begin = "" if item.start.number == 0 else self.size(item.start)[0]
        end = "" if same(stop, size) else self.size(stop)[0]
        return f"{begin}:{end}" + (f":{item.step}" if item.step != 1 else "")

    # ---- sizes ----------------------------------------------------------------------------

    def size(self, expr: Expr) -> Text:
        """Integer arithmetic on sizes and the loop's index."""
        if not expr.terms:
            return "0", ATOM
        ordered = sorted(expr.terms, key=lambda t: t.coef < 0)
        parts = []
        for k, term in enumerate(ordered):
            text = self._size_term(term)
            sign = "-" if term.coef < 0 else "+"
            parts.append(text if k == 0 and sign == "+" else f"-{text}" if k == 0
                         else f" {sign} {text}")
        if len(parts) > 1:
            return "".join(parts), SUM
        return parts[0], ATOM if re.fullmatch(r"\w+", parts[0]) else PRODUCT

    def _size_term(self, term: Term) -> str:
        factors = []
        coef = abs(term.coef)
        if coef.numerator != 1 or not term.factors:
            factors.append(str(coef.numerator))
        below = [str(coef.denominator)] if coef.denominator != 1 else []
        for item, exponent in term.factors:
            text = self._size_atom(item)
            if isinstance(exponent, int):
                (factors if exponent > 0 else below).extend([text] * abs(exponent))
            else:
                factors.append(f"{text}**{literal(Fraction(exponent))}")
        top = " * ".join(factors) or "1"
        return top if not below else f"{top} // {' // '.join(below)}"

    def _size_atom(self, item: object) -> str:
        if isinstance(item, Size):
            return self.sizes[item.name]
        if isinstance(item, Idx):
            return self.letters.get(item.index.uid, item.index.letter)
        if isinstance(item, Paren):
            return f"({self.size(item.body)[0]})"
        if isinstance(item, Apply):
            mark = "//" if item.function == "floordiv" else "%"
            left, right = (self._size_operand(a) for a in item.args)
            return f"({left} {mark} {right})"
        if isinstance(item, Access) and not item.indices:
            return self.names[item.array]
        raise UnsupportedError(f"{item} is no size")

    def _size_operand(self, expr: Expr) -> str:
        text, binds = self.size(expr)
        return text if binds == ATOM else f"({text})"

    # ---- arithmetic -----------------------------------------------------------------------

    def _sum(self, node: ir.Sum) -> Text:
        ordered = sorted(node.terms, key=lambda t: t[0] < 0) if node.terms[0][0] < 0 \
            else list(node.terms)
        text = ""
        for sign, term in ordered:
            least = SUM if sign > 0 else PRODUCT
            printed = self.spread(term, node.axes, least)
            if not text:
                text = printed if sign > 0 else f"-{self.spread(term, node.axes, PRODUCT)}"
            else:
                text += f" {'+' if sign > 0 else '-'} {printed}"
        return text, SUM

    def _product(self, node: ir.Product) -> Text:
        if node.coef == -1 and len(node.above) == 1 and not node.below:
            return f"-{self.spread(node.above[0], node.axes, UNARY)}", UNARY
        scalars = [n for n in node.above if not n.axes]
        arrays = [n for n in node.above if n.axes]
        under = [n for n in node.below if not n.axes]
        below = [n for n in node.below if n.axes]
        coef = node.coef
        head = [self.within(n, PRODUCT if k == 0 and coef == 1 else UNARY)
                for k, n in enumerate(scalars)]
        text = _coefficient(coef, head, bool(arrays))
        divided = [self.within(n, UNARY) for n in under]
        if text and divided:
            text += "".join(f" / {d}" for d in divided)
            divided = []
        for factor in arrays:
            printed = self.spread(factor, node.axes, UNARY if text else PRODUCT)
            text = f"{text} * {printed}" if text else printed
        divided += [self.spread(n, node.axes, UNARY) for n in below]
        if not text:
            text = "1"
        return text + "".join(f" / {d}" for d in divided), PRODUCT

    def _power(self, node: ir.Power) -> Text:
        exponent = node.exponent
        if exponent == Fraction(1, 2) and node.base.axes:
            return f"np.sqrt({self.text(node.base)})", ATOM
        text = self.text(node.base)
        if exponent.denominator == 1 and 2 <= exponent <= 4 and _NAME.fullmatch(text):
            return " * ".join([text] * int(exponent)), PRODUCT
        if exponent == 2:
            return f"np.square({text})", ATOM
        if exponent == Fraction(1, 2) and not isinstance(node.base, ir.SizeOf):
            return f"np.sqrt({text})", ATOM
        return f"{self.within(node.base, ATOM)}**{literal(exponent)}", POWER

    def _call(self, node: ir.Call) -> Text:
        args = [self.spread(a, node.axes) for a in node.args]
        if node.function in ("floordiv", "mod"):
            mark = "//" if node.function == "floordiv" else "%"
            left, right = (self.spread(a, node.axes, POWER) for a in node.args)
            return f"{left} {mark} {right}", PRODUCT
        template, binds = rows.numpy_template(node.function)
        for helper in rows.helpers_in(template):
            self.helpers[helper] = None
        return rows.fill(template, args, self.helper_names), _PRECEDENCE[binds]

    # ---- conditions -----------------------------------------------------------------------

    def _compare(self, node: ir.Compare) -> Text:
        left = self.spread(node.left, node.axes, SUM)
        right = self.spread(node.right, node.axes, SUM)
        if isinstance(node.left, ir.Number) and node.relation in ("<", "<="):
            turned = {"<": ">", "<=": ">="}[node.relation]
            return f"{right} {turned} {left}", LOOSE
        return f"{left} {node.relation} {right}", LOOSE

    def _both(self, node: ir.Both) -> Text:
        if not node.axes:
            return " and ".join(self.within(c, LOOSE) for c in node.conditions), LOOSE
        return " & ".join(self.spread(c, node.axes, ATOM) for c in node.conditions), LOOSE

    def _where(self, node: ir.Where) -> Text:
        if not node.condition.axes:
            yes, no = (self.spread(n, node.axes) for n in (node.yes, node.no))
            return f"{yes} if {self.text(node.condition)} else {no}", LOOSE
        parts = [self.spread(n, node.axes) for n in (node.condition, node.yes, node.no)]
        return f"np.where({', '.join(parts)})", ATOM

    def _cast(self, node: ir.Cast) -> Text:
        self.uses_dtype = True
        return f"{self.within(node.body, ATOM)}.astype({self.dtype})", ATOM

    # ---- reductions and products ------------------------------------------------------------

    def _reduce(self, node: ir.Reduce) -> Text:
        return self._reduced(node, keep=False), ATOM

    def _reduced(self, node: ir.Reduce, keep: bool) -> str:
        gone = [k for k, a in enumerate(node.body.axes) if a not in node.axes]
        axis = "" if not node.axes else f"axis={gone[0] if len(gone) == 1 else tuple(gone)}"
        options = [axis] if axis else []
        if keep:
            options.append("keepdims=True")
        text, binds = self._print(node.body)
        if binds == ATOM and not text.startswith("np."):
            return f"{text}.{node.kind}({', '.join(options)})"
        return f"np.{node.kind}({', '.join([text, *options])})"

    def _matmul(self, node: ir.MatMul) -> Text:
        return f"{self.within(node.left, ATOM)} @ {self.within(node.right, ATOM)}", PRODUCT

    def _tensordot(self, node: ir.TensorDot) -> Text:
        axes = [tuple(n.axes.index(i) for i in node.over) for n in (node.left, node.right)]
        inside = ", ".join(str(a) for a in axes)
        return f"np.tensordot({self.text(node.left)}, {self.text(node.right)}, axes=({inside}))", \
            ATOM

    def _vdot(self, node: ir.Vdot) -> Text:
        return f"np.vdot({self.text(node.left)}, {self.text(node.right)})", ATOM

    def _einsum(self, node: ir.Einsum) -> Text:
        marks = self._einsum_letters(node)
        inside = ",".join("".join(marks[i] for i in n.axes) for n in node.operands)
        operands = ", ".join(self.text(n) for n in node.operands)
        plan = ", optimize=True" if len(node.operands) > 2 else ""
        return f'np.einsum("{inside}->{"".join(marks[i] for i in node.axes)}", {operands}{plan})', \
            ATOM

    def _einsum_letters(self, node: ir.Einsum) -> dict[Index, str]:
        marks: dict[Index, str] = {}
        spare = [c for c in "ijklmnopqrstuvwxyzabcdefgh" if c not in self.letters.values()]
        for index in dict.fromkeys(i for n in node.operands for i in n.axes):
            wish = self.letters.get(index.uid, "")
            if len(wish) != 1 or not wish.isascii() or wish in marks.values():
                wish = next(c for c in spare if c not in marks.values())
            marks[index] = wish
        return marks

    def _transpose(self, node: ir.Transpose) -> Text:
        text = self.within(node.body, ATOM)
        if len(node.axes) == 2:
            return f"{text}.T", ATOM
        order = ", ".join(str(node.body.axes.index(a)) for a in node.axes)
        return f"{text}.transpose({order})", ATOM

    def _fill(self, node: ir.Fill) -> Text:
        shape = self.shape(tuple(a.size for a in node.axes))
        if isinstance(node.body, ir.Number) or not node.body.axes:
            self.uses_dtype = True
            if isinstance(node.body, ir.Number) and node.body.value == 0:
                return f"np.zeros({shape}, {self.dtype})", ATOM
            return f"np.full({shape}, {self.text(node.body)}, {self.dtype})", ATOM
        spread = self.spread(node.body, node.axes)
        return f"np.broadcast_to({spread}, {shape}).copy()", ATOM

    def _expand(self, node: ir.Expand) -> Text:
        marks = ", ".join(":" if a in node.body.axes else "None" for a in node.axes)
        return f"{self.within(node.body, ATOM)}[{marks}]" if node.body.axes else \
            f"np.reshape({self.text(node.body)}, {(1,) * len(node.axes)})", ATOM

    def shape(self, sizes: tuple[Expr, ...]) -> str:
        """A tuple of sizes."""
        inside = ", ".join(self.size(s)[0] for s in sizes)
        return f"({inside},)" if len(sizes) == 1 else f"({inside})"


def _coefficient(coef: Fraction, head: list[str], arrays: bool) -> str:
    """A number and the scalar factors of a product, numbers first."""
    if coef == 1:
        return " * ".join(head)
    text = literal(coef)
    if coef == -1 and head:
        return "-" + " * ".join(head)
    if coef == -1 and arrays:
        return "-1"
    return " * ".join([text, *head])


def literal(value: Fraction) -> str:
    """A number as Python text: 2, 0.5, 0.044715, 1 / 3."""
    if value.denominator == 1:
        return str(value.numerator) if abs(value.numerator) < 65536 else repr(float(value))
    if Fraction(repr(float(value))) == value:
        return repr(float(value))
    return f"{value.numerator} / {value.denominator}"
