"""The names of a generated module: ours give way to the user's.

In: a system. Out: names in code for arrays, adjoints, sizes and our own helpers.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from symprop.algebra.expr import adjoint
from symprop.check.selfcheck import NAMES as SELFCHECK
from symprop.names import unused
from symprop.system import System

OWN = ("saved", "dL", "validate", "dtype", "dtypes", "grads", "workspace", "generation",
       "given_up", "consume", "fits")
MODULE = (
    "np", "forward", "backward", "value_and_grad", "predict", "read", "like_parameters", "Saved",
    "Workspace", "in_one_dtype", "resume", "only_where", "add_at",
    "tuple", "super",
    "WRT", "FACTS", "ZERO", "COMPLEX_SAFE", "OUTPUTS",
    "RULE", "FEEDBACK", "DEPARTS", "OWN_LOSS",
    "range", "reversed", "zip", "slice", "float", "type", "ValueError", "IndexError",
    "sliding_window_view", *SELFCHECK,
)
IN_BODIES = (  # what the body of a function calls, and an argument of its name would hide
    "np", "read", "in_one_dtype", "only_where", "add_at", "forward", "backward", "Saved", "range",
    "reversed", "slice", "float", "type", "ValueError", "IndexError",
)

_NO_WORD = re.compile(r"\W")


@dataclass(frozen=True)
class Names:
    """Names in code."""

    arrays: dict[str, str]  # primal and adjoint arrays
    sizes: dict[str, str]
    own: dict[str, str]
    helpers: dict[str, str]
    hidden: dict[str, str]  # what arguments hide, and the name that it has beside its own
    taken: set[str]  # all of these, and what is named later


def code_names(
    system: System, helpers: tuple[str, ...] = (), functions: Iterable[str] = (),
    rename: Mapping[str, str] = MappingProxyType({}),
) -> Names:
    """All names, the user's first; every other one gives way by a number.

    functions: those of the module that stand for blocks. rename: what arrays and sizes are called.
    """
    taken: set[str] = {a.name for a in system.arguments} | {*MODULE, *functions}
    inputs = [n for n, a in system.arrays.items() if a.kind == "input"]
    arrays: dict[str, str] = {}
    for name in inputs:
        arrays[name] = name if name not in MODULE else unused(name, taken)
        taken.add(arrays[name])
    own: dict[str, str] = {}
    for name in (n for n, a in system.arrays.items() if a.kind != "input"):
        arrays[name] = unused(rename.get(name, name), taken)
        taken.add(arrays[name])
    sizes: dict[str, str] = {}
    for name in system.sizes:
        sizes[name] = unused(rename.get(name, name), taken)
        taken.add(sizes[name])
    for name in OWN:
        own[name] = unused(name, taken)
        taken.add(own[name])
    named_helpers: dict[str, str] = {}
    for name in helpers:
        named_helpers[name] = unused(name, taken)
        taken.add(named_helpers[name])
    hidden: dict[str, str] = {}
    for argument in system.arguments:
        if argument.name in (*IN_BODIES, *named_helpers.values()):
            hidden[argument.name] = unused(argument.name, taken)
            taken.add(hidden[argument.name])
    _name_adjoints(system, arrays, own, taken, rename)
    return Names(arrays, sizes, own, named_helpers, hidden, taken)


def function_names(blocks: Iterable[str], system: System) -> list[tuple[str, str]]:
    """The names of the two functions of each block: the author's, if nothing else has it.

    system: the program's, whose arguments must not hide them.
    """
    taken = {*MODULE, *dir(builtins), *keyword.kwlist, *(a.name for a in system.arguments)}
    found = []
    for name in blocks:
        word = _NO_WORD.sub("", name).lstrip("_")
        first = unused(word, taken) if word.isidentifier() else unused("block", taken)
        taken.add(first)
        second = unused(f"{first}_backward", taken)
        taken.add(second)
        found.append((first, second))
    return found


def block_names(
    system: System, ports: Sequence[str], main: Names, functions: Iterable[str],
    rename: Mapping[str, str] = MappingProxyType({}),
) -> Names:
    """The names inside the functions of a block: its ports first, what is the module's as there."""
    taken = {*MODULE, *functions, *main.helpers.values()}
    arrays = {n: main.arrays[n] for n in system.constants}
    taken.update(arrays.values())
    own: dict[str, str] = {}
    sizes: dict[str, str] = {}
    for name in (*ports, *(n for n in system.arrays if n not in arrays and n not in ports)):
        arrays[name] = unused(rename.get(name, name), taken)
        taken.add(arrays[name])
    for name in system.sizes:
        sizes[name] = unused(rename.get(name, name), taken)
        taken.add(sizes[name])
    for name in OWN:
        own[name] = unused(name, taken)
        taken.add(own[name])
    _name_adjoints(system, arrays, own, taken, rename)
    return Names(arrays, sizes, own, main.helpers, {}, taken)


def _name_adjoints(
    system: System, arrays: dict[str, str], own: dict[str, str], taken: set[str],
    rename: Mapping[str, str],
) -> None:
    for name in system.arrays:
        if name == system.loss:
            arrays[adjoint(name)] = own["dL"]
            continue
        arrays[adjoint(name)] = unused(f"d{rename.get(name, name)}", taken)
        taken.add(arrays[adjoint(name)])
