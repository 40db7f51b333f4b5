"""The names of a generated module: ours give way to the user's.

In: a system. Out: names in code for arrays, adjoints, sizes and our own helpers.
"""

from __future__ import annotations

from dataclasses import dataclass

from symprop.algebra.expr import adjoint
from symprop.check.selfcheck import NAMES as SELFCHECK
from symprop.names import unused
from symprop.system import System

OWN = ("saved", "dL", "validate", "dtype", "dtypes", "grads")
MODULE = (
    "np", "forward", "backward", "value_and_grad", "predict", "read", "like_parameters", "Saved",
    "tuple", "super",
    "WRT", "FACTS", "ZERO", "COMPLEX_SAFE", "OUTPUTS",
    "RULE", "FEEDBACK", "DEPARTS", "OWN_LOSS",
    "range", "reversed", "zip", "slice", "float", "ValueError", "IndexError",
    "sliding_window_view", *SELFCHECK,
)
IN_BODIES = (  # what the body of a function calls, and an argument of its name would hide
    "np", "read", "forward", "backward", "Saved", "range", "reversed", "slice", "float",
    "ValueError", "IndexError",
)


@dataclass(frozen=True)
class Names:
    """Names in code."""

    arrays: dict[str, str]  # primal and adjoint arrays
    sizes: dict[str, str]
    own: dict[str, str]
    helpers: dict[str, str]
    hidden: dict[str, str]  # what arguments hide, and the name that it has beside its own
    taken: set[str]  # all of these, and what is named later


def code_names(system: System, helpers: tuple[str, ...] = ()) -> Names:
    """All names, the user's first; every other one gives way by a number."""
    taken: set[str] = {a.name for a in system.arguments} | set(MODULE)
    inputs = [n for n, a in system.arrays.items() if a.kind == "input"]
    arrays: dict[str, str] = {}
    for name in inputs:
        arrays[name] = name if name not in MODULE else unused(name, taken)
        taken.add(arrays[name])
    own: dict[str, str] = {}
    for name in (n for n, a in system.arrays.items() if a.kind != "input"):
        arrays[name] = unused(name, taken)
        taken.add(arrays[name])
    sizes: dict[str, str] = {}
    for name in system.sizes:
        sizes[name] = unused(name, taken)
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
    for name in system.arrays:
        if name == system.loss:
            arrays[adjoint(name)] = own["dL"]
            continue
        arrays[adjoint(name)] = unused(f"d{name}", taken)
        taken.add(arrays[adjoint(name)])
    return Names(arrays, sizes, own, named_helpers, hidden, taken)
