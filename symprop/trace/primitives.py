"""Scalar functions by the name of their row, on traced arrays and on plain numbers alike.

In: the name of a row and its arguments. Out: one equation with that row, or the value by the
row's NumPy spelling. `symprop.nn` is written in these and in NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symprop.algebra import rows
from symprop.algebra.rows import Row
from symprop.files.load import load_text
from symprop.trace.elementwise import row
from symprop.trace.fillable import is_symbolic

_spelled: dict[tuple[object, Row], Callable[..., Any]] = {}  # by the rows in force


def elementwise(row_name: str, *args: Any) -> Any:
    """The scalar function of row `row_name` on every entry, with NumPy's broadcasting.

    Raises InputError for an unknown row.

    >>> float(elementwise("relu", -2.0))
    0.0
    """
    if is_symbolic(args):
        return row(row_name, *args)
    return _function(rows.get(row_name))(*args)


def _function(found: Row) -> Callable[..., Any]:
    """The row's NumPy spelling as a function of a module of our own text."""
    key = rows.registry(), found
    function = _spelled.get(key)
    if function is None:
        module = load_text(rows.module_text([found.name]), f"row_{found.name}")
        function = _spelled[key] = getattr(module, found.name)
    return function
