"""Where in the user's code a trace is.

In: nothing. Out: "file.py:12" for equations and messages, and errors that begin with it; and
functions of our own, in which the watch on the user's code rests. A line is the user's own: never
one of a library that is installed, but where the traced function is part of that library.
"""

from __future__ import annotations

import functools
import inspect
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any, TypeVar, cast

from symprop.errors import SympropError

_INSIDE = ("symprop.", "numpy.", "scipy.")
_SHOWN = ("symprop.zoo",)
_LIBRARY = os.path.join(os.path.dirname(os.__file__), "")
_F = TypeVar("_F", bound=Callable[..., Any])
_CALLER = "symprop.trace.arguments"  # calls the function that is traced
_FOLDERS = ("site-packages", "dist-packages")  # of installed libraries
ONLY_NUMPY = "of libraries only NumPy and SciPy are: use their functions, or those of symprop.nn"
_AT_A_LINE = re.compile(r"[^\s:]+:\d+: ")
_INSTALLED = tuple(_LIBRARY + folder for folder in _FOLDERS)


def is_users(frame: FrameType) -> bool:
    """Whether a frame runs the user's code: the zoo counts as such, Python's own library not."""
    module = str(frame.f_globals.get("__name__", "")) + "."
    if module.startswith(_INSIDE):
        return module.startswith(_SHOWN)
    file = frame.f_code.co_filename
    if file.startswith("<frozen "):  # Python's own machinery of imports
        return False
    return not file.startswith(_LIBRARY) or file.startswith(_INSTALLED)


@functools.lru_cache(maxsize=4096)
def library_of(file: str) -> str:
    """The installed library to which a file belongs; "" for the user's own files."""
    parts = file.replace("\\", "/").split("/")
    for place, part in enumerate(parts[:-1]):
        if part in _FOLDERS:
            name = parts[place + 1].removesuffix(".py")
            return "" if name == "symprop" else name
    return ""


def user_frame() -> FrameType | None:
    """The innermost frame of the user's own code."""
    frames, _ = _users_frames(sys._getframe(1))
    return own_frame(frames)


def own_frame(frames: Sequence[FrameType]) -> FrameType | None:
    """Of frames from the inside out, the innermost that is no other library's than the last's."""
    home = library_of(frames[-1].f_code.co_filename) if frames else ""
    return next((f for f in frames if library_of(f.f_code.co_filename) in ("", home)), None)


def foreign_library() -> str:
    """The library that the traced function has called, and in which the trace is now; or ""."""
    frames, is_traced = _users_frames(sys._getframe(1))
    if not is_traced or not frames or frames[0] is own_frame(frames):
        return ""
    return library_of(frames[0].f_code.co_filename)


def _of_scipy() -> str:
    """The function of SciPy that the user's line has called, and that is no traced one; or ""."""
    frame: FrameType | None = sys._getframe(2)
    found = ""
    while frame is not None and not is_users(frame):
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith("scipy."):
            shown = ".".join(part for part in module.split(".") if not part.startswith("_"))
            found = f"{shown}.{frame.f_code.co_name}"
        frame = frame.f_back
    return found


def _users_frames(frame: FrameType | None) -> tuple[list[FrameType], bool]:
    """The frames of the user's code and of libraries, from the inside out.

    The last is the function that is traced, if one is: the second value says whether.
    """
    found: list[FrameType] = []
    while frame is not None:
        if frame.f_code.co_name == "bound_call" and frame.f_globals.get("__name__") == _CALLER:
            return found, True
        if is_users(frame):
            found.append(frame)
        frame = frame.f_back
    return [f for f in found if not library_of(f.f_code.co_filename)] or found, False


def source_line() -> str:
    """Where the user's code is: "file.py:12"; "" when no such frame is found."""
    frame = user_frame()
    if frame is None:
        return ""
    return line_of(frame)


def line_of(frame: FrameType) -> str:
    """The line that a frame has come to: "file.py:12"."""
    return _place(frame, frame.f_lineno)


def _place(frame: FrameType, line: int) -> str:
    return f"{os.path.basename(frame.f_code.co_filename)}:{line}"


def raised_at(error: BaseException) -> str:
    """The innermost line of the user's own code that an error came through; or ""."""
    trail = users_trail(error)
    own = own_frame([f for f, _ in trail])
    return next((_place(f, line) for f, line in trail if f is own), "")


def users_trail(error: BaseException) -> list[tuple[FrameType, int]]:
    """The frames of the user's code and of libraries that an error came through, innermost first.

    Each with the line that it had come to.
    """
    found, trail = [], error.__traceback__
    while trail is not None:
        if is_users(trail.tb_frame):
            found.append((trail.tb_frame, trail.tb_lineno))
        trail = trail.tb_next
    return found[::-1]


def definition_line(function: Any) -> str:
    """Where a function is defined: "file.py:12"; "" when it has no code."""
    code = code_of(function)
    return f"{os.path.basename(code.co_filename)}:{code.co_firstlineno}" if code else ""


def code_of(function: Any) -> CodeType | None:
    """The code that runs when `function` is called, decorators and partials looked through."""
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        elif inspect.ismethod(function):
            function = function.__func__
        elif inspect.isfunction(function):
            return function.__code__
        elif callable(function) and inspect.ismethod(function.__call__):
            function = function.__call__.__func__
        else:
            return None


@contextmanager
def at_definition(function: Any) -> Iterator[None]:
    """Errors in the block are about the function's signature or result: its line stands first."""
    try:
        yield
    except SympropError as error:
        line = definition_line(function)
        if not line or _AT_A_LINE.match(str(error)):
            raise
        raise type(error)(f"{line}: {error}") from error.__cause__


def located(error: type[SympropError], message: str) -> SympropError:
    """An error whose message begins with the user's line.

    Of a library that the line has called, the message says that it is none that is traced.
    """
    line = source_line()
    library = foreign_library()
    if library:
        message = f"{library} cannot be traced ({message.split(': ')[0]}): {ONLY_NUMPY}"
    of_scipy = "" if "scipy" in message else _of_scipy()
    if of_scipy:
        message = (f"{of_scipy} cannot be traced ({message.split(': ')[0]}): symprop has no "
                   "definition for it; write it in NumPy, or pass what it gives as an input")
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
