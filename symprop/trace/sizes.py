"""Sizes of named axes: arithmetic that never turns into a number.

In: size expressions. Out: `SymbolicSize`, which `X.shape` holds, and the way between sizes and
plain ints. A division rounds down; where sizes are equal only if it leaves no rest, that becomes a
condition, which the generated module tests at its door.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np

from symprop.algebra.build import ONE, add, mul, number, sub
from symprop.algebra.canonical import normal, same
from symprop.algebra.expr import Apply, Expr
from symprop.errors import SympropError, TraceError
from symprop.trace.context import located
from symprop.trace.registry import UFUNCS
from symprop.trace.running import active, current
from symprop.trace.text import size_text
from symprop.trace.turns import LoopRefusal, Turns, axes_of


class SymbolicSize:
    """The size of a named axis, such as `X.shape[0]`, or what was calculated from some."""

    __slots__ = ("expr",)
    __array_priority__ = 1000

    def __init__(self, expr: Expr) -> None:
        self.expr = expr

    # ---- arithmetic that stays a size

    def __add__(self, other: object) -> Any:
        return _combined(self, other, add, "add")

    def __radd__(self, other: object) -> Any:
        return _combined(other, self, add, "add")

    def __sub__(self, other: object) -> Any:
        return _combined(self, other, sub, "subtract")

    def __rsub__(self, other: object) -> Any:
        return _combined(other, self, sub, "subtract")

    def __mul__(self, other: object) -> Any:
        return _combined(self, other, mul, "multiply")

    def __rmul__(self, other: object) -> Any:
        if isinstance(other, list | tuple):
            return other * self.__index__()
        return _combined(other, self, mul, "multiply")

    def __floordiv__(self, other: object) -> Any:
        return _combined(self, other, _quotient, "floor_divide")

    def __rfloordiv__(self, other: object) -> Any:
        return _combined(other, self, _quotient, "floor_divide")

    def __mod__(self, other: object) -> Any:
        return _combined(self, other, _rest, "remainder")

    def __rmod__(self, other: object) -> Any:
        return _combined(other, self, _rest, "remainder")

    def __divmod__(self, other: object) -> Any:
        return self // other, self % other

    def __neg__(self) -> Any:
        return as_size(mul(number(-1), self.expr))

    def __pos__(self) -> SymbolicSize:
        return self

    # ---- arithmetic that gives a traced scalar

    def __truediv__(self, other: object) -> Any:
        return _scalar("divide", self, other)

    def __rtruediv__(self, other: object) -> Any:
        return _scalar("divide", other, self)

    def __pow__(self, other: object) -> Any:
        if isinstance(other, int) and not isinstance(other, bool) and other >= 0:
            return as_size(mul(*([self.expr] * other)) if other else ONE)
        return _scalar("power", self, other)

    def __rpow__(self, other: object) -> Any:
        return _scalar("power", other, self)

    def __array_ufunc__(self, ufunc: np.ufunc, call: str, *inputs: Any, **options: Any) -> Any:
        handler = UFUNCS.get(ufunc.__name__)
        if call != "__call__" or handler is None:
            raise located(TraceError, f"np.{ufunc.__name__} of the size {self} cannot be traced")
        return handler(*inputs, **options)

    # ---- comparisons

    def __eq__(self, other: object) -> bool:
        expr = size_expr(other)
        return False if expr is None else equal(self.expr, expr)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(normal(self.expr))

    def __bool__(self) -> bool:
        turns = _turns()
        if turns is not None and turns.value(self.expr) is not None:
            return turns.value(self.expr) != 0
        if _is_rest(self.expr):
            return not equal(self.expr, number(0))
        return self._refuse("decide a branch", "every size is at least 1")

    def _compared(self, other: object) -> tuple[int, int]:
        expr, turns = size_expr(other), _turns()
        found = None if expr is None or turns is None else turns.compared(self.expr, expr)
        return found or self._refuse(
            "be compared", "a size is not known while tracing: write code that is right for every "
            "size, or declare the axis as a number")

    def __lt__(self, other: object) -> bool:
        left, right = self._compared(other)
        return left < right

    def __le__(self, other: object) -> bool:
        left, right = self._compared(other)
        return left <= right

    def __gt__(self, other: object) -> bool:
        left, right = self._compared(other)
        return left > right

    def __ge__(self, other: object) -> bool:
        left, right = self._compared(other)
        return left >= right

    # ---- what would make a number of it

    def __index__(self) -> int:
        turns = _turns()
        counted = None if turns is None else turns.value(self.expr)
        return counted if counted is not None else self._refuse(
            "become a number", "range(N) and int(N) cannot be traced; use whole-array NumPy, "
            "np.arange(N), np.zeros(N) (called as np.name), np.reshape(a, shape), symprop.scan, "
            "or declare the axis as a number", counts=True)

    __int__ = __trunc__ = __round__ = __index__

    def __float__(self) -> float:
        turns = _turns()
        counted = None if turns is None else turns.value(self.expr)
        return float(counted) if counted is not None else self._refuse(
            "become a number", "use np.sqrt(N), N * x or x / N, and NumPy's functions in place of "
            "those of math", counts=True)

    def _refuse(self, deed: str, way_out: str, counts: bool = False) -> NoReturn:
        message = f"the size {self} cannot {deed}: {way_out}"
        error = uncounted(message, self.expr) if counts else located(TraceError, message)
        tracer = active()
        if tracer is not None:
            tracer.refusal = error
        raise error

    def __repr__(self) -> str:
        return size_text(self.expr)


class SymbolicRange:
    """range(N) of a named axis: its positions, to index with, or to loop over turn by turn."""

    def __init__(self, *ends: Any) -> None:
        self.ends = ends

    @property
    def numbers(self) -> range:
        """The positions as Python counts them."""
        return range(*map(operator.index, self.ends))

    def __iter__(self) -> Iterator[int]:
        return self._over(self.numbers)

    def __reversed__(self) -> Iterator[int]:
        return self._over(self.numbers[::-1])

    def _over(self, numbers: range) -> Iterator[int]:
        turns = _turns()
        sizes = [e.expr for e in self.ends if isinstance(e, SymbolicSize)]
        if turns is None or not axes_of(sizes):
            return iter(numbers)
        return turns.over(sizes, len(numbers), lambda k: turns.position(numbers[k]))

    def __getitem__(self, key: Any) -> Any:
        found = self.numbers[key]
        return found if isinstance(found, int) else SymbolicRange(
            found.start, found.stop, found.step)


def _turns() -> Turns | None:
    tracer = active()
    return None if tracer is None else tracer.turns


def uncounted(message: str, size: Expr) -> SympropError:
    """The refusal to count the entries of an axis."""
    error = located(LoopRefusal, message)
    assert isinstance(error, LoopRefusal)
    error.axes = axes_of([size])
    return error


def as_size(expr: Expr) -> Any:
    """A size as the user sees it: a plain int where it is one."""
    expr = current().size_normal(expr)
    value = expr.number
    if value is not None and value.denominator == 1:
        return int(value)
    return SymbolicSize(expr)


def size_expr(value: object) -> Expr | None:
    """The expression of an int or a size (a traced integer of sizes alone); else None."""
    if isinstance(value, SymbolicSize):
        return value.expr
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return number(int(value))
    if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iu":
        return number(int(value))
    return getattr(value, "size_body", None)


def offset(value: object, what: str) -> Expr:
    """How far a diagonal lies from the main one: a whole number, or a size, with a sign."""
    expr = size_expr(value)
    if expr is None:
        raise located(TraceError, (
            f"{what}: the number of a diagonal is a whole number or the size of an axis"))
    return normal(expr)


def equal(left: Expr, right: Expr) -> bool:
    """Whether two sizes are equal; TraceError where that depends on the sizes themselves."""
    difference = current().size_normal(sub(left, right))
    if difference.number is not None:
        return difference.number == 0
    if right.is_zero and _is_rest(left):
        rest = left.single_atom
        assert isinstance(rest, Apply)
        current().divides(rest.args[0], rest.args[1])
        return True
    turns = current().turns
    counted = None if turns is None else turns.compared(left, right)
    if counted is not None:
        return counted[0] == counted[1]
    raise located(TraceError, (
        f"whether the sizes {size_text(left)} and {size_text(right)} are equal is not known "
        "while tracing: give axes of equal size the same name in the shapes"))


def same_size(left: Expr, right: Expr) -> bool:
    """Whether two sizes are known to be equal."""
    if left is right or same(left, right):
        return True
    return current().size_normal(sub(left, right)).is_zero


def fits(left: Expr, right: Expr) -> bool:
    """Whether two sizes are equal, or can be where a condition says so: else it is an error."""
    return same_size(left, right) or current().agreed(current().size_normal(sub(left, right)))


def _is_rest(expr: Expr) -> bool:
    atom = expr.single_atom
    return isinstance(atom, Apply) and atom.function == "mod"


def _combined(left: object, right: object, build: Any, name: str) -> Any:
    """Size arithmetic; with a float or an array it is the array's arithmetic."""
    a, b = size_expr(left), size_expr(right)
    plain = (int, np.integer, SymbolicSize)
    if a is None or b is None or not (isinstance(left, plain) and isinstance(right, plain)):
        return _scalar(name, left, right)
    return as_size(build(a, b))


def _scalar(name: str, left: object, right: object) -> Any:
    for value in (left, right):
        if hasattr(value, "__array_ufunc__") and not isinstance(value, SymbolicSize | np.generic):
            return UFUNCS[name](left, right)
    if not isinstance(left, _NUMBERS) or not isinstance(right, _NUMBERS):
        return NotImplemented
    return UFUNCS[name](left, right)


_NUMBERS = (int, float, np.generic, SymbolicSize)


def _quotient(left: Expr, right: Expr) -> Expr:
    return current().quotient(left, right)


def _rest(left: Expr, right: Expr) -> Expr:
    return current().rest(left, right)
