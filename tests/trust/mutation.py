"""Mutants of the package: one small fault in one line, run against the tests that execute it.

In: a number, a seed. Out: "killed: ..." by a test, "product: ..." where symprop itself refused what
it had made (verification, or the closed loop), "unmapped: ..." where no test of the map executes
the line, else the mutant that survived. The map of lines to tests is made once (`python -m
trust.coverage`), by running some test files under a trace function.
"""

from __future__ import annotations

import ast
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from trust.record import ROOT

MAP = ROOT / "build" / "trust_coverage.json"
FOLDERS = ("derive", "lower", "emit", "trace")
FILES = ("algebra/integers*.py",)
LIMIT_S = 60
MOST_TESTS = 12
REFUSALS = ("VerificationError", "Mismatch", "NotTheFunction", "Refuted")


def trial(number: int, seed: int) -> str:
    """One mutant."""
    dice = random.Random(f"mutation {seed} {number}")
    path, line, before, text = drawn(dice)
    where = f"{path.relative_to(ROOT / 'symprop')}:{line} {before}"
    tests = covering(path, line)
    if not tests:
        return f"unmapped: {where}"
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name)
        for part in ("symprop", "templates", "tests", "generated", "docs", "pyproject.toml"):
            source = ROOT / part
            (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / part)
        (copy / path.relative_to(ROOT)).write_text(text, "utf-8")
        try:
            done = subprocess.run(
                [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests],
                cwd=copy, text=True, capture_output=True, timeout=LIMIT_S, check=False,
                env={**os.environ, "PYTHONPATH": str(copy), "OPENBLAS_NUM_THREADS": "1"})
        except subprocess.TimeoutExpired:
            return f"killed: {where}: not done in {LIMIT_S} s"
    if done.returncode == 0:
        return f"survived {where} ({len(tests)} tests)"
    word = "product" if any(r in done.stdout for r in REFUSALS) else "killed"
    return f"{word}: {where}"


def drawn(dice: random.Random) -> tuple[Path, int, str, str]:
    """A file, a line, what was changed there, and the changed text."""
    while True:
        path = dice.choice(_paths())
        source = path.read_text("utf-8")
        tree = ast.parse(source)
        faults = [(n, f) for n in ast.walk(tree) for f in _faults(n)]
        if not faults:
            continue
        node, fault = dice.choice(faults)
        start, end = source_span(source, node)
        old = source[start:end]
        new = ast.unparse(fault())
        if new == ast.unparse(ast.parse(old.strip(), mode="eval")):
            continue
        return path, node.lineno, f"{old!r} -> {new!r}", f"{source[:start]}({new}){source[end:]}"


def source_span(source: str, node: ast.expr) -> tuple[int, int]:
    """Where an expression stands in its text."""
    lines = source.splitlines(keepends=True)

    def at(line: int, column: int) -> int:
        before = lines[line - 1].encode()[:column].decode()
        return sum(map(len, lines[:line - 1])) + len(before)

    return at(node.lineno, node.col_offset), at(node.end_lineno or 0, node.end_col_offset or 0)


@cache
def _paths() -> tuple[Path, ...]:
    package = ROOT / "symprop"
    found = [p for f in FOLDERS for p in sorted((package / f).rglob("*.py"))]
    return (*found, *(p for pattern in FILES for p in sorted(package.glob(pattern))))


def _faults(node: ast.AST) -> Iterator[Callable[[], ast.expr]]:
    """The faults that an expression may have: sign, dropped term, swapped or shifted operands."""
    match node:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
            other = ast.Sub() if isinstance(op, ast.Add) else ast.Add()
            yield lambda: ast.BinOp(left, other, right)
            yield lambda: left
        case ast.BinOp(left=left, op=ast.Mult() | ast.Mod() | ast.FloorDiv()):
            yield lambda: left
        case ast.BoolOp(op=op, values=values):
            yield lambda: ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
            for k in range(len(values)):
                rest = [*values[:k], *values[k + 1:]]
                yield lambda rest=rest: rest[0] if len(rest) == 1 else ast.BoolOp(op, rest)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield lambda: operand
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _TURNED:
            yield lambda: ast.Compare(left, [_TURNED[type(op)]()], [right])
        case ast.IfExp(body=body, orelse=other):
            yield lambda: body
            yield lambda: other
        case ast.Constant(value=int(value)) if type(value) is int and 0 <= value < 10:
            yield lambda: ast.Constant(value + 1)
        case ast.Call(func=ast.Name(id="sub" | "add" as name), args=[first, second, *rest]):
            yield lambda: ast.Call(ast.Name("add" if name == "sub" else "sub"),
                                   [first, second], []) if not rest else first
        case ast.Call(func=ast.Name(id="sorted" | "normal"), args=[first]):
            yield lambda: first


_TURNED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
           ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn,
           ast.NotIn: ast.In}


def covering(path: Path, line: int) -> list[str]:
    """The quickest tests that execute a line; those of a file's first lines are no evidence."""
    found = _map().get(str(path.relative_to(ROOT)), {}).get(str(line), [])
    times = _map()["seconds"]
    return sorted(found, key=lambda t: times[t])[:MOST_TESTS]


@cache
def _map() -> dict[str, dict[str, list[str]]]:
    if not MAP.exists():
        raise FileNotFoundError(f"no {MAP}: run python -m trust.coverage first")
    return json.loads(MAP.read_text("utf-8"))  # type: ignore[no-any-return]
