"""What functions of a generated module have computed when they return.

In: a function and its arguments; other functions that it may call. Out: a `Frame`: what it
returns, its local variables at that moment, and the same of those that it has called. The module
is run as it stands; it is only watched.

What a function deletes has been written over by then: of that, the value counts that it had when
another name was given to its memory.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from types import CodeType, FrameType
from typing import Any

import numpy as np


@dataclass
class Frame:
    """One call: the variables when it began and when it returned."""

    function: str
    entered: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    result: Any = None
    calls: list[Frame] = field(default_factory=list)
    deleted: dict[str, Any] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    seen: dict[str, Any] = field(default_factory=dict)


def watched(
    function: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any],
    others: Iterable[CodeType] = (),
) -> Frame:
    """A call, and the calls in it of other functions; no variables of a builtin."""
    own = getattr(function, "__code__", None)
    codes = {own, *others}
    whole = Frame("")
    open_frames = [whole]

    def inside(frame: FrameType, event: str, value: Any) -> Any:
        if event == "line":
            _look(open_frames[-1], frame)
        elif event == "return":
            done = open_frames.pop()
            done.variables = {**done.deleted, **frame.f_locals}
            done.result = value
        return inside

    def called(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code not in codes:
            return None
        frame.f_trace_lines = bool(_deletes(frame.f_code))
        new = Frame(frame.f_code.co_name, dict(frame.f_locals))
        open_frames[-1].calls.append(new)
        open_frames.append(new)
        return inside

    previous = sys.gettrace()
    sys.settrace(called)
    try:
        result = function(*args, **named)
    finally:
        sys.settrace(previous)
    return whole.calls[0] if whole.calls else Frame("", result=result)


@cache
def _deletes(code: CodeType) -> frozenset[str]:
    """The variables that a function deletes."""
    return frozenset(
        i.argval for i in dis.get_instructions(code) if i.opname == "DELETE_FAST")


def _look(found: Frame, frame: FrameType) -> None:
    """Notes what the variables hold that the function will delete.

    A variable is settled when another one is given its array, a view of all of it, or the array
    that it is a view of: from then on it is only read, or written over.
    """
    variables: dict[str, Any] = dict(frame.f_locals)
    before = found.seen
    new = [value for name, value in variables.items() if before.get(name) is not value]
    given = {id(value) for value in new}
    places = {_place(value) for value in new if isinstance(value, np.ndarray)}
    found.seen = variables
    for name in _deletes(frame.f_code):
        value = variables.get(name)
        if name in found.settled or not isinstance(value, np.ndarray):
            continue
        array: np.ndarray[Any, Any] = value
        if before.get(name) is array and (
            id(array) in given or id(array.base) in given or _place(array) in places
        ):
            found.settled.add(name)
        else:
            found.deleted[name] = value.copy()


def _place(array: np.ndarray[Any, Any]) -> tuple[Any, ...]:
    """Where the entries of an array lie: the same for a view of all of it as for itself."""
    return array.__array_interface__["data"][0], array.shape, array.strides, array.dtype
