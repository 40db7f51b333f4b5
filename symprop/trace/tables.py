"""Plain arrays from outside of the function, which a traced array may index while a trace runs.

In: a frame of the user's code, or the function. Out: `Lent`s: every array of numbers that the
code can reach by its names (globals, closures, defaults, what objects, dicts and lists hold) lies
there as a `Fillable` of the same memory, until it is put back:

    TABLE[y], self.table[y], p["emb"][tok], np.log(TABLE)[k]      a table that is looked up
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from types import CellType, FrameType, FunctionType, ModuleType
from typing import Any

import numpy as np

from symprop.trace.fillable import Fillable

_DEEPEST = 3
_MOST = 200  # parts of one container that are looked at
_KINDS = "fiub"
_LIBRARIES = ("numpy", "scipy", "symprop")  # whose objects are not looked into


@dataclass(frozen=True)
class Lent:
    """A place where a view lies in place of an array: how to put back what lay there."""

    put: Callable[[Any], None]
    before: Any

    def back(self) -> None:
        """Puts the array back."""
        self.put(self.before)


def lent_to(frame: FrameType) -> Iterator[Lent]:
    """Lends the arrays that the code of a frame can reach."""
    code, names = frame.f_code, frame.f_globals
    for name in code.co_names:
        if name in names:
            yield from _lend(names[name], _item(names, name), _DEEPEST, code.co_names)
    for name in (*code.co_freevars, *code.co_varnames[:code.co_argcount]):
        held = frame.f_locals.get(name)
        if not isinstance(held, np.ndarray):
            yield from _lend(held, None, _DEEPEST, code.co_names)


def lent_in(function: Callable[..., Any]) -> Iterator[Lent]:
    """Lends the arrays in the closure and in the defaults of a function."""
    yield from _lend(getattr(function, "__func__", function), None, _DEEPEST, ())


def lent(value: Any) -> Any:
    """A plain array of numbers as one that a traced array may index; all else as it is."""
    if type(value) is not np.ndarray or value.dtype.kind not in _KINDS or not value.ndim:
        return value
    view = value.view(Fillable)
    view.outer = True
    return view


def _lend(
    held: Any, put: Callable[[Any], None] | None, depth: int, names: tuple[str, ...]
) -> Iterator[Lent]:
    """Lends a value, or what stands in it."""
    view = lent(held)
    if view is not held:
        if put is not None:
            put(view)
            yield Lent(put, held)
        return
    if depth:
        for part, place in _parts(held, names):
            yield from _lend(part, place, depth - 1, names)


def _parts(held: Any, names: tuple[str, ...]) -> list[tuple[Any, Callable[[Any], None]]]:
    """What stands in a value, each with how another is put there."""
    if isinstance(held, FunctionType):
        return [*_of_cells(held), *_of_defaults(held)]
    if isinstance(held, ModuleType):
        inside = vars(held)
        return [(inside[n], _item(inside, n)) for n in names
                if isinstance(inside.get(n), np.ndarray)]
    if isinstance(held, dict):
        return [(part, _item(held, key)) for key, part in islice(list(held.items()), _MOST)]
    if isinstance(held, list):
        return [(part, _item(held, k)) for k, part in enumerate(held[:_MOST])]
    own = getattr(held, "__dict__", None)
    library = type(held).__module__.partition(".")[0] in _LIBRARIES
    if library or isinstance(held, type) or not isinstance(own, dict):
        return []
    return [(part, _item(own, key)) for key, part in islice(list(own.items()), _MOST)]


def _of_cells(function: FunctionType) -> Iterator[tuple[Any, Callable[[Any], None]]]:
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents, _cell(cell)
        except ValueError:  # an empty cell
            continue


def _of_defaults(function: FunctionType) -> Iterator[tuple[Any, Callable[[Any], None]]]:
    for k, part in enumerate(function.__defaults__ or ()):
        yield part, _default(function, k)


def _item(container: Any, key: Any) -> Callable[[Any], None]:
    def put(value: Any) -> None:
        container[key] = value

    return put


def _cell(cell: CellType) -> Callable[[Any], None]:
    def put(value: Any) -> None:
        cell.cell_contents = value

    return put


def _default(function: FunctionType, k: int) -> Callable[[Any], None]:
    def put(value: Any) -> None:
        before = function.__defaults__ or ()
        function.__defaults__ = (*before[:k], value, *before[k + 1:])

    return put
