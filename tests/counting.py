"""Operations counted while NumPy code runs: an array that keeps account.

One rule for hand-written and for generated code:

    an elementwise operation   1 for each entry of the result (exp, tanh, powers ...: 10; roots: 6)
    a sum, max, ...            1 for each entry that goes in
    a contraction              2 for each multiply-add of the best order
    a gather, a scatter, a pad 1 for each entry moved
    views, transpositions      0
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

FUNCTION, ROOT = 10, 6
_FREE = {"reshape", "transpose", "swapaxes", "moveaxis", "expand_dims", "squeeze", "shape",
         "broadcast_to", "flip", "result_type", "ndim", "size", "sliding_window_view",
         "split", "empty_like", "iscomplexobj", "zeros_like", "copy", "concatenate", "stack",
         "tril", "triu"}
_CHEAP = {"add", "subtract", "multiply", "divide", "negative", "positive", "square", "absolute",
          "maximum", "minimum", "sign", "less", "less_equal", "greater", "greater_equal", "equal",
          "not_equal", "logical_and", "logical_or", "logical_not", "reciprocal", "bitwise_and",
          "bitwise_or", "invert", "isnan", "floor", "conjugate"}


class Account:
    """The operations counted so far."""

    total = 0.0


class Counted(np.ndarray[Any, Any]):
    """An array whose operations are counted."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        plain = [np.asarray(i) if isinstance(i, Counted) else i for i in inputs]
        if "out" in kwargs:
            kwargs["out"] = tuple(np.asarray(o) for o in kwargs["out"])
        result = getattr(ufunc, method)(*plain, **kwargs)
        Account.total += _work(ufunc, method, plain, result)
        return wrap(result)

    def __array_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: Any, kwargs: Any
    ) -> Any:
        plain_args, plain_kwargs = unwrap(args), unwrap(kwargs)
        result = func(*plain_args, **plain_kwargs)
        Account.total += _function_work(func.__name__, plain_args, result)
        return wrap(result)

    def __getitem__(self, key: Any) -> Any:
        result = np.asarray(self)[unwrap(key)]
        several = key if isinstance(key, tuple) else (key,)
        if any(isinstance(k, np.ndarray) for k in several):
            Account.total += np.size(result)
        return wrap(result)

    def dot(self, other: Any, out: Any = None) -> Any:
        """The matrix product."""
        return np.dot(self, other)


def _work(ufunc: Any, method: str, inputs: list[Any], result: Any) -> float:
    if method == "at":
        return float(np.size(inputs[1][-1] if isinstance(inputs[1], tuple) else inputs[1]))
    if method in ("reduce", "reduceat", "accumulate"):
        return float(np.size(inputs[0]))
    name = ufunc.__name__
    if name == "matmul":
        return 2.0 * np.size(result) * np.shape(inputs[0])[-1]
    if name == "vecdot":
        return 2.0 * np.size(inputs[0])
    points = float(np.size(result[0] if isinstance(result, tuple) else result))
    if name in ("power", "float_power"):
        return points * _power(inputs[1])
    if name in ("sqrt", "cbrt"):
        return points * ROOT
    return points * (1 if name in _CHEAP else FUNCTION)


def _power(exponent: Any) -> float:
    value = float(np.ravel(exponent)[0]) if np.size(exponent) == 1 else 0.5
    return abs(value) - 1 + (value < 0) if value == int(value) else ROOT


def _function_work(name: str, args: tuple[Any, ...], result: Any) -> float:
    if name in _FREE:
        return 0.0
    if name in ("where", "take", "take_along_axis", "pad"):
        return float(np.size(result))
    if name in ("sum", "mean", "max", "min", "amax", "amin", "prod", "cumsum", "var", "std"):
        return float(np.size(args[0])) + (np.size(result) if name == "mean" else 0)
    if name in ("dot", "vdot", "inner"):
        return 2.0 * np.size(result) * (np.shape(args[0])[-1] if np.ndim(args[0]) else 1)
    if name == "tensordot":
        return 2.0 * float(np.sqrt(1.0 * np.size(args[0]) * np.size(args[1]) * np.size(result)))
    if name == "clip":
        return float(np.size(result))
    if name == "outer":
        return float(np.size(result))
    if name == "einsum":
        return _einsum_work(args)
    raise AssertionError(f"the account has no rule for np.{name}")


def _einsum_work(args: tuple[Any, ...]) -> float:
    subscripts, *operands = args
    left, _, right = subscripts.replace(" ", "").partition("->")
    sizes: dict[str, int] = {}
    for letters, operand in zip(left.split(","), operands, strict=True):
        sizes.update(zip(letters, np.shape(operand), strict=True))
    if len(operands) > 2:  # NumPy's own plan
        text = np.einsum_path(subscripts, *operands, optimize="optimal")[1]
        line = next(row for row in text.splitlines() if "Optimized FLOP" in row)
        return float(line.split(":")[1])
    points = float(np.prod([sizes[k] for k in sizes]))
    return points * (2 if len(operands) == 2 and set(sizes) - set(right) else 1)


def wrap(value: Any) -> Any:
    """Arrays as counted arrays, inside tuples, lists and dicts too."""
    if isinstance(value, tuple):
        return tuple(map(wrap, value))
    if isinstance(value, list):
        return [wrap(v) for v in value]
    if isinstance(value, dict):
        return {k: wrap(v) for k, v in value.items()}
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub" and value.ndim:
        return value.view(Counted)
    return value


def unwrap(value: Any) -> Any:
    """The opposite of `wrap`."""
    if isinstance(value, tuple):
        return tuple(map(unwrap, value))
    if isinstance(value, list):
        return [unwrap(v) for v in value]
    if isinstance(value, dict):
        return {k: unwrap(v) for k, v in value.items()}
    return np.asarray(value) if isinstance(value, Counted) else value


def operations(function: Callable[..., Any], *args: Any) -> tuple[float, Any]:
    """How many operations a call takes, and its result."""
    wrapped = [wrap(a) for a in args]
    Account.total = 0.0
    result = function(*wrapped)
    return Account.total, unwrap(result)
