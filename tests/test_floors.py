"""The rules of the house: floors, no cycles, small files, small functions, nothing evaluated.

The package reads top to bottom. A module imports only what stands on a lower floor or in its own
folder; `FLOORS` is the table. A module that is not in it fails here: give it a floor.
"""

import ast
import statistics
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

FLOORS = {
    "symprop.errors": 0,
    "symprop.collector": 0,
    "symprop.version": 0,
    "symprop.names": 0.5,
    "symprop.shapes": 1,
    "symprop.files": 2,
    "symprop.syntax": 2,
    "symprop.check": 2.5,
    "symprop.train": 2.7,
    "symprop.algebra": 3,
    "symprop.system": 4,
    "symprop.trace": 5,
    "symprop.nn": 5.5,
    "symprop.scan": 5.5,
    "symprop.interpret": 6,
    "symprop.concrete": 6.5,
    "symprop.recognise": 6.7,
    "symprop.derive": 7,
    "symprop.rules": 7.5,
    "symprop.verify": 8,
    "symprop.blocks": 8.5,
    "symprop.lower": 9,
    "symprop.emit": 10,
    "symprop.close": 10.2,
    "symprop.derivation": 10.5,
    "symprop.by_blocks": 10.6,
    "symprop.against": 10.7,
    "symprop.pipeline": 11,
    "symprop": 11.5,
    "symprop.zoo": 12,
    "symprop.cli": 13,
    "symprop.__main__": 14,
}
# These know nothing of the calculus, wherever they stand.
ORACLES = ("symprop.check", "symprop.train")
KNOWN_TO_ORACLES = ("symprop.errors", "symprop.names", "symprop.shapes", "symprop.files")
OPTIONAL_EXTRAS = {"matplotlib", "sklearn"}

LONGEST_FILE, LONGEST_FUNCTION = 400, 60
MEDIAN_FILE, MEDIAN_FUNCTION = 150, 10

EXECUTES = {"eval", "exec", "compile", "__import__"}
FROM_SYMPY = {"sympify", "parse_expr", "lambdify", "doit", "simplify"}
MODULES_THAT_EXECUTE = {"pickle", "marshal", "shelve", "runpy", "code", "importlib"}
THE_ONE_LOADER = "symprop.files.load"


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = {module_name(path): path for path in sorted((ROOT / "symprop").rglob("*.py"))}


def every_module(question: Callable[[str], None]) -> Callable[[], None]:
    """One test that asks every module, and lists all that do not pass."""
    def test() -> None:
        problems = []
        for name in PATHS:
            try:
                question(name)
            except AssertionError as error:
                problems.append(str(error).splitlines()[0])
        assert not problems, "\n".join(problems)

    test.__name__ = question.__name__
    return test


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(PATHS[name].read_text(encoding="utf-8"))


def imported(name: str) -> Iterator[str]:
    """The modules of symprop that a module imports, by their full names."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively, line {node.lineno}"
            # `from symprop.emit import latex` may name a module or something inside one.
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            found = [full if full in PATHS else str(node.module) for full in inside]
        else:
            continue
        yield from (word for word in found if word.split(".")[0] == "symprop")


def prefix(name: str) -> str | None:
    """The longest entry of the table that a module belongs to."""
    if name == "symprop":
        return name
    fitting = [p for p in FLOORS if p != "symprop" and (name == p or name.startswith(p + "."))]
    return max(fitting, key=len, default=None)


def functions(name: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


@every_module
def test_a_module_imports_only_lower_floors_or_its_own_folder(name: str) -> None:
    own = prefix(name)
    assert own is not None, f"{name} has no floor: add it to FLOORS"
    for other in imported(name):
        theirs = prefix(other)
        assert theirs is not None, f"{name} imports {other}, which has no floor"
        assert theirs == own or FLOORS[theirs] < FLOORS[own], f"{name} imports {other}"


@every_module
def test_the_oracles_know_nothing_of_the_calculus(name: str) -> None:
    if not name.startswith(ORACLES):
        return
    for other in imported(name):
        assert other.startswith(KNOWN_TO_ORACLES + ORACLES), f"{name} imports {other}"
    for node in ast.walk(tree(name)):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
        assert not any(word.split(".")[0] == "sympy" for word in names), f"{name} imports sympy"


def test_there_is_no_import_cycle() -> None:
    waiting = {name: sorted(set(imported(name)) - {name}) for name in PATHS}
    while waiting:
        free = {name for name, needs in waiting.items() if not waiting.keys() & set(needs)}
        if not free:
            pytest.fail(f"these import each other: {' -> '.join(one_cycle(waiting))}")
        waiting = {name: needs for name, needs in waiting.items() if name not in free}


def one_cycle(graph: dict[str, list[str]]) -> list[str]:
    """Walk along imports, which here never end, until a module comes up again."""
    walk = [min(graph)]
    while True:
        following = next(name for name in graph[walk[-1]] if name in graph)
        if following in walk:
            return [*walk[walk.index(following) :], following]
        walk.append(following)


@every_module
def test_nothing_is_imported_inside_a_function(name: str) -> None:
    for function in functions(name):
        for node in ast.walk(function):
            if isinstance(node, ast.Import):
                tops = {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                tops = {str(node.module).split(".")[0]}
            else:
                continue
            assert tops <= OPTIONAL_EXTRAS, f"{name}:{node.lineno} imports inside a function"


@every_module
def test_a_module_opens_with_what_it_is_for(name: str) -> None:
    if PATHS[name].read_text(encoding="utf-8").strip():
        assert ast.get_docstring(tree(name)), f"{name} has no docstring"


@every_module
def test_files_and_functions_are_short(name: str) -> None:
    lines = len(PATHS[name].read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST_FILE, f"{name} has {lines} lines"
    for node in functions(name):
        assert length(node) <= LONGEST_FUNCTION, f"{name}.{node.name} has {length(node)} lines"


def test_the_median_file_and_function_are_shorter_still() -> None:
    files = [len(path.read_text(encoding="utf-8").splitlines()) for path in PATHS.values()]
    assert statistics.median(files) <= MEDIAN_FILE
    lengths = [length(node) for name in PATHS for node in functions(name)]
    assert statistics.median(lengths) <= MEDIAN_FUNCTION


@every_module
def test_nothing_is_evaluated(name: str) -> None:
    forbidden = EXECUTES | FROM_SYMPY - names_of_our_own(name)
    for node in ast.walk(tree(name)):
        where = f"{name}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Name):
            assert node.id not in forbidden, f"{where} uses {node.id}"
        elif isinstance(node, ast.Attribute):
            assert node.attr not in FROM_SYMPY, f"{where} uses .{node.attr}"
            allowed = name == THE_ONE_LOADER or node.attr != "exec_module"
            assert allowed, f"{where} executes a module"
        elif isinstance(node, ast.alias):
            assert node.name.split(".")[-1] not in forbidden, f"{where} imports {node.name}"
        elif isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            assert isinstance(node.value, ast.Constant) and node.value.value is False, where


def names_of_our_own(name: str) -> set[str]:
    """What a module defines, or imports from symprop: its `simplify` is not SymPy's."""
    found = {node.name for node in functions(name)}
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "symprop":
            found |= {alias.asname or alias.name for alias in node.names}
    return found


@every_module
def test_only_one_module_can_execute_text(name: str) -> None:
    if name == THE_ONE_LOADER:
        return
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            found = {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found = {str(node.module).split(".")[0]}
        else:
            continue
        assert not found & MODULES_THAT_EXECUTE, f"{name}:{node.lineno} imports {found}"
