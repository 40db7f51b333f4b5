"""Plants one fault in one line of the hand-written backward passes.

In: the name of a network and a seed. Out: the wrong function, and the line that was changed. A
fault that changes no gradient, or does not run, is drawn again.
"""

from __future__ import annotations

import ast
import inspect
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from hand_networks import NETWORKS

from symprop.against.truth import Truth, same
from symprop.files.load import load_text


@dataclass(frozen=True)
class Planted:
    """A wrong backward, and where it is wrong."""

    function: Callable[..., Any]
    line: int
    before: str
    after: str


def plant(network: str, seed: int, truth: Truth, avoid: set[str]) -> Planted:
    """Return the backward of a network with one random fault in one line, not one of `avoid`."""
    rng = random.Random(f"{network} {seed}")
    source = inspect.getsource(NETWORKS[network][1])
    while True:
        tree = ast.parse(source)
        function = tree.body[0]
        assert isinstance(function, ast.FunctionDef)
        statement = rng.choice(list(backward_lines(function.body)))
        before = ast.unparse(statement)
        faults = list(faults_of(statement))
        if not faults:
            continue
        rng.choice(faults)()
        text = ast.unparse(tree)
        wrong = getattr(load_text(f"import numpy as np\n{text}", "planted"), function.name)
        after = ast.unparse(statement)
        if after not in avoid and is_wrong(wrong, truth):
            avoid.add(after)
            line = 2 + text[: text.index(after)].count("\n")
            return Planted(wrong, line, before, after)


def backward_lines(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The lines that compute gradients: what they make begins with d, or they return."""
    for statement in body:
        if isinstance(statement, ast.For):
            yield from backward_lines(statement.body)
        elif isinstance(statement, ast.Return):
            yield statement
        elif isinstance(statement, ast.Assign | ast.AugAssign):
            name = ast.unparse(getattr(statement, "targets", [getattr(statement, "target", 0)])[0])
            if name.startswith(("d", "m1", "m2")) and "zeros_like" not in ast.unparse(statement):
                yield statement


def faults_of(statement: ast.stmt) -> Iterator[Callable[[], None]]:
    """What a student may get wrong in a line."""
    if isinstance(statement, ast.AugAssign):
        yield lambda: setattr(statement, "op", ast.Sub())
    for owner in ast.walk(statement):
        for field, value in ast.iter_fields(owner):
            parts = value if isinstance(value, list) else [value]
            for k, node in enumerate(parts):
                for other in wrong_for(node):
                    yield lambda f=field, v=value, k=k, o=owner, n=other: (
                        v.__setitem__(k, n) if isinstance(v, list) else setattr(o, f, n)
                    )


def wrong_for(node: object) -> Iterator[ast.expr]:
    """What may stand in the place of an expression by mistake."""
    match node:
        case ast.BinOp(op=ast.Mult(), left=left, right=right):
            yield from (left, right)
        case ast.BinOp(op=ast.Div(), left=left):
            yield left
        case ast.BinOp(op=ast.Add() | ast.Sub() as op, left=left, right=right):
            yield ast.BinOp(left, ast.Sub() if isinstance(op, ast.Add) else ast.Add(), right)
            yield from (left, right)
        case ast.BinOp(op=ast.Pow(), left=left):
            yield left
        case ast.BinOp(op=ast.MatMult(), left=left, right=right):
            yield ast.BinOp(right, ast.MatMult(), left)
        case ast.Attribute(attr="T", value=value):
            yield value
        case ast.Compare(left=left, ops=[ast.Gt()], comparators=parts):
            yield ast.Compare(left, [ast.Lt()], parts)
        case ast.keyword(arg="axis", value=ast.Constant(value=int(axis))):
            yield ast.keyword("axis", ast.Constant(1 - axis))  # type: ignore[misc]
        case ast.Call(func=ast.Attribute(attr="mean", value=value), args=a, keywords=k):
            yield ast.Call(ast.Attribute(value, "sum", ast.Load()), a, k)
        case ast.Constant(value=int(number)) if not isinstance(number, bool):
            yield ast.Constant(number + 1)


def is_wrong(function: Callable[..., Any], truth: Truth) -> bool:
    """Whether it runs, and returns a wrong gradient."""
    try:
        with np.errstate(all="ignore"):
            found = function(**{n: a.copy() for n, a in truth.inputs.items()})
        return any(not same(found[n], right) for n, right in truth.gradients.items())
    except Exception:
        return False


