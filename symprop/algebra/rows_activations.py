"""Rows of the smooth activations, and of what losses are made of.

In: nothing. Out: `ROWS`.
"""

from __future__ import annotations

import math

import sympy

from symprop.algebra.rows_registry import reference
from symprop.algebra.rows_row import VALUE, Interval, Row, x, y

_v = VALUE
_POSITIVE: Interval = (0.0, math.inf)
SIGMOID = '''\
def sigmoid(x):
    """1 / (1 + exp(-x)) without overflow, all digits kept in the tail."""
    e = np.exp(np.minimum(x, -x))
    return np.maximum(e, x >= 0) / (1 + e)
'''
SOFTPLUS = '''\
def softplus(x):
    """log(1 + exp(x)) without overflow, all digits kept in the tail."""
    return np.maximum(x, 0) + np.log1p(np.exp(np.minimum(x, -x)))
'''
_SIGMOID = 1 / (1 + sympy.exp(-x))
_sigmoid = reference("sigmoid")

LOGISTIC = (
    Row(name="sigmoid", arity=1, definition=_SIGMOID,
        numpy="{sigmoid}({x})", helper=SIGMOID, latex=r"\sigma({x})", text="σ({x})",
        derivative=(_v * (1 - _v),), mirror=(1, -1), bounded=True, complex_safe=True),
    Row(name="softplus", arity=1, definition=sympy.log(1 + sympy.exp(x)),
        numpy="{softplus}({x})", helper=SOFTPLUS, latex=r"\operatorname{softplus}({x})",
        text="softplus({x})", derivative=(_sigmoid(x),), bounded=True),
    Row(name="log_sigmoid", arity=1, definition=-sympy.log(1 + sympy.exp(-x)),
        numpy="-{softplus}(-{x})",
        latex=r"\log \sigma({x})", text="log σ({x})", derivative=(_sigmoid(-x),), bounded=True),
    Row(name="logit", arity=1, definition=sympy.log(x / (1 - x)),
        numpy="np.log({x}) - np.log1p(-{x})",
        latex=r"\operatorname{logit}({x})", text="logit({x})",
        derivative=(1 / (x * (1 - x)),), domain=((0.0, 1.0),), complex_safe=True,
        accuracy="absolute", note="infinite at 0 and 1"),
    Row(name="silu", arity=1, definition=x * _SIGMOID,
        numpy="{x} * {sigmoid}({x})",
        latex=r"\operatorname{silu}({x})", text="silu({x})",
        derivative=(_sigmoid(x) + _v * (1 - _sigmoid(x)),), bounded=True, complex_safe=True),
)

ENTROPIES = (
    Row(name="xlogy", arity=2,
        definition=sympy.Piecewise((0, sympy.Eq(x, 0) & (y <= 0)), (x * sympy.log(y), True)),
        numpy="{x} * np.log(np.where({x} == 0, 1, {y}))",
        latex=r"\operatorname{xlogy}({x}, {y})", text="xlogy({x}, {y})",
        domain=((-math.inf, math.inf), _POSITIVE), complex_safe=False,
        note="0 with derivatives 0 where x is 0 and y is 0 or less"),
    Row(name="xlog1py", arity=2,
        definition=sympy.Piecewise((0, sympy.Eq(x, 0) & (y <= -1)), (x * sympy.log(1 + y), True)),
        numpy="{x} * np.log1p(np.where({x} == 0, 0, {y}))",
        latex=r"\operatorname{xlog1py}({x}, {y})", text="xlog1py({x}, {y})",
        domain=((-math.inf, math.inf), (-1.0, math.inf)), complex_safe=False,
        note="0 with derivatives 0 where x is 0 and y is -1 or less"),
)

ROWS = (*LOGISTIC, *ENTROPIES)
