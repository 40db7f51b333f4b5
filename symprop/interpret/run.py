"""All equations of a system, one after the other, recurrences by repetition.

In: a System, the values of its inputs, sizes. Out: the value of every array. An array of a
recurrence starts as nan; its equations are repeated until nothing changes any more.
"""

from __future__ import annotations

import math
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symprop.algebra.expr import Access, Expr, Term, atoms
from symprop.errors import IndexRangeError, InputError
from symprop.interpret.evaluate import Arrays, Evaluator, Literal
from symprop.system import Adjoint, Equation, System, cycles, itself

Array = np.ndarray[Any, Any]
Item = Equation | Adjoint

STEP = 1e-30  # of a complex step: no rounding error, whatever the scale
_LONGER = 1e4  # times a step, where that must change nothing
DIFFERENCE = 1e-3
_CONDITION = 1e12  # of a linear system that can be solved
_MANY = 200  # unknowns
_SAME = 1e-12  # relative to the largest entry


def run(
    system: System, inputs: Arrays, sizes: Mapping[str, int], literal: bool = False
) -> dict[str, Array]:
    """The value of every input, constant and computed array.

    literal: floats are compared to their last bit, as code does, and not up to rounding.
    Raises InputError for a missing input or a recurrence that does not settle, and
    IndexRangeError for an unguarded read out of range, naming the equation.
    """
    arrays = {**system.constants, **inputs}
    run_equations(system.equations, arrays, sizes, literal)
    return arrays


def run_equations(
    items: Iterable[Item], arrays: MutableMapping[str, Array], sizes: Mapping[str, int],
    literal: bool = False,
) -> None:
    """Evaluates equations into `arrays`; each as soon as what it reads is there."""
    evaluator = (Literal if literal else Evaluator)(arrays, sizes)
    pending = _groups(list(items))
    while pending:
        waiting = []
        for group in pending:
            own = {item.array for item in group}
            if all(a in arrays or a in own for item in group for a in item.reads):
                _run_group(group, evaluator, arrays)
            else:
                waiting.append(group)
        if len(waiting) == len(pending):
            missing = {a for item in waiting[0] for a in item.reads if a not in arrays}
            raise InputError(f"({waiting[0][0].number}) reads {', '.join(sorted(missing))}, "
                             "which has no value")
        pending = waiting


def _groups(items: list[Item]) -> list[list[Item]]:
    """The equations of one recurrence together, at the place of its first."""
    component = cycles(items)
    groups: dict[object, list[Item]] = {}
    for item in items:
        groups.setdefault(component.get(item.array, item.array), []).append(item)
    return list(groups.values())


def _run_group(
    group: Sequence[Item], evaluator: Evaluator, arrays: MutableMapping[str, Array]
) -> None:
    if len(group) == 1 and group[0].array not in group[0].reads:
        arrays[group[0].array] = _value_or_nan(group[0], evaluator, arrays)
        return
    for item in group:
        arrays[item.array] = np.full([evaluator.extent(i.size) for i in item.indices], np.nan)
    longest = max(n for item in group for n in (1, *arrays[item.array].shape[:1]))
    for _ in range(longest * len(group) + 1):
        before = [arrays[item.array] for item in group]
        for item in group:
            evaluate = value_of if itself(item) is None else solution_of
            arrays[item.array] = evaluate(item, evaluator)
        if all(_same(b, arrays[item.array]) for b, item in zip(before, group, strict=True)):
            return
    names = ", ".join(item.array for item in group)
    raise InputError(f"the recurrence of {names} does not settle")


def _same(before: Array, after: Array) -> bool:
    """Whether nothing is new: a value that is no nan is final, up to the order of its sums."""
    if not np.array_equal(np.isnan(before), np.isnan(after)):
        return False
    scale = np.max(np.abs(after), initial=0.0, where=np.isfinite(after))
    with np.errstate(invalid="ignore"):  # NumPy 1 multiplies what is infinite
        return np.allclose(before, after, rtol=0, atol=_SAME * scale, equal_nan=True)


def _value_or_nan(item: Item, evaluator: Evaluator, arrays: Mapping[str, Array]) -> Array:
    """The value of an equation; nan where a nan decided on a position, which is then beyond.

    The largest of what is nan stands nowhere. Who draws the inputs sees the nan, and draws again.
    """
    try:
        return value_of(item, evaluator)
    except IndexRangeError:
        if not any(a.dtype.kind == "f" and np.isnan(a).any() for a in arrays.values()):
            raise
        return np.full([evaluator.extent(i.size) for i in item.indices], np.nan)


def value_of(item: Item, evaluator: Evaluator) -> Array:
    """The right-hand side on the grid of the equation's indices."""
    try:
        return evaluator.value(item.rhs, item.indices)
    except (IndexError, InputError) as error:
        raise type(error)(f"({item.number}): {error}") from error


def solution_of(item: Item, evaluator: Evaluator) -> Array:
    """The array at which both sides of an implicit equation, linear in it, are the same.

    nan where what it reads is not known yet, and where the system is (nearly) singular. An axis
    along which every entry reads its own place alone has a system of its own at every place: the
    columns of A X = B.
    """
    shape = tuple(evaluator.extent(i.size) for i in item.indices)
    apart = _apart(item)
    order = (*apart, *(k for k in range(len(shape)) if k not in apart))
    turned = tuple(shape[k] for k in order)
    places, count = math.prod(turned[:len(apart)]), math.prod(turned[len(apart):])

    def right(terms: Sequence[Term], entries: Array) -> Array:
        own = {item.array: entries.reshape(turned).transpose(np.argsort(order))}
        arrays = ChainMap(own, evaluator.arrays)  # type: ignore[arg-type]  # only read
        value = value_of(replace(item, rhs=Expr(tuple(terms))), Evaluator(arrays, evaluator.sizes))
        return value.transpose(order).reshape(places, count)

    # The terms that do not read the array are no part of the matrix: they may be far larger.
    reading, others = _parted(item)
    nothing = np.zeros((places, count))
    start = right(reading, nothing)
    units = (np.broadcast_to(unit, (places, count)) for unit in np.eye(count))
    matrix = np.stack([start - (right(reading, u) - u) for u in units], axis=-1)
    offset = start + right(others, nothing)
    solved = [_solved(m, o) for m, o in zip(matrix, offset, strict=True)]
    found = np.stack(solved) if solved else nothing
    return found.reshape(turned).transpose(np.argsort(order))


def _parted(item: Item) -> tuple[list[Term], list[Term]]:
    """The terms that read the equation's own array, and those that do not."""
    reading = [t for t in item.rhs.terms if item.array in Expr((t,)).arrays]
    return reading, [t for t in item.rhs.terms if t not in reading]


def _apart(item: Item) -> tuple[int, ...]:
    """The axes along which an entry reads only entries at its own place."""
    own = [a for a in atoms(item.rhs) if isinstance(a, Access) and a.array == item.array]
    return tuple(k for k, index in enumerate(item.indices)
                 if all(a.indices[k].single_index is index for a in own))


def _solved(matrix: Array, offset: Array) -> Array:
    """One linear system: nan for what is not known, or nearly singular."""
    found = np.full(len(offset), np.nan, np.result_type(matrix, offset))
    known = ~(np.isnan(offset) | np.isnan(matrix).any(axis=1))
    while np.any(lost := known & (matrix[:, ~known] != 0).any(axis=1)):
        known &= ~lost
    system = matrix[np.ix_(known, known)]
    norm = 1 if len(offset) > _MANY else None  # singular values of a large system take long
    if system.size and np.linalg.cond(system, norm) < _CONDITION:
        found[known] = np.linalg.solve(system, offset[known])
    return found


def slope(
    equation: Equation, array: str, direction: Array, evaluator: Evaluator, exact: bool = False
) -> Array:
    """The derivative of one equation along a direction of one array it reads, others fixed."""

    def value(step: Any) -> Array:
        stepped = {array: evaluator.arrays[array] + step * direction}
        arrays = ChainMap(stepped, evaluator.arrays)  # type: ignore[arg-type]  # only read
        return value_of(equation, Evaluator(arrays, evaluator.sizes))

    return derivative_at_zero(value, exact)


def loss_slope(
    system: System, inputs: Arrays, sizes: Mapping[str, int], directions: Arrays
) -> Array:
    """The derivative of the loss along a direction of several inputs at once."""

    def value(step: Any) -> Array:
        stepped = {n: inputs[n] + step * d for n, d in directions.items()}
        return run(system, {**inputs, **stepped}, sizes)[system.loss]

    return derivative_at_zero(value)


def derivative_at_zero(value: Callable[[Any], Array], exact: bool = False) -> Array:
    """The derivative of an array by a number.

    By a complex step, which is exact and crosses no kink; where that gives no number
    (infinities under the step), by Richardson's differences; exact: nan.
    """
    stepped = value(1j * STEP)
    found = np.asarray(np.imag(stepped) / STEP)
    if exact:
        # The step must stay where it began: 1/x² at 0 goes from infinity to -1e60. And a longer one
        # must say the same: arccos at 1, whose slope is infinite, moves by the root of the step.
        stays = np.isclose(np.real(stepped), value(0.0), rtol=_SAME, atol=_SAME)
        longer = np.imag(value(1j * _LONGER * STEP)) / (_LONGER * STEP)
        same = np.isclose(found, longer, rtol=_SAME, atol=_SAME)
        return np.where(np.isfinite(found) & np.isfinite(stepped) & stays & same, found, np.nan)
    if np.all(np.isfinite(found)):
        return found
    with np.errstate(all="ignore"):
        wide, narrow = ((value(h) - value(-h)) / (2 * h) for h in (DIFFERENCE, DIFFERENCE / 2))
        return np.where(np.isfinite(found), found, (4 * narrow - wide) / 3)


def jacobian(equation: Equation, array: str, evaluator: Evaluator) -> Array:
    """All derivatives of one equation by the entries of one array: axes of both, in order."""
    shape = np.shape(evaluator.arrays[array])
    columns = []
    for k in range(int(np.prod(shape))):
        unit = np.zeros(shape)
        unit.flat[k] = 1.0
        columns.append(slope(equation, array, unit, evaluator))
    return np.stack(columns, axis=-1).reshape((*columns[0].shape, *shape))
