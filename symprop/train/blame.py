"""Which equation was the first that is no longer finite.

In: a module, the arguments on which its loss or a gradient is not finite, and those of the last
good step, if there was one. Out: a clause that names the variable, its equation and its line. The
functions of the module are run again while their lines are watched; what was not finite in the
good step either, such as the -inf of a mask, is not to blame.
"""

import linecache
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

import numpy as np

from symprop.check.trees import flatten

EQUATION = re.compile(r"# +(\([FB]\d+[a-z]?\))")  # not those it follows from
WORD = re.compile(r"[A-Za-z_]\w*")
LONGEST = 60


@dataclass(frozen=True)
class Found:
    """A variable that is not finite, and the line that made it so; 0: it came in as argument."""

    name: str
    function: str
    line: int


def first_not_finite(
    module: object,
    run: Callable[..., Any],
    bad: Mapping[str, Any],
    good: Sequence[Mapping[str, Any]],
) -> str:
    """Name the first variable that `run` makes infinite or nan with `bad` and not with `good`.

    Several may be `good`: the next one counts where the one before is as bad on these examples.
    """
    codes = {code: name for name in ("forward", "backward") for code in _codes(module, name)}
    reached = _watched(run, bad, codes)
    known = (set(_watched(run, arguments, codes)) for arguments in good) if good else iter([set()])
    news = ([found for found in reached if found not in before] for before in known)
    for first, *_ in filter(None, news):
        return _said(first, next(code for code, name in codes.items() if name == first.function))
    return ""


def _codes(module: object, name: str) -> Iterator[CodeType]:
    """Yield the code of a function of the module, decorated or not."""
    function = getattr(module, name, None)
    function = getattr(function, "__func__", function)
    while function is not None:
        code = getattr(function, "__code__", None)
        if isinstance(code, CodeType):
            yield code
        function = getattr(function, "__wrapped__", None)


def _watched(
    run: Callable[..., Any], arguments: Mapping[str, Any], codes: Mapping[CodeType, str]
) -> list[Found]:
    """Run, and return what became not finite, in the order in which it did."""
    found: list[Found] = []

    def entered(frame: FrameType, event: str, argument: object) -> Any:
        return _Lines(frame, codes[frame.f_code], found) if frame.f_code in codes else None

    others = sys.gettrace()
    sys.settrace(entered)
    try:
        with np.errstate(all="ignore"):
            run(**arguments)
    except Exception:  # what it raises is told elsewhere
        pass
    finally:
        sys.settrace(others)
    return found


class _Lines:
    """Looks, after every line of one call, at the variables which that line may have changed."""

    def __init__(self, frame: FrameType, function: str, found: list[Found]) -> None:
        self.function, self.found, self.line = function, found, 0
        self.known: dict[str, Any] = {}
        self.named: set[str] = set()
        self.look(frame)

    def __call__(self, frame: FrameType, event: str, argument: object) -> Any:
        self.look(frame)
        self.line = frame.f_lineno
        return self

    def look(self, frame: FrameType) -> None:
        """Compare: a name that is bound to another object, or stands in the line just run."""
        text = linecache.getline(frame.f_code.co_filename, self.line, frame.f_globals)
        touched = set(WORD.findall(text)) if self.line else set()
        for name, value in list(frame.f_locals.items()):
            if name in self.named or (name in self.known and self.known[name] is value
                                      and name not in touched):
                continue
            self.known[name] = value
            if not _finite(name, value):
                self.named.add(name)
                self.found.append(Found(name, self.function, self.line))


def _finite(name: str, value: Any) -> bool:
    leaves = flatten(name, value).values() if isinstance(value, dict | list) else (value,)
    numbers = [leaf for leaf in leaves if isinstance(leaf, float | np.ndarray | np.floating)]
    return all(np.isfinite(a).all() for a in numbers if np.asarray(a).dtype.kind in "fc")


def _said(found: Found, code: CodeType) -> str:
    """Say it: the equation stands beside the line, or in the comments above it."""
    if not found.line:
        return f"{found.name} is not finite where {found.function} begins"
    lines = [linecache.getline(code.co_filename, found.line)]
    above = found.line - 1
    while linecache.getline(code.co_filename, above).strip().startswith("#"):
        lines.append(linecache.getline(code.co_filename, above))
        above -= 1
    match = EQUATION.search("".join(lines))
    equation = f" {match[1]}" if match else ""
    text = lines[0].split("  #")[0].strip()
    shown = text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
    return (f"{found.name}{equation} was the first that is not finite, in line {found.line} of"
            f" {found.function}" + (f", `{shown}`" if shown else ""))
