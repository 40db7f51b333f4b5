"""Functions under the names by which the user's own modules know them, while a trace runs.

In: a frame of the user's code. Out: its module's namespace, in which the functions that are
intercepted in NumPy, SciPy and math stand under whatever name they were imported by, and beside
them Python's own functions where a symbolic size or a traced array needs another one:

    from scipy.special import softmax       softmax(x)
    from math import sqrt                   sqrt(x.shape[1])
    len(x), range(N), max(a, b)             the size of a named axis, its positions, the larger
    isinstance(x, np.ndarray)               true of a traced array

Only names that the code reads are replaced; all come back when the trace is over.
"""

from __future__ import annotations

import builtins
import itertools
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any, NoReturn

import numpy as np

from symprop.errors import TraceError
from symprop.trace.context import located, source_line
from symprop.trace.fillable import is_symbolic
from symprop.trace.registry import NAMED, UFUNCS
from symprop.trace.running import active
from symprop.trace.selected import Selected
from symprop.trace.sizes import SymbolicRange, SymbolicSize
from symprop.trace.tables import Lent, lent_in, lent_to
from symprop.trace.tensor import Traced
from symprop.trace.turns import Turns

_MISSING = object()


class Namespaces:
    """What stands for another function in the namespaces of modules, and what stood there."""

    def __init__(self) -> None:
        self.instead: dict[int, Callable[..., Any]] = {}  # by the identity of the original
        self._known: set[CodeType] = set()
        self._before: list[tuple[dict[str, Any], str, Any]] = []
        self._lent: list[Lent] = []

    def adapt(self, frame: FrameType) -> None:
        """Replaces what the frame's code reads by name."""
        if frame.f_code in self._known:
            return
        self._known.add(frame.f_code)
        names = frame.f_globals
        for name in frame.f_code.co_names:
            held = names.get(name, _MISSING)
            new = BUILTINS.get(name) if held is _MISSING else self.instead.get(id(held))
            if new is not None:
                self._before.append((names, name, held))
                names[name] = new
        self._lent += lent_to(frame)

    def enter(self, function: Callable[..., Any]) -> None:
        """Does the same for what a function holds beside its code."""
        self._lent += lent_in(function)

    def restore(self) -> None:
        """Puts everything back."""
        for lent in reversed(self._lent):
            lent.back()
        self._lent.clear()
        for names, name, held in reversed(self._before):
            if held is _MISSING:
                names.pop(name, None)
            else:
                names[name] = held
        self._before.clear()
        self._known.clear()
        self.instead.clear()


NAMESPACES = Namespaces()


# ---- Python's own functions -----------------------------------------------------------------


def length(array: Any, /) -> Any:
    """len(x): of a traced array the size of its first axis, symbolic or not."""
    if isinstance(array, Traced) and array.ndim:
        return array.shape[0]
    return array.count() if isinstance(array, Selected) else builtins.len(array)


def positions(*ends: Any) -> Any:
    """range(N): of a named axis its positions, which can index and not be looped over."""
    if not any(isinstance(e, SymbolicSize) for e in ends):
        turns = _turns()
        if turns is not None:
            turns.grows(ends, source_line())
        return builtins.range(*ends)
    return SymbolicRange(*ends)


def enumerated(items: Any, start: Any = 0) -> Any:
    """enumerate(x): the turns of a loop over a named axis are counted as range counts them."""
    turns = _turns()
    return builtins.enumerate(items, start) if turns is None else _counted(items, start, turns)


def _counted(items: Any, start: Any, turns: Turns) -> Iterator[tuple[Any, Any]]:
    iterator = iter(items)
    for k in itertools.count(start):
        before = turns.here
        try:
            item = next(iterator)
        except StopIteration:
            return
        yield (turns.position(k) if turns.here != before else k), item


def added_up(items: Any, /, start: Any = 0) -> Any:
    """sum(list): of what the turns of a loop have made one sum over them."""
    turns = _turns()
    if turns is None or not builtins.isinstance(items, list | tuple) or not all(
            builtins.isinstance(i, Traced) for i in items):
        return builtins.sum(items, start)
    count = turns.length(builtins.len(items), [i.tracer.turn_of(i.body) for i in items])
    if count.number is not None:
        return builtins.sum(items, start)
    return NAMED["sum"](NAMED["stack"](items), 0) + start


def _turns() -> Turns | None:
    tracer = active()
    return None if tracer is None else tracer.turns


def is_instance(value: Any, kinds: Any, /) -> bool:
    """isinstance(x, kind): a traced array counts as an ndarray, a size as an int."""
    if builtins.isinstance(value, kinds):
        return True
    wanted = kinds if builtins.isinstance(kinds, tuple) else (kinds,)
    if builtins.isinstance(value, Traced):
        return (np.ndarray if value.ndim else np.float64) in wanted
    return builtins.isinstance(value, SymbolicSize) and int in wanted


def _is_number(value: Any) -> bool:
    plain = builtins.isinstance(value, int | float | np.generic)
    return plain or (builtins.isinstance(value, Traced) and not value.ndim)


def _extreme(name: str, plain: Callable[..., Any]) -> Callable[..., Any]:
    def choose(*values: Any, **options: Any) -> Any:
        if len(values) == 2 and not options and all(map(_is_number, values)) and any(
                builtins.isinstance(v, Traced) for v in values):
            return UFUNCS[name](*values)
        return plain(*values, **options)

    choose.__doc__ = f"{plain.__name__}(a, b): of traced numbers np.{name}."
    return choose


BUILTINS: dict[str, Callable[..., Any]] = {
    "len": length, "range": positions, "isinstance": is_instance, "enumerate": enumerated,
    "sum": added_up,
    "max": _extreme("maximum", builtins.max), "min": _extreme("minimum", builtins.min),
}

# ---- math --------------------------------------------------------------------------------------

_MATH = {"sqrt": "sqrt", "exp": "exp", "expm1": "expm1", "log": "log", "log2": "log2",
         "log10": "log10", "log1p": "log1p", "sin": "sin", "cos": "cos", "tan": "tan",
         "tanh": "tanh", "sinh": "sinh", "cosh": "cosh", "asin": "arcsin", "acos": "arccos",
         "atan": "arctan", "atan2": "arctan2", "asinh": "arcsinh", "acosh": "arccosh",
         "atanh": "arctanh", "pow": "power", "fabs": "fabs", "hypot": "hypot", "cbrt": "cbrt",
         "exp2": "exp2", "erf": "erf", "erfc": "erfc"}


def of_math(name: str, plain: Callable[..., Any]) -> Callable[..., Any]:
    """A function of the module math, of sizes and traced numbers too."""

    def call(*values: Any) -> Any:
        if not is_symbolic(values):
            return plain(*values)
        if any(np.ndim(v) for v in values):
            return _refuse(name)
        return UFUNCS[_MATH[name]](*values)

    return call


def math_names() -> list[str]:
    """The functions of math that are ufuncs of NumPy or SciPy, too."""
    return [name for name, ufunc in _MATH.items() if ufunc in UFUNCS]


def _refuse(name: str) -> NoReturn:
    raise located(TraceError, (
        f"math.{name} takes numbers, not arrays: use NumPy's function in place of that of math"))

