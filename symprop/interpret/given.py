"""The numbers that somebody gives for the inputs of a system.

In: a system, and arrays by argument (nested as the argument is) or by leaf. Out: the arrays by
leaf and the sizes of all axes, or an `InputError` that names the array and what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symprop.check.trees import flatten, matched
from symprop.errors import InputError, ShapeError
from symprop.interpret.draw import holds, size_tests
from symprop.interpret.evaluate import Evaluator, extent
from symprop.shapes import ArraySpec, parse_spec, shown_column, solve_sizes
from symprop.system import Fact, IndexRange, System

Array = np.ndarray[Any, Any]

_CLOSE = 1e-4  # as the tests at the door of a generated module
_KINDS = {"float": "fiub", "int": "iub", "bool": "b"}


def given_inputs(
    system: System, inputs: Mapping[str, Any]
) -> tuple[dict[str, Array], dict[str, int]]:
    """The arrays of all inputs by leaf name, and the sizes of all axes."""
    specs = _specs(system)
    leaves = {**system.held, **_leaves(system, inputs)}
    missing = [name for name in specs if name not in leaves]
    extra = [name for name in leaves if name not in specs]
    takes = ", ".join(f"{name}: {str(spec)!r}" for name, spec in specs.items())
    if missing:
        raise InputError(f"the inputs lack {', '.join(missing)}; {system.name} takes {takes}")
    if extra:
        raise InputError(f"{extra[0]} is no input of {system.name}, which takes {takes}")
    arrays = {name: _numbers(name, spec, leaves[name]) for name, spec in specs.items()}
    try:
        sizes = solve_sizes(specs, {name: array.shape for name, array in arrays.items()})
    except ShapeError as error:
        raise InputError(str(error)) from None
    for names, test in size_tests(system):
        if names <= sizes.keys() and not holds(test, sizes, None):
            raise InputError(f"the sizes {_listed(sizes)} are none that {system.name} allows")
    for fact in system.facts:
        if not _TESTS[fact.kind](arrays[fact.array], fact):
            raise InputError(f"{fact.array} is declared as {_said(fact)}, which it is not")
    for entry in system.index_ranges:
        if entry.array in arrays:
            _check_positions(entry, arrays[entry.array], sizes)
    return arrays, sizes


def given_sizes(
    system: System, sizes: Mapping[str, int], default: int | None = None
) -> dict[str, int]:
    """The size of every named axis; `default` is that of an axis which `sizes` leaves out.

    Raises InputError for an axis without a size, and for sizes that the system does not allow.
    """
    for name in sizes:
        if name not in system.sizes:
            raise InputError(f"{name} is no axis of {system.name}, which has "
                             f"{', '.join(system.sizes) or 'none with a name'}")
    known: dict[str, int] = {}
    for name in system.sizes:
        size = sizes.get(name, default)
        if size is None:
            raise InputError(f"the size of the axis {name} is missing")
        if not isinstance(size, int) or size < 1:
            raise InputError(f"the size of the axis {name} is a whole number from 1, not {size!r}")
        known[name] = size
    for names, test in size_tests(system):
        if names <= known.keys() and not holds(test, known, None):
            raise InputError(f"the sizes {_listed(known)} are none that {system.name} allows")
    return known


def _check_positions(entry: IndexRange, array: Array, sizes: Mapping[str, int]) -> None:
    low = float("-inf") if entry.start is None else float(Evaluator({}, sizes).value(entry.start))
    size = extent(entry.size, sizes)
    array = array[tuple(slice(None) if n is None else n for n in entry.at)]
    array = array if entry.ignored is None else array[array != entry.ignored]
    if np.any((array >= size) | (array < low)):
        raise InputError(f"{entry.array}{shown_column(entry.at)} holds {array.min()} to "
                         f"{array.max()}, positions on an axis of {size}")


def _specs(system: System) -> dict[str, ArraySpec]:
    """The declared shape of every leaf."""
    found = {name: parse_spec(text, name) for argument in system.arguments
             if argument.tree is not None
             for name, text in flatten(argument.name, argument.annotation).items()}
    return {name: spec for name, spec in found.items() if name in system.arrays}


def _leaves(system: System, inputs: Mapping[str, Any]) -> dict[str, Any]:
    trees = {a.name: a.annotation for a in system.arguments if a.tree is not None}
    found: dict[str, Any] = {}
    for name, value in inputs.items():
        found |= matched(name, trees[name], value) if name in trees else {name: value}
    return found


def _numbers(name: str, spec: ArraySpec, value: Any) -> Array:
    try:
        array = np.asarray(value)
    except ValueError:
        raise InputError(f"{name} is ragged: its rows differ in length") from None
    if array.dtype.kind not in _KINDS[spec.dtype]:
        raise InputError(f"{name} is declared as {spec.dtype}, but holds {array.dtype}")
    if array.size == 0:
        raise InputError(f"{name} is empty: it has the shape {array.shape}")
    return array.astype({"float": float, "int": int, "bool": bool}[spec.dtype])


def _sums_to_one(array: Array, fact: Fact) -> bool:
    return np.allclose(array.sum(axis=fact.args[0]), 1, rtol=0, atol=_CLOSE)


def _is_symmetric(array: Array, fact: Fact) -> bool:
    return np.allclose(array, np.swapaxes(array, -1, -2))


_TESTS: Mapping[str, Callable[[Array, Fact], bool]] = {
    "sums_to_one": _sums_to_one,
    "positive": lambda array, fact: bool((array > 0).all()),
    "in_range": lambda array, fact: bool(
        ((array >= fact.args[0]) & (array <= fact.args[1])).all()),
    "one_of": lambda array, fact: bool(np.isin(array, fact.args).all()),
    "symmetric": _is_symmetric,
    "positive_definite": lambda array, fact: _is_symmetric(array, fact) and bool(
        (np.linalg.eigvalsh(array) > 0).all()),
}


def _said(fact: Fact) -> str:
    return f"{fact.kind}({', '.join([fact.array, *map(str, fact.args)])})"


def _listed(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{name}={size}" for name, size in sizes.items())
