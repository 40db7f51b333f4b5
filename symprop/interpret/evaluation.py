"""A derivation in numbers: every forward value and every adjoint.

In: a system, its adjoint equations, arrays for its inputs. Out: an `Evaluation`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symprop.interpret.given import given_inputs
from symprop.interpret.run import run, run_equations
from symprop.system import Adjoint, System

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Evaluation:
    """What a derivation comes to on given inputs.

    values: inputs and computed arrays by name. adjoints: ∂L/∂V by the name of V. gradients: those
    of the parameters. An array of a computed equation has no axis of size 1.
    """

    loss: float
    sizes: Mapping[str, int]
    values: Mapping[str, Array]
    adjoints: Mapping[str, Array]
    gradients: Mapping[str, Array]
    arrays: Mapping[str, Array]  # all of these by their names in the equations

    def __repr__(self) -> str:
        return (f"<Evaluation: loss {self.loss:.6g}, {len(self.values)} values, "
                f"{len(self.adjoints)} adjoints>")


def evaluation(
    system: System, adjoints: Sequence[Adjoint], inputs: Mapping[str, Any]
) -> Evaluation:
    """Every equation, evaluated by the interpreter; raises InputError for what does not fit."""
    given, sizes = given_inputs(system, inputs)
    with np.errstate(all="ignore"):
        arrays = run(system, given, sizes)
        run_equations(adjoints, arrays, sizes)
    forward = [*given, *(e.array for e in system.equations)]
    bars = {a.primal: arrays[a.array] for a in adjoints if a.role == "adjoint"}
    return Evaluation(
        loss=float(arrays[system.loss]), sizes=sizes,
        values={name: arrays[name] for name in forward},
        adjoints=bars,
        gradients={name: bars[name] for name in system.wrt},
        arrays=arrays,
    )
