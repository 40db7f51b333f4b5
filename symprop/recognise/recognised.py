"""All passes, one after another.

In: a system. Out: the system in which functions are called by their names, with the steps.
"""

from __future__ import annotations

from dataclasses import replace

from symprop.algebra import rows
from symprop.algebra.build import atom
from symprop.recognise.functions import Found, name_functions
from symprop.recognise.pieces import X
from symprop.recognise.remarks import with_remarks
from symprop.recognise.signs import keep_signs
from symprop.recognise.written import inserted
from symprop.system import Equation, Note, System


def recognised(system: System) -> System:
    """The system with functions by their names, and what was written as steps.

    >>> import numpy as np
    >>> from symprop.trace.trace import trace
    >>> def loss(w: "", x: ""):
    ...     return 1 / (1 + np.exp(-(w * x)))
    >>> [e.rhs for e in recognised(trace(loss)).equations]
    [1w[]*x[], 1sigmoid(1z[])]
    """
    named, found = keep_signs(*name_functions(system))
    left = {f.array: f for f in found}
    equations = [e for e in named.equations if e.array in left]
    notes = (_note(left[e.array], e) for e in equations if left[e.array].hit.corners)
    named = replace(named, notes=(*system.notes, *notes), equations=tuple(
        _told(e, left[e.array]) if e.array in left else e for e in named.equations))
    return with_remarks(named)


def _told(equation: Equation, found: Found) -> Equation:
    """The equation with what was written in the place of the function."""
    return replace(equation, written=inserted(found.written, {X: atom(found.entry)}),
                   corners=tuple(str(c) for c in found.hit.corners))


def _note(found: Found, equation: Equation) -> Note:
    """That the derivative at a corner of the spelling is that of the function."""
    function = rows.get(found.hit.function.row).text
    for name, shown in zip("xy", (found.entry.array, found.hit.function.constant), strict=True):
        function = function.replace(f"{{{name}}}", str(shown))
    corners = ", ".join(str(c) for c in found.hit.corners)
    return Note("corner", (
        f"{equation.array} is {function}, which has no corner at {corners}, where the way it is "
        "written has one: the derivative there is that of the function"), equation.source)
