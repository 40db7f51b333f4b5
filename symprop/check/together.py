"""All gradients at once, along one direction of all arrays.

In: a `Trial`, the names of the gradients on it, a random generator. Out: the slope that they claim
along a direction, the loss along it, and whether differences refute the claim. One direction costs
a dozen values of the loss, whatever the number of arrays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symprop.check.differences import Line, Tolerance, rounding_noise
from symprop.check.probes import CONTROL, Trial
from symprop.check.samples import Sample
from symprop.check.subject import Array, Subject

USEFUL = 0.2


@dataclass(frozen=True)
class Direction:
    """A direction of several arrays, each with a part of unit length."""

    parts: Mapping[str, Array]

    def slope(self, gradients: Mapping[str, Any]) -> float:
        """Return the slope that gradients claim along it."""
        return float(sum(np.vdot(part, gradients[name]) for name, part in self.parts.items()))

    def line(self, subject: Subject, sample: Sample) -> Line:
        """Return the loss along it, from a sample on."""

        def loss(t: float) -> float:
            leaves = sample.copy()
            for name, part in self.parts.items():
                leaves[name] = leaves[name] + t * part
            return float(subject.loss(leaves))

        sizes = [_typical(sample.leaves[name]) for name in self.parts]
        return Line(loss, unit=max(1.0, *sizes))


def direction(trial: Trial, names: Sequence[str], rng: Any) -> Direction:
    """Draw a direction of the arrays `names` that stays inside their domains."""
    parts = {}
    for name in names:
        drawn = trial.tangent(name, rng.normal(size=trial.sample.leaves[name].shape))
        length = float(np.linalg.norm(drawn))
        parts[name] = drawn / length if length else drawn
    return Direction(parts)


def is_refuted(trial: Trial, towards: Direction) -> bool:
    """Say whether differences of the loss refute the gradients of a trial along a direction."""
    line = towards.line(trial.subject, trial.sample)
    scale = max((trial.scale(name) for name in towards.parts), default=0.0)
    noise = rounding_noise(line.loss, 1.0)
    tolerance = Tolerance(trial.rtol * scale, noise, USEFUL * CONTROL * scale)
    claimed = towards.slope(trial.gradients)

    def refutes(bound: Tolerance) -> bool:
        return line.judge(claimed, bound).right is False and line.refutes(claimed, bound)

    return refutes(tolerance) and refutes(trial.rougher(tolerance))


def _typical(array: Array) -> float:
    return float(np.sqrt(np.mean(array * array))) if array.size else 0.0
