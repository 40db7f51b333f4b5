"""The names and titles of the zoo, read from its text: a list needs none of the models.

In: nothing. Out: `titles()`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent


def titles() -> dict[str, str]:
    """The title of every model by its name, in the order of the table.

    >>> titles()["mlp"]
    'two-layer perceptron: tanh, softmax, cross-entropy'
    """
    table = ast.parse((FOLDER / "table.py").read_text(encoding="utf-8"))
    families = [node.value.id for node in ast.walk(table) if isinstance(node, ast.Attribute)
                and node.attr == "MODELS" and isinstance(node.value, ast.Name)]
    return dict(pair for family in families for pair in _models(FOLDER / f"{family}.py"))


def _models(path: Path) -> Iterator[tuple[str, str]]:
    """(name, title) of each `Model(name, title, ...)` of a family."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and (
                node.func.id == "Model"):
            name, title = node.args[:2]
            yield ast.literal_eval(name), ast.literal_eval(title)
