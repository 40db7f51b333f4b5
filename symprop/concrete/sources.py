"""The random generators that a function can reach.

In: a function. Out: the state of each, before and after a call: globals, closures, defaults,
constants of the trace, attributes of what these hold, and those of NumPy and of Python.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np

_DEEPEST = 3
_MOST = 2_000  # objects that are looked into
# Those behind np.random.rand and random.random.
_GLOBAL: tuple[Any, ...] = (np.random.mtrand._rand, getattr(random.random, "__self__", None))

State = Callable[[], Any]


def states_of(function: Callable[..., Any], constants: Iterable[Any]) -> list[State]:
    """The states of all generators within reach, each as something to call."""
    found: dict[int, State] = {}
    for held in (*_GLOBAL, *_reachable(function, constants)):
        state = _state_of(held)
        if state is not None:
            found.setdefault(id(held), state)
    return list(found.values())


def snapshot(states: Iterable[State]) -> list[Any]:
    """The states now."""
    return [_frozen(state()) for state in states]


def _frozen(state: Any) -> Any:
    """A state as something to compare with `==`."""
    if isinstance(state, dict):
        return {key: _frozen(value) for key, value in state.items()}
    return state.tobytes() if isinstance(state, np.ndarray) else state


def _state_of(held: Any) -> State | None:
    if isinstance(held, np.random.Generator):
        return partial(getattr, held.bit_generator, "state")
    if isinstance(held, np.random.BitGenerator):
        return partial(getattr, held, "state")
    if isinstance(held, np.random.RandomState):
        return partial(held.get_state, legacy=False)
    return held.getstate if type(held) is random.Random else None


def _reachable(function: Any, constants: Iterable[Any]) -> Iterator[Any]:
    """What the function holds, and what that holds, each object once."""
    waiting = [(h, 0) for h in (*held_by(function), *constants)]
    seen: set[int] = set()
    while waiting and len(seen) < _MOST:
        held, depth = waiting.pop()
        if id(held) in seen:
            continue
        seen.add(id(held))
        yield held
        if depth < _DEEPEST:
            waiting += [(h, depth + 1) for h in _parts(held)]


def _parts(held: Any) -> list[Any]:
    """What an object of the user's holds. Modules, classes and arrays hold nothing of a call."""
    if isinstance(held, list | tuple | set):
        return list(held)[:_MOST]
    if isinstance(held, dict):
        return list(held.values())[:_MOST]
    if hasattr(held, "__code__"):
        return held_by(held)
    owner = getattr(held, "__self__", None)
    if owner is not None and not isinstance(owner, type(np)):
        return [owner]  # a method, such as rng.normal
    if isinstance(held, type | type(np) | np.ndarray):
        return []
    return list(getattr(held, "__dict__", {}).values())


def held_by(function: Any) -> list[Any]:
    """The names that a function reads, its defaults, its closure, the object it belongs to."""
    wrapped = getattr(function, "__wrapped__", None)
    inside = getattr(function, "func", None)  # of functools.partial
    call = None if hasattr(function, "__code__") else vars(type(function)).get("__call__")
    held = [h for h in (getattr(function, "__self__", None), wrapped, inside, call)
            if h is not None]
    if not hasattr(function, "__code__"):
        held += list(getattr(function, "__dict__", {}).values())
    held += getattr(function, "args", ()) if inside is not None else ()
    names = getattr(function, "__globals__", None) or {}
    held += [names[n] for n in _names(getattr(function, "__code__", None)) if n in names]
    held += list(getattr(function, "__defaults__", None) or ())
    held += list((getattr(function, "__kwdefaults__", None) or {}).values())
    for cell in getattr(function, "__closure__", None) or ():
        try:
            held.append(cell.cell_contents)
        except ValueError:  # an empty cell
            continue
    return held


def _names(code: Any) -> Iterator[str]:
    """The global names in a function's code, that of nested functions included."""
    if code is not None:
        yield from code.co_names
        for constant in code.co_consts:
            if hasattr(constant, "co_names"):
                yield from _names(constant)
