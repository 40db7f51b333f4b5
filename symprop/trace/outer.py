"""Arrays that the function has from outside: of its module, of a closure, of an object.

In: an array and the frame of the user's code that uses it. Out: what the code calls it there:
"W", "self.W", "params['W']"; "" for what the function was given or has made.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import FrameType
from typing import Any

import numpy as np

_DEEPEST = 3
_MOST = 200  # parts of one container that are looked at


def name_outside(value: Any, frame: FrameType) -> str:
    """What the code of a frame calls an array that was there before its call; or ""."""
    if not isinstance(value, np.ndarray):
        return ""
    for name, held in _outside(frame):
        for path, part in _parts(name, held, _DEEPEST):
            if part is value or (value.base is not None and part is value.base):
                return path
    return ""


def _outside(frame: FrameType) -> Iterator[tuple[str, Any]]:
    """What the code reads of its module and of a closure, and the objects that it was given."""
    code = frame.f_code
    for name in code.co_names:
        if name in frame.f_globals:
            yield name, frame.f_globals[name]
    for name in code.co_freevars:
        if name in frame.f_locals:
            yield name, frame.f_locals[name]
    for name in code.co_varnames[:code.co_argcount]:
        held = frame.f_locals.get(name)
        if hasattr(held, "__dict__"):
            yield name, held


def _parts(path: str, held: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """A value, and what stands in it, each with how it is reached."""
    yield path, held
    if depth == 0 or isinstance(held, np.ndarray | type):
        return
    if isinstance(held, dict):
        found = [(f"{path}[{key!r}]", part) for key, part in list(held.items())[:_MOST]]
    elif isinstance(held, list | tuple):
        found = [(f"{path}[{key}]", part) for key, part in enumerate(held[:_MOST])]
    elif isinstance(getattr(held, "__dict__", None), dict) and not hasattr(held, "__spec__"):
        found = [(f"{path}.{key}", part) for key, part in list(vars(held).items())[:_MOST]]
    else:
        return
    for deeper, part in found:
        yield from _parts(deeper, part, depth - 1)
