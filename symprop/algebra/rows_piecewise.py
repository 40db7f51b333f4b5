"""Rows with kinks or jumps: the definition says which branch owns the point where two meet.

In: nothing. Out: `ROWS`. The derivative follows by differentiating each branch, so the
convention at a kink is read off the definition; `note` states it for the documentation.
"""

from __future__ import annotations

import math

import numpy as np
import sympy
from sympy import Piecewise

from symprop.algebra.rows_registry import reference
from symprop.algebra.rows_row import EVERYWHERE, VALUE, Interval, Row, x, y, z

_v = VALUE
_POSITIVE: Interval = (0.0, math.inf)
_HALF = sympy.Rational(1, 2)
_BELOW = reference("minimum_constant")(x, 0)

PARTS = (
    Row(name="abs", arity=1, definition=Piecewise((x, x > 0), (-x, x < 0), (0, True)),
        numpy="np.abs({x})", latex=r"\lvert {x} \rvert", text="|{x}|",
        derivative=(reference("sign")(x),), bounded=True, whole=True, note="derivative 0 at 0"),
    Row(name="sign", arity=1, definition=Piecewise((1, x > 0), (-1, x < 0), (0, True)),
        numpy="np.sign({x})", latex=r"\operatorname{sign}({x})", text="sign({x})",
        bounded=True, whole=True, note="derivative 0 everywhere, at the jump too"),
    Row(name="log_abs", arity=1, definition=Piecewise(
            (sympy.log(x), x > 0), (sympy.log(-x), True)),
        numpy="np.log(np.abs({x}))", latex=r"\log \lvert {x} \rvert", text="log |{x}|",
        derivative=(1 / x,), note="-inf at 0, with derivative inf"),
    Row(name="floor", arity=1, definition=sympy.floor(x), numpy="np.floor({x})",
        latex=r"\lfloor {x} \rfloor", text="⌊{x}⌋", bounded=True,
        note="derivative 0 everywhere, at the jumps too"),
    Row(name="ceil", arity=1, definition=sympy.ceiling(x), numpy="np.ceil({x})",
        latex=r"\lceil {x} \rceil", text="⌈{x}⌉", bounded=True,
        note="derivative 0 everywhere, at the jumps too"),
    Row(name="trunc", arity=1,
        definition=Piecewise((sympy.floor(x), x > 0), (sympy.ceiling(x), True)),
        numpy="np.trunc({x})", latex=r"\operatorname{trunc}({x})", text="trunc({x})",
        bounded=True, note="derivative 0 everywhere, at the jumps too"),
    Row(name="rint", arity=1,  # half an odd number goes to the even side
        definition=sympy.floor(x / 2 + _HALF / 2) + sympy.ceiling(x / 2 - _HALF / 2),
        numpy="np.rint({x})", latex=r"\operatorname{rint}({x})", text="rint({x})",
        bounded=True, note="derivative 0 everywhere, at the jumps too"),
)

# NumPy's own know the quotient to the last digit: 1 % 0.1 is 0.09999999999999995, 5 % inf is 5.
_TRUNC = Piecewise((sympy.floor(x / y), x / y > 0), (sympy.ceiling(x / y), True))
_PIECE = "the derivative of its piece, at the jumps too"

QUOTIENTS = (
    Row(name="floor_divide", arity=2, definition=sympy.floor(x / y),
        numpy="np.floor_divide({x}, {y})", exact=np.floor_divide,
        latex=r"\lfloor {x} / {y} \rfloor", text="⌊{x} / {y}⌋", domain=(EVERYWHERE, _POSITIVE),
        note="derivative 0 everywhere, at the jumps too"),
    Row(name="remainder", arity=2, definition=x - y * sympy.floor(x / y),
        numpy="np.remainder({x}, {y})", exact=np.remainder,
        latex=r"\operatorname{mod}({x}, {y})", text="mod({x}, {y})",
        derivative=(None, -reference("floor_divide")(x, y)), domain=(EVERYWHERE, _POSITIVE),
        note=_PIECE),
    Row(name="fmod", arity=2, definition=x - y * _TRUNC, numpy="np.fmod({x}, {y})",
        exact=np.fmod, latex=r"\operatorname{fmod}({x}, {y})", text="fmod({x}, {y})",
        derivative=(sympy.S.One, (_v - x) / y), domain=(EVERYWHERE, _POSITIVE), note=_PIECE),
)

EXTREMA = (
    Row(name="maximum", arity=2,
        definition=Piecewise((x, x > y), (y, x < y), ((x + y) / 2, True)),
        numpy="np.maximum({x}, {y})", latex=r"\max({x}, {y})", text="max({x}, {y})",
        bounded=True, whole=True, complex_safe=True, note="of two tensors: 1/2 to each at a tie"),
    Row(name="minimum", arity=2,
        definition=Piecewise((x, x < y), (y, x > y), ((x + y) / 2, True)),
        numpy="np.minimum({x}, {y})", latex=r"\min({x}, {y})", text="min({x}, {y})",
        bounded=True, whole=True, complex_safe=True, note="of two tensors: 1/2 to each at a tie"),
    Row(name="maximum_constant", arity=2, definition=Piecewise((x, x > y), (y, True)),
        numpy="np.maximum({x}, {y})", latex=r"\max({x}, {y})", text="max({x}, {y})",
        bounded=True, whole=True, complex_safe=True, note="with a constant: derivative 0 at a tie"),
    Row(name="minimum_constant", arity=2, definition=Piecewise((x, x < y), (y, True)),
        numpy="np.minimum({x}, {y})", latex=r"\min({x}, {y})", text="min({x}, {y})",
        bounded=True, whole=True, complex_safe=True, note="with a constant: derivative 0 at a tie"),
    Row(name="clip", arity=3,  # min(max(x, y), z): where the bounds have crossed, the upper one
        definition=Piecewise((z, (x > z) | (y > z)), (y, x < y), (x, True)),
        derivative=(
            Piecewise((0, x > z), (0, x < y), (1, True)),
            Piecewise((1, (x < y) & (y <= z)), (0, True)),
            Piecewise((1, (x > z) | (y > z)), (0, True)),
        ),
        numpy="np.clip({x}, {y}, {z})", latex=r"\operatorname{clip}({x}, {y}, {z})",
        text="clip({x}, {y}, {z})", bounded=True, whole=True, note="derivative 1 at the bounds; "
        "where the lower bound is above the upper one: the upper one"),
    Row(name="clip_below", arity=2, definition=Piecewise((y, x < y), (x, True)),
        numpy="np.maximum({x}, {y})", latex=r"\max({x}, {y})", text="max({x}, {y})",
        bounded=True, whole=True, complex_safe=True,
        note="`np.clip(x, low, None)`: derivative 1 at the bound"),
    Row(name="clip_above", arity=2, definition=Piecewise((y, x > y), (x, True)),
        numpy="np.minimum({x}, {y})", latex=r"\min({x}, {y})", text="min({x}, {y})",
        bounded=True, whole=True, complex_safe=True,
        note="`np.clip(x, None, high)`: derivative 1 at the bound"),
    Row(name="hardtanh", arity=3, definition=Piecewise((y, x <= y), (z, x >= z), (x, True)),
        numpy="np.clip({x}, {y}, {z})", latex=r"\operatorname{hardtanh}({x}, {y}, {z})",
        text="hardtanh({x}, {y}, {z})", bounded=True, note="derivative 0 at the corners"),
)

RECTIFIERS = (
    Row(name="relu", arity=1, definition=Piecewise((x, x > 0), (0, True)),
        numpy="np.maximum({x}, 0)", latex=r"\operatorname{relu}({x})", text="relu({x})",
        bounded=True, complex_safe=True, note="derivative 0 at 0"),
    Row(name="leaky_relu", arity=2, definition=Piecewise((x, x > 0), (y * x, True)),
        numpy="np.maximum({x}, 0) + {y} * np.minimum({x}, 0)",
        latex=r"\operatorname{leaky\_relu}({x}, {y})", text="leaky_relu({x}, {y})",
        bounded=True, complex_safe=True, note="derivative at 0: the slope"),
    Row(name="elu", arity=2, definition=Piecewise((x, x > 0), (y * (sympy.exp(x) - 1), True)),
        numpy="np.maximum({x}, 0) + {y} * np.expm1(np.minimum({x}, 0))",
        latex=r"\operatorname{elu}({x}, {y})", text="elu({x}, {y})",
        derivative=(
            Piecewise((1, x > 0), (y * reference("exp")(_BELOW), True)),
            reference("expm1")(_BELOW),
        ),
        bounded=True, complex_safe=True, note="derivative at 0: alpha"),
    Row(name="relu6", arity=1, definition=Piecewise((0, x <= 0), (6, x >= 6), (x, True)),
        numpy="np.clip({x}, 0, 6)", latex=r"\operatorname{relu6}({x})", text="relu6({x})",
        bounded=True, note="derivative 0 at the corners"),
    Row(name="hardsigmoid", arity=1,
        definition=Piecewise((0, x <= -3), (1, x >= 3), (x / 6 + _HALF, True)),
        numpy="np.clip({x} / 6 + 0.5, 0, 1)", latex=r"\operatorname{hardsigmoid}({x})",
        text="hardsigmoid({x})", bounded=True, note="derivative 0 at the corners"),
    Row(name="huber", arity=2,
        definition=Piecewise(
            (y * (x - y / 2), x > y), (-y * (x + y / 2), x < -y), (x**2 / 2, True)),
        numpy="np.where(np.abs({x}) <= {y}, 0.5 * {x} * {x}, {y} * (np.abs({x}) - 0.5 * {y}))",
        latex=r"\operatorname{huber}({x}, {y})", text="huber({x}, {y})",
        derivative=(reference("clip")(x, -y, y), None), domain=(EVERYWHERE, _POSITIVE),
        note="smooth: derivative delta at the corner from both sides"),
)

ROWS = (*PARTS, *QUOTIENTS, *EXTREMA, *RECTIFIERS)
