"""Scalar functions evaluated from the definitions of their rows.

In: the name of a row and arrays. Out: its value, real or complex, by a walk of the SymPy
definition. A complex argument carries a complex step: conditions look at the real part, and
a function that NumPy has for real numbers only is continued by SymPy's derivative of it.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from functools import lru_cache
from statistics import NormalDist
from typing import Any

import numpy as np
import sympy
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Not, Or

from symprop.algebra import rows
from symprop.errors import UnsupportedError

Value = Any  # an array of any number type, or a scalar
Values = dict[sympy.Symbol, Value]
Walk = Callable[[Values], Value]

_NUMPY: dict[Any, Callable[..., Value]] = {
    sympy.exp: np.exp, sympy.log: np.log, sympy.sin: np.sin, sympy.cos: np.cos,
    sympy.tan: np.tan, sympy.sinh: np.sinh, sympy.cosh: np.cosh, sympy.tanh: np.tanh,
    sympy.asin: np.arcsin, sympy.acos: np.arccos, sympy.atan: np.arctan,
    sympy.asinh: np.arcsinh, sympy.acosh: np.arccosh, sympy.atanh: np.arctanh,
}


def _each(function: Callable[[float], float]) -> Callable[..., Value]:
    """A function of Python numbers, entry by entry; single precision stays single."""
    entries = np.vectorize(function, otypes=[float])

    def walk(argument: Value) -> Value:
        found = entries(argument)
        single = getattr(argument, "dtype", None) == np.float32
        return found.astype(np.float32) if single else found

    return walk


def _log_gamma(number: float) -> float:
    return math.inf if number <= 0 and number == int(number) else math.lgamma(number)


def _polygamma(order: float, number: float) -> float:
    """(-1)^(n+1) n! Σ_k 1/(x + k)^(n+1), for n = 0 without what is infinite."""
    n, moved = int(order), 0.0
    if number <= 0:
        if n or number == int(number):
            return math.nan
        return _polygamma(0, 1 - number) - math.pi / math.tan(math.pi * number)
    while number < 30:
        moved, number = moved + number ** (-n - 1), number + 1
    terms = [float(sympy.bernoulli(2 * k)) * math.factorial(2 * k + n - 1) / (
        math.factorial(2 * k) * number ** (2 * k + n)) for k in range(1, 7)]
    if n == 0:
        return math.log(number) - 0.5 / number - sum(terms) - moved
    first = math.factorial(n - 1) / number**n + math.factorial(n) / (2 * number ** (n + 1))
    return float((-1) ** (n + 1) * (first + sum(terms) + math.factorial(n) * moved))


def _erf_inverse(number: float) -> float:
    """A quantile of the normal distribution, with one step of Newton's near 0."""
    if not abs(number) < 1:
        return math.copysign(math.inf, number) if abs(number) == 1 else math.nan
    found = -NormalDist().inv_cdf((1 - abs(number)) / 2) / math.sqrt(2)
    if found < 0.5:
        found -= (math.erf(found) - abs(number)) * math.sqrt(math.pi) / 2 * math.exp(found**2)
    return math.copysign(found, number)


_REAL_ONLY: dict[Any, Callable[..., Value]] = {
    sympy.erf: _each(math.erf),
    sympy.erfc: _each(math.erfc),
    sympy.loggamma: _each(_log_gamma), sympy.polygamma: np.vectorize(_polygamma, otypes=[float]),
    sympy.erfinv: _each(_erf_inverse),
    sympy.gamma: _each(math.gamma),
    sympy.atan2: np.arctan2, sympy.sign: np.sign, sympy.Abs: np.abs,
    sympy.floor: np.floor, sympy.ceiling: np.ceil,
}
_CONSTANT_PIECES = (sympy.floor, sympy.ceiling, sympy.sign)  # derivative 0 between the jumps
_COMPARE: dict[Any, Callable[..., Value]] = {
    sympy.StrictLessThan: np.less, sympy.LessThan: np.less_equal,
    sympy.StrictGreaterThan: np.greater, sympy.GreaterThan: np.greater_equal,
    sympy.Equality: np.equal, sympy.Unequality: np.not_equal,
}


def value(name: str, args: tuple[Value, ...]) -> Value:
    """The value of the row `name`. Raises UnsupportedError for a definition it cannot walk."""
    row = rows.get(name)
    if row.exact is not None and not any(np.iscomplexobj(a) for a in args):
        return row.exact(*args)
    found = _walk(row.definition)(dict(zip(rows.X, args, strict=False)))
    if row.exact is not None:
        found = np.array(found)  # i times infinity would be nan
        found.real = row.exact(*(np.real(a) for a in args))
    return found


def value_of(expr: sympy.Expr, args: tuple[Value, ...]) -> Value:
    """The value of an expression in x, y, z, such as a partial derivative of a row."""
    return _walk(expr)(dict(zip(rows.X, args, strict=False)))


@lru_cache(maxsize=4096)
def _walk(node: sympy.Basic) -> Walk:
    """The node as a function of the values of x, y, z."""
    if node.is_Symbol:
        return lambda at: at[node]
    if node.is_number and not node.has(rows.RowFunction):
        constant = float(node)
        return lambda at: constant
    parts = [_walk(a) for a in node.args if not isinstance(node, sympy.Piecewise)]
    if node.is_Add:
        return lambda at: _folded(np.add, parts, at)
    if node.is_Mul:
        return lambda at: _folded(np.multiply, parts, at)
    if node.is_Pow:
        exponents = [_exponent(a) for a in node.base.args] if node.base.is_Add else [None]
        if node.exp == -1 and all(e is not None for e in exponents):
            return _over_exponentials([_walk(e) for e in exponents if e is not None])
        return _power(node, parts)
    if isinstance(node, rows.RowFunction):
        return lambda at: value(node.row_name, tuple(p(at) for p in parts))
    if isinstance(node, sympy.Piecewise):
        return _piecewise(node)
    if node.func is sympy.log and node.args[0].is_Add:
        exponents = [_exponent(a) for a in node.args[0].args]
        if all(e is not None for e in exponents):
            return _log_of_exponentials([_walk(e) for e in exponents if e is not None])
    condition = _condition(node, parts)
    return condition or _function(node, parts)


def _exponent(node: sympy.Basic) -> sympy.Basic | None:
    """The x of exp(x), the 0 of 1, the x log 2 of 2^x; None for anything else."""
    if node == sympy.S.One:
        return sympy.S.Zero
    if isinstance(node, sympy.Pow) and node.base.is_Rational and node.base.is_positive:
        return node.exp * sympy.log(node.base)
    return node.args[0] if node.func is sympy.exp else None


def _log_of_exponentials(parts: list[Walk]) -> Walk:
    """log(exp(a) + exp(b)), where exp alone would be 0 or infinite."""

    def walk(at: Values) -> Value:
        top, total = _exponentials(parts, at)
        return top + np.log(total)

    return walk


def _over_exponentials(parts: list[Walk]) -> Walk:
    """1 / (exp(a) + exp(b)), where exp alone would be infinite, and a complex step with it nan."""

    def walk(at: Values) -> Value:
        top, total = _exponentials(parts, at)
        return np.exp(-top) / total

    return walk


def _exponentials(parts: list[Walk], at: Values) -> tuple[Value, Value]:
    """The largest of several exponents, and the sum of the exponentials divided by its own."""
    exponents = [p(at) for p in parts]
    top = functools.reduce(np.maximum, map(np.real, exponents))
    top = np.where(np.isfinite(top), top, 0.0)
    return top, functools.reduce(np.add, (np.exp(e - top) for e in exponents))


def _folded(operation: Callable[..., Value], parts: list[Walk], at: Values) -> Value:
    total = parts[0](at)
    for part in parts[1:]:
        total = operation(total, part(at))
    return total


def _power(node: sympy.Pow, parts: list[Walk]) -> Walk:
    base, exponent = node.args
    if base is sympy.E:
        return lambda at: np.exp(parts[1](at))
    if exponent == sympy.Rational(1, 2):
        return lambda at: np.sqrt(parts[0](at))
    if exponent == -1:
        return lambda at: np.divide(1.0, parts[0](at))
    if exponent.is_Integer and exponent > 0:
        return lambda at: parts[0](at) ** int(exponent)
    return lambda at: np.power(parts[0](at) * 1.0, parts[1](at))


def _piecewise(node: sympy.Piecewise) -> Walk:
    branches = [(_walk(e), _truth(c)) for e, c in node.args]

    def walk(at: Values) -> Value:
        result: Value = np.nan
        for branch, holds in reversed(branches):
            result = np.where(holds(at), branch(at), result)
        return result

    return walk


def _truth(condition: sympy.Basic) -> Walk:
    if condition in (sympy.true, sympy.false):
        constant = bool(condition)
        return lambda at: constant
    return _walk(condition)


def _condition(node: sympy.Basic, parts: list[Walk]) -> Walk | None:
    """Relations look at real parts."""
    if isinstance(node, Relational):
        compare = _COMPARE[node.func]
        return lambda at: compare(*(np.real(p(at)) for p in parts))
    if isinstance(node, And):
        return lambda at: _folded(np.logical_and, parts, at)
    if isinstance(node, Or):
        return lambda at: _folded(np.logical_or, parts, at)
    if isinstance(node, Not):
        return lambda at: np.logical_not(parts[0](at))
    return None


def _function(node: sympy.Basic, parts: list[Walk]) -> Walk:
    complex_too = _NUMPY.get(node.func)
    if complex_too is not None:
        return lambda at: complex_too(parts[0](at))
    if not isinstance(node, sympy.Function):
        raise UnsupportedError(f"no value is known for SymPy's {node.func.__name__}")
    real = _REAL_ONLY.get(node.func) or _by_sympy(node.func)
    slopes = [_slope(node.func, len(parts), k) for k in range(len(parts))]

    def walk(at: Values) -> Value:
        values = [p(at) for p in parts]
        if not any(np.iscomplexobj(v) for v in values):
            return real(*values)
        reals = [np.real(v) for v in values]
        steps = (slope(reals) * np.imag(v) for slope, v in zip(slopes, values, strict=True)
                 if np.iscomplexobj(v))
        return real(*reals) + 1j * sum(steps)

    return walk


def _slope(function: Any, arity: int, k: int) -> Callable[[list[Value]], Value]:
    """The derivative by argument k, from SymPy, worked out at its first use."""

    def slope(reals: list[Value]) -> Value:
        if function in _CONSTANT_PIECES:
            return 0.0
        symbols = rows.X[:arity]
        derivative = function(*symbols).diff(symbols[k])
        return _walk(derivative)(dict(zip(symbols, reals, strict=True)))

    return slope


def _by_sympy(function: Any) -> Callable[..., Value]:
    """Any other function, number by number."""

    def one(*numbers: float) -> float:
        return float(function(*(sympy.Float(n, 17) for n in numbers)).evalf(17))

    return np.vectorize(one, otypes=[float])
