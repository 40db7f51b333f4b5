"""Scalar functions by the name of their row, on traced arrays and on plain numbers alike.

In: the name of a row and its arguments. Out: one equation with that row, or the value by the
row's NumPy spelling. `symprop.nn` is written in these and in NumPy.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from symprop.algebra import rows
from symprop.algebra.rows import Row
from symprop.errors import UnsupportedError
from symprop.files.load import load_text
from symprop.trace.elementwise import row
from symprop.trace.sizes import SymbolicSize
from symprop.trace.tensor import Traced

_spelled: dict[Row, ModuleType] = {}
_LETTERS = ("x", "y", "z")


def elementwise(row_name: str, *args: Any) -> Any:
    """The scalar function of row `row_name` on every entry, with NumPy's broadcasting.

    Raises InputError for an unknown row and UnsupportedError for a row without NumPy spelling.

    >>> float(elementwise("relu", -2.0))
    0.0
    """
    if any(isinstance(a, Traced | SymbolicSize) for a in args):
        return row(row_name, *args)
    return _module(rows.get(row_name)).function(*args)


def _module(found: Row) -> ModuleType:
    """The row's NumPy spelling as a function in a module of our own text."""
    module = _spelled.get(found)
    if module is None:
        if found.numpy is None:
            raise UnsupportedError(f"{found.name} has no NumPy spelling")
        letters = _LETTERS[: found.arity]
        text = found.numpy.format(**{x: x for x in letters})
        helper = f"{found.helper}\n\n\n" if found.helper else ""
        source = (
            f"import numpy as np\n\n\n{helper}"
            f"def function({', '.join(letters)}):\n    return {text}\n")
        module = _spelled[found] = load_text(source, f"row_{found.name}")
    return module
