"""Layers that say, in a sentence with the user's line, which option they do not have.

In: functions of `symprop.nn`. Out: the same functions; a call that does not fit their signature
raises an InputError in place of Python's TypeError. (This stands outside of `symprop.nn`, whose
frames are observed by name.)
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

from symprop.errors import InputError, SympropError
from symprop.trace.context import located

F = TypeVar("F", bound=Callable[..., Any])
_RENAMED = {"dim": "axis", "keepdim": "keepdims"}  # torch's words


def strict(function: F) -> F:
    """The function, whose arguments are told by name where they do not fit."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except TypeError as error:
            if isinstance(error, SympropError) or _fits(signature, args, options):
                raise
        raise located(InputError, _misfit(function.__name__, signature, args, options))

    return cast("F", call)


def _fits(signature: inspect.Signature, args: Any, options: dict[str, Any]) -> bool:
    try:
        signature.bind(*args, **options)
    except TypeError:
        return False
    return True


def _misfit(
    name: str, signature: inspect.Signature, args: tuple[Any, ...], options: dict[str, Any]
) -> str:
    known = list(signature.parameters)
    for option in options:
        if option not in known:
            ours = _RENAMED.get(option)
            way = f"it is called {ours} here" if ours in known else f"it has {', '.join(known)}"
            return f"{name} has no option {option}: {way}"
    if len(args) > len(known):
        return f"{name} takes {', '.join(known)}, not {len(args)} arguments"
    twice = [option for option in options if option in known[:len(args)]]
    if twice:
        return f"{name} is given {twice[0]} twice"
    missing = [n for k, (n, p) in enumerate(signature.parameters.items())
               if k >= len(args) and n not in options and p.default is p.empty]
    tuples = [f"; {n} is a tuple of {len(a)}, whose arrays are handed over one by one"
              for n, a in zip(known, args, strict=False) if isinstance(a, tuple)]
    return f"{name} needs {' and '.join(missing)}: it takes {', '.join(known)}{''.join(tuples)}"
