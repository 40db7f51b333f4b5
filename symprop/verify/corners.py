"""Points at which a local derivative is a convention: corners, jumps and ties.

In: the equation that is differentiated. Out: numbers, each for all that the equation reads. There
the line is held against the definition, whose branch owns the point: what docs/conventions.md says.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import sympy
from sympy.core.relational import Relational

from symprop.algebra import rows
from symprop.algebra.expansion import DET
from symprop.algebra.expr import Apply, Atom, Extremum, Iverson, atoms
from symprop.system import Equation

_MOST = 4  # numbers for one equation
_TIE = 1.0


def corners(equation: Equation) -> tuple[float, ...]:
    """The numbers at which a function, a maximum or a bracket of an equation turns."""
    found: dict[float, None] = {}
    for item in atoms(equation.rhs):
        found.update(dict.fromkeys(_of(item)))
    return tuple(found)[:_MOST]


def _of(item: Atom) -> Iterator[float]:
    if isinstance(item, Extremum) and item.kind != DET:
        yield _TIE
    elif isinstance(item, Iverson) and any(c.arrays for c in item.children):
        yield from _numbers(item)
    elif isinstance(item, Apply) and item.function in rows.names():
        turns = _turns(item.function)
        yield from turns
        if turns and len(item.args) > 1:
            yield from _numbers(item)


def _numbers(item: Atom) -> Iterator[float]:
    """What stands beside an array in a comparison; where both sides are arrays, any number."""
    numbers = [float(c.number) for c in item.children if c.number is not None]
    yield from numbers or [_TIE]


@cache
def _turns(name: str) -> tuple[float, ...]:
    """Where the definition of a scalar function turns: 0 and 6 of relu6.

    The value for x = 0 that closes the gap of sin(x)/x has no slope of its own: no turn is there.
    """
    definition = rows.get(name).definition
    found = {0.0} if definition.has(sympy.Abs, sympy.sign, sympy.floor, sympy.ceiling) else set()
    for relation in definition.atoms(Relational) - definition.atoms(sympy.Eq, sympy.Ne):
        solved = relation.lhs - relation.rhs
        slope = solved.diff(rows.x) if solved.has(rows.x) else sympy.S.Zero
        if slope.is_number and slope != 0:
            place = sympy.cancel(rows.x - solved / slope)
            found |= {float(place)} if place.is_number else {_TIE}
        else:
            found.add(0.0)
    return tuple(sorted(found))
