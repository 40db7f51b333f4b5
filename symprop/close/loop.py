"""A module beside its equations, at several sets of sizes.

In: a derivation, its program, the live module. Out: nothing, or the first `Mismatch`.

    every set       loss, saved arrays, gradients: value, shape, dtype; predict
    the first       also: two backwards on one `saved`, another forward between forward and
                    backward, dL = -2, value_and_grad; inputs and `saved` unchanged; no memory that
                    gradients share with each other, with inputs or with `saved`
    the second      in float32;    the others   inputs in Fortran order

A set at which no draw gives a finite loss is compared as far as its entries are finite. One pass
over the equations is made for a set; sizes.py says how many sets there are, values.py how large
grids are bounded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from symprop.close.narrowed import narrowed
from symprop.close.run import Raised, Run
from symprop.close.sizes import sets_of_sizes
from symprop.close.values import Mismatch
from symprop.collector import paused
from symprop.emit.module import GeneratedModule
from symprop.errors import InputError, VerificationError
from symprop.interpret import draw, run
from symprop.interpret.budget import HELD, WRITTEN, entries
from symprop.lower.program import Program
from symprop.system import Adjoint, Equation, System

_DRAWS = 6


class _Derived(Protocol):
    """What a module is made of."""

    @property
    def system(self) -> System:
        """The flat system: its inputs and conditions are those of the module."""


@dataclass(frozen=True)
class _Setup:
    """How inputs are handed over, and how much is tried."""

    dtype: Any
    turned: bool
    thorough: bool


_SETUPS = (_Setup(np.float64, False, True), _Setup(np.float32, False, False),
           _Setup(np.float64, True, False))


@paused()
def close(derivation: _Derived, program: Program, module: GeneratedModule) -> None:
    """Raises Mismatch (a VerificationError) where the module departs from its equations.

    A module of long lengths is run as its narrow twin; what departs there is run in full.
    """
    twin = narrowed(derivation.system, program, module)
    if twin is not None:
        for sizes in sets_of_sizes(derivation.system):
            _expect_room(derivation.system, sizes, WRITTEN)
        with suppress(VerificationError, InputError, IndexError):
            compare(*twin)
            return
    compare(derivation.system, program, module)


def compare(system: System, program: Program, module: GeneratedModule) -> None:
    """Raises Mismatch where the module departs from its equations at its own lengths."""
    adjoints = tuple(a for a in program.margins.values() if isinstance(a, Adjoint))
    for k, sizes in enumerate(sets_of_sizes(system)):
        _expect_room(system, sizes, HELD)
        _close_at(system, adjoints, program, module, sizes, _SETUPS[min(k, len(_SETUPS) - 1)])


def _expect_room(system: System, sizes: Mapping[str, int], most: float) -> None:
    count = entries(system, sizes)
    if count > most:
        raise InputError(
            f"{system.name}: the arrays of its declared sizes have {count:,} "
            f"entries; a module of more than {most:,.0f} is not run and so not written: give "
            "the long axes names in place of numbers")


def _close_at(
    system: System, adjoints: Sequence[Adjoint], program: Program, module: Any,
    sizes: Mapping[str, int], setup: _Setup,
) -> None:
    """One set of sizes; another draw where the module raises and has a reason to."""
    own = replace(program.system, equations=tuple(
        e for e in program.margins.values() if isinstance(e, Equation)))
    for attempt in range(_DRAWS):
        leaves, others = (draw(system, seed + 100 * attempt, sizes, positive=attempt % 2 == 1)[1]
                          for seed in (7, 8))
        try:
            once = Run(own, adjoints, program, module, sizes, leaves, setup.dtype, setup.turned)
            if once.start() or attempt == _DRAWS - 1:
                once.check(others if setup.thorough else None)
                return
        except Raised as raised:
            if _is_finite(system, leaves, sizes, raised.__cause__):
                raise Mismatch(raised.function, f"it raises {raised}", sizes) from raised.__cause__
        except (IndexError, InputError):
            return  # the equations themselves have no value at these sizes


def _is_finite(
    system: System, leaves: Mapping[str, Any], sizes: Mapping[str, int], error: BaseException | None
) -> bool:
    """Whether the equations give every array a number where the module raises.

    A mean of nothing is 0 / 0, which Python refuses to divide.
    """
    try:
        arrays = run(system, leaves, sizes)
    except (IndexError, InputError):
        return False
    computed = [arrays[e.array] for e in system.equations]
    if isinstance(error, ZeroDivisionError) and not all(a.size for a in computed):
        return False
    return all(bool(np.all(np.isfinite(a))) for a in computed)
