"""How much evaluating is worth: one table for all who evaluate a program.

In: a system and sizes. Out: about how many products one evaluation takes, and how many entries its
arrays have, to be held against the table. Interpreting makes about 1e8 products a second.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from symprop.interpret.evaluate import extent
from symprop.system import System

# products in one evaluation of all equations:
ALL_SETS = 1e6  # `concrete`: up to so many, the function is compared at all sets of sizes
SECOND_DRAW = 1e7  # `verify`: beyond, a second draw is no more than tried
AS_IT_IS = 3e7  # `narrow`: beyond, a program is evaluated in its narrow twin
ALL_AXES = 1e9  # `close`: beyond, the module is compared at two sets of sizes, the smallest
AT_ALL = 2e9  # `concrete`: beyond, the function is not compared
# entries of all arrays together:
DRAWN = 1e7  # `narrow`: beyond, drawing them takes long, and the narrow twin is evaluated
HELD = 1e8  # `close`: a module of larger arrays is not run; without a twin it is not written
WRITTEN = 1e11  # `close`: nor with a twin, for nobody could run it


def work(system: System, sizes: Mapping[str, int]) -> float:
    """About how many products one evaluation takes."""
    total = 0.0
    for equation in system.equations:
        own = math.prod(extent(i.size, sizes) for i in equation.indices)
        for term in equation.rhs.terms:
            total += own * math.prod(extent(b.size, sizes) for b in term.bound)
    return total


def entries(system: System, sizes: Mapping[str, int]) -> int:
    """How many entries all arrays have."""
    return sum(math.prod(extent(s, sizes) for s in array.shape)
               for array in system.arrays.values())
