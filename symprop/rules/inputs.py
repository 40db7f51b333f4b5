"""Adds inputs to a traced system: the fixed arrays and the parameters that a rule needs.

In: a System, names and shapes. Out: the System with more arguments.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from symprop.algebra.expr import Expr
from symprop.names import LONGEST, check_name, unused
from symprop.system import Argument, Array, System
from symprop.trace.text import size_text

_NUMBERED = re.compile(r"[A-Za-z]([0-9]+)")


def with_input(system: System, name: str, shape: Sequence[Expr], trained: bool = False) -> System:
    """The system with one more float argument; `trained` makes it a parameter."""
    argument = Argument(name, name, " ".join(size_text(s) for s in shape))
    plain = [a for a in system.arguments if a.tree is not None]
    static = [a for a in system.arguments if a.tree is None]  # they have defaults: they stay last
    keys = system.wrt_keys or system.wrt
    return replace(
        system,
        arguments=(*plain, argument, *static),
        arrays={**system.arrays, name: Array(name, "float", tuple(shape), "input")},
        wrt=(*system.wrt, name) if trained else system.wrt,
        wrt_keys=(*keys, name) if trained else system.wrt_keys,
    )


def partner_name(letter: str, array: str, system: System) -> str:
    """What belongs to an array: B2 to W2 where that is free, B_Wq to Wq."""
    taken = {*system.arrays, *(a.name for a in system.arguments), *system.sizes}
    match = _NUMBERED.fullmatch(array)
    if match and letter + match[1] not in taken:
        return letter + match[1]
    return unused(check_name(f"{letter}_{array}"[:LONGEST], "an array"), taken)
