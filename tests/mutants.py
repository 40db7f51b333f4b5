"""Wrong modules: one small fault each in the text of a module that was right.

In: the text of a module, a seed. Out: the text with one random change in forward, backward or
predict, and what was changed.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Iterator

BODIES = ("forward", "backward", "predict")
Change = Callable[[random.Random, ast.AST], ast.AST | None]


def sign(_: random.Random, node: ast.AST) -> ast.AST | None:
    """a + b for a - b, the one for the other."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        node.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        return node
    return None


def negated(_: random.Random, node: ast.AST) -> ast.AST | None:
    """a for -a."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return None if isinstance(node.operand, ast.Constant) else node.operand
    return None


def transposed(_: random.Random, node: ast.AST) -> ast.AST | None:
    """x for x.T."""
    return node.value if isinstance(node, ast.Attribute) and node.attr == "T" else None


def factor(_: random.Random, node: ast.AST) -> ast.AST | None:
    """One of two factors dropped, or a quotient for a product."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        return node.left
    return None


def bound(rng: random.Random, node: ast.AST) -> ast.AST | None:
    """A bound of a slice moved by one, or left out."""
    if not isinstance(node, ast.Slice):
        return None
    ends = [e for e in ("lower", "upper", "step") if getattr(node, e) is not None]
    if not ends:
        return None
    end = rng.choice(ends)
    moved = ast.BinOp(getattr(node, end), ast.Sub(), ast.Constant(1))
    setattr(node, end, None if end == "step" or rng.random() < 0.3 else moved)
    return node


def number(rng: random.Random, node: ast.AST) -> ast.AST | None:
    """Another number."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return ast.Constant(node.value + rng.choice((1, -1)))
    return None


def relation(_: random.Random, node: ast.AST) -> ast.AST | None:
    """The opposite condition."""
    if isinstance(node, ast.Compare):
        other = {ast.Lt: ast.GtE, ast.Gt: ast.LtE, ast.Eq: ast.NotEq, ast.LtE: ast.Gt,
                 ast.GtE: ast.Lt, ast.NotEq: ast.Eq}
        node.ops = [other[type(node.ops[0])]()] if type(node.ops[0]) in other else node.ops
        return node
    return None


def dropped(_: random.Random, node: ast.AST) -> ast.AST | None:
    """A scatter or an addition in place left out."""
    scatter = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    return ast.Pass() if scatter or isinstance(node, ast.AugAssign) else None


def alone(_: random.Random, node: ast.AST) -> ast.AST | None:
    """The array itself in the place of a sum, maximum or copy of it."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and (
        node.func.attr in ("sum", "max", "mean", "copy", "transpose")
    ):
        return node.func.value
    return None


CHANGES: tuple[Change, ...] = (
    sign, negated, transposed, factor, bound, number, relation, dropped, alone)


def places(tree: ast.Module) -> Iterator[ast.AST]:
    """All nodes in the bodies, but tests that raise, and doors."""
    for function in tree.body:
        if not isinstance(function, ast.FunctionDef) or function.name not in BODIES:
            continue
        read = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)
                and isinstance(n.ctx, ast.Load)}
        for statement in function.body:
            if isinstance(statement, ast.Assign) and not {
                n.id for t in statement.targets for n in ast.walk(t) if isinstance(n, ast.Name)
            } & read:
                continue  # nothing shows what it holds
            door = isinstance(statement, ast.Assign) and "read(" in ast.unparse(statement)
            if isinstance(statement, ast.If) or door:
                continue
            yield from ast.walk(statement)


def mutant(source: str, seed: int) -> tuple[str, str]:
    """The text with one fault, and the changed line before and after."""
    rng = random.Random(seed)
    tree = ast.parse(source)
    before = ast.unparse(tree)
    change = rng.choice(CHANGES)
    nodes = list(places(tree))
    for node in rng.sample(nodes, len(nodes)):
        made = change(rng, node)
        if made is not None:
            break
    else:
        return mutant(source, seed + 1000)  # there is no place for this kind of fault
    after = ast.unparse(ast.fix_missing_locations(_Swap(node, made).visit(tree)))
    lines = [(a, b) for a, b in zip(before.splitlines(), after.splitlines(), strict=False)
             if a != b]
    return after + "\n", f"{lines[0][0].strip()}  ->  {lines[0][1].strip()}" if lines else ""


class _Swap(ast.NodeTransformer):
    """Puts one node in the place of another."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self.old and self.new is not self.old:
            return self.new
        return self.generic_visit(node)
