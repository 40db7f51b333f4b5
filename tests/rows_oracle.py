"""An oracle for the rows in mpmath: definitions to any number of digits, and seeded points.

It reads the definitions only: SymPy's diff, the spellings and the NumPy printer play no part.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

import mpmath
import sympy

from symprop.algebra import rows

DIGITS = 50
SINGLE = {
    sympy.exp: mpmath.exp, sympy.log: mpmath.log, sympy.sin: mpmath.sin, sympy.cos: mpmath.cos,
    sympy.tan: mpmath.tan, sympy.asin: mpmath.asin, sympy.acos: mpmath.acos,
    sympy.atan: mpmath.atan, sympy.atan2: mpmath.atan2, sympy.sinh: mpmath.sinh,
    sympy.cosh: mpmath.cosh, sympy.tanh: mpmath.tanh, sympy.asinh: mpmath.asinh,
    sympy.acosh: mpmath.acosh, sympy.atanh: mpmath.atanh, sympy.erf: mpmath.erf,
    sympy.loggamma: mpmath.loggamma, sympy.erfinv: mpmath.erfinv,
    sympy.polygamma: lambda n, a: mpmath.psi(int(n), a),
    sympy.erfc: mpmath.erfc, sympy.floor: mpmath.floor, sympy.ceiling: mpmath.ceil,
    sympy.Add: lambda *a: mpmath.fsum(a), sympy.Mul: lambda *a: mpmath.fprod(a),
    sympy.Pow: lambda a, b: mpmath.power(a, b),
    sympy.StrictGreaterThan: lambda a, b: a > b, sympy.StrictLessThan: lambda a, b: a < b,
    sympy.GreaterThan: lambda a, b: a >= b, sympy.LessThan: lambda a, b: a <= b,
    sympy.Equality: lambda a, b: a == b, sympy.Unequality: lambda a, b: a != b,
    sympy.And: lambda *a: all(a), sympy.Or: lambda *a: any(a), sympy.Not: lambda a: not a,
    sympy.ITE: lambda a, b, c: b if a else c,
}

# Where the value or its derivative leaves float64, or an argument must stay near another.
REACH = {
    "exp": (-700.0, 700.0), "expm1": (-700.0, 700.0), "exp2": (-1000.0, 1000.0),
    "sinh": (-700.0, 700.0), "cosh": (-700.0, 700.0), "erf": (-26.0, 26.0),
    "erfc": (-26.0, 26.0), "normal_cdf": (-37.0, 37.0), "normal_pdf": (-37.0, 37.0),
    "log_ndtr": (-100.0, 37.0), "gelu": (-37.0, 37.0), "pow": (1e-6, 20.0),
}

# Of which mpmath needs a hundredth of a second at every point: a tenth of the points.
SLOW = {"gammaln", "digamma", "trigamma", "betaln", "erfinv"}


def evaluate(expr: sympy.Basic, at: dict[sympy.Symbol, mpmath.mpf]) -> mpmath.mpf:
    """The value of an expression in SymPy's own functions, at the working precision."""
    if expr.is_Symbol:
        return at[expr]
    if expr.is_Rational:
        return mpmath.mpf(int(expr.p)) / int(expr.q)
    if expr is sympy.pi:
        return +mpmath.pi
    if expr is sympy.E:
        return +mpmath.e
    if expr in (sympy.true, sympy.false):
        return bool(expr)
    if isinstance(expr, sympy.Piecewise):
        return next(evaluate(value, at) for value, c in expr.args if evaluate(c, at))
    return SINGLE[expr.func](*(evaluate(a, at) for a in expr.args))


def value_of(row: rows.Row) -> Callable[..., mpmath.mpf]:
    """The row's definition as a function of mpmath numbers."""
    definition = rows.to_native(row.definition)
    return lambda *args: evaluate(definition, dict(zip(rows.X, args, strict=False)))


def derivative_of(row: rows.Row, k: int) -> Callable[..., mpmath.mpf]:
    """mpmath's numerical derivative of the definition by argument k."""
    f = value_of(row)

    def derivative(*args: mpmath.mpf) -> mpmath.mpf:
        return mpmath.diff(lambda t: f(*args[:k], t, *args[k + 1:]), args[k])

    return derivative


def settled(f: Callable[..., mpmath.mpf], args: Sequence[float]) -> mpmath.mpf:
    """f to 30 digits at least: the precision grows until two of them agree.

    Cancellation in a tail takes hundreds of digits; what is below 1e-400 counts as 0.
    """
    largest = max(map(abs, args), default=0.0)
    digits, before = DIGITS + min(450, int(min(largest, 50.0) ** 2 / 4)), None
    while True:
        with mpmath.workdps(digits):
            now = f(*map(mpmath.mpf, args))
            if not mpmath.isfinite(now):
                return now
            close = before is not None and abs(now - before) <= mpmath.mpf(10) ** -30 * abs(now)
            nothing = digits > 900 and abs(now) < mpmath.mpf(10) ** -400
            if (close and now) or nothing:
                return now
        digits, before = digits * (1 if before is None else 2) + 20, now


def points(row: rows.Row, count: int, seed: str = "points") -> list[tuple[float, ...]]:
    """Seeded points of the row's domain: moderate ones, tiny ones and far tails."""
    count = max(8, count // 10) if row.name in SLOW else count
    dice = random.Random(f"{seed} {row.name}")
    found = []
    while len(found) < count:
        point = [_draw(dice, *interval) for interval in row.domains]
        low, high = REACH.get(row.name, (-math.inf, math.inf))
        if row.name == "hardtanh":
            point[1:] = sorted(point[1:])
        if row.arity and low <= point[0] <= high and all(abs(p) <= high for p in point):
            found.append(tuple(point))
    return found


def _draw(dice: random.Random, low: float, high: float) -> float:
    """One number of an open interval; half of them moderate, half near the ends."""
    if math.isinf(low) and math.isinf(high):
        size = abs(dice.gauss(0, 1)) if dice.random() < 0.5 else 10 ** dice.uniform(-6, 3)
        return dice.choice((-1, 1)) * size
    if math.isinf(high):
        return low + 10 ** dice.uniform(-6, 3)
    if dice.random() < 0.5:
        return dice.uniform(low, high)
    away = 10 ** dice.uniform(-6, -1) * (high - low)
    return dice.choice((low + away, high - away))
