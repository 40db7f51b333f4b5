"""Rows around the gamma function, and the inverse of the error function.

In: nothing. Out: `ROWS`; `POLYGAMMA`, the derivatives of log Γ, of which there is no last one.
Their helpers are NumPy alone and keep the dtype. The coefficients near 1 are a Chebyshev fit made
with mpmath, the others Bernoulli numbers; tests compare the functions with mpmath.
"""

from __future__ import annotations

import math

import numpy as np
import sympy

from symprop.algebra.rows_registry import Family, reference
from symprop.algebra.rows_row import VALUE, Row, x, y
from symprop.algebra.rows_special import NEAR, TAIL

_v = VALUE
_BERNOULLI = ((1, 1 / 6), (2, -1 / 30), (3, 1 / 42), (4, -1 / 30), (5, 5 / 66))
_POSITIVE = (0.0, math.inf)

GAMMALN = f'''\
def gammaln(x):
    """log |Γ(x)|: a polynomial around the zeros 1 and 2, Stirling's series from 8."""
    above = np.where(x > 0, x, 1 - x)
    t = np.minimum(above, 8)
    factor = np.where(t < 1, 1 / np.where(t > 0, t, 1), 1)
    t = np.where(t < 1, t + 1, t)
    for _ in range(6):
        factor = np.where(t > 2, factor * (t - 1), factor)
        t = np.where(t > 2, t - 1, t)
    near = 0
    for c in (
        -4.009497966372805e-13, 1.2501115664892499e-12, -1.4980798127914213e-12,
        4.7104952913992804e-12, -2.115980517431393e-11, 6.658783632912748e-11,
        -2.0053209362875985e-10, 6.347242958511528e-10, -2.0242977543119116e-09,
        6.44852415578375e-09, -2.0616739835613578e-08, 6.622900445314835e-08,
        -2.1386487330773735e-07, 6.948461670338335e-07, -2.274247007665434e-06,
        7.511391135508744e-06, -2.5094328729337463e-05, 8.510090382501114e-05,
        -0.0002945507015146143, 0.00104981866444897, -0.003913560937626377,
        0.01572785026864124, -0.07297994795715304, 0.4831289505409809,
    ):
        near = near * (2 * t - 3) + c
    near = (t - 1) * (t - 2) * near + np.log(factor)
    z = np.maximum(above, 8)
    w, series = 1 / z, 0
    for c in (
        0.00641025641025641, -0.0019175269175269176, 0.0008417508417508417,
        -0.0005952380952380953, 0.0007936507936507937, -0.002777777777777778,
        0.08333333333333333,
    ):
        series = series * (w * w) + c
    far = (z - 0.5) * (np.log(z) - 1) + {0.5 * math.log(2 * math.pi) - 0.5!r} + series * w
    value = np.where(above < 8, near, far)
    low = np.minimum(x, 0)
    wave = np.abs(np.sin(np.pi * (low - np.round(low))))
    pole = (x <= 0) & (wave == 0)
    below = np.log(np.pi / np.where(wave > 0, wave, 1)) - value
    return np.where(x > 0, value, np.where(pole, np.inf, below))
'''

BETALN = '''\
def betaln(x, y, gammaln):
    """log |B(x, y)|: of two arguments from 8 on, no two large numbers cancel."""
    small, large = np.minimum(x, y), np.maximum(x, y)
    q, p = np.maximum(large, 8), np.where((large >= 8) & (small > 0), small, 1)
    parts = []
    for w in (1 / q, 1 / (p + q)):
        series = 0
        for c in (
            0.00641025641025641, -0.0019175269175269176, 0.0008417508417508417,
            -0.0005952380952380953, 0.0007936507936507937, -0.002777777777777778,
            0.08333333333333333,
        ):
            series = series * (w * w) + c
        parts.append(series * w)
    far = parts[0] - parts[1] + p - p * np.log(p + q)
    far = far + (q - 0.5) * np.log1p(-p / (p + q))
    near = gammaln(np.minimum(large, 8)) - gammaln(np.minimum(large, 8) + small)
    return gammaln(small) + np.where((large >= 8) & (small > 0), far, near)
'''

DIGAMMA = '''\
def digamma(x):
    """The derivative of log Γ: moved up to 8, then an asymptotic series."""
    z = np.where(x > 0, x, 1 - x)
    taken = 0
    for _ in range(8):
        taken = taken + np.where(z < 8, 1 / z, 0)
        z = np.where(z < 8, z + 1, z)
    w, series = 1 / z, 0
    for c in (
        0.08333333333333333, -0.021092796092796094, 0.007575757575757576,
        -0.004166666666666667, 0.003968253968253968, -0.008333333333333333,
        0.08333333333333333,
    ):
        series = (series + c) * (w * w)
    value = np.log(z) - 0.5 * w - series - taken
    low = np.minimum(x, 0)
    wave = np.tan(np.pi * (low - np.round(low)))
    pole = (x <= 0) & (wave == 0)
    below = value - np.pi / np.where(wave == 0, 1, wave)
    return np.where(x > 0, value, np.where(pole, np.nan, below))
'''

HIGHER = '''\
def polygamma(n, x):
    """Derivative n of the digamma function above 0, n >= 1, without its sign and n!."""
    z = np.where(x > 0, x, 1)
    total = 0
    for _ in range(10 + n):
        total = total + np.where(z < 10 + n, (1 / z) ** (n + 1), 0)
        z = np.where(z < 10 + n, z + 1, z)
    w, ratio, series = 1 / z, (n + 1) / 2, 0
    for k, c in enumerate((
        0.16666666666666666, -0.03333333333333333, 0.023809523809523808,
        -0.03333333333333333, 0.07575757575757576, -0.2531135531135531,
        1.1666666666666667, -7.092156862745098,
    ), start=1):
        series = series + c * ratio * w ** (2 * k)
        ratio = ratio * (2 * k + n) * (2 * k + n + 1) / ((2 * k + 1) * (2 * k + 2))
    far = (1 / n + 0.5 * w + series) * w**n
    return np.where(x > 0, total + far, np.nan)
'''

ERFINV = f'''\
def erfinv(x):
    """The inverse of the error function: three steps of Halley's from an estimate."""
    size = np.minimum(np.abs(x), 1)
    rest = 1 - size
    logarithm = np.log(np.maximum(rest * (1 + size), 1e-30))
    half = {2 / (math.pi * 0.147)!r} + 0.5 * logarithm
    z = np.sqrt(np.maximum(np.sqrt(half * half - logarithm / 0.147) - half, 0))
    for _ in range(3):
        t = 1 - 7.5 / (z + 3.75)
        tail = 0
{TAIL.replace("    ", "        ", 1).replace(chr(10) + "    ", chr(10) + "        ").rstrip(" ")}\
        u = np.minimum(z * z, 0.25)
        near = 0
{NEAR.replace("    ", "        ", 1).replace(chr(10) + "    ", chr(10) + "        ").rstrip(" ")}\
        slope = {2 / math.sqrt(math.pi)!r} * np.exp(-z * z)
        beyond = rest - np.exp(-z * z) * tail / (1 + 2 * z)
        short = np.where(z < 0.5, z * near - size, beyond)
        step = short / slope
        z = z - step / (1 + z * step)
    one = size * 0 + 1
    z = np.where(size < 1, z, np.where(np.abs(x) > 1, np.nan * one, np.inf * one))
    return np.where(x < 0, -z, z)
'''


def polygamma(order: int) -> Row:
    """Derivative number `order` of the digamma function, as a row."""
    sign = (-1) ** (order + 1) * math.factorial(order)
    raised = str(order).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return Row(
        name=POLYGAMMA.name(order), arity=1, definition=sympy.polygamma(order, x),
        numpy=f"{float(sign)!r} * {{polygamma}}({order}, {{x}})", helper=HIGHER,
        latex=rf"\psi^{{{{({order})}}}}({{x}})", text=f"ψ⁽{raised}⁾({{x}})",
        derivative=(reference(POLYGAMMA.name(order + 1))(x),), domain=(_POSITIVE,))


def _log_beta(p: float, q: float) -> float:
    """By the definition, with log Γ(q) - log Γ(p + q) by Stirling's series where q is large."""
    small, large = min(p, q), max(p, q)
    if small <= 0 or math.isinf(large) or math.isnan(small + large):
        return math.inf if small == 0 and large > 0 else -math.inf if small > 0 else math.nan
    if large < 30:
        return math.lgamma(small) + math.lgamma(large) - math.lgamma(small + large)
    both = small + large
    series = [sum(b / (2 * k * (2 * k - 1) * z ** (2 * k - 1)) for k, b in _BERNOULLI)
              for z in (large, both)]
    return (math.lgamma(small) + series[0] - series[1] + small - small * math.log(both)
            - (large - 0.5) * math.log1p(small / large))


POLYGAMMA = Family(sympy.polygamma, ("digamma", "trigamma"), "polygamma", polygamma)

ROWS = (
    Row(name="gammaln", arity=1, definition=sympy.loggamma(x), numpy="{gammaln}({x})",
        helper=GAMMALN, latex=r"\log \Gamma({x})", text="log Γ({x})",
        derivative=(reference("digamma")(x),), domain=(_POSITIVE,), accuracy="absolute"),
    Row(name="digamma", arity=1, definition=sympy.polygamma(0, x), numpy="{digamma}({x})",
        helper=DIGAMMA, latex=r"\psi({x})", text="ψ({x})",
        derivative=(reference("trigamma")(x),), domain=(_POSITIVE,), accuracy="absolute"),
    polygamma(1),
    Row(name="betaln", arity=2, exact=np.vectorize(_log_beta, otypes=[float]),
        definition=sympy.loggamma(x) + sympy.loggamma(y) - sympy.loggamma(x + y),
        numpy="{betaln}({x}, {y}, {gammaln})", helper=BETALN,
        latex=r"\log \mathrm{B}({x}, {y})", text="log B({x}, {y})",
        derivative=(reference("digamma")(x) - reference("digamma")(x + y),
                    reference("digamma")(y) - reference("digamma")(x + y)),
        domain=(_POSITIVE, _POSITIVE), accuracy="absolute"),
    Row(name="erfinv", arity=1, definition=sympy.erfinv(x), numpy="{erfinv}({x})",
        helper=ERFINV, latex=r"\operatorname{erf}^{{-1}}({x})", text="erf⁻¹({x})",
        derivative=(sympy.sqrt(reference("pi")()) / 2 * reference("exp")(_v**2),),
        mirror=(0, -1), domain=((-1.0, 1.0),)),
)
