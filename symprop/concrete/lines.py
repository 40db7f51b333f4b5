"""Which line of the user's code did it, found by running the function once more, line by line.

In: a call and a question. Out: "file.py:12", or values of local variables.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numpy as np

from symprop.trace.context import is_users

Look = Callable[[FrameType, str, Any], None]
_DEEPEST = 3  # lists of lists of arrays


def first_line(call: Callable[[], Any], happened: Callable[[], bool]) -> str:
    """The line of the user's code after which `happened` is true for the first time; or ""."""
    found: list[str] = []
    before = [""]

    def look(frame: FrameType, event: str, value: Any) -> None:
        if not found and happened():
            found.append(before[0])
        before[0] = _place(frame, event)

    with _watching(look):
        _run(call)
    if not found and happened():
        found.append(before[0])
    return found[0] if found else ""


def first_difference(one: Callable[[], Any], other: Callable[[], Any]) -> str:
    """The line at which two runs begin to differ; or ""."""
    left, right = _history(one), _history(other)
    for (place, held), (_, others) in zip(left, right, strict=False):
        if held != others:
            return place
    return left[-1][0] if left else ""


def first_values(call: Callable[[], Any], code: object) -> dict[str, np.ndarray[Any, Any]]:
    """What each local variable of that code held first."""
    found: dict[str, np.ndarray[Any, Any]] = {}

    def look(frame: FrameType, event: str, value: Any) -> None:
        if frame.f_code is code:
            for name, held in frame.f_locals.items():
                if name not in found and isinstance(held, np.ndarray | np.number):
                    found[name] = np.array(held)

    with _watching(look):
        _run(call)
    return found


def _run(call: Callable[[], Any]) -> None:
    try:
        call()
    except Exception:  # what it did before is known
        return


def _history(call: Callable[[], Any]) -> list[tuple[str, tuple[Any, ...]]]:
    """Line by line: the line that has just run, and what is known after it."""
    found: list[tuple[str, tuple[Any, ...]]] = []
    before = [""]

    def look(frame: FrameType, event: str, value: Any) -> None:
        held = tuple(_digest(v) for v in frame.f_locals.values())
        # A value that is returned was made by the line that returns it.
        own = _place(frame, "line") if event == "return" else before[0]
        found.append((own, (event, held, _digest(value) if event == "return" else None)))
        before[0] = _place(frame, event)

    with _watching(look):
        _run(call)
    return found


def _place(frame: FrameType, event: str) -> str:
    """The line that runs next: after a return that of the caller."""
    following: FrameType | None = frame
    if event == "return":
        following = frame.f_back
        while following is not None and not is_users(following):
            following = following.f_back
    following = following or frame
    return f"{os.path.basename(following.f_code.co_filename)}:{following.f_lineno}"


def _digest(value: Any, depth: int = 0) -> Any:
    """What can be compared of a value; None of what holds no numbers."""
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        return None if array.dtype.kind not in "fiubc" else (array.shape, array.tobytes())
    if isinstance(value, bool | int | float | str):
        return value
    if depth < _DEEPEST and isinstance(value, list | tuple):
        return tuple(_digest(v, depth + 1) for v in value)
    if depth < _DEEPEST and isinstance(value, Mapping):
        return tuple(_digest(v, depth + 1) for v in value.values())
    return None


@contextmanager
def _watching(look: Look) -> Iterator[None]:
    """Calls `look` before every line and at every return of the user's code."""

    def ran(frame: FrameType, event: str, value: Any) -> Any:
        if event != "exception":
            look(frame, event, value)
        return ran

    def called(frame: FrameType, event: str, value: Any) -> Any:
        return ran if is_users(frame) else None

    previous = sys.gettrace()
    sys.settrace(called)
    try:
        yield
    finally:
        sys.settrace(previous)
