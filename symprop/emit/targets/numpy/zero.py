"""Which gradients are exactly zero.

In: a program. Out: the parameters whose adjoint equation says so, or a lemma's does.
"""

from __future__ import annotations

from collections.abc import Mapping

from symprop.algebra.expr import ADJOINT, adjoint
from symprop.lower.program import Program
from symprop.lower.walk import invokes


def zero_gradients(program: Program) -> list[str]:
    """The wrt arrays whose gradient is exactly zero, in the order of the sweep."""
    places: dict[int, frozenset[int]] = {}  # of each lemma, which of its gradients
    for pair in program.lemmas:
        zero = _zero(pair.program, places)
        places[pair.number] = frozenset(
            k for k, w in enumerate(pair.block.gradients) if adjoint(w) in zero)
    zero = _zero(program, places)
    wanted = {adjoint(w): w for w in program.system.wrt}
    own = [e.array for e in program.adjoints if e.array in wanted]
    return [wanted[a] for a in dict.fromkeys((*own, *wanted)) if a in zero]


def _zero(program: Program, places: Mapping[int, frozenset[int]]) -> frozenset[str]:
    """The adjoints of a program that are zero: their equation says so, or all that it reads is."""
    zero = {line.targets[k] for line in invokes(program.backward) for k in places[line.lemma]}
    size = -1
    while size != len(zero):
        size = len(zero)
        for equation in program.adjoints:
            read = [a for a in equation.reads if a.startswith(ADJOINT)]
            if equation.rhs.is_zero or (read and zero.issuperset(read)):
                zero.add(equation.array)
    return frozenset(zero)
