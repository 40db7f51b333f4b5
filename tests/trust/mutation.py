"""Mutants of the package: one small fault in one line, run against the tests that execute it.

In: a number, a seed. Out: "killed: ..." by a test, "product: ..." where symprop itself refused what
it had made (verification, or the closed loop), "unmapped: ..." where no test of the map executes
the line, else the mutant that survived. The map of lines to tests is made once (`python -m
trust.coverage`), by running test files under a trace function.

A mutant runs in a copy of the tree, in a process forked from one that has imported NumPy, SymPy and
pytest already: the quickest test of each test file first, then the others, until one fails.
"""

from __future__ import annotations

import ast
import atexit
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jinja2  # noqa: F401  what every mutant would import again
import numpy  # noqa: F401
import pytest
import sympy  # noqa: F401

from trust.record import ROOT

MAP = ROOT / "build" / "trust_coverage.json"
FOLDERS = ("derive", "lower", "emit", "trace", "blocks", "recognise")
FILES = ("algebra/integers*.py", "by_blocks.py")
LIMIT_S = 60  # of the processor's time; of the clock thrice that
MOST_S = 40.0  # of tests, as long as they took under the trace function
REFUSALS = ("VerificationError", "Mismatch", "NotTheFunction", "Refuted")


def trial(number: int, seed: int) -> str:
    """One mutant."""
    path, line, before, text = drawn(random.Random(f"mutation {seed} {number}"))
    where = f"{path.relative_to(ROOT / 'symprop')}:{line} {before}"
    tests = covering(path, line)
    if not tests:
        return f"unmapped: {where}"
    copy = _copy()
    place = copy / path.relative_to(ROOT)
    whole, times = place.read_bytes(), place.stat()
    place.write_text(text, "utf-8")
    try:
        status, said = _forked(copy, tests)
    finally:
        place.write_bytes(whole)
        os.utime(place, ns=(times.st_atime_ns, times.st_mtime_ns))
    if status == 0:
        return f"survived {where} ({len(tests)} tests)"
    if status is None:
        return f"killed: {where}: not done in {LIMIT_S} s"
    failed = next((s for s in said.splitlines() if s.startswith(("FAILED", "ERROR"))), "")
    word = "product" if any(r in said for r in REFUSALS) else "killed"
    return f"{word}: {where}: {failed[:120]}"


@cache
def _copy() -> Path:
    """A copy of the tree, for this process."""
    folder = Path(tempfile.mkdtemp(prefix="symprop-mutants-"))
    owner = os.getpid()
    atexit.register(lambda: os.getpid() == owner and shutil.rmtree(folder, ignore_errors=True))
    for part in ("symprop", "templates", "tests", "generated", "docs", "examples", "benchmarks",
                 "pyproject.toml", "README.md"):
        source = ROOT / part
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, folder / part)
    return folder


def _forked(folder: Path, tests: list[str]) -> tuple[int | None, str]:
    """The exit status of pytest in a fork (None: it took too long), and what it wrote."""
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if not child:
            os._exit(_child(folder, tests, output.fileno()))
        end = time.monotonic() + 3 * LIMIT_S
        status: int | None = None
        while time.monotonic() < end:
            found, word = os.waitpid(child, os.WNOHANG)
            if found:
                status = os.waitstatus_to_exitcode(word)
                break
            time.sleep(0.02)
        else:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
        output.seek(0)
        said = output.read().decode("utf-8", "replace")
    return (None if status is not None and status < 0 else status), said


def _child(folder: Path, tests: list[str], output: int) -> int:
    """pytest on the copy, in a process that nothing else runs in."""
    os.setpgid(0, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_S, LIMIT_S + 5))
    os.chdir(folder)
    sys.dont_write_bytecode = True
    sys.path[:] = [str(folder / "tests"), str(folder),
                   *(p for p in sys.path if not p or Path(p).resolve() not in (
                       ROOT, ROOT / "tests"))]
    sys.path[:] = [p for p in sys.path if p]
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path[:2])
    for name in [n for n in sys.modules if n.split(".")[0] in ("trust", "symprop")]:
        del sys.modules[name]
    return int(pytest.main(["-q", "-x", "-p", "no:cacheprovider", "--no-header",
                            f"--rootdir={folder}", *tests]))


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
        if new == ast.unparse(ast.parse(f"({old})", mode="eval")):
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
    """Tests that execute a line: the quickest of each file first, then more, for MOST_S.

    What stands in no function is executed by an import: then those that execute the file.
    """
    name = str(path.relative_to(ROOT))
    lines, times = _map()["lines"].get(name, {}), _map()["tests"]
    names = list(times)
    numbers = set(lines.get(str(line), ()))
    if _at_import(path, line):
        numbers = {t for tests in lines.values() for t in tests}
    found = sorted((names[k] for k in numbers), key=lambda t: times[t])
    first: dict[str, str] = {}
    for test in found:
        first.setdefault(test.split("::")[0], test)
    ordered = [*first.values(), *(t for t in found if t not in first.values())]
    chosen, total = [], 0.0
    for test in ordered:
        if total + times[test] <= MOST_S or not chosen:
            chosen.append(test)
            total += times[test]
    return chosen


def _at_import(path: Path, line: int) -> bool:
    """Whether a line is executed when its module is imported, and at no other time."""
    tree = ast.parse(path.read_text("utf-8"))
    return not any(isinstance(n, ast.FunctionDef | ast.Lambda)
                   and n.body and line in _span(n) for n in ast.walk(tree))


def _span(node: Any) -> range:
    first = node.body[0] if isinstance(node, ast.FunctionDef) else node
    return range(first.lineno, (node.end_lineno or 0) + 1)


@cache
def _map() -> dict[str, Any]:
    if not MAP.exists():
        raise FileNotFoundError(f"no {MAP}: run python -m trust.coverage first")
    return json.loads(MAP.read_text("utf-8"))  # type: ignore[no-any-return]
