"""scipy.special where SciPy is installed; symprop itself never imports it.

In: traced arrays. Out: traced arrays. SciPy's ufuncs reach the traced array by their names, as
NumPy's do. Its Python functions (`PATCHED`) are intercepted as attributes of scipy.special for
the length of a trace.
"""

from __future__ import annotations

from typing import Any

from symprop.errors import TraceError, UnsupportedError
from symprop.trace.arithmetic import (
    add,
    divide,
    multiply,
    negative,
    power,
    sqrt,
    square,
    subtract,
)
from symprop.trace.coerce import as_traced
from symprop.trace.context import located
from symprop.trace.elementwise import checked, row
from symprop.trace.reductions import max_, sum_
from symprop.trace.registry import ufunc
from symprop.trace.shapes_of import axis_tuple
from symprop.trace.tensor import Traced

ROWS = {"expit": "sigmoid", "log_expit": "log_sigmoid", "logit": "logit", "erf": "erf",
        "erfc": "erfc", "ndtr": "normal_cdf", "log_ndtr": "log_ndtr", "xlogy": "xlogy",
        "xlog1py": "xlog1py", "gammaln": "gammaln", "loggamma": "gammaln", "digamma": "digamma",
        "psi": "digamma", "betaln": "betaln", "erfinv": "erfinv"}


def _row_handler(name: str) -> Any:
    def apply(*operands: Any, **options: Any) -> Traced:
        checked(options)
        return row(name, *operands)

    apply.__doc__ = f"The row {name}."
    return apply


for _name, _row in ROWS.items():
    ufunc(_name)(_row_handler(_row))


@ufunc("entr")
def entr(x: Any, **options: Any) -> Traced:
    """-x log x."""
    checked(options)
    return negative(row("xlogy", x, x))


@ufunc("rel_entr")
def rel_entr(x: Any, y: Any, **options: Any) -> Traced:
    """x log(x / y)."""
    checked(options)
    return row("xlogy", x, divide(x, y))


@ufunc("kl_div")
def kl_div(x: Any, y: Any, **options: Any) -> Traced:
    """x log(x / y) - x + y."""
    return add(subtract(rel_entr(x, y, **options), x), y)


@ufunc("exp10")
def exp10(x: Any, **options: Any) -> Traced:
    """10 ** x."""
    return power(10.0, x, **options)


@ufunc("huber")
def huber(delta: Any, r: Any, **options: Any) -> Traced:
    """½ r² where |r| <= delta, else delta (|r| - ½ delta)."""
    checked(options)
    return row("huber", r, delta)


@ufunc("pseudo_huber")
def pseudo_huber(delta: Any, r: Any, **options: Any) -> Traced:
    """delta² (√(1 + (r / delta)²) - 1)."""
    checked(options)
    return multiply(square(delta), subtract(sqrt(add(1, square(divide(r, delta)))), 1))


# ---- Python functions ---------------------------------------------------------------------


def _exponentials(a: Any, axis: Any) -> tuple[Traced, Traced]:
    """(the maximum along the axes, exp of what is left when it is taken off)."""
    array = as_traced(a)
    top = max_(array, axis=axis, keepdims=True)
    return top, row("exp", subtract(array, top))


def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: Any = False,
              return_sign: Any = False) -> Traced:
    """log Σ b exp(a), shifted by the maximum."""
    if return_sign:
        raise located(UnsupportedError, "scipy.special.logsumexp is traced without return_sign=")
    array = as_traced(a)
    top, exp = _exponentials(array, axis)
    weighted = exp if b is None else multiply(b, exp)
    result = add(top, row("log", sum_(weighted, axis=axis, keepdims=True)))
    if keepdims:
        return result
    gone = axis_tuple(axis, array.ndim, "logsumexp")
    kept = [x for k, x in enumerate(result.axes) if k not in gone]
    return Traced(result.tracer, kept, result.body, result.kind)


def softmax(x: Any, axis: Any = None) -> Traced:
    """exp(x) / Σ exp(x), shifted by the maximum."""
    _, exp = _exponentials(x, axis)
    return divide(exp, sum_(exp, axis=axis, keepdims=True))


def log_softmax(x: Any, axis: Any = None) -> Traced:
    """x - log Σ exp(x), shifted by the maximum."""
    array = as_traced(x)
    top, exp = _exponentials(array, axis)
    return subtract(subtract(array, top), row("log", sum_(exp, axis=axis, keepdims=True)))


PATCHED: dict[str, Any] = {"logsumexp": logsumexp, "softmax": softmax, "log_softmax": log_softmax}


def refuse_imported(*arrays: Any, **options: Any) -> Any:
    """Stands where SciPy asks for the library of its arguments: ours come there by mistake."""
    raise located(TraceError, (
        "a trace cannot follow this function of scipy under the name that calls it here: call it "
        "as scipy.special.softmax(x), or use symprop.nn.softmax(x)"))
