"""The user's function, called on plain arrays.

In: the function and the declared arguments. Out: its loss and outputs by the names of the
system's arrays. Every call gets copies; what it prints, warns of and leaves in NumPy's settings
is kept from the user, who has seen the same when the function was traced.
"""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symprop.concrete.words import words_of
from symprop.system import System
from symprop.trace.arguments import Arguments, argument_values, bound_call
from symprop.trace.finish import loss_and_outputs

Array = np.ndarray[Any, Any]
_lock = threading.RLock()  # warnings and standard output belong to the whole process


@dataclass(frozen=True)
class Call:
    """What one call gave: values by the names of arrays, and the inputs that it changed."""

    values: dict[str, Any]
    changed: tuple[str, ...]


@dataclass(frozen=True)
class Subject:
    """A function with its arguments and its system."""

    function: Callable[..., Any]
    arguments: Arguments
    system: System

    @cached_property
    def words(self) -> set[str]:
        """The names and texts in the function's code."""
        return words_of(self.function)

    def call(self, inputs: Mapping[str, Array]) -> Call:
        """One call on copies. Raises whatever the function raises."""
        copies = {name: np.array(value) for name, value in inputs.items()}
        with quiet():
            result = self.call_on(copies)
        changed = tuple(n for n in inputs if not same(inputs[n], copies[n]))
        return Call(self._named(result), changed)

    def call_on(self, leaves: Mapping[str, Array]) -> Any:
        """The function's result on these very arrays."""
        return bound_call(self.function, argument_values(self.arguments, leaves))

    def _named(self, result: Any) -> dict[str, Any]:
        """Copies of the loss and of the outputs (an output may be one of the inputs)."""
        loss, extra = loss_and_outputs(result)
        values = {self.system.loss: np.array(loss)}
        values |= {array: np.array(extra[name]) for name, array in self.system.outputs
                   if name in extra}
        return values


def same(left: Any, right: Any) -> bool:
    """Whether two arrays are the same, bit by bit but for nan."""
    left, right = np.asarray(left), np.asarray(right)
    if left.shape != right.shape or left.dtype != right.dtype:
        return False
    return np.array_equal(left, right, equal_nan=left.dtype.kind == "f")


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings and no prints for the length of a with block, of one thread at a time."""
    with _lock, warnings.catch_warnings(), np.errstate(all="ignore"), \
            redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
