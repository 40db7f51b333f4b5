"""What the user's function raises by itself, as a sentence with the user's line and the way out.

In: an exception. Out: the error to raise in its place. What has nothing to do with the trace, such
as a KeyError of the function's own, comes through as it is.
"""

from __future__ import annotations

import difflib
import re
from types import ModuleType

from symprop.errors import TraceError
from symprop.trace.context import ONLY_NUMPY, library_of, own_frame, raised_at, users_trail
from symprop.trace.registry import layer
from symprop.trace.tensor import MissingAttribute, Traced

_OPERANDS = re.compile(r"unsupported operand type\(s\) for (\S+): '(\w+)' and '(\w+)'")
_NUMPY = ("numpy", "scipy")


def in_our_words(error: Exception) -> Exception:
    """The error itself, or one of ours that says more."""
    line = raised_at(error)
    if isinstance(error, AttributeError) and isinstance(error.obj, ModuleType):
        module, name = error.obj, str(error.name)
        if module.__name__.split(".")[0] in _NUMPY:
            return MissingAttribute(
                f"{line}: {module.__name__} has no {name}{_instead(module, name)}")
    frames = [frame for frame, _ in users_trail(error)]
    if not frames:
        return error
    said = f"{type(error).__name__}: {(str(error).splitlines() or ['nothing said'])[0]}"
    if frames[0] is not own_frame(frames):
        library = library_of(frames[0].f_code.co_filename)
        return TraceError(f"{line}: {library} cannot be traced ({said}): {ONLY_NUMPY}")
    operands = _OPERANDS.match(str(error)) if isinstance(error, TypeError) else None
    if operands is not None and Traced.__name__ in operands.groups():
        _, left, right = operands.groups()
        other = right if left == Traced.__name__ else left
        return TraceError(f"{line}: {operands[1]} stands between an array and a value of type "
                          f"{other}, which is no number")
    if isinstance(error, TypeError) and Traced.__name__ in str(error):
        return TraceError(f"{line}: what this line calls takes no traced array ({said}): "
                          f"{ONLY_NUMPY}")
    return error


def _instead(module: ModuleType, name: str) -> str:
    """What to write in place of a name that a module has not."""
    ours = layer(name)
    if ours:
        return f": use {ours}"
    close = difflib.get_close_matches(name, dir(module), 1)
    return f": did you mean {close[0]}?" if close else ""
