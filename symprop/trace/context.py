"""Which trace is running on this thread, and where in the user's code it is.

In: nothing. Out: the current tracer, and "file.py:12" for equations and messages.
"""

from __future__ import annotations

import os
import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING

from symprop.errors import SympropError, TraceError

if TYPE_CHECKING:
    from symprop.trace.tracer import Tracer

_INSIDE = ("symprop.", "numpy.", "scipy.")
_SHOWN = ("symprop.zoo",)


class _Running(threading.local):
    """The traces of one thread, outermost first."""

    def __init__(self) -> None:
        self.stack: list[Tracer] = []


_running = _Running()


def active() -> Tracer | None:
    """The innermost trace of this thread, or None."""
    return _running.stack[-1] if _running.stack else None


def current() -> Tracer:
    """The innermost trace of this thread; TraceError when there is none."""
    tracer = active()
    if tracer is None:
        raise TraceError("a traced array or size was used after its trace had ended")
    return tracer


def enter(tracer: Tracer) -> None:
    """Makes `tracer` the current one of this thread."""
    _running.stack.append(tracer)


def leave() -> None:
    """Ends what `enter` began."""
    _running.stack.pop()


def is_users(frame: FrameType) -> bool:
    """Whether a frame runs the user's code (the zoo counts as such)."""
    module = str(frame.f_globals.get("__name__", "")) + "."
    return not module.startswith(_INSIDE) or module.startswith(_SHOWN)


def user_frame() -> FrameType | None:
    """The innermost frame of the user's code."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not is_users(frame):
        frame = frame.f_back
    return frame


def source_line() -> str:
    """Where the user's code is: "file.py:12"; "" when no such frame is found."""
    frame = user_frame()
    if frame is None:
        return ""
    return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"


def located(error: type[SympropError], message: str) -> SympropError:
    """An error whose message begins with the user's line."""
    line = source_line()
    return error(f"{line}: {message}" if line else message)
