"""A failing program made smaller, as long as it fails in the same way.

In: a program and the question whether it still fails. Out: a program of which no statement can be
left out, and no expression be replaced by a part of itself, within a minute.
"""

from __future__ import annotations

import ast
import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from random_builder import Program

SECONDS = 60.0


def shrunk(program: Program, fails: Callable[[Program], bool], seconds: float = SECONDS) -> Program:
    """The smallest program that was met."""
    end = time.monotonic() + seconds
    smaller = True
    while smaller and time.monotonic() < end:
        smaller = False
        for text in _variants(program.source):
            if time.monotonic() > end:
                break
            try:
                candidate = _unused_dropped(replace(program, source=text))
                if len(candidate.source) < len(program.source) and fails(candidate):
                    program, smaller = candidate, True
                    break
            except Exception:
                continue
    return program


def _variants(source: str) -> Iterator[str]:
    """The text with a statement left out, or an expression replaced by a part: large ones first."""
    tree = ast.parse(source)
    bodies = [(n, f) for n in ast.walk(tree) for f in ("body", "orelse")
              if isinstance(getattr(n, f, None), list)]
    for k, (node, name) in enumerate(bodies):
        for at in range(len(getattr(node, name))):
            other = copy.deepcopy(tree)
            here = [(n, f) for n in ast.walk(other) for f in ("body", "orelse")
                    if isinstance(getattr(n, f, None), list)][k]
            body = getattr(*here)
            if len(body) > 1 and not isinstance(body[at], ast.Return):
                del body[at]
                yield ast.unparse(other)
    count = sum(isinstance(n, ast.expr) for n in ast.walk(tree))
    for k in range(count):
        expression = [n for n in ast.walk(tree) if isinstance(n, ast.expr)][k]
        parts = [c for c in ast.iter_child_nodes(expression) if isinstance(c, ast.expr)]
        for part in range(len(parts)):
            other = copy.deepcopy(tree)
            old = [n for n in ast.walk(other) if isinstance(n, ast.expr)][k]
            new = [c for c in ast.iter_child_nodes(old) if isinstance(c, ast.expr)][part]
            for node in ast.walk(other):
                for name, value in ast.iter_fields(node):
                    if value is old:
                        setattr(node, name, new)
                    elif isinstance(value, list) and any(v is old for v in value):
                        value[:] = [new if v is old else v for v in value]
            try:
                yield ast.unparse(other) + "\n"
            except Exception:
                continue


def _unused_dropped(program: Program) -> Program:
    """Without the arguments that nothing reads."""
    tree = ast.parse(program.source)
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    read = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    kept = {n: s for n, s in program.shapes.items() if n in read}
    function.args.args = [a for a in function.args.args if a.arg in kept]
    wrt = program.wrt and tuple(n for n in program.wrt if n in kept)
    return replace(program, source=ast.unparse(tree) + "\n", shapes=kept, wrt=wrt or None,
                   facts=tuple(f for f in program.facts if f.array in kept))
