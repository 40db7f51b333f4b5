"""Calls the functions of a user with a table of arrays.

In: a function, the trees of its arguments, and arrays by leaf name. Out: what it returns, or an
`InputError` that says what it raised and in which line.
"""

import inspect
import linecache
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import TracebackType
from typing import Any

from symprop.check.trees import Tree, rebuild
from symprop.errors import InputError


@dataclass(frozen=True)
class Entry:
    """A function, the arguments that it takes from the table, and options that it is given."""

    function: Callable[..., Any]
    trees: Mapping[str, Tree]
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the function, for messages."""
        return getattr(self.function, "__name__", type(self.function).__name__)

    @cached_property
    def _positional(self) -> frozenset[str]:
        return frozenset(positional_only(self.function))

    def __call__(self, leaves: Mapping[str, Any]) -> Any:
        """Call the function with the arrays of the table, put together as its arguments are."""
        built = {name: rebuild(name, tree, leaves) for name, tree in self.trees.items()}
        return self.run(built)

    def run(self, arguments: Mapping[str, Any], *rest: Any) -> Any:
        """Call the function with ready arguments; InputError says what it raised, and where."""
        first, named = [], dict(self.options)
        for name, value in arguments.items():
            if name in self._positional:
                first.append(value)
            else:
                named[name] = value
        try:
            return self.function(*first, *rest, **named)
        except FloatingPointError:
            raise
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            place = where(error, self.function)
            raise InputError(f"{self.name} fails{place} with {said}") from error


def parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Return the parameters of a function by name, without *args and **kwargs."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        raise InputError(f"{function!r} is not a function whose arguments can be read") from None
    loose = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {name: p for name, p in signature.parameters.items() if p.kind not in loose}


def required(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of the parameters that have no default."""
    missing = inspect.Parameter.empty
    return tuple(name for name, p in parameters(function).items() if p.default is missing)


def positional_only(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of the parameters that cannot be given by name."""
    kind = inspect.Parameter.POSITIONAL_ONLY
    return tuple(name for name, p in parameters(function).items() if p.kind is kind)


def where(error: BaseException, function: Callable[..., Any]) -> str:
    """Say in which line of the file of `function` an error arose, "" if in none.

    The innermost line counts, so a helper function in the same file is named rather than its
    caller.
    """
    code = getattr(inspect.unwrap(function), "__code__", None)
    trace: TracebackType | None = error.__traceback__
    found = ""
    while trace is not None:
        frame_code = trace.tb_frame.f_code
        if code is not None and frame_code.co_filename == code.co_filename:
            line = linecache.getline(code.co_filename, trace.tb_lineno, trace.tb_frame.f_globals)
            text = f", `{_short(line.strip())}`," if line.strip() else ""
            found = f" in line {trace.tb_lineno}{text}"
        trace = trace.tb_next
    return found


def _short(line: str) -> str:
    return line if len(line) <= 80 else line[:77] + "..."
