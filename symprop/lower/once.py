"""What several equations work out, worked out once; sums taken before products.

In: a system, the equations of forward and of backward, what outlives both. Out: the same with
fewer products: see `diagonal.py`, `inlined.py` and `common.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from symprop.lower.common import shared_sums
from symprop.lower.diagonal import diagonals_joined
from symprop.lower.hoist import Hoist
from symprop.lower.inlined import summed_first
from symprop.system import Adjoint, Equation, System

Either = Equation | Adjoint


def once(
    system: System, equations: Sequence[Equation], adjoints: Sequence[Either],
    ends: Iterable[str], margins: Mapping[str, Either],
) -> tuple[System, tuple[Equation, ...], tuple[Either, ...], Mapping[str, Either]]:
    """The system with the arrays that are made, both passes, and the margins of what has changed.

    ends: what is returned. A sum that has taken in a product says so in its margin.
    """
    hoist, kept = Hoist(system), frozenset(ends)
    known: dict[tuple[object, ...], str] = {}
    first = diagonals_joined(equations, hoist, known)
    second = diagonals_joined(adjoints, hoist, known)
    outside = kept | {a for e in second for a in e.reads}
    first, forth = summed_first(first, outside)
    second, back = summed_first(second, kept)
    first, second = shared_sums(first, hoist), shared_sums(second, hoist)
    changed: dict[str, Either] = {}
    for array, others in (forth | back).items():
        equation = margins[array]
        if isinstance(equation, Adjoint):
            numbers = [margins[o].number for o in others if o in margins]
            changed[array] = replace(equation, absorbed=(*equation.absorbed, *numbers))
    return (replace(system, arrays={**system.arrays, **hoist.made}), first, second, changed)
