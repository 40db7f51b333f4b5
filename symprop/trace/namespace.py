"""The namespaces of NumPy, SciPy, math and the user's modules while a trace runs.

In: nothing. Out: for the length of a with block, wrappers that act only on the tracing thread
and only where a size is symbolic or an array traced; random functions refuse. Everything is put
back whatever happens.
"""

from __future__ import annotations

import builtins
import functools
import math
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import GeneratorType
from typing import Any

import numpy as np

from symprop.errors import TraceError
from symprop.trace.callers import called_by_name
from symprop.trace.context import located, unwatched
from symprop.trace.creation import CREATION
from symprop.trace.fillable import fillable, is_symbolic, meaning
from symprop.trace.imported import NAMESPACES, math_names, of_math
from symprop.trace.joining import column_stack, concatenate
from symprop.trace.registry import FUNCTIONS
from symprop.trace.running import active, suspended
from symprop.trace.scipy_functions import SCIPY, Frozen
from symprop.trace.scipy_special import refuse_imported
from symprop.trace.views import atleast_1d

_SHAPED = ("reshape", "broadcast_to", "tile", "repeat", "full_like", "zeros_like", "ones_like",
           "empty_like", "tril", "triu", "take")
# Of a list of traced arrays NumPy's protocol sees nothing.
_OF_LISTS = ("sum", "mean", "prod", "max", "min", "amax", "amin", "std", "var", "median",
             "argmax", "argmin")
_MISSING = object()
_lock = threading.Lock()
_saved: dict[tuple[int, str], tuple[Any, Any]] = {}  # by namespace and name: it, what it held
_depth = 0


@contextmanager
def patched() -> Iterator[None]:
    """NumPy's namespace understands symbolic sizes for the length of a with block."""
    global _depth
    with _lock:
        if not _depth:
            _patch()
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if not _depth:
                _restore()


def _patch() -> None:
    try:
        for name, traced in CREATION.items():
            _replace(np, name, _wrapper(getattr(np, name), unwatched(traced)))
        for name in _SHAPED:
            original = getattr(np, name)
            _replace(np, name, _wrapper(original, FUNCTIONS[original]))
        for name in _OF_LISTS:
            original = getattr(np, name)
            _replace(np, name, _of_lists(original, FUNCTIONS[original]))
        for name, join in (("r_", _rows), ("c_", column_stack)):
            _replace(np, name, _Joiner(getattr(np, name), join))
        for name in math_names():
            if hasattr(math, name):
                _replace(math, name, of_math(name, getattr(math, name)))
        _patch_scipy()
        for name in np.random.__all__:
            original = getattr(np.random, name)
            if callable(original) and not isinstance(original, type):
                _replace(np.random, name, _refusing(original, name))
        _replace(builtins, "__import__", _importing(builtins.__import__))
    except BaseException:
        _restore()
        raise


def _patch_scipy() -> None:
    """The Python functions of SciPy's modules, where somebody has imported them."""
    for path, functions in SCIPY.items():
        module, _, owner = path.partition(":")
        place = sys.modules.get(module)
        if owner and place is not None:
            place = getattr(place, owner, None)
        for name, traced in functions.items():
            if hasattr(place, name):
                _replace(place, name, _wrapper(getattr(place, name), unwatched(traced), False))
        if owner and place is not None:
            _replace(type(place), "__call__", _freezing(type(place).__call__, functions))
    inside = sys.modules.get("scipy.special._logsumexp")
    namespace = getattr(inside, "array_namespace", None)
    if namespace is not None:
        _replace(inside, "array_namespace", _wrapper(namespace, refuse_imported, named=False))


def _freezing(original: Callable[..., Any], functions: Mapping[str, Any]) -> Callable[..., Any]:
    """norm(m, s), whose methods take the parameters that it was given."""

    @functools.wraps(original)
    def call(owner: Any, *args: Any, **options: Any) -> Any:
        if active() is None:
            return original(owner, *args, **options)
        return Frozen(lambda: original(owner, *args, **options), functions, args, options)

    return call


def _replace(place: Any, name: str, value: Any) -> None:
    _saved[id(place), name] = place, vars(place).get(name, _MISSING)
    NAMESPACES.instead[id(getattr(place, name))] = value
    setattr(place, name, value)


def _restore() -> None:
    NAMESPACES.restore()
    for (_, name), (place, before) in _saved.items():
        if before is _MISSING:
            delattr(place, name)
        else:
            setattr(place, name, before)
    _saved.clear()


def _wrapper(
    original: Callable[..., Any], traced: Callable[..., Any], named: bool = True
) -> Callable[..., Any]:
    """`traced` for symbolic arguments, else `original`; `named`: only when called by its name."""

    @functools.wraps(original)
    def call(*args: Any, **options: Any) -> Any:
        if active() is None:
            return original(*args, **options)
        if not is_symbolic([*args, *options.values()]):
            result = original(*args, **options)
            if not named:
                return result
            made = fillable(result, *args)
            return made if getattr(made, "made", None) else meaning(
                made, lambda *a: traced(*a, **options), args)
        if named and not called_by_name(sys._getframe(1), original.__name__, call):
            raise located(TraceError, (
                f"np.{original.__name__} was asked for a symbolic size by compiled code, such as "
                f"a random generator's, or under another name: call it as "
                f"np.{original.__name__}, and pass random arrays as inputs"))
        return traced(*args, **options)

    return call


def _of_lists(original: Callable[..., Any], traced: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(*args: Any, **options: Any) -> Any:
        if active() and args and isinstance(args[0], GeneratorType):
            args = (list(args[0]), *args[1:])  # of which NumPy made a list, before it refused them
        listed = bool(args) and isinstance(args[0], list | tuple) and is_symbolic(args[0])
        return (traced if listed and active() else original)(*args, **options)

    return call


def _refusing(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(*args: Any, **options: Any) -> Any:
        if active() is None:
            return original(*args, **options)
        raise located(TraceError, (
            f"np.random.{name} gives other numbers on every call, but a trace runs once: pass "
            "random arrays as inputs of the function"))

    return call


def _importing(original: Callable[..., Any]) -> Callable[..., Any]:
    """An import inside the function: no part of the trace, and not watched line by line."""
    unseen = unwatched(original)

    def call(*args: Any, **options: Any) -> Any:
        if active() is None:
            return original(*args, **options)
        with suspended():
            return unseen(*args, **options)

    return call


def _rows(parts: tuple[Any, ...]) -> Any:
    return concatenate([atleast_1d(p) for p in parts])


class _Joiner:
    """np.r_ and np.c_, of traced arrays too."""

    def __init__(self, original: Any, join: Callable[..., Any]) -> None:
        self.original = original
        self.join = join

    def __getitem__(self, key: Any) -> Any:
        parts = key if isinstance(key, tuple) else (key,)
        if active() is None or not any(map(is_symbolic, parts)):
            return self.original[key]
        if any(isinstance(p, str) for p in parts):
            raise located(TraceError, "np.r_ and np.c_ are traced without words as their first "
                                      "part: use np.concatenate(..., axis)")
        return self.join(tuple(self.original[p] if isinstance(p, slice) else p for p in parts))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.original, name)
