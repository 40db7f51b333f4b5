"""What functions of a generated module have computed when they return.

In: a function and its arguments; other functions that it may call. Out: a `Frame`: what it
returns, its local variables at that moment, and the same of those that it has called. The module
is run as it stands; it is only watched.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any


@dataclass
class Frame:
    """One call: the variables when it began and when it returned."""

    function: str
    entered: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    result: Any = None
    calls: list[Frame] = field(default_factory=list)


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
        if event == "return":
            done = open_frames.pop()
            done.variables.update(frame.f_locals)
            done.result = value
        return inside

    def called(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code not in codes:
            return None
        frame.f_trace_lines = False
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
