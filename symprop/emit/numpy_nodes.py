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
from symprop.algebra.expr import Index
from symprop.emit.numpy_sizes import ATOM, CHOICE, LOOSE, POWER, PRODUCT, SUM, UNARY, Text, literal
from symprop.emit.numpy_views import ViewPrinter
from symprop.errors import UnsupportedError
from symprop.lower import ir
from symprop.lower.dtypes import SCALAR, flavour, guards
from symprop.lower.graded import raises
from symprop.lower.ir import Axes, Node

_PRECEDENCE = {"atom": ATOM, "power": POWER, "unary": UNARY, "product": PRODUCT, "sum": SUM}
_NAME = re.compile(r"[A-Za-z_]\w*(\[\w+( [+-] \d+)?\])?")


@dataclass
class NumpyPrinter(ViewPrinter):
    """Prints nodes; notes what the module must define for them."""

    dtype: str = "dtype"
    holds: str = "float"  # what the array of the equation at hand holds
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

    def spread(self, node: Node, axes: Axes, least: int = CHOICE) -> str:
        """The text of a node, with None for the axes that it lacks (leading ones need none)."""
        if not node.axes or node.axes == axes[len(axes) - len(node.axes):]:
            return self.within(node, least)
        if isinstance(node, ir.Reduce) and node.body.axes == axes:
            return self._reduced(node, keep=True)
        if isinstance(node, ir.Where) and not node.condition.axes and guards(node.condition):
            yes, no = self.spread(node.yes, axes, LOOSE), self.spread(node.no, axes)
            return f"({yes} if {self.text(node.condition)} else {no})"
        if isinstance(node, ir.View) and self._broadcasts(node, axes):
            return self.name(node.array)
        marks = [":" if a in node.axes else "None" for a in axes]
        while marks[0] == "None":
            marks.pop(0)
        return f"{self.within(node, ATOM)}[{', '.join(marks)}]"

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
        return self.view(node), ATOM

    def _local(self, node: ir.Local) -> Text:
        return node.name, ATOM

    def _copy(self, node: ir.Copy) -> Text:
        return f"{self.within(node.body, ATOM)}.copy()", ATOM

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
        coef, sizes = node.coef, [
            f"({self.text(n)} or np.nan)" if raises(n, node) else self.within(n, UNARY)
            for n in under if flavour(n) == SCALAR]
        if sizes and coef.numerator == 1 and 1 < coef.denominator <= 16:  # E / (2 * N)
            coef, sizes = Fraction(1), [str(coef.denominator), *sizes]
        if coef.numerator == 1 and coef != 1 and len(node.above) == len(scalars) == 1 and not (
                node.below) and isinstance(scalars[0], ir.SizeOf):
            return f"{self.within(scalars[0], PRODUCT)} / {coef.denominator}", PRODUCT
        head = [self.within(n, PRODUCT if k == 0 and coef == 1 else UNARY)
                for k, n in enumerate(scalars)]
        text = _coefficient(coef, head, bool(arrays))
        divided = [" * ".join(sizes) if len(sizes) == 1 else f"({' * '.join(sizes)})"] * bool(sizes)
        divided += [self.within(n, UNARY) for n in under if flavour(n) != SCALAR]
        if text and divided:
            text += "".join(f" / {d}" for d in divided)
            divided = []
        minus = text == "-1"
        for factor in arrays:
            printed = self.spread(factor, node.axes, UNARY if text else PRODUCT)
            text = f"-{printed}" if minus else f"{text} * {printed}" if text else printed
            minus = False
        divided += [self.spread(n, node.axes, UNARY) for n in below]
        if not text:
            text = "1"
        return text + "".join(f" / {d}" for d in divided), PRODUCT

    def _power(self, node: ir.Power) -> Text:
        exponent = node.exponent
        text = self.text(node.base)
        if flavour(node.base) == SCALAR:  # np.sqrt(D) is a float64 that widens float32
            return f"{self.within(node.base, ATOM)}**{_exponent(exponent)}", POWER
        if exponent == Fraction(1, 2):
            return f"np.sqrt({text})", ATOM
        if exponent.denominator == 1 and 2 <= exponent <= 4 and _NAME.fullmatch(text):
            return " * ".join([text] * int(exponent)), PRODUCT
        if exponent == 2:
            return f"np.square({text})", ATOM
        return f"{self.within(node.base, ATOM)}**{_exponent(exponent)}", POWER

    def _call(self, node: ir.Call) -> Text:
        args = [self.spread(a, node.axes) for a in node.args]
        if node.function in ("floordiv", "mod"):
            mark = "//" if node.function == "floordiv" else "%"
            left, right = (self.spread(a, node.axes, POWER) for a in node.args)
            return f"{left} {mark} {right}", PRODUCT
        template, binds = rows.numpy_template(node.function)
        for helper in rows.helpers_in(template):
            self.helpers[helper] = None
        text = rows.fill(template, args, self.helper_names)
        if flavour(node) == SCALAR and node.args:
            return f"float({text})", ATOM
        return text, _PRECEDENCE[binds]

    # ---- conditions -----------------------------------------------------------------------

    def _compare(self, node: ir.Compare) -> Text:
        truth = self._truth(node)
        if truth is not None:
            return truth
        size = self._diagonal(node)
        if size:
            return f"np.eye({size}, dtype=bool)", ATOM
        left = self.spread(node.left, node.axes, SUM)
        right = self.spread(node.right, node.axes, SUM)
        if isinstance(node.left, ir.Number) and node.relation in ("<", "<="):
            turned = {"<": ">", "<=": ">="}[node.relation]
            return f"{right} {turned} {left}", LOOSE
        return f"{left} {node.relation} {right}", LOOSE

    def _diagonal(self, node: Node) -> str:
        """The size of the matrix [i = j]; "" for any other node."""
        if not isinstance(node, ir.Compare) or node.relation != "==" or len(node.axes) != 2:
            return ""
        parts = (node.left, node.right)
        sizes = {self.size(a.size)[0] for a in node.axes}
        plain = all(isinstance(n, ir.Arange) for n in parts) and len(sizes) == 1
        return sizes.pop() if plain else ""

    def _truth(self, node: ir.Compare) -> Text | None:
        """M or ~M for a boolean array that is compared with 0."""
        view, zero = node.left, node.right
        if not isinstance(view, ir.View):
            view, zero = zero, view
        if not (isinstance(view, ir.View) and view.dtype == "bool" and isinstance(zero, ir.Number)
                and zero.value == 0 and node.relation in ("==", "!=")):
            return None
        if node.relation == "!=":
            return self.spread(view, node.axes), ATOM
        return f"{'~' if view.axes else 'not '}{self.spread(view, node.axes, UNARY)}", \
            UNARY if view.axes else LOOSE

    def _both(self, node: ir.Both) -> Text:
        if not node.axes:
            return " and ".join(self.within(c, LOOSE) for c in node.conditions), LOOSE
        return " & ".join(self.spread(c, node.axes, ATOM) for c in node.conditions), LOOSE

    def _where(self, node: ir.Where) -> Text:
        if not node.condition.axes and (not node.axes or guards(node.condition)):
            yes, no = self.spread(node.yes, node.axes, LOOSE), self.spread(node.no, node.axes)
            return f"{yes} if {self.text(node.condition)} else {no}", CHOICE
        parts = [self.spread(n, node.axes) for n in (node.condition, node.yes, node.no)]
        return f"np.where({', '.join(parts)})", ATOM

    def _cast(self, node: ir.Cast) -> Text:
        if not node.axes:
            return f"{'int' if node.whole else 'float'}({self.text(node.body)})", ATOM
        if node.whole:
            return f"{self.within(node.body, ATOM)}.astype(int)", ATOM
        self.uses_dtype = True
        size = self._diagonal(node.body)
        if size:
            return f"np.eye({size}, dtype={self.dtype})", ATOM
        return f"{self.within(node.body, ATOM)}.astype({self.dtype})", ATOM

    # ---- reductions and products ------------------------------------------------------------

    def _reduce(self, node: ir.Reduce) -> Text:
        return self._reduced(node, keep=False), ATOM

    def _reduced(self, node: ir.Reduce, keep: bool) -> str:
        gone = [k for k, a in enumerate(node.body.axes) if a not in node.axes]
        last = ""
        short = node.body.axes[gone[-1]].size.number  # runs of so few entries are slow: last
        if not keep and node.axes and gone[-1] - gone[0] >= len(gone) and short and short <= 8:
            last = f".{node.kind}(axis={gone.pop() - len(gone)})"
        axis = "" if not node.axes else f"axis={gone[0] if len(gone) == 1 else tuple(gone)}"
        options = [axis] if axis else []
        if keep:
            options.append("keepdims=True")
        body = node.body
        if isinstance(body, ir.Cast) and node.kind == "sum":  # no copy of the mask itself
            self.uses_dtype = True
            body, options = body.body, [*options, f"dtype={self.dtype}"]
        text, binds = self._print(body)
        if binds == ATOM and not text.startswith("np."):
            return f"{text}.{node.kind}({', '.join(options)}){last}"
        return f"np.{node.kind}({', '.join([text, *options])}){last}"

    def _matmul(self, node: ir.MatMul) -> Text:
        return f"{self.within(node.left, ATOM)} @ {self.within(node.right, ATOM)}", PRODUCT

    def _tensordot(self, node: ir.TensorDot) -> Text:
        axes = [tuple(n.axes.index(i) for i in node.over) for n in (node.left, node.right)]
        inside = ", ".join(str(a) for a in axes)
        return f"np.tensordot({self.text(node.left)}, {self.text(node.right)}, axes=({inside}))", \
            ATOM

    def _vdot(self, node: ir.Vdot) -> Text:
        return f"np.vdot({self.text(node.left)}, {self.text(node.right)})", ATOM

    def _solve(self, node: ir.Solve) -> Text:
        if node.right is None:
            return f"np.linalg.inv({self.text(node.matrix)})", ATOM
        row = node.matrix.axes[-2]
        stack = node.axes[:node.axes.index(row)]
        matrix = self._stacked(node.matrix, (*stack, *node.matrix.axes[-2:]))
        if node.axes[-1] is row and stack:  # a stack of vectors would be taken for a matrix
            right = self._stacked(node.right, node.axes, ", None")
            return f"np.linalg.solve({matrix}, {right})[..., 0]", ATOM
        return f"np.linalg.solve({matrix}, {self._stacked(node.right, node.axes)})", ATOM

    def _stacked(self, node: Node, axes: Axes, after: str = "") -> str:
        """A node with None for all axes that it lacks, leading ones too."""
        marks = ", ".join(":" if a in node.axes else "None" for a in axes) + after
        return f"{self.within(node, ATOM)}[{marks}]" if "None" in marks else self.text(node)

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

    def _reshape(self, node: ir.Reshape) -> Text:
        sizes = [self.size(a.size)[0] for a in node.axes]
        mixed = [k for k, text in enumerate(sizes) if " * " in text and re.search(" [-+] ", text)]
        if len(mixed) == 1:  # N * (Y - 4) multiplied out: what is left
            sizes[mixed[0]] = "-1"
        return f"{self.within(node.body, ATOM)}.reshape({', '.join(sizes)})", ATOM

    def _repeat(self, node: ir.Repeat) -> Text:
        text, count = self.text(node.body), self.size(node.count)[0]
        place = node.body.axes.index(node.part)
        if node.each:
            return f"np.repeat({text}, {count}, axis={place})", ATOM
        after = ", 1" * (len(node.axes) - place - 1)
        return f"np.tile({text}, {f'({count}{after})' if after else count})", ATOM

    def _running(self, node: ir.Running) -> Text:
        text, place = self.text(node.body), node.body.axes.index(node.along)
        text = f"np.flip({text}, {place})" if node.before else text
        text = f"np.cumsum({text}, axis={place})"
        return (f"np.flip({text}, {place})" if node.after else text), ATOM

    def _fill(self, node: ir.Fill) -> Text:
        if not node.axes:
            self.uses_dtype = True
            return f"{self.dtype}.type({self.text(node.body)})", ATOM
        shape = self.shape(tuple(a.size for a in node.axes))
        if isinstance(node.body, ir.Number) and node.body.value == 0:
            return self.zeros(shape), ATOM
        if not node.body.axes:
            return f"np.full({shape}, {self.text(node.body)}, {self.element()})", ATOM
        return f"np.broadcast_to({self.spread(node.body, node.axes)}, {shape}).copy()", ATOM

    def element(self) -> str:
        """The dtype of the array of the equation at hand."""
        if self.holds != "float":
            return self.holds
        self.uses_dtype = True
        return self.dtype

    def zeros(self, shape: str, kind: str = "zeros") -> str:
        """An array of zeros, or an empty one."""
        return f"np.{kind}({shape}, {self.element()})"

    def _expand(self, node: ir.Expand) -> Text:
        marks = ", ".join(":" if a in node.body.axes else "None" for a in node.axes)
        return f"{self.within(node.body, ATOM)}[{marks}]" if node.body.axes else \
            f"np.reshape({self.text(node.body)}, {(1,) * len(node.axes)})", ATOM


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


def _exponent(value: Fraction) -> str:
    text = literal(value)
    return f"({text})" if "/" in text or value < 0 else text
