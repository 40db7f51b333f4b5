"""What a function's code speaks of.

In: a function. Out: the names and texts in its code and in that of the functions of the user
that it names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any

from symprop.concrete.sources import held_by
from symprop.trace.context import code_of

_DEEPEST = 3
_LIBRARIES = ("numpy", "scipy", "symprop.")


def words_of(function: Callable[..., Any]) -> set[str]:
    """The names and texts in a function's code and in that of the functions it names."""
    return set(_words(code_of(function), function, 0))


def _words(code: CodeType | None, function: Any, depth: int) -> Iterator[str]:
    if code is None or depth > _DEEPEST:
        return
    yield from _own(code)
    for held in held_by(function):
        other = code_of(held) if callable(held) else None
        library = str(getattr(held, "__module__", "")).startswith(_LIBRARIES)
        if other is not None and other is not code and not library:
            yield from _words(other, held, depth + 1)


def _own(code: CodeType) -> Iterator[str]:
    """Those in the code itself, that of nested functions included."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, CodeType):
            yield from _own(constant)
