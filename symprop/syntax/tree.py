"""Python trees: from a spelling with places for other trees, and walks over them.

In: spellings such as "np.clip({x}, 0, {top})" and what stands at their places. Out: nodes of
Python's own `ast`. Nothing writes into a node once it is made, so that trees share branches.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

Tree = TypeVar("Tree", bound=ast.AST)
Value = ast.expr | str | int | float | None  # a string is a name
Many = Sequence[ast.expr] | Sequence[str]  # as many arguments, entries or subscripts
_PLACE = re.compile(r"\{([A-Za-z_]\w*)\}")
_MARK = "__place_"


def quote(spelling: str, **places: Value | Many) -> ast.expr:
    """An expression; a list of trees stands as so many arguments, entries or subscripts.

    >>> ast.unparse(quote("np.clip({x}, 0, {top})", x="ids", top=quote("N - 1")))
    'np.clip(ids, 0, N - 1)'
    >>> ast.unparse(quote("{x}[{at}]", x="a", at=[tree(1), quote("t")]))
    'a[1, t]'
    """
    statement = state(spelling, **places)
    assert isinstance(statement, ast.Expr)
    return statement.value


def state(spelling: str, **places: Value | Many) -> ast.stmt:
    """A statement.

    >>> ast.unparse(state("{y} = {x} + 1", y="b", x="a"))
    'b = a + 1'
    """
    filled = {_MARK + name: [tree(v) for v in value] if isinstance(value, list | tuple)
              else tree(value) for name, value in places.items()}
    result = _put(_parsed(spelling), filled)
    assert isinstance(result, ast.stmt)
    return result


def tree(value: Any) -> ast.expr:
    """A name, a number or a tree as a tree; a negative number is a minus before another."""
    if isinstance(value, ast.expr):
        return value
    if isinstance(value, str):
        return ast.Name(value, ast.Load())
    if isinstance(value, int | float) and not isinstance(value, bool) and value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def literal(value: Any) -> ast.expr:
    """Data as a tree: strings, numbers, tuples, lists and tables of them."""
    if isinstance(value, Mapping):
        return ast.Dict([literal(k) for k in value], [literal(v) for v in value.values()])
    if isinstance(value, tuple):
        return ast.Tuple([literal(v) for v in value], ast.Load())
    if isinstance(value, list):
        return ast.List([literal(v) for v in value], ast.Load())
    return ast.Constant(value) if isinstance(value, str) else tree(value)


def packed(items: Iterable[Value]) -> ast.expr:
    """A tuple of trees."""
    return ast.Tuple([tree(i) for i in items], ast.Load())


@cache
def _parsed(spelling: str) -> ast.stmt:
    return ast.parse(_PLACE.sub(lambda m: _MARK + m[1], spelling)).body[0]


def _put(node: Any, places: Mapping[str, Any]) -> Any:
    """A copy of a node with trees in its places."""
    if isinstance(node, list):
        found = [_put(n, places) for n in node]
        return [n for f in found for n in (f if isinstance(f, list) else [f])]
    if isinstance(node, ast.Name) and node.id in places:
        found = places[node.id]
        return _target(found) if isinstance(node.ctx, ast.Store) else found
    if not isinstance(node, ast.AST):
        return node
    fields = {name: _put(value, places) for name, value in ast.iter_fields(node)}
    if isinstance(node, ast.Subscript) and isinstance(fields["slice"], list):
        inside = fields["slice"]
        fields["slice"] = inside[0] if len(inside) == 1 else packed(inside)
    return type(node)(**fields)


def _target(item: ast.expr) -> ast.expr:
    """A tree that is assigned to."""
    if isinstance(item, ast.Name):
        return ast.Name(item.id, ast.Store())
    if isinstance(item, ast.Tuple):
        return ast.Tuple([_target(i) for i in item.elts], ast.Store())
    return item


# ---- operators ------------------------------------------------------------------------------


def minus(item: ast.expr) -> ast.expr:
    """-item, as `-a * b` is read: the sign belongs to the first factor."""
    if isinstance(item, ast.BinOp) and isinstance(item.op, ast.Mult | ast.Div | ast.FloorDiv
                                                  | ast.Mod | ast.MatMult):
        return ast.BinOp(minus(item.left), item.op, item.right)
    return ast.UnaryOp(ast.USub(), item)


def plus(left: ast.expr, right: ast.expr) -> ast.expr:
    """left + right, as `a + b + c` is read: from the left."""
    if isinstance(right, ast.BinOp) and isinstance(right.op, ast.Add | ast.Sub):
        return ast.BinOp(plus(left, right.left), right.op, right.right)
    return ast.BinOp(left, ast.Add(), right)


def product(factors: Iterable[ast.expr]) -> ast.expr:
    """a * b * c; the number 1 if there is no factor."""
    first, *rest = [*factors] or [ast.Constant(1)]
    for factor in rest:
        first = ast.BinOp(first, ast.Mult(), factor)
    return first


def over(above: ast.expr, below: Iterable[ast.expr]) -> ast.expr:
    """above / b / c."""
    for divisor in below:
        above = ast.BinOp(above, ast.Div(), divisor)
    return above


def both(parts: Iterable[ast.expr]) -> ast.expr:
    """a and b and c."""
    values = [v for p in parts for v in (p.values if isinstance(p, ast.BoolOp) else [p])]
    return ast.BoolOp(ast.And(), values)


# ---- walks ----------------------------------------------------------------------------------


def reads(items: Iterable[ast.AST]) -> set[str]:
    """The names that trees read or call."""
    return {n.id for item in items for n in ast.walk(item)
            if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Store)}


def renamed(item: Tree, names: Mapping[str, str]) -> Tree:
    """A tree in which some names are others."""
    if not names:
        return item
    return _put(item, {old: tree(new) for old, new in names.items()})  # type: ignore[no-any-return]


def root(item: ast.expr) -> str:
    """The name that attributes, calls and subscripts begin with; "" if there is none."""
    while isinstance(item, ast.Attribute | ast.Call | ast.Subscript):
        item = item.func if isinstance(item, ast.Call) else item.value
    return item.id if isinstance(item, ast.Name) else ""


def named(item: ast.expr) -> bool:
    """Whether a tree is a name, or an entry of an array at a loop's position."""
    if isinstance(item, ast.Subscript) and isinstance(item.value, ast.Name):
        at = item.slice
        if isinstance(at, ast.BinOp) and isinstance(at.op, ast.Add | ast.Sub):
            return isinstance(at.left, ast.Name) and isinstance(at.right, ast.Constant)
        return isinstance(at, ast.Name | ast.Constant)
    return isinstance(item, ast.Name)


def plain(item: ast.expr) -> bool:
    """Whether a tree is a name, with slices of it or transposed."""
    if isinstance(item, ast.Attribute) and item.attr == "T":
        item = item.value
    if isinstance(item, ast.Subscript):
        return isinstance(item.value, ast.Name) and not any(
            isinstance(n, ast.Call | ast.Subscript | ast.Mult | ast.FloorDiv)
            for n in ast.walk(item.slice))
    return isinstance(item, ast.Name)


def same(first: ast.AST, second: ast.AST) -> bool:
    """Whether two trees are equal."""
    return ast.dump(first) == ast.dump(second)
