"""What a function of a generated module has computed when it returns.

In: a function and its arguments. Out: what it returns, and its local variables at that moment.
The module is run as it stands; it is only watched.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def watched(function: Callable[..., Any], *args: Any, **named: Any) -> tuple[Any, dict[str, Any]]:
    """The result of a call, and the local variables of the function; none for a builtin."""
    code = getattr(function, "__code__", None)
    found: dict[str, Any] = {}

    def inside(frame: FrameType, event: str, _: Any) -> Any:
        if event == "return":
            found.clear()
            found.update(frame.f_locals)
        return inside

    def called(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code is not code:
            return None
        frame.f_trace_lines = False
        return inside

    previous = sys.gettrace()
    sys.settrace(called)
    try:
        result = function(*args, **named)
    finally:
        sys.settrace(previous)
    return result, found
