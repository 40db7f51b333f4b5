"""Constant arrays that are too long for the text of a module: inputs, whose numbers are known.

In: the tracer, when the function has run. Out: an argument of the system for each, and what its
numbers say of it. They stay in `System.held`; `symprop generate --constants` writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symprop.system import Argument, Fact

Held = Mapping[str, np.ndarray[Any, Any]]

_KINDS = {"f": "", "i": "int ", "u": "int ", "b": "bool "}


def held_arguments(held: Held) -> tuple[Argument, ...]:
    """An argument for each, behind those of the function."""
    return tuple(
        Argument(name, name, f"{_KINDS[a.dtype.kind]}{' '.join(map(str, a.shape))}")
        for name, a in held.items())


def held_facts(held: Held) -> tuple[Fact, ...]:
    """What may be taken for granted: floats that are all positive have logarithms and roots."""
    return tuple(Fact("positive", name) for name, a in held.items()
                 if a.dtype.kind == "f" and bool((a > 0).all()))
