"""Arguments for the functions of a generated module, and what these return as flat tables.

In: the arrays of all leaves. Out: the arguments as the user's function takes them; gradients by
leaf.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from symprop.system import Argument, System

Array = np.ndarray[Any, Any]


def arguments(declared: Sequence[Argument], leaves: Mapping[str, Array]) -> dict[str, Any]:
    """The arguments by name, structured as they are declared; constants keep their defaults."""
    return {a.name: _built(a.tree, leaves) for a in declared if a.tree is not None}


def _built(tree: Any, leaves: Mapping[str, Array]) -> Any:
    if isinstance(tree, str):
        return leaves[tree]
    if isinstance(tree, Mapping):
        return {key: _built(child, leaves) for key, child in tree.items()}
    return type(tree)(_built(child, leaves) for child in tree)


def gradients(system: System, found: Mapping[str, Any]) -> dict[str, Any]:
    """The gradients that backward returns, by the name of the leaf."""
    trees = {a.name: a.tree for a in system.arguments}
    flat: dict[str, Any] = {}
    for key in system.wrt_keys or system.wrt:
        flat.update(_leaves(trees.get(key, key), found[key]))
    return flat


def _leaves(tree: Any, found: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(tree, str):
        yield tree, found
        return
    pairs = tree.items() if isinstance(tree, Mapping) else enumerate(tree)
    for key, child in pairs:
        yield from _leaves(child, found[key])


def given(leaves: Mapping[str, Array], dtype: Any, turned: bool) -> dict[str, Array]:
    """The leaves as they are handed over: floats of a dtype; `turned`: not in C order."""
    found = {n: a.astype(dtype) if a.dtype.kind == "f" else a.copy() for n, a in leaves.items()}
    return {n: _turned(a) for n, a in found.items()} if turned else found


def _turned(array: Array) -> Array:
    """The same values in Fortran order, a vector as every other entry of a longer one."""
    if array.ndim == 1:
        return np.repeat(array, 2)[::2]
    return np.asfortranarray(array) if array.ndim else array
