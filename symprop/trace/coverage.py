"""What can be traced, as a page.

In: the tables of `registry`, which `operations` fills. Out: the text of docs/coverage.md, the
same under every version of NumPy; `CORE`, the functions that coverage is counted by.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from symprop.algebra import rows
from symprop.trace import creation, operations, scipy_special
from symprop.trace.registry import METHODS, NAMED, PROPERTIES, REFUSED, UFUNCS

assert operations

_PLACE = re.compile(r"\{(\w)\}")
_CORE = """
    take take_along_axis max min argmax argmin maximum minimum clip absolute where
    transpose swapaxes moveaxis reshape expand_dims squeeze broadcast_to concatenate stack split
    pad lib.stride_tricks.sliding_window_view roll flip tile repeat tril triu diag trace kron outer
    sum mean var std prod cumsum cumprod logaddexp matmul dot vdot inner tensordot einsum
    linalg.norm linalg.inv linalg.solve linalg.det linalg.slogdet linalg.cholesky
    power exp expm1 log log1p log2 sqrt cbrt sin cos tan arcsin arccos arctan sinh cosh tanh
    arcsinh arccosh arctanh arctan2 hypot sinc sign floor
    expit logit erf log_ndtr xlogy logsumexp
"""
CORE = tuple(_CORE.split())

_OPERATORS = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "floor_divide": "//",
    "remainder": "%", "divmod": "divmod", "power": "**", "matmul": "@", "negative": "-x",
    "positive": "+x", "absolute": "abs", "equal": "==", "not_equal": "!=", "less": "<",
    "less_equal": "<=", "greater": ">", "greater_equal": ">=", "bitwise_and": "&",
    "bitwise_or": "|", "bitwise_xor": "^", "invert": "~",
}
_SCIPY = {*scipy_special.ROWS, "entr", "rel_entr", "kl_div", "exp10", "huber", "pseudo_huber"}
_SILENT = ("self", "options", "args", "kw")  # what a signature need not show
Handler = Callable[..., Any]


def traced_names() -> set[str]:
    """Every function and ufunc that is traced, by its name below np. or scipy.special."""
    return {n for n in (*NAMED, *creation.CREATION, *UFUNCS, *scipy_special.PATCHED)
            if n not in REFUSED}


def refused_names() -> dict[str, str]:
    """Every name that is refused, with the reason."""
    return {n: why for n, why in REFUSED.items() if n not in traced_names()}


def page() -> str:
    """The text of docs/coverage.md."""
    functions: dict[str, Handler] = {**creation.CREATION, **NAMED}
    ufuncs = {n: h for n, h in UFUNCS.items() if n not in _SCIPY}
    special = {n: UFUNCS[n] for n in sorted(_SCIPY)} | scipy_special.PATCHED
    methods = {n: h for n, h in {**METHODS, **PROPERTIES}.items() if not n.startswith("_")}
    missing = [n for n in CORE if n not in traced_names()]
    return "\n".join([
        *_head(len(functions), len(ufuncs), len(special), len(methods), missing),
        *_section("Functions", "np.", functions, _call),
        *_section("Ufuncs", "np.", ufuncs, _operator),
        *_section("Methods and attributes of arrays", "x.", methods, _method),
        *_section("scipy.special", "", special, _call),
        *_refused(),
    ]) + "\n"


def _head(functions: int, ufuncs: int, special: int, methods: int, missing: list[str]) -> list[str]:
    share = len(CORE) - len(missing)
    names = ", ".join(f"`{n}`" for n in missing) or "none"
    return [
        "# What can be traced", "",
        "This page is generated from the tables that a traced array looks into",
        "(`symprop/trace/registry.py`); `make generated` rewrites it and a test compares it.", "",
        "| | traced |", "|---|---|",
        f"| NumPy functions | {functions} |",
        f"| NumPy ufuncs, their `reduce` and `accumulate` counted | {ufuncs} |",
        f"| methods and attributes of arrays | {methods} |",
        f"| functions of scipy.special | {special} |",
        f"| refused by name, with a reason | {len(refused_names())} |",
        f"| of {len(CORE)} core functions | {share} ({100 * share / len(CORE):.0f} %) |", "",
        "The core functions are those that a test suite for automatic differentiation of NumPy",
        f"exercises, listed in `symprop/trace/coverage.py`; missing of them: {names}.", "",
        "Square brackets take integers, slices with steps, `None`, `...`, integer arrays, plain",
        "arrays of truth values, and the results of argmax and argsort. `ufunc.outer` works for",
        "every ufunc of two operands. `np.array([a, b])` of traced arrays is their stack.",
        "A write in place (`x += y`, `x[k] = v`, `out=x`) makes another equation, as",
        "[programs.md](programs.md) shows; `where=` is refused.",
        "", "Each row is traced, evaluated, derived, verified, generated and compared with",
        "NumPy by `tests/test_trace_operations.py`, in the forms that `tests/trace_cases.py`",
        "and `tests/trace_forms.py` list. How derivatives are defined at kinks is said in",
        "[conventions.md](conventions.md).", "",
    ]


def _section(
    title: str, prefix: str, table: Mapping[str, Handler], left: Callable[[str, Handler], str]
) -> list[str]:
    """A table with one row for each meaning; names of one meaning share a row."""
    groups: dict[Handler, list[str]] = {}
    for name in sorted(table):
        groups.setdefault(table[name], []).append(name)
    found = [f"## {title}", "", "| name | meaning |", "|---|---|"]
    for handler, names in sorted(groups.items(), key=lambda item: item[1]):
        shown = ", ".join(f"`{prefix}{left(n, handler)}`" for n in names)
        found.append(f"| {shown} | {_meaning(handler)} |")
    return [*found, ""]


def _call(name: str, handler: Handler, skip: int = 0) -> str:
    """The name with the arguments that are traced."""
    arguments = list(inspect.signature(handler).parameters.values())[skip:]
    shown = [("*" if a.kind is a.VAR_POSITIONAL else "") + a.name for a in arguments
             if a.kind is not a.VAR_KEYWORD and a.name not in (*_SILENT, "out")]
    return name if shown == ["*operands"] and name != "einsum" else f"{name}({', '.join(shown)})"


def _method(name: str, handler: Handler) -> str:
    return name if name in PROPERTIES else _call(name, handler, skip=1)


def _operator(name: str, handler: Handler) -> str:
    sign = _OPERATORS.get(name)
    return name if sign is None else f"{name}  {_cell(sign)}"


def _cell(text: str) -> str:
    """Text in a table: its own bars do not end the cell."""
    return text.replace("|", r"\|")


def _meaning(handler: Handler) -> str:
    """The first line of a handler's docstring; a row by its own text."""
    text = (inspect.getdoc(handler) or "").split("\n\n")[0].replace("\n", " ")
    if text.startswith("The row "):
        name, _, more = text.removeprefix("The row ").rstrip(".").partition(": ")
        row = rows.get(name)
        text = _PLACE.sub(r"\1", row.text) + (f": {more}." if more else "")
    return _cell(text)


def _refused() -> list[str]:
    """Names by reason."""
    groups: dict[str, list[str]] = {}
    for name, why in refused_names().items():
        groups.setdefault(why, []).append(name)
    found = ["## Refused by name", "", "| name | why |", "|---|---|"]
    found += [f"| {_joined(names)} | {_cell(why)} |"
              for why, names in groups.items()]
    return [*found, "", (
        "Every other function of NumPy raises an `UnsupportedError` with its name and the line "
        "that calls it.")]


def _joined(names: Iterable[str]) -> str:
    return ", ".join(f"`{n}`" for n in names)
