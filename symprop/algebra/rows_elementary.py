"""Rows of the elementary functions: exponentials, logarithms, trigonometry, powers, constants.

In: nothing. Out: `ROWS`. Where SymPy has the function, its name is the definition.
"""

from __future__ import annotations

import math

import sympy

from symprop.algebra.rows_registry import reference
from symprop.algebra.rows_row import VALUE, Interval, Row, x, y

_v = VALUE
_POSITIVE: Interval = (0.0, math.inf)
_UNIT: Interval = (-1.0, 1.0)
_TO_ENDS = (1 - x) * (1 + x)  # 1 - x² with all its digits near the ends

CONSTANTS = (
    Row(name="pi", arity=0, definition=sympy.pi, numpy="np.pi", latex=r"\pi", text="π",
        bounded=True, complex_safe=True),
    Row(name="log_2", arity=0, definition=sympy.log(2), numpy=repr(math.log(2)),
        latex=r"\log 2", text="log 2", bounded=True, complex_safe=True),
    Row(name="log_10", arity=0, definition=sympy.log(10), numpy=repr(math.log(10)),
        latex=r"\log 10", text="log 10", bounded=True, complex_safe=True),
)

EXPONENTIALS = (
    Row(name="exp", arity=1, definition=sympy.exp(x), numpy="np.exp({x})",
        latex=r"\exp({x})", text="exp({x})", derivative=(_v,), complex_safe=True),
    Row(name="expm1", arity=1, definition=sympy.exp(x) - 1, numpy="np.expm1({x})",
        latex=r"\operatorname{expm1}({x})", text="expm1({x})", derivative=(reference("exp")(x),),
        complex_safe=True),
    Row(name="exp2", arity=1, definition=2**x, numpy="np.exp2({x})",
        latex=r"2^{{x}}", text="exp2({x})", derivative=(reference("log_2")() * _v,),
        complex_safe=True),
    Row(name="log", arity=1, definition=sympy.log(x), numpy="np.log({x})",
        latex=r"\log({x})", text="log({x})", domain=(_POSITIVE,), complex_safe=True,
        note="-inf at 0, with derivative inf"),
    Row(name="log1p", arity=1, definition=sympy.log(1 + x), numpy="np.log1p({x})",
        latex=r"\operatorname{log1p}({x})", text="log1p({x})", domain=((-1.0, math.inf),),
        complex_safe=True, note="-inf at -1, with derivative inf"),
    Row(name="log2", arity=1, definition=sympy.log(x) / sympy.log(2), numpy="np.log2({x})",
        latex=r"\log_2({x})", text="log2({x})", domain=(_POSITIVE,), complex_safe=True,
        note="as log"),
    Row(name="log10", arity=1, definition=sympy.log(x) / sympy.log(10), numpy="np.log10({x})",
        latex=r"\log_{10}({x})", text="log10({x})", domain=(_POSITIVE,), complex_safe=True,
        note="as log"),
    Row(name="logaddexp", arity=2, definition=sympy.log(sympy.exp(x) + sympy.exp(y)),
        numpy="np.logaddexp({x}, {y})", latex=r"\operatorname{logaddexp}({x}, {y})",
        text="logaddexp({x}, {y})", accuracy="absolute",
        derivative=(reference("sigmoid")(x - y), reference("sigmoid")(y - x)), bounded=True),
    Row(name="logaddexp2", arity=2, definition=sympy.log(2**x + 2**y) / sympy.log(2),
        numpy="np.logaddexp2({x}, {y})", latex=r"\operatorname{logaddexp2}({x}, {y})",
        text="logaddexp2({x}, {y})", accuracy="absolute", bounded=True,
        derivative=(reference("sigmoid")(reference("log_2")() * (x - y)),
                    reference("sigmoid")(reference("log_2")() * (y - x)))),
)

TRIGONOMETRY = (
    Row(name="sin", arity=1, definition=sympy.sin(x), numpy="np.sin({x})",
        latex=r"\sin({x})", text="sin({x})", mirror=(0, -1), bounded=True, complex_safe=True),
    Row(name="cos", arity=1, definition=sympy.cos(x), numpy="np.cos({x})",
        latex=r"\cos({x})", text="cos({x})", mirror=(0, 1), bounded=True, complex_safe=True),
    Row(name="tan", arity=1, definition=sympy.tan(x), numpy="np.tan({x})",
        latex=r"\tan({x})", text="tan({x})", derivative=(1 + _v**2,), mirror=(0, -1),
        complex_safe=True),
    Row(name="arcsin", arity=1, definition=sympy.asin(x), numpy="np.arcsin({x})",
        latex=r"\arcsin({x})", text="arcsin({x})", domain=(_UNIT,), complex_safe=True,
        derivative=(_TO_ENDS ** sympy.Rational(-1, 2),)),
    Row(name="arccos", arity=1, definition=sympy.acos(x), numpy="np.arccos({x})",
        latex=r"\arccos({x})", text="arccos({x})", domain=(_UNIT,), complex_safe=True,
        derivative=(-_TO_ENDS ** sympy.Rational(-1, 2),)),
    Row(name="arctan", arity=1, definition=sympy.atan(x), numpy="np.arctan({x})",
        latex=r"\arctan({x})", text="arctan({x})", mirror=(0, -1), bounded=True, complex_safe=True),
    Row(name="arctan2", arity=2, definition=sympy.atan2(x, y), numpy="np.arctan2({x}, {y})",
        latex=r"\operatorname{arctan2}({x}, {y})", text="arctan2({x}, {y})", bounded=True),
)

HYPERBOLICS = (
    Row(name="sinh", arity=1, definition=sympy.sinh(x), numpy="np.sinh({x})",
        latex=r"\sinh({x})", text="sinh({x})", mirror=(0, -1), complex_safe=True),
    Row(name="cosh", arity=1, definition=sympy.cosh(x), numpy="np.cosh({x})",
        latex=r"\cosh({x})", text="cosh({x})", mirror=(0, 1), complex_safe=True),
    Row(name="tanh", arity=1, definition=sympy.tanh(x), numpy="np.tanh({x})",
        latex=r"\tanh({x})", text="tanh({x})", derivative=(1 - _v**2,), mirror=(0, -1),
        bounded=True, complex_safe=True),
    Row(name="arcsinh", arity=1, definition=sympy.asinh(x), numpy="np.arcsinh({x})",
        latex=r"\operatorname{arcsinh}({x})", text="arcsinh({x})", bounded=True,
        complex_safe=True, derivative=(1 / reference("hypot")(1, x),)),
    Row(name="arccosh", arity=1, definition=sympy.acosh(x), numpy="np.arccosh({x})",
        latex=r"\operatorname{arccosh}({x})", text="arccosh({x})",
        domain=((1.0, math.inf),), complex_safe=True),
    Row(name="arctanh", arity=1, definition=sympy.atanh(x), numpy="np.arctanh({x})",
        latex=r"\operatorname{arctanh}({x})", text="arctanh({x})", domain=(_UNIT,),
        complex_safe=True, derivative=(1 / _TO_ENDS,)),
)

# sinc's slope near 0, where cos(πx) and sinc cancel: Σ (-1)^k 2k π^(2k) x^(2k-1) / (2k+1)!
_NEAR = "\n".join(
    f"        {(-1) ** k * 2 * k * math.pi ** (2 * k) / math.factorial(2 * k + 1)!r},"
    for k in range(12, 0, -1))
SINC_SLOPE = f'''\
def sinc_slope(x):
    """The derivative of sin(πx) / (πx): a series near 0, a quotient elsewhere."""
    u = np.minimum(x * x, 0.25)
    near = 0
    for c in (
{_NEAR}
    ):
        near = near * u + c
    z = np.where(np.abs(x) < 0.5, 1, x)
    far = (np.cos(np.pi * z) - np.sinc(z)) / z
    return np.where(np.abs(x) < 0.5, x * near, far)
'''

CARDINAL = (
    Row(name="sinc", arity=1,
        definition=sympy.Piecewise(
            (sympy.sin(sympy.pi * x) / (sympy.pi * x), sympy.Ne(x, 0)), (1, True)),
        numpy="np.sinc({x})", latex=r"\operatorname{sinc}({x})", text="sinc({x})",
        derivative=(reference("sinc_slope")(x),), bounded=True, accuracy="absolute",
        note="1 at 0, with derivative 0"),
    Row(name="sinc_slope", arity=1,
        definition=sympy.Piecewise(
            (sympy.cos(sympy.pi * x) / x - sympy.sin(sympy.pi * x) / (sympy.pi * x**2),
             sympy.Ne(x, 0)), (0, True)),
        numpy="{sinc_slope}({x})", helper=SINC_SLOPE, latex=r"\operatorname{sinc}'({x})",
        text="sinc'({x})", bounded=True, accuracy="absolute",
        derivative=(sympy.Piecewise(
            (-reference("pi")() ** 2 * reference("sinc")(x) - 2 * _v / x, sympy.Ne(x, 0)),
            (-reference("pi")() ** 2 / 3, True)),)),
)

POWERS = (
    Row(name="pow", arity=2, definition=x**y, numpy="{x} ** {y}",
        latex=r"{x}^{{y}}", text="{x}^{y}",
        derivative=(
            sympy.Piecewise((y * reference("pow")(x, y - 1), sympy.Ne(y, 0)), (0, True)),
            reference("xlogy")(_v, x),
        ),
        domain=(_POSITIVE, (-math.inf, math.inf)), complex_safe=True,
        note="the derivative by the exponent is 0 where the power is 0, "
             "nan for a negative base; by the base it is 0 where the exponent is 0"),
    Row(name="cbrt", arity=1,
        definition=sympy.Piecewise(
            (x ** sympy.Rational(1, 3), x > 0), (-((-x) ** sympy.Rational(1, 3)), True)),
        numpy="np.cbrt({x})", latex=r"\sqrt[3]{{x}}", text="cbrt({x})",
        derivative=(1 / (3 * _v**2),), bounded=True, note="infinite derivative at 0"),
    Row(name="hypot", arity=2,
        definition=sympy.Piecewise((sympy.sqrt(x**2 + y**2), x**2 + y**2 > 0), (0, True)),
        numpy="np.hypot({x}, {y})", latex=r"\operatorname{hypot}({x}, {y})",
        text="hypot({x}, {y})",
        derivative=(sympy.Piecewise((x / _v, _v > 0), (0, True)),
                    sympy.Piecewise((y / _v, _v > 0), (0, True))),
        note="derivative 0 where both arguments are 0"),
    Row(name="root", arity=1,
        definition=sympy.Piecewise((sympy.sqrt(x), sympy.Ne(x, 0)), (0, True)),
        numpy="np.sqrt({x})", latex=r"\sqrt{{x}}", text="√({x})",
        derivative=(sympy.Piecewise((1 / (2 * _v), sympy.Ne(x, 0)), (0, True)),),
        domain=(_POSITIVE,), complex_safe=True,
        note="the root of `np.linalg.norm`, `np.std`: derivative 0 at 0"),
)

ROWS = (*CONSTANTS, *EXPONENTIALS, *TRIGONOMETRY, *HYPERBOLICS, *CARDINAL, *POWERS)
