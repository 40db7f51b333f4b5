"""Rounding, remainders and signs: piecewise constants, and what is made of them.

In: operands as a ufunc takes them. Out: traced arrays. The derivative of a piecewise constant
is 0 everywhere, at the jumps too; a remainder x - y ⌊x/y⌋ is differentiated on its piece.
"""

from __future__ import annotations

import math
from typing import Any

from symprop.algebra import integers
from symprop.algebra.build import iverson, number
from symprop.trace.arithmetic import divide, multiply, subtract
from symprop.trace.booleans import where
from symprop.trace.coerce import as_traced
from symprop.trace.elementwise import checked, pointwise, result_kind, row
from symprop.trace.registry import function, method, ufunc
from symprop.trace.tensor import Traced


def _whole(name: str) -> Any:
    """Rounding to whole numbers, by the row `name`; integers are whole."""

    def apply(value: Any, **options: Any) -> Traced:
        checked(options)
        array = as_traced(value)
        return array if array.kind == "int" else row(name, array)

    apply.__doc__ = f"The row {name}: piecewise constant."
    return apply


floor = ufunc("floor")(_whole("floor"))
ceil = ufunc("ceil")(_whole("ceil"))
trunc = function("fix")(ufunc("trunc")(_whole("trunc")))
rint = ufunc("rint")(_whole("rint"))


@function("round", "around")
@method("round")
def round_(a: Any, decimals: Any = 0, out: Any = None) -> Traced:
    """The nearest number of so many decimals, halves to the even side."""
    checked({"out": out})
    if not decimals:
        return rint(a)  # type: ignore[no-any-return]
    scale = 10.0 ** abs(int(decimals))
    if decimals > 0:
        return divide(rint(multiply(a, scale)), scale)
    return multiply(rint(divide(a, scale)), scale)


@ufunc("floor_divide")
def floor_divide(left: Any, right: Any, **options: Any) -> Traced:
    """⌊left / right⌋."""
    checked(options)
    arrays = as_traced(left), as_traced(right)
    if result_kind(arrays) != "float":
        return pointwise(arrays, integers.floordiv, "int", "floor_divide")
    return row("floor_divide", *arrays)


@ufunc("remainder")
def remainder(left: Any, right: Any, **options: Any) -> Traced:
    """left - right ⌊left / right⌋: of the sign of right."""
    checked(options)
    arrays = as_traced(left), as_traced(right)
    if result_kind(arrays) != "float":
        return pointwise(arrays, integers.mod, "int", "remainder")
    return row("remainder", *arrays)


@ufunc("fmod")
def fmod(left: Any, right: Any, **options: Any) -> Traced:
    """left - right trunc(left / right): of the sign of left."""
    checked(options)
    return row("fmod", left, right)


@ufunc("divmod")
def divmod_(left: Any, right: Any, **options: Any) -> tuple[Traced, Traced]:
    """The whole quotient and the rest."""
    return floor_divide(left, right, **options), remainder(left, right, **options)


@ufunc("modf")
def modf(value: Any, **options: Any) -> tuple[Traced, Traced]:
    """The part behind the point and the part before it."""
    checked(options)
    whole = row("trunc", value)
    return subtract(value, whole), whole


@ufunc("signbit")
def signbit(value: Any, **options: Any) -> Traced:
    """Whether x < 0 (-0.0 counts as 0)."""
    checked(options)
    return pointwise((value,), lambda x: iverson("<", x, number(0)), "bool", "comparison")


@ufunc("copysign")
def copysign(size: Any, sign: Any, **options: Any) -> Traced:
    """|size| with the sign of `sign`, where 0 is positive."""
    checked(options)
    return multiply(row("abs", size), where(signbit(sign), -1.0, 1.0))


@ufunc("heaviside")
def heaviside(value: Any, at_zero: Any, **options: Any) -> Traced:
    """0 below 0, 1 above it, `at_zero` at it."""
    checked(options)
    x = as_traced(value)
    below = pointwise((x,), lambda e: iverson("<", e, number(0)), "bool", "comparison")
    above = pointwise((x,), lambda e: iverson("<", number(0), e), "bool", "comparison")
    return where(below, 0.0, where(above, 1.0, at_zero))


@ufunc("deg2rad", "radians")
def radians(value: Any, **options: Any) -> Traced:
    """x π / 180."""
    checked(options)
    return multiply(value, math.pi / 180)


@ufunc("rad2deg", "degrees")
def degrees(value: Any, **options: Any) -> Traced:
    """x 180 / π."""
    checked(options)
    return multiply(value, 180 / math.pi)
