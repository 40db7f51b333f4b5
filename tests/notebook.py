"""Runs a notebook's cells as Jupyter does, without Jupyter.

In: a cell, the names that cells before it have made. Out: its outputs.
"""

from __future__ import annotations

import ast
import contextlib
import io
import linecache
from pathlib import Path
from typing import Any

TUTORIAL = Path(__file__).resolve().parents[1] / "docs" / "tutorial.ipynb"
FORMS = {"text/html": "_repr_html_", "text/markdown": "_repr_markdown_",
         "text/latex": "_repr_latex_", "image/svg+xml": "_repr_svg_"}


def lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def shown(value: Any) -> dict[str, list[str]]:
    """What Jupyter shows of a value, by kind."""
    found = {"text/plain": lines(repr(value))}
    for kind, method in FORMS.items():
        form = getattr(value, method, lambda: None)()
        if form is not None:
            found[kind] = lines(form)
    return found


def outputs(cell: dict[str, Any], names: dict[str, Any]) -> list[dict[str, Any]]:
    """Runs a cell as Jupyter does: what it prints, and the value of its last expression."""
    source = "".join(cell["source"])
    file = f"<{cell['id']}>"
    linecache.cache[file] = (len(source), None, lines(source), file)
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, file, "exec"), names)  # noqa: S102
        value = None if last is None else eval(  # noqa: S307
            compile(ast.Expression(last.value), file, "eval"), names)
    found: list[dict[str, Any]] = []
    if printed.getvalue():
        found.append({"name": "stdout", "output_type": "stream", "text": lines(printed.getvalue())})
    if value is not None:
        found.append({"data": shown(value), "execution_count": None, "metadata": {},
                      "output_type": "execute_result"})
    return found
