"""Functions of single entries that NumPy has, and spellings made of them.

In: the NumPy spelling of a row, its arguments. Out: nested nodes, each one ufunc.

    "{x} * np.exp(-{x})"  ->  multiply(x, exp(negative(x)))
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from symprop.algebra import rows
from symprop.errors import InputError
from symprop.lower.dtypes import BOOL, FLOAT, SCALAR, flavour
from symprop.lower.ir import Axes, Node

_BINARY = {ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide",
           ast.Pow: "power"}
_RELATION = {ast.Lt: "less", ast.LtE: "less_equal", ast.Gt: "greater", ast.GtE: "greater_equal",
             ast.Eq: "equal", ast.NotEq: "not_equal"}
_TEMPLATE_NAMES = "xyz"
UFUNCS = frozenset((
    "exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "logaddexp", "logaddexp2", "sin",
    "cos", "tan", "arcsin", "arccos", "arctan", "arctan2", "sinh", "cosh", "tanh", "arcsinh",
    "arccosh", "arctanh", "cbrt", "hypot", "sqrt", "abs", "sign", "floor", "ceil", "trunc", "rint",
    "floor_divide", "remainder", "fmod", "maximum", "minimum", "square", "negative",
))
FLOATS = "floats"  # a mask as ones and zeros
MASKED = "only_where"  # the second operand where the first holds, else 0
FIRST_ALONE = ("when", "unless")  # these write over their first operand, and over no other


@dataclass(frozen=True)
class Elementwise(Node):
    """One ufunc of operands.

    `unless`, `when`: the first operand, but the third where the second does not, or does, hold.
    """

    name: str
    args: tuple[Node, ...]
    holds: str = FLOAT


@dataclass(frozen=True)
class Constant(Node):
    """A number as a spelling has it."""

    value: int | float


@dataclass(frozen=True)
class Spelled(Node):
    """An expression for which there is no ufunc, as it is spelled."""

    template: str
    args: tuple[Node, ...]


def spelled(template: str, args: Sequence[Node], axes: Axes) -> Node:
    """The ufuncs of a spelling of operands; `Spelled` where it is not made of ufuncs alone."""
    whole = Spelled(axes, template, tuple(args))
    if any(a.axes not in ((), axes) or flavour(a) not in (FLOAT, SCALAR) for a in args):
        return whole
    names = dict(zip(_TEMPLATE_NAMES, args, strict=False))
    try:
        found = _Reader(axes).expression(_parsed(template), names)
    except _NoUfuncs:
        return whole
    return found if isinstance(found, Elementwise) else whole


@cache
def _parsed(template: str) -> ast.expr:
    places = {h: f"_helper_{h}" for h in rows.helpers_in(template)}
    return ast.parse(template.format(x="x", y="y", z="z", **places), mode="eval").body


@cache
def _helper(name: str) -> ast.FunctionDef:
    found = ast.parse(rows.helper_source(name)).body[0]
    assert isinstance(found, ast.FunctionDef)
    return found


class _NoUfuncs(Exception):
    """The spelling has more in it than ufuncs."""


@dataclass(frozen=True)
class _Reader:
    """Reads expressions over arrays of these axes."""

    axes: Axes

    def expression(self, item: ast.expr, names: Mapping[str, Node]) -> Node:
        """An expression as nested ufuncs."""
        if isinstance(item, ast.Name) and item.id in names:
            return names[item.id]
        if isinstance(item, ast.Constant) and isinstance(item.value, int | float):
            return Constant((), item.value)
        if isinstance(item, ast.UnaryOp) and isinstance(item.op, ast.USub):
            inner = self.expression(item.operand, names)
            if isinstance(inner, Constant):
                return Constant((), -inner.value)
            return self.ufunc("negative", inner)
        if isinstance(item, ast.BinOp) and type(item.op) in _BINARY:
            return self.ufunc(_BINARY[type(item.op)], self.expression(item.left, names),
                              self.expression(item.right, names))
        if isinstance(item, ast.Compare) and len(item.ops) == 1 and type(item.ops[0]) in _RELATION:
            sides = [self.expression(n, names) for n in (item.left, item.comparators[0])]
            return Elementwise(self.axes, _RELATION[type(item.ops[0])], tuple(sides), BOOL)
        if isinstance(item, ast.Call) and not item.keywords:
            return self.call(item, [self.expression(a, names) for a in item.args])
        raise _NoUfuncs

    def call(self, item: ast.Call, args: list[Node]) -> Node:
        """A ufunc, or what stands in a helper that has neither loops nor branches."""
        function = item.func
        if isinstance(function, ast.Attribute) and function.attr in UFUNCS:
            return self.ufunc(function.attr, *args)
        if not isinstance(function, ast.Name) or not function.id.startswith("_helper_"):
            raise _NoUfuncs
        try:
            text = _helper(function.id.removeprefix("_helper_"))
        except InputError:
            raise _NoUfuncs from None
        names = {a.arg: value for a, value in zip(text.args.args, args, strict=True)}
        for line in text.body:
            if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
                names[line.targets[0].id] = self.expression(line.value, names)
            elif isinstance(line, ast.Return) and line.value is not None:
                return self.expression(line.value, names)
            elif not isinstance(line, ast.Expr):  # the docstring
                raise _NoUfuncs
        raise _NoUfuncs

    def ufunc(self, name: str, *args: Node) -> Node:
        """One ufunc of floats; beside a mask there must be floats."""
        held = [_holds(a) for a in args]
        if FLOAT not in held:
            raise _NoUfuncs
        return Elementwise(self.axes, name, args)


def _holds(node: Node) -> str:
    if isinstance(node, Elementwise):
        return node.holds
    return SCALAR if isinstance(node, Constant) else flavour(node)
