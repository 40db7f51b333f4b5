"""Where in the user's code a trace is.

In: nothing. Out: "file.py:12" for equations and messages, and errors that begin with it; and
functions of our own, in which the watch on the user's code rests.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar, cast

from symprop.errors import SympropError

_INSIDE = ("symprop.", "numpy.", "scipy.")
_SHOWN = ("symprop.zoo",)
_LIBRARY = os.path.join(os.path.dirname(os.__file__), "")
_F = TypeVar("_F", bound=Callable[..., Any])
_INSTALLED = tuple(_LIBRARY + folder for folder in ("site-packages", "dist-packages"))


def is_users(frame: FrameType) -> bool:
    """Whether a frame runs the user's code: the zoo counts as such, Python's own library not."""
    module = str(frame.f_globals.get("__name__", "")) + "."
    if module.startswith(_INSIDE):
        return module.startswith(_SHOWN)
    file = frame.f_code.co_filename
    return not file.startswith(_LIBRARY) or file.startswith(_INSTALLED)


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
    return line_of(frame)


def line_of(frame: FrameType) -> str:
    """The line that a frame has come to: "file.py:12"."""
    return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"


def located(error: type[SympropError], message: str) -> SympropError:
    """An error whose message begins with the user's line."""
    line = source_line()
    return error(f"{line}: {message}" if line else message)


def unwatched(function: _F) -> _F:
    """The function, during which the thread's trace function is not called.

    Python calls that for every call in it, and there the user's names are not to be found.
    """

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        watching = sys.gettrace()
        if watching is None:
            return function(*args, **options)
        sys.settrace(None)
        try:
            return function(*args, **options)
        finally:
            sys.settrace(watching)

    return cast("_F", call)
