"""Rows around the error function, for which NumPy has no function of its own.

In: nothing. Out: `ROWS`, and in them two helpers in NumPy alone, which generated modules carry.
The helpers hold for real and complex arrays (complex steps pass through) and keep the dtype.
Their coefficients are Chebyshev fits made with mpmath; tests compare the functions with it.
"""

from __future__ import annotations

import math

import sympy

from symprop.algebra.rows_registry import reference
from symprop.algebra.rows_row import VALUE, Row, x

_v = VALUE
TAIL = """\
    for c in (
        5.354211729491162e-09, 3.0114785355759763e-08, -2.5185607727942392e-09,
        -2.572136362448961e-07, -2.4790111929197457e-08, 1.759744617780919e-06,
        -9.965040734443812e-07, -1.1453455220928077e-05, 2.239417902330312e-05,
        5.1654055154229535e-05, -0.0002901567912309259, 0.0002937121612807158,
        0.0017556263151361883, -0.009746579289692641, 0.028362277371518373,
        -0.0586933986166563, 0.09230432116307799, -0.10880393014038009,
        0.08227673849007304, 0.0035854154854376877, -0.14024059858554636,
        1.2375126308378277,
    ):
        tail = tail * t + c
"""
NEAR = """\
    for c in (
        1.4725865480556744e-06, -1.4845849259707869e-05, 0.00012053335124353741,
        -0.0008548297753674966, 0.00522397737302147, -0.026866170632887928,
        0.11283791670925353, -0.37612638903183476, 1.1283791670955126,
    ):
        near = near * u + c
"""

ERFC = f'''\
def erfc(x):
    """The complementary error function, all digits kept in the tail.

    exp(z²) (1 + 2 z) erfc(z) for z = |x| is a polynomial in (z - 3.75) / (z + 3.75).
    """
    z = np.minimum(np.maximum(x, -x), 30)
    t = 1 - 7.5 / (z + 3.75)
    tail = 0
{TAIL}    tail = np.exp(-z * z) * tail / (1 + 2 * z)
    return np.where(x < 0, 2 - tail, tail)
'''

ERF = f'''\
def erf(x):
    """The error function: a polynomial near 0, and 1 - erfc elsewhere.

    exp(z²) (1 + 2 z) erfc(z) for z = |x| is a polynomial in (z - 3.75) / (z + 3.75).
    """
    z = np.minimum(np.maximum(x, -x), 30)
    t = 1 - 7.5 / (z + 3.75)
    tail = 0
{TAIL}    tail = np.exp(-z * z) * tail / (1 + 2 * z)
    u = np.minimum(z * z, 0.25)
    near = 0
{NEAR}    value = np.where(z < 0.5, z * near, 1 - tail)
    return np.where(x < 0, -value, value)
'''

LOG_NDTR = f'''\
def log_ndtr(x):
    """The logarithm of the normal cdf, all digits kept in the tails.

    exp(z²) (1 + 2 z) erfc(z), z = |x| / √2, is a polynomial in (z - 3.75) / (z + 3.75).
    """
    z = {math.sqrt(0.5)!r} * np.abs(x)
    t = 1 - 7.5 / (z + 3.75)
    tail = 0
{TAIL}    tail = 0.5 * tail / (1 + 2 * z)
    above = np.log1p(-np.exp(-z * z) * tail)
    return np.where(x < 0, np.log(tail) - z * z, above)
'''

_ROOT_OF_PI = reference("pi")() ** sympy.Rational(-1, 2)
_CUBIC = x + sympy.Rational(44715, 1000000) * x**3  # the constant of the paper and of torch

ROWS = (
    Row(name="erf", arity=1, definition=sympy.erf(x), numpy="{erf}({x})", helper=ERF,
        latex=r"\operatorname{erf}({x})", text="erf({x})", mirror=(0, -1), bounded=True,
        complex_safe=True),
    Row(name="erfc", arity=1, definition=sympy.erfc(x), numpy="{erfc}({x})", helper=ERFC,
        latex=r"\operatorname{erfc}({x})", text="erfc({x})", bounded=True, complex_safe=True),
    Row(name="normal_pdf", arity=1, definition=sympy.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi),
        numpy=f"{1 / math.sqrt(2 * math.pi)!r} * np.exp(-0.5 * {{x}} * {{x}})",
        latex=r"\varphi({x})", text="φ({x})",
        derivative=(-x * _v,), mirror=(0, 1), bounded=True, complex_safe=True),
    Row(name="normal_cdf", arity=1, definition=(1 + sympy.erf(x / sympy.sqrt(2))) / 2,
        numpy=f"0.5 * {{erfc}}({-math.sqrt(0.5)!r} * {{x}})",
        latex=r"\Phi({x})", text="Φ({x})", derivative=(reference("normal_pdf")(x),),
        mirror=(1, -1), bounded=True, complex_safe=True),
    Row(name="log_ndtr", arity=1,
        definition=sympy.log(sympy.erfc(-x / sympy.sqrt(2)) / 2), numpy="{log_ndtr}({x})",
        helper=LOG_NDTR, latex=r"\log \Phi({x})", text="log Φ({x})",
        bounded=True,
        derivative=(_ROOT_OF_PI * reference("exp")(-(x**2) / 2 - _v) / sympy.sqrt(2),)),
    Row(name="gelu", arity=1, definition=x * (1 + sympy.erf(x / sympy.sqrt(2))) / 2,
        numpy=f"0.5 * {{x}} * {{erfc}}({-math.sqrt(0.5)!r} * {{x}})",
        latex=r"\operatorname{gelu}({x})", text="gelu({x})",
        derivative=(reference("normal_cdf")(x) + x * reference("normal_pdf")(x),),
        bounded=True, complex_safe=True),
    Row(name="gelu_tanh", arity=1,
        definition=x * (1 + sympy.tanh(sympy.sqrt(2 / sympy.pi) * _CUBIC)) / 2,
        numpy=f"0.5 * {{x}} * (1 + np.tanh({math.sqrt(2 / math.pi)!r} * {{x}} * "
              "(1 + 0.044715 * {x} * {x})))",
        latex=r"\operatorname{gelu}_{\tanh}({x})",
        text="gelu_tanh({x})", bounded=True, complex_safe=True, accuracy="absolute"),
)
