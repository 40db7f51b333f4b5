"""What was recognised in the forward pass, on the values of one draw.

In: a setting. Out: nothing, or `Refuted` for a function that is not what was written.
"""

from __future__ import annotations

import numpy as np

from symprop.algebra.expr import arrays_of
from symprop.interpret.evaluate import magnitude
from symprop.verify.compare import Refuted, difference, refuted
from symprop.verify.setting import Setting


def check_forward(setting: Setting) -> None:
    """Raises Refuted where the two sides of a recognised equation differ at some position."""
    by_number = {e.number: e for e in setting.system.equations}
    for step in setting.system.recognised:
        equation = by_number[step.equation]
        sides = step.before, step.after
        before, after = (setting.evaluator.value(s, equation.indices) for s in sides)
        sizes = (magnitude(s, setting.arrays, setting.sizes, equation.indices, setting.rough)
                 for s in sides)
        wrong = refuted(before, after, lambda sizes=sizes: np.maximum(*sizes))  # type: ignore[misc]
        if step.rule == "name":  # what it spells out is computed by nobody, and may overflow
            wrong &= np.isfinite(after)
        if wrong.any():
            read = {n: setting.arrays[n] for s in sides for n in arrays_of(s)}
            raise Refuted(step.equation, step.rule, difference(before, after, wrong),
                          setting.sizes, read)
