"""One layout for all Python text: a tree as lines of at most so many columns.

In: nodes of Python's `ast`. Out: lines, by way of documents. Brackets with little in them, and
all subscripts, are never torn unless nothing else will do.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import replace

from symprop.errors import UnsupportedError
from symprop.syntax.document import (
    INDENT,
    Block,
    Document,
    Line,
    enclosed,
    flat_text,
    joined,
    rendered,
    start_of,
    width_of,
)

WIDTH = 88
BODY = WIDTH - len(INDENT)  # the lines of a function, before they are indented
SHORT = 44  # columns: brackets with no more in them stay whole

# ---- expressions ----------------------------------------------------------------------------

_BINARY: dict[type[ast.operator], tuple[str, int]] = {
    ast.BitOr: ("|", 6), ast.BitXor: ("^", 7), ast.BitAnd: ("&", 8), ast.Add: ("+", 10),
    ast.Sub: ("-", 10), ast.Mult: ("*", 11), ast.Div: ("/", 11), ast.FloorDiv: ("//", 11),
    ast.Mod: ("%", 11), ast.MatMult: ("@", 11), ast.Pow: ("**", 13),
}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.In: "in", ast.Is: "is", ast.IsNot: "is not",
}
_SENTENCE = re.compile(r".{1,70}(?: |$)|.{1,70}|^$")
_UNARY: dict[type[ast.unaryop], tuple[str, int]] = {
    ast.USub: ("-", 12), ast.Invert: ("~", 12), ast.Not: ("not ", 4),
}
CHOICE, OR, AND, COMPARISON, POWER, ATOM = 1, 2, 3, 5, 13, 15


def precedence(node: ast.AST) -> int:
    """How tightly a node binds."""
    if isinstance(node, ast.BinOp):
        return _BINARY[type(node.op)][1]
    if isinstance(node, ast.UnaryOp):
        return _UNARY[type(node.op)][1]
    if isinstance(node, ast.BoolOp):
        return OR if isinstance(node.op, ast.Or) else AND
    return {ast.IfExp: CHOICE, ast.Compare: COMPARISON}.get(type(node), ATOM)


class _Documents:
    """Trees as documents. whole: subscripts and short brackets are kept on one line."""

    def __init__(self, whole: bool) -> None:
        self.whole = whole
        self._laid: dict[int, Document] = {}  # by node, which outlives this
        self.own: ast.expr | None = None  # its brackets hold the whole value of a statement

    def of(self, node: ast.AST, least: int = 0) -> Document:
        """A node, in parentheses where it binds less tightly than `least`."""
        found = self._laid.get(id(node))
        if found is None:
            method = getattr(self, f"_{type(node).__name__.lower()}", None)
            if method is None:
                raise UnsupportedError(f"no layout for {type(node).__name__}")
            found = self._laid[id(node)] = method(node)
        if precedence(node) >= least:
            return found
        return Block(("(", Block((Line(), found), deeper=len(INDENT)), Line(), ")"), group=True)

    def _brackets(self, left: str, nodes: Sequence[ast.AST], right: str, comma: str = "",
                  longest: int = SHORT) -> Document:
        found = enclosed(left, [self.of(n) for n in nodes], right, comma)
        return flat_text(found) if self.whole and found.width <= longest else found

    def _name(self, node: ast.Name) -> Document:
        return node.id

    def _constant(self, node: ast.Constant) -> Document:
        if not isinstance(node.value, str):
            return "..." if node.value is ... else repr(node.value)
        text = node.value.replace("\\", "\\\\").replace('"', '\\"')
        pieces = [f'"{piece}"' for piece in _SENTENCE.findall(text)]  # adjacent ones are one
        return Block(tuple(p for piece in pieces for p in (Line(" "), piece))[1:]) \
            if len(pieces) > 1 else f'"{text}"'

    def _attribute(self, node: ast.Attribute) -> Document:
        number = isinstance(node.value, ast.Constant)  # 3.T is no number
        return joined(self.of(node.value, ATOM + number), f".{node.attr}")

    def _keyword(self, node: ast.keyword) -> Document:
        return joined(f"{node.arg}=", self.of(node.value))

    def _call(self, node: ast.Call) -> Document:
        arguments = [*node.args, *node.keywords]
        if len(arguments) == 1 and isinstance(arguments[0], ast.GeneratorExp):
            return joined(self.of(node.func, ATOM), self.of(arguments[0]))
        longest = 0 if node is self.own else SHORT
        return joined(self.of(node.func, ATOM), self._brackets("(", arguments, ")", "", longest))

    def _subscript(self, node: ast.Subscript) -> Document:
        inside = node.slice
        several = isinstance(inside, ast.Tuple) and inside.elts
        items = inside.elts if isinstance(inside, ast.Tuple) and several else [inside]
        comma = "," if several and len(items) == 1 else ""
        return joined(self.of(node.value, ATOM), self._brackets("[", items, "]", comma, WIDTH))

    def _slice(self, node: ast.Slice) -> Document:
        ends = [self.of(e) if e else "" for e in (node.lower, node.upper)]
        return joined(ends[0], ":", ends[1], *([":", self.of(node.step)] if node.step else []))

    def _tuple(self, node: ast.Tuple) -> Document:
        return self._brackets("(", node.elts, ")", "," if len(node.elts) == 1 else "")

    def _list(self, node: ast.List) -> Document:
        return self._brackets("[", node.elts, "]")

    def _starred(self, node: ast.Starred) -> Document:
        return joined("*", self.of(node.value, ATOM))

    def _dict(self, node: ast.Dict) -> Document:
        items = [named(joined(self.of(key), ":"), self.of(value))
                 for key, value in zip(node.keys, node.values, strict=True) if key]
        return enclosed("{", items, "}")

    def _listcomp(self, node: ast.ListComp) -> Document:
        return self._comprehension("[", node, "]")

    def _generatorexp(self, node: ast.GeneratorExp) -> Document:
        return self._comprehension("(", node, ")")

    def _comprehension(
        self, left: str, node: ast.ListComp | ast.GeneratorExp, right: str
    ) -> Document:
        parts: list[Document] = [Line(), self.of(node.elt)]
        for each in node.generators:
            parts += [Line(" "), joined("for ", self.of(each.target), " in ", self.of(each.iter))]
        return Block((left, Block(tuple(parts), deeper=len(INDENT)), Line(), right), group=True)

    # ---- operators --------------------------------------------------------------------------

    def _unaryop(self, node: ast.UnaryOp) -> Document:
        mark, level = _UNARY[type(node.op)]
        return joined(mark, self.of(node.operand, level))

    def _binop(self, node: ast.BinOp) -> Document:
        mark, level = _BINARY[type(node.op)]
        if isinstance(node.op, ast.Pow):
            return joined(self.of(node.left, level + 1), mark, self.of(node.right, level - 1))
        parts: list[Document] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp) and precedence(left) == level:
            mark = _BINARY[type(left.op)][0]
            parts[:0] = [Line(" "), joined(f"{mark} ", self._operand(left.right, level + 1))]
            left = left.left
        return Block((self._operand(left, level), *parts), fill=True, group=True)

    def _operand(self, node: ast.expr, least: int) -> Document:
        found = self.of(node, least)
        if isinstance(found, Block) and found.fill:
            return replace(found, hang=len(INDENT))
        return found

    def _compare(self, node: ast.Compare) -> Document:
        parts = [self.of(node.left, COMPARISON + 1)]
        for operator, right in zip(node.ops, node.comparators, strict=True):
            parts += [Line(" "), joined(f"{_COMPARE[type(operator)]} ",
                                        self.of(right, COMPARISON + 1))]
        return Block(tuple(parts), fill=True, group=True)

    def _boolop(self, node: ast.BoolOp) -> Document:
        mark, level = ("or", OR) if isinstance(node.op, ast.Or) else ("and", AND)
        first, *rest = (self.of(v, level + 1) for v in node.values)
        parts = [p for r in rest for p in (Line(" "), joined(f"{mark} ", r))]
        return Block((first, *parts), fill=True, group=True)

    def _ifexp(self, node: ast.IfExp) -> Document:
        return Block((self.of(node.body, OR), Line(" "), joined("if ", self.of(node.test, OR)),
                      Line(" "), joined("else ", self.of(node.orelse, CHOICE))), group=True)

    def _lambda(self, node: ast.Lambda) -> Document:
        return joined("lambda: ", self.of(node.body))

    # ---- statements -------------------------------------------------------------------------

    def value(self, node: ast.expr) -> Document:
        """What stands behind a sign of assignment: in parentheses where it takes several lines."""
        self.own = self._holder(node)
        self._laid.clear()  # what holds it was laid out as if its brackets were any others
        found = self.of(node)
        held = isinstance(found, str) or self.own is not None
        if held and start_of(found) <= SHORT:
            return found
        inside = Block((Line(before="("), found), deeper=len(INDENT))
        return Block((inside, Line(after=")")), group=True)

    def _targets(self, node: ast.expr) -> Document:
        """What stands before a sign of assignment."""
        if not isinstance(node, ast.Tuple):
            return self.of(node)
        marks = [*[","] * (len(node.elts) - 1), "," if len(node.elts) == 1 else ""]
        items = [joined(self.of(e), mark) for e, mark in zip(node.elts, marks, strict=True)]
        parts = [p for item in items for p in (Line(" "), item)][1:]
        inside = Block((Line(before="("), Block(tuple(parts), fill=True)), deeper=len(INDENT))
        return Block((inside, Line(after=")")), group=True)

    def _holder(self, node: ast.expr) -> ast.expr | None:
        """The part of a node whose own brackets hold nearly all of it."""
        if isinstance(node, ast.Tuple | ast.List | ast.Dict | ast.ListComp):
            return node
        whole, held = width_of(self.of(node)), node
        while isinstance(held, ast.Attribute | ast.Subscript | ast.Call):
            inner = held.func if isinstance(held, ast.Call) else held.value
            if isinstance(held, ast.Call) and _plain(inner):
                break
            held = inner
        bare = precedence(held) < ATOM and held is not node
        close = whole - width_of(self.of(held)) < SHORT
        return held if close and (bare or isinstance(held, ast.Call)) else None

    def _assign(self, node: ast.Assign) -> Document:
        return joined(*(p for t in node.targets for p in (self._targets(t), " = ")),
                      self.value(node.value))

    def _augassign(self, node: ast.AugAssign) -> Document:
        mark = _BINARY[type(node.op)][0]
        return joined(self.of(node.target), f" {mark}= ", self.value(node.value))

    def _return(self, node: ast.Return) -> Document:
        if isinstance(node.value, ast.Tuple):
            return joined("return ", self._targets(node.value))
        return joined("return ", self.value(node.value)) if node.value else "return"

    def _expr(self, node: ast.Expr) -> Document:
        return self.value(node.value)

    def _delete(self, node: ast.Delete) -> Document:
        several = ast.Tuple(node.targets, ast.Del())
        return joined("del ", self._targets(several if len(node.targets) > 1 else node.targets[0]))

    def _raise(self, node: ast.Raise) -> Document:
        return joined("raise ", self.value(node.exc)) if node.exc else "raise"

    def _if(self, node: ast.If) -> Document:
        return joined("if ", self.value(node.test), ":")

    def _with(self, node: ast.With) -> Document:
        return joined("with ", self.of(node.items[0].context_expr), ":")

    def _for(self, node: ast.For) -> Document:
        return joined("for ", self._targets(node.target), " in ", self.value(node.iter), ":")


def named(name: Document, value: Document) -> Document:
    """A value behind its name, on a line of its own where both do not fit on one.

    What opens with a bracket stays behind its name and is torn there.
    """
    if start_of(value) == 1:
        return joined(name, " ", value)
    return Block((name, Block((Line(" "), value), deeper=len(INDENT))), group=True)


def _plain(node: ast.expr) -> bool:
    """Whether a node is a dotted name."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


# ---- entry points ---------------------------------------------------------------------------


def flat(item: ast.AST) -> str:
    """A tree on one line."""
    return flat_text(_Documents(True).of(item))


def width(item: ast.AST) -> int:
    """The columns that a tree takes on one line."""
    return width_of(_Documents(True).of(item))


def parameter(
    name: str, note: ast.expr | None = None, default: ast.expr | None = None
) -> Document:
    """A parameter of a function: name: note, or name=default."""
    parts = _Documents(True)
    if note:
        return named(f"{name}:", parts.of(note))
    return joined(name, "=", parts.value(default)) if default else name


def heading(function: str, parameters: Sequence[Document]) -> list[str]:
    """The def line; parameters that take more than one fill lines of their own."""
    line = f"def {function}({', '.join(map(flat_text, parameters))}):"
    if len(line) <= WIDTH:
        return [line]
    inside: list[str] = []
    for item in parameters:
        text = flat_text(item) + ","
        if len(text) > BODY:
            inside += rendered(joined(item, ","), BODY)
        elif inside and len(inside[-1]) + 1 + len(text) <= BODY:
            inside[-1] += f" {text}"
        else:
            inside.append(text)
    return [f"def {function}(", *(INDENT + text for text in inside), "):"]


def lines(item: ast.AST, room: int = BODY) -> list[str]:
    """A statement or an expression; what a statement holds stands in.

    >>> from symprop.syntax.tree import state
    >>> lines(state("if x > 0: raise ValueError('x is positive')"), 40)
    ['if x > 0:', '    raise ValueError("x is positive")']
    """
    found = rendered(_Documents(True).of(item), room)
    if max(map(len, found)) > room:
        torn = rendered(_Documents(False).of(item), room)
        found = torn if max(map(len, torn)) <= room else found
    inside = [line for s in getattr(item, "body", ()) for line in lines(s, room - len(INDENT))] \
        if isinstance(item, ast.stmt) else []
    return [*found, *(INDENT + line for line in inside)]
