"""Plain numbers, sizes and arrays as traced arrays.

In: whatever stands beside a traced array in an operation. Out: a traced array: a number, a size,
index arithmetic, or an access to a constant that the module will hold, or to an input of its name
where it has too many numbers for the text of a module.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Any

import numpy as np

from symprop.algebra.build import ZERO, access, add, apply, idx, iverson, mul, neg, number
from symprop.algebra.expr import Expr, Index
from symprop.errors import DTypeError, InputError, NameRuleError, TraceError
from symprop.names import check_name, unused
from symprop.system import Array
from symprop.trace.context import located, user_frame
from symprop.trace.fillable import Fillable, is_symbolic, meant
from symprop.trace.outer import name_outside
from symprop.trace.registry import NAMED
from symprop.trace.running import current
from symprop.trace.sizes import SymbolicSize
from symprop.trace.tensor import Traced, settled
from symprop.trace.tracer import Tracer

MOST_NUMBERS = 1000
_KINDS = {"f": "float", "i": "int", "u": "int", "b": "bool"}


def as_traced(value: Any) -> Traced:
    """Any operand as a traced array. DTypeError, InputError or TraceError where it cannot be."""
    tracer = current()
    if isinstance(value, Fillable) and value.held is not None:
        value = value.held
    if isinstance(value, Traced):
        if value.tracer is not tracer:
            value.tracer.check_running()
            raise located(TraceError, "a traced array of another trace was used in this one")
        return settled(value)
    if isinstance(value, SymbolicSize):
        return Traced(tracer, (), value.expr, "int")
    if isinstance(value, bool | np.bool_):
        return Traced(tracer, (), number(int(value)), "bool")
    if isinstance(value, int | np.integer):
        return Traced(tracer, (), number(int(value)), "int")
    if isinstance(value, float | np.floating):
        written = number_expr(float(value))
        if written.number:
            tracer.numbers[abs(written.number)] = None
        return Traced(tracer, (), written, "float")
    if isinstance(value, Fraction):
        return Traced(tracer, (), number(value), "float")
    return _from_array(tracer, value)


def number_expr(value: float) -> Expr:
    """A float as an expression; infinity is a function without arguments."""
    if math.isnan(value):
        raise located(TraceError, "a constant is nan")
    if math.isinf(value):
        return apply("inf") if value > 0 else neg(apply("inf"))
    return number(value)


def _from_array(tracer: Tracer, value: Any) -> Traced:
    if isinstance(value, list | tuple) and is_symbolic(value):
        return NAMED["array"](value)  # type: ignore[no-any-return]
    meaning = _meant(tracer, value)
    if meaning is not None:
        return meaning
    array = np.asarray(value)
    if array.dtype.kind not in _KINDS:
        raise located(DTypeError, (
            f"a value of type {type(value).__name__} with numbers of kind {array.dtype} stands "
            "where an array of real numbers should"))
    kind = _KINDS[array.dtype.kind]
    axes = [Index("i", number(n)) for n in array.shape]
    body = ZERO if not array.size else _uniform(array) or _progression(array, axes)
    if kind == "float" and array.size > 1 and (body is not None or array.size <= MOST_NUMBERS):
        _note_outside(tracer, value)
    if body is None:
        name = _constant_name(tracer, value, array)
        body = access(name, [idx(a) for a in axes])
        if kind == "bool":
            body = iverson("!=", body, number(0))
    return Traced(tracer, axes, body, kind)


def _note_outside(tracer: Tracer, value: Any) -> None:
    """Notes an array that was there before the function was called."""
    frame = user_frame()
    name = name_outside(value, frame) if frame is not None else ""
    if name:
        tracer.note("constant", (
            f"{name}, an array of shape {value.shape} from outside of the function, is a constant "
            "and has no gradient: make it an argument if it is a parameter"))


def _meant(tracer: Tracer, value: Any) -> Traced | None:
    """What a mask is made of, or a table that is too long to be written out; else None."""
    if not isinstance(value, Fillable) or (value.size <= MOST_NUMBERS and value.dtype != bool):
        return None
    before = len(tracer.drafts)
    found = meant(value)
    if found is None or (value.size <= MOST_NUMBERS and len(tracer.drafts) > before):
        return None
    name = _variable_of(value)
    if name and found.draft is not None and found.draft.name is None:
        found.draft.name = name
    return found


def _uniform(array: np.ndarray[Any, Any]) -> Expr | None:
    """The number of an array whose entries are all equal."""
    first = array.flat[0]
    if not np.all(array == first) and not np.isnan(float(first)):
        return None
    return number_expr(float(first)) if array.dtype.kind == "f" else number(int(first))


def _progression(array: np.ndarray[Any, Any], axes: list[Index]) -> Expr | None:
    """The index expression of a row of integers at equal distances."""
    if array.ndim != 1 or array.dtype.kind not in "iu":
        return None
    start, step = int(array[0]), int(array[1]) - int(array[0])
    if any(int(v) != start + step * k for k, v in enumerate(array)):
        return None
    return add(number(start), mul(number(step), idx(axes[0])))


def _constant_name(tracer: Tracer, value: Any, array: np.ndarray[Any, Any]) -> str:
    """The name under which the module holds a constant array; the same array has one name."""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise located(InputError, "a constant array holds nan or infinity: build it in the "
                                  "function, for instance by np.where(mask, x, -np.inf)")
    few = array.size <= MOST_NUMBERS
    table = tracer.constants if few else tracer.held
    for name, known in table.items():
        if known.dtype == array.dtype and np.array_equal(known, array):
            return name
    name = unused(_variable_of(value) or "const", tracer.taken)
    tracer.taken.add(name)
    stored = array.copy()
    stored.setflags(write=False)
    table[name] = stored
    shape = tuple(number(n) for n in array.shape)
    tracer.arrays[name] = Array(
        name, _KINDS[array.dtype.kind], shape, "constant" if few else "input")
    if not few:
        tracer.note("constant", (
            f"{name}, a constant array of shape {array.shape}, has more than {MOST_NUMBERS} "
            "numbers, too many for the text of a module: it is an argument of the module, which "
            "symprop generate --constants FILE.npz writes"))
    return name


def _variable_of(value: Any) -> str | None:
    """What the user's code calls this object."""
    frame = user_frame()
    if frame is None:
        return None
    for table in (frame.f_locals, frame.f_globals):
        for name, held in table.items():
            if held is value:
                try:
                    return check_name(name, "a constant")
                except NameRuleError:
                    continue
    words = re.findall(r"\w+", name_outside(value, frame))
    try:
        return check_name(words[-1], "a constant") if words else None
    except NameRuleError:
        return None
