"""What a step leans on is listed: its `because` is complete.

Every array gets a value of its own, with no equation between them; then the equations that a
step names, and no others, are made to hold. Both sides of the step must still agree.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest
from spellings import FAMILIES, ROWS

import symprop
from symprop.algebra.expr import Expr, Partial, arrays_of, atoms
from symprop.interpret import draw, evaluate, run, run_equations
from symprop.system import Adjoint, Equation, Step, cycles

WITHOUT = ("chain rule", "local derivative")  # these lean on the equations differentiated


def free_values(derivation: symprop.Derivation) -> tuple[dict[str, int], dict[str, Any]]:
    """Sizes and a random value for every float array; integers and facts as they are drawn."""
    system = derivation.system
    sizes, inputs = draw(system, 1)
    arrays = run(system, inputs, sizes)
    run_equations([Equation(a.number, a.array, a.indices, a.rhs) for a in derivation.adjoints],
                  arrays, sizes)
    told = {f.array for f in system.facts}
    values: dict[str, Any] = {}
    for name, value in arrays.items():
        kept = name in told or np.asarray(value).dtype.kind in "biu"
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        values[name] = value if kept else rng.uniform(0.3, 0.9, np.shape(value))
    return sizes, values


def with_reasons(
    derivation: symprop.Derivation, step: Step, values: dict[str, Any], sizes: dict[str, int]
) -> dict[str, Any]:
    """The values, in which the equations that the step names hold."""
    items: list[Equation | Adjoint] = [*derivation.system.equations, *derivation.adjoints]
    known = dict(values)
    for item in items:
        if item.number in step.because:
            known[item.array] = evaluate(item.rhs, known, sizes, item.indices)
    return known


def can_be_tried(derivation: symprop.Derivation, adjoint: Adjoint, step: Step) -> bool:
    """Steps of algebra on arrays outside of recurrences."""
    inside = cycles(derivation.system.equations)
    sides = (step.before, step.after)
    return step.rule not in WITHOUT and not any(
        isinstance(a, Partial) for s in sides for a in atoms(s)) and not any(
        a in inside for s in sides for a in arrays_of(s))


@pytest.mark.parametrize("family, name", ROWS[::4])
def test_the_reasons_of_a_step_are_complete(family: str, name: str) -> None:
    row = FAMILIES[family]
    derivation = symprop.derive(
        symprop.trace(row.spellings[name], wrt=list(row.wrt), facts=list(row.facts)))
    sizes, values = free_values(derivation)
    for adjoint in derivation.adjoints:
        for step in adjoint.steps:
            if not can_be_tried(derivation, adjoint, step) or "B" in "".join(step.because):
                continue
            known = with_reasons(derivation, step, values, sizes)

            def value(side: Expr, known: Any = known, adjoint: Adjoint = adjoint) -> Any:
                return evaluate(side, known, sizes, adjoint.indices)

            with np.errstate(all="ignore"):
                before, after = value(step.before), value(step.after)
            np.testing.assert_allclose(after, before, rtol=1e-8, atol=1e-9, err_msg=(
                f"({step.equation}) {step.reason}: {step.before} = {step.after}"))
