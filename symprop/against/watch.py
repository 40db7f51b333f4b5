"""The local variables of a function when it returns.

In: a function and a call that runs it. Out: what the call returned, and copies of the arrays among
the locals by name.
"""

import inspect
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

import numpy as np

Result = TypeVar("Result")


def watched(
    function: Callable[..., Any], call: Callable[[], Result]
) -> tuple[Result, dict[str, Any]]:
    """Run `call` and return its result with the locals of `function` at its last return.

    >>> def double(x):
    ...     y = 2 * x
    ...     return y
    >>> watched(double, lambda: double(np.ones(1)))[1]["y"]
    array([2.])
    """
    code = getattr(inspect.unwrap(function), "__code__", None)
    seen: dict[str, Any] = {}

    def look(frame: FrameType, event: str, value: object) -> None:
        if event == "return" and frame.f_code is code:
            seen.clear()
            seen.update({n: _kept(v) for n, v in frame.f_locals.items()})

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        result = call()
    finally:
        sys.setprofile(before)
    return result, seen


def _kept(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value
