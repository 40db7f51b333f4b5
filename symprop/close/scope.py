"""The variables of one function of a module beside the equations that they stand for.

In: equations, how arrays are called in the function, the variables when it returned. Out: nothing,
or a `Mismatch`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from symprop.close.values import Values
from symprop.interpret.evaluate import extent
from symprop.interpret.run import run_equations
from symprop.lower.program import Program
from symprop.lower.walk import invokes, writes
from symprop.system import Adjoint, Equation

Item = Equation | Adjoint

_MERGED = 1e3  # times the tolerance, where some array was computed by the interpreter


class Scope:
    """The arrays of a function's run; `code` has their names there."""

    def __init__(
        self, program: Program, code: Mapping[str, str], sizes: Mapping[str, int], dtype: Any,
        arrays: Mapping[str, Any],
    ) -> None:
        self.code, self.sizes, self.dtype = code, sizes, dtype
        self.arrays: dict[str, Any] = dict(arrays)
        every = (*program.forward, *program.backward, *program.predict)
        self.handed = {t for line in invokes(every) for t in line.targets if t}
        self.whole = program.whole

    def compare(self, items: Sequence[Item], own: Mapping[str, Any], strict: bool) -> float:
        """Every equation beside the function's own array; the slack for what it returns.

        What the function keeps in no variable of its own is filled in from the equations. What
        other blocks have handed it is taken as it is.
        """
        self.arrays |= {a: own[self.code[a]] for a in self.handed
                        if a not in self.arrays and self.code[a] in own}
        self.arrays |= {a: self.arrays[b] for a, b in self.whole.items() if b in self.arrays}
        table = {i.array: own[self.code[i.array]] for i in items
                 if own.get(self.code.get(i.array, "")) is not None
                 and self._fits(i, own[self.code[i.array]])}
        self.arrays |= table
        missing = [i for i in items if i.array not in table]
        if missing:
            wide = Values(self._read(missing), self.sizes, self.dtype).arrays
            with np.errstate(all="ignore"):
                run_equations(missing, wide, self.sizes)
            self.arrays |= {i.array: wide[i.array] for i in missing}
        values = Values(self._read(items), self.sizes, self.dtype, strict)
        slack = _MERGED if missing else 1.0
        for item in items:
            if item.array in table:
                values.compare(item, table[item.array], slack)
        return slack

    def _read(self, items: Iterable[Item]) -> dict[str, Any]:
        """The arrays that equations make or read: of large parameters as few copies as can be."""
        return {a: self.arrays[a] for i in items for a in (i.array, *i.reads) if a in self.arrays}

    def _fits(self, item: Item, found: Any) -> bool:
        shape = tuple(extent(i.size, self.sizes) for i in item.indices)
        return bool(np.shape(found) == shape)


def computed(program: Program) -> list[Equation]:
    """The equations that forward computes, in order."""
    written = {w.array for w in writes(program.forward)}
    return [e for e in program.margins.values()
            if isinstance(e, Equation) and e.array in written]
