"""What every intermediate of a backward pass should be.

In: a derivation and a seed. Out: inputs, and the value of every forward array and adjoint on them,
by the interpreter, which shares no code with generated modules.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symprop.derivation import Derivation
from symprop.interpret import draw, run, run_equations

RTOL = 1e-6
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Right:
    """A right value: the number of its equation, and the forward array that it belongs to."""

    number: str
    array: str
    value: Array
    is_adjoint: bool


@dataclass(frozen=True)
class Truth:
    """Inputs, sizes, and the right values on them."""

    inputs: Mapping[str, Array]
    sizes: Mapping[str, int]
    gradients: Mapping[str, Array]
    values: tuple[Right, ...]

    def match(self, value: Any) -> Right | None:
        """Return what a value of the person's is, up to a transpose or one step of a loop."""
        if not (isinstance(value, np.ndarray) and value.dtype.kind == "f" and np.any(value)):
            return None
        found = [right for right in self.values if is_part(value, right)]
        return next((right for right in found if right.is_adjoint), found[0] if found else None)


def truth(derivation: Derivation, seed: int) -> Truth:
    """Evaluate a derivation on inputs that are drawn from their declared domains."""
    system = derivation.system
    sizes, inputs = draw(system, seed)
    with np.errstate(all="ignore"):
        arrays = run(system, inputs, sizes)
        run_equations(derivation.adjoints, arrays, sizes)
    rights = [
        Right(a.number, a.primal, np.asarray(arrays[a.array]), True)
        for a in derivation.adjoints if a.role == "adjoint"
    ]
    rights += [Right(e.number, e.array, np.asarray(arrays[e.array]), False)
               for e in system.equations]
    rights += [Right("", name, np.asarray(value), False) for name, value in inputs.items()]
    gradients = {r.array: r.value for r in rights if r.is_adjoint and r.array in system.wrt}
    return Truth(inputs, sizes, gradients, tuple(rights))


def same(left: Any, right: Any) -> bool:
    """Say whether two arrays hold the same numbers, up to rounding on the scale of the second."""
    left, right = np.asarray(left), np.asarray(right)
    if left.shape != right.shape:
        return False
    scale = float(np.max(np.abs(right), initial=0.0))
    return bool(np.allclose(left, right, rtol=RTOL, atol=RTOL * scale))


def is_part(value: Any, right: Right) -> bool:
    """Say whether a value is a right one, its transpose, or one step of it."""
    return any(same(value, view) for view in _views(right.value))


def _views(value: Array) -> Iterator[Array]:
    """Yield an array, its transpose, and its parts along the first axes, as steps of a loop."""
    yield value
    if value.ndim >= 2:
        yield value.T
        yield value.swapaxes(-1, -2)
        yield from value
        yield from np.moveaxis(value, 1, 0)
