"""Arithmetic and scalar functions: what NumPy's ufuncs mean.

In: operands as a ufunc takes them. Out: traced arrays, one equation an operation.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from symprop.algebra import build
from symprop.algebra.build import ZERO
from symprop.algebra.expr import Expr, free_indices
from symprop.errors import InputError, UnsupportedError
from symprop.trace.booleans import logical_and, logical_or
from symprop.trace.coerce import as_traced, number_expr
from symprop.trace.context import located
from symprop.trace.elementwise import checked, defined, pointwise, result_kind, row
from symprop.trace.limits import limited, limits_of, negated, of_maximum, of_minimum
from symprop.trace.registry import function, method, ufunc
from symprop.trace.tensor import Traced
from symprop.trace.tracer import Limits
from symprop.trace.turns import Position

_EXACT = 10**6  # quotients of whole numbers up to this stay fractions


@ufunc("add")
def add(left: Any, right: Any, **options: Any) -> Traced:
    """left + right; of booleans: or."""
    checked(options)
    arrays = as_traced(left), as_traced(right)
    kind = result_kind(arrays)
    if kind == "bool":
        return logical_or(*arrays)
    return pointwise(arrays, build.add, kind, "add")


@ufunc("subtract")
def subtract(left: Any, right: Any, **options: Any) -> Traced:
    """left - right."""
    checked(options)
    arrays = as_traced(left), as_traced(right)
    kind = result_kind(arrays)
    if kind == "bool":
        raise located(UnsupportedError, "NumPy does not subtract booleans: use ^ or np.where")
    return pointwise(arrays, build.sub, kind, "subtract")


@ufunc("multiply")
def multiply(left: Any, right: Any, **options: Any) -> Traced:
    """left * right; of booleans: and."""
    checked(options)
    arrays = as_traced(left), as_traced(right)
    kind = result_kind(arrays)
    if kind == "bool":
        return logical_and(*arrays)
    return pointwise(arrays, build.mul, kind, "multiply")


@ufunc("divide", "true_divide")
def divide(left: Any, right: Any, **options: Any) -> Traced:
    """left / right."""
    checked(options)
    return pointwise((left, right), _ratio, "float", "divide")


def _ratio(left: Expr, right: Expr) -> Expr:
    return build.mul(left, reciprocal_of(right))


def reciprocal_of(expr: Expr) -> Expr:
    """1 / expr; of a float with many digits it is the nearest float, not a long fraction."""
    value = expr.number
    if value is None:
        return build.power(expr, -1)
    if not value:
        raise located(InputError, "a division by the number 0")
    exact = 1 / value
    short = abs(exact.numerator) <= _EXACT and exact.denominator <= _EXACT
    return build.number(exact if short else float(exact))


@ufunc("reciprocal")
def reciprocal(value: Any, **options: Any) -> Traced:
    """1 / x."""
    return divide(1, value, **options)


@ufunc("negative")
def negative(value: Any, **options: Any) -> Traced:
    """-x."""
    checked(options)
    array = as_traced(value)
    return defined(build.neg(array.body), array.axes, array.kind, "negative")


@ufunc("positive", "conjugate")
def positive(value: Any, **options: Any) -> Traced:
    """x."""
    checked(options)
    return as_traced(value)


@ufunc("float_power")
def float_power(base: Any, exponent: Any, **options: Any) -> Traced:
    """base ** exponent in floats."""
    result = power(base, exponent, **options)
    return Traced(result.tracer, result.axes, result.body, "float")


@ufunc("power")
def power(base: Any, exponent: Any, **options: Any) -> Traced:
    """base ** exponent: a power for whole and half exponents, else the function pow."""
    checked(options)
    left, right = as_traced(base), as_traced(exponent)
    value = right.body.number
    if value is None or value.denominator not in (1, 2) or isinstance(exponent, Position):
        return row("pow", left, right)
    whole: int | Fraction = int(value) if value.denominator == 1 else value
    if left.kind != "float" and not (isinstance(whole, int) and whole >= 0):
        kind = "float"
    else:
        kind = "int" if left.kind == "bool" else left.kind
    return pointwise((left, right), lambda x, _: power_of(x, whole), kind, "power")


def power_of(expr: Expr, exponent: int | Fraction) -> Expr:
    """expr ** exponent; of a number with a root that is no fraction: the nearest float."""
    value = expr.number
    if value is not None and not isinstance(exponent, int):
        if value < 0:
            raise located(InputError, "a root of a negative number")
        return number_expr(float(value) ** float(exponent))
    if value == 0 and exponent < 0:
        raise located(InputError, "a division by the number 0")
    return build.power(expr, exponent)


@ufunc("square")
def square(value: Any, **options: Any) -> Traced:
    """x ** 2."""
    return power(value, 2, **options)


@ufunc("sqrt")
def sqrt(value: Any, **options: Any) -> Traced:
    """x ** (1/2)."""
    checked(options)
    array = as_traced(value)
    return pointwise((array,), lambda x: power_of(x, Fraction(1, 2)), "float", "sqrt")


# ---- maximum, minimum, clip ---------------------------------------------------------------


def _is_number(array: Traced) -> bool:
    return not free_indices(array.body) and array.body.number is not None


def _extreme(name: str, limits: Callable[[Limits, Limits], Limits]) -> Any:
    def apply(left: Any, right: Any, **options: Any) -> Traced:
        checked(options)
        a, b = as_traced(left), as_traced(right)
        if _is_number(a) and not _is_number(b):
            a, b = b, a
        result = row(f"{name}_constant" if _is_number(b) else name, a, b)
        return limited(result, *limits(limits_of(a), limits_of(b)))

    apply.__doc__ = f"The {'larger' if name == 'maximum' else 'smaller'} of two."
    return apply


maximum = ufunc("maximum", "fmax")(_extreme("maximum", of_maximum))
minimum = ufunc("minimum", "fmin")(_extreme("minimum", of_minimum))


@function("clip")
@method("clip")
@ufunc("clip")
def clip(value: Any, a_min: Any = None, a_max: Any = None, **options: Any) -> Traced:
    """x kept within low and high."""
    low = options.pop("min", None) if a_min is None else a_min
    high = options.pop("max", None) if a_max is None else a_max
    checked(options)
    if low is None and high is None:
        return as_traced(value)
    ends = limits_of(as_traced(value))
    if low is not None:
        ends = of_maximum(ends, limits_of(as_traced(low)))
    if high is not None:
        ends = of_minimum(ends, limits_of(as_traced(high)))
    if low is None:
        return limited(row("clip_above", value, high), *ends)
    if high is None:
        return limited(row("clip_below", value, low), *ends)
    return limited(row("clip", value, low, high), *ends)


# ---- rows by name -------------------------------------------------------------------------

_ROW_UFUNCS = (
    "exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "logaddexp", "sin", "cos", "tan",
    "arcsin", "arccos", "arctan", "arctan2", "sinh", "cosh", "tanh", "arcsinh", "arccosh",
    "arctanh", "cbrt", "hypot", "sign", "logaddexp2",
)


def _row_handler(name: str) -> Any:
    def apply(*operands: Any, **options: Any) -> Traced:
        checked(options)
        return row(name, *operands)

    apply.__doc__ = f"The row {name}."
    return apply


for _name in _ROW_UFUNCS:
    ufunc(_name)(_row_handler(_name))


@ufunc("absolute", "fabs")
def absolute(value: Any, **options: Any) -> Traced:
    """x without its sign."""
    checked(options)
    array = as_traced(value)
    ends = limits_of(array)
    return limited(row("abs", array), ZERO, of_maximum(ends, negated(ends))[1])




@function("sinc")
def sinc(x: Any) -> Traced:
    """sin(πx) / (πx), and 1 at 0."""
    return row("sinc", x)
