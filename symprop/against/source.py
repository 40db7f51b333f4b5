"""The text of a function as a tree that can be changed and run again.

In: a function. Out: its tree with the line numbers of its file, its statements, and live functions
made from changed trees, which see the same globals, closure and defaults.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symprop.errors import InputError
from symprop.files.load import load_text

Function = Callable[..., Any]
SIMPLE = ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Return | ast.Expr


@dataclass(frozen=True)
class Source:
    """A function, its tree, its lines, and where they stand."""

    function: Function
    tree: ast.FunctionDef
    lines: tuple[str, ...]
    first: int
    path: str

    @property
    def globals(self) -> Mapping[str, Any]:
        """The names that the function finds outside of itself."""
        return {**_globals(self.function), **_closure(self.function)}

    def line(self, statement: ast.stmt) -> int:
        """Return the number of the line of a statement in its file."""
        return self.first + statement.lineno - 1

    def text(self, statement: ast.stmt) -> str:
        """Return a statement as its author wrote it, in one line."""
        last = statement.end_lineno or statement.lineno
        return " ".join(part.strip() for part in self.lines[statement.lineno - 1 : last])

    def statements(self) -> Iterator[ast.stmt]:
        """Yield the statements that compute something, in order; not those in a `while`."""
        yield from _simple(self.tree.body)

    def changed(self) -> str:
        """Return the tree, as it is now, as the text of a function without annotations."""
        return ast.unparse(_bare(self.tree))

    def functions(self, texts: Sequence[str]) -> list[Function]:
        """Return live functions of several texts."""
        renamed = [t.replace(f"def {self.tree.name}(", f"def variant_{k}(", 1)
                   for k, t in enumerate(texts)]
        module = load_text("\n\n".join(renamed), "variants")
        vars(module).update({n: v for n, v in self.globals.items() if not n.startswith("__")})
        made = [getattr(module, f"variant_{k}") for k in range(len(texts))]
        plain = inspect.unwrap(self.function)
        for function in made:
            function.__defaults__ = getattr(plain, "__defaults__", None)
            function.__kwdefaults__ = getattr(plain, "__kwdefaults__", None)
        return made


def source_of(function: Function) -> Source:
    """Read the text of a function; InputError where there is none."""
    plain = inspect.unwrap(function)
    try:
        lines, first = inspect.getsourcelines(plain)
        tree = ast.parse(textwrap.dedent("".join(lines))).body[0]
    except (OSError, TypeError, SyntaxError, IndexError):
        tree, lines, first = ast.Pass(), [], 0
    if not isinstance(tree, ast.FunctionDef):
        name = getattr(function, "__name__", "the function")
        raise InputError(f"the text of {name} cannot be read: give a function that a file defines")
    return Source(function, tree, tuple(lines), first, inspect.getsourcefile(plain) or "")


def _simple(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        if isinstance(statement, SIMPLE):
            yield statement
        elif not isinstance(statement, ast.While | ast.FunctionDef | ast.ClassDef):
            for name in ("body", "orelse", "finalbody"):
                yield from _simple(getattr(statement, name, []))


def _bare(tree: ast.FunctionDef) -> ast.FunctionDef:
    """Drop decorators, annotations and defaults, which would be evaluated anew."""
    given = tree.args
    groups = [[ast.arg(a.arg) for a in part]
              for part in (given.posonlyargs, given.args, given.kwonlyargs)]
    arguments = ast.arguments(
        posonlyargs=groups[0], args=groups[1], kwonlyargs=groups[2],
        vararg=given.vararg and ast.arg(given.vararg.arg),
        kwarg=given.kwarg and ast.arg(given.kwarg.arg),
        kw_defaults=[None] * len(groups[2]), defaults=[],
    )
    bare = ast.FunctionDef(name=tree.name, args=arguments, body=tree.body, decorator_list=[])
    if hasattr(tree, "type_params"):  # from Python 3.12 on
        setattr(bare, "type_params", [])  # noqa: B010
    return ast.fix_missing_locations(bare)


def _globals(function: Function) -> dict[str, Any]:
    return dict(getattr(inspect.unwrap(function), "__globals__", {}))


def _closure(function: Function) -> dict[str, Any]:
    plain = inspect.unwrap(function)
    names = plain.__code__.co_freevars if hasattr(plain, "__code__") else ()
    cells = getattr(plain, "__closure__", None) or ()
    return {n: cell.cell_contents for n, cell in zip(names, cells, strict=False)}
