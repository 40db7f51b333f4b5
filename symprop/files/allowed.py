"""What a generated module may consist of: an allow-list over its syntax tree.

In: the text of a module, before it is run or written. Out: nothing, or an InputError that names
the line. Whatever a printer or a template does wrong, or somebody else's template does on purpose,
a module computes with NumPy's arrays, prints and raises; it opens no file, starts no process,
evaluates no text and reaches nothing behind a name that begins with an underscore.
"""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterator
from functools import cache

import numpy as np

from symprop.errors import InputError

KINDS = (
    ast.Module, ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.arguments, ast.arg, ast.Return,
    ast.Assign, ast.AugAssign, ast.AnnAssign, ast.For, ast.While, ast.If, ast.With, ast.withitem,
    ast.Raise, ast.Assert, ast.Import, ast.ImportFrom, ast.alias, ast.Expr, ast.Pass, ast.Break,
    ast.Continue, ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.IfExp, ast.Dict, ast.Set, ast.ListComp,
    ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.comprehension, ast.Compare, ast.Call,
    ast.keyword, ast.FormattedValue, ast.JoinedStr, ast.Constant, ast.Attribute, ast.Subscript,
    ast.Starred, ast.Name, ast.List, ast.Tuple, ast.Slice, ast.expr_context, ast.boolop, ast.Delete,
    ast.operator, ast.unaryop, ast.cmpop,
)
MODULES = frozenset(("numpy", "jax", "jax.numpy", "math"))
BUILTINS = frozenset((
    "abs", "all", "any", "bin", "bool", "dict", "enumerate", "float", "frozenset", "int",
    "isinstance", "len", "list", "max", "min", "print", "range", "repr", "reversed", "round",
    "set", "slice", "sorted", "str", "sum", "super", "tuple", "zip", "Exception", "IndexError",
    "KeyError", "AttributeError", "TypeError", "ValueError", "RuntimeError", "SystemExit",
    "__name__", "object", "property", "type", "callable", "hasattr",
))
LOCKS = frozenset(("lock", "acquire"))  # by which a Workspace knows its thread
SPECIAL = frozenset(("__getattribute__", "__new__", "__init__", "__annotations__"))
# Of NumPy's names: what reads or writes files and memory, or runs something.
OUTSIDE = frozenset((
    "DataSource", "ctypeslib", "ctypes", "data", "dump", "dumps", "f2py", "frombuffer", "fromfile",
    "fromregex", "fromstring", "genfromtxt", "getbuffer", "load", "loadtxt", "memmap",
    "open_memmap", "save", "savetxt", "savez", "savez_compressed", "setflags", "testing", "tofile",
    "distutils", "compat", "rec", "char", "core", "info", "show_config", "show_runtime", "source",
    "lookfor", "byte_bounds", "format", "format_map",
))


def refuse_foreign(source: str, name: str) -> None:
    """Compare the syntax tree of a generated module with the allow-list.

    Raises InputError where the text is not Python, or is more than a generated module may be.

    >>> refuse_foreign("import numpy as np\\ny = np.tanh(0.5)\\n", "mine")
    >>> refuse_foreign("import os", "mine")
    Traceback (most recent call last):
    symprop.errors.InputError: mine was not written: line 1 imports os, ...
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        raise InputError(f"{name} was not written: it is not Python: {error}") from error
    own = frozenset(_bound(tree))
    given = frozenset(node.arg for node in ast.walk(tree) if isinstance(node, ast.arg))
    found = _unbound(source, tree)
    if _deletes(tree):
        found = "deletes what is not a function's own"
    for node in ast.walk(tree):
        found = found or _foreign(node, own, given)
        if found is not None:
            line = getattr(node, "lineno", 0)
            where = f"line {line} " if line else "it "
            raise InputError(
                f"{name} was not written: {where}{found}, which no generated module may: "
                "a template adds text, constants and functions of NumPy's arrays, nothing else")


def _unbound(source: str, tree: ast.Module) -> str | None:
    """A name that is read and is neither the module's own nor a builtin of the list, in words.

    Another builtin's name is the module's own where a statement binds it that stands before all
    that read it; what a function binds itself is its own in any case.
    """
    bound = {name for statement in tree.body for name in _binds(statement)}
    for name in sorted(_read_as_global(symtable.symtable(source, "module", "exec"))):
        if name in BUILTINS or (name in bound and not hasattr(builtins, name)):
            continue
        for statement in tree.body:
            if any(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)
                   for n in ast.walk(statement)):
                return f"reads {name}"
            if name in _binds(statement):
                break
    return None


def _deletes(node: ast.AST) -> bool:
    """Whether something is deleted outside of functions, which may delete what is their own."""
    return isinstance(node, ast.Delete) or (
        not isinstance(node, ast.FunctionDef) and any(map(_deletes, ast.iter_child_nodes(node))))


def _binds(statement: ast.stmt) -> set[str]:
    """The names that a statement binds in its own scope, whatever happens."""
    match statement:
        case ast.Assign(targets=targets):
            return {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return {a.asname or a.name.split(".")[0] for a in names}
    return set()


def _read_as_global(table: symtable.SymbolTable) -> set[str]:
    """The names that a module looks up among its own and the builtins."""
    top = table.get_type() == "module"
    found = {s.get_name() for s in table.get_symbols()
             if s.is_referenced() and (top or s.is_global())}
    return found.union(*map(_read_as_global, table.get_children()))


def _foreign(node: ast.AST, own: frozenset[str], given: frozenset[str]) -> str | None:
    """What of a node is not on the list, in words."""
    match node:
        case ast.Import(names=names):
            return next((f"imports {a.name}" for a in names if a.name not in MODULES), None)
        case ast.ImportFrom(module=module, level=level, names=names):
            if level or module not in MODULES or any(a.name in OUTSIDE for a in names):
                return f"imports from {module or '.'}"
        case ast.Name(id=name) if name.startswith("__") and name not in BUILTINS:
            if isinstance(node.ctx, ast.Load):
                return f"reads {name}"
        case ast.Attribute(attr=name, value=held):
            if name.startswith("_") and name not in SPECIAL:
                return f"reads .{name}"
            if isinstance(held, ast.Name) and held.id in given and name not in OUTSIDE:
                return None  # a part of an argument: params.W
            if name not in _attributes() | own | SPECIAL:
                return f"reads .{name}"
        case ast.Delete(targets=targets) if not all(
                isinstance(t, ast.Name) or (isinstance(t, ast.Tuple) and all(
                    isinstance(n, ast.Name) for n in t.elts)) for t in targets):
            return "deletes what is not a function's own"
        case _ if not isinstance(node, KINDS):
            return f"holds {type(node).__name__}"
    return None


def _bound(tree: ast.AST) -> Iterator[str]:
    """The names that a module binds somewhere: a part of what is saved is read as .A1."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | (
                    ast.FunctionDef(name=name)) | ast.ClassDef(name=name):
                yield name
            case ast.alias(name=name, asname=other):
                yield other or name.split(".")[0]


@cache
def _attributes() -> frozenset[str]:
    """The public names of NumPy's arrays, functions and generators, and of Python's containers."""
    owners = (np, np.ndarray, np.generic, np.linalg, np.random, np.random.Generator, np.dtype,
              np.ufunc, np.lib.stride_tricks, np.lib, np.finfo, dict, list, tuple, str, set, float)
    public = {name for owner in owners for name in dir(owner) if not name.startswith("_")}
    public.add("set")  # of JAX: x.at[...].set(y)
    return frozenset(public - OUTSIDE) | LOCKS
