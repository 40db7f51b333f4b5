"""What NumPy's protocols find: tables from ufuncs, functions and methods to their meaning.

In: registrations by the modules that implement operations. Out: the tables that the traced
array looks into. Keeping them here lets the array class import none of its operations. What the
tables hold runs unwatched: a trace looks for names in the user's code, not in these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from symprop.trace.context import unwatched

Handler = Callable[..., Any]
_H = TypeVar("_H", bound=Handler)
UFUNCS: dict[str, Handler] = {}  # by the ufunc's name
FUNCTIONS: dict[Any, Handler] = {}  # by NumPy's function object
NAMED: dict[str, Handler] = {}  # the same by dotted name, in whatever version of NumPy
METHODS: dict[str, Handler] = {}  # by the name of ndarray's method
PROPERTIES: dict[str, Handler] = {}  # by the name of ndarray's attribute
LAYERS: dict[str, str] = {}  # functions of symprop.nn by their name, each as it is written
REFUSED: dict[str, str] = {}  # functions and methods that are refused by name, with the reason


def ufunc(*names: str) -> Callable[[_H], _H]:
    """Registers the meaning of NumPy's ufuncs of these names."""

    def note(handler: _H) -> _H:
        UFUNCS.update(dict.fromkeys(names, unwatched(handler)))
        return handler

    return note


def function(*names: str, calls: bool = False) -> Callable[[_H], _H]:
    """Registers the meaning of NumPy's functions of these (dotted) names.

    calls: whether it calls functions of the user, which are watched like others.
    """

    def note(handler: _H) -> _H:
        entry = handler if calls else unwatched(handler)
        for name in names:
            NAMED[name] = entry
            found = numpy_function(name)
            if found is not None:
                FUNCTIONS[found] = entry
        return handler

    return note


def method(*names: str) -> Callable[[_H], _H]:
    """Registers the meaning of ndarray's methods of these names."""

    def note(handler: _H) -> _H:
        METHODS.update(dict.fromkeys(names, unwatched(handler)))
        return handler

    return note


def attribute(*names: str) -> Callable[[_H], _H]:
    """Registers the meaning of ndarray's attributes of these names."""

    def note(handler: _H) -> _H:
        PROPERTIES.update(dict.fromkeys(names, unwatched(handler)))
        return handler

    return note


def layer(name: str) -> str:
    """What to write for a function that NumPy lacks and symprop.nn has; or ""."""
    return LAYERS.get(name, "")


def numpy_function(name: str) -> Any:
    """NumPy's function of a dotted name; None where this NumPy has none."""
    found: Any = np
    for part in name.split("."):
        found = getattr(found, part, None)
    return found
