"""The gradients as a whole, against the loss itself.

In: the values of one draw. Out: nothing, or `Refuted`: the derivative of the loss along a random
direction of parameters is the product of that direction with their gradients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Protocol

import numpy as np

from symprop.errors import VerificationError
from symprop.interpret.evaluate import magnitude
from symprop.interpret.run import loss_slope
from symprop.system import Adjoint, System
from symprop.verify.compare import Refuted, agree

Array = np.ndarray[Any, Any]

CONTROL = Fraction(1, 10**6)


class Derived(Protocol):
    """What is verified: a system and its adjoint equations in the order of the sweep."""

    @property
    def system(self) -> System:
        """The forward equations."""

    @property
    def adjoints(self) -> tuple[Adjoint, ...]:
        """The adjoint equations with their steps."""


class Whole:
    """One loss, some parameters, and the values of their adjoints."""

    def __init__(
        self, derivation: Derived, system: System, sizes: Mapping[str, int],
        arrays: Mapping[str, Array], names: Sequence[str], generator: np.random.Generator,
    ) -> None:
        self.system, self.sizes, self.arrays = system, sizes, arrays
        adjoints = {a.primal: a.array for a in derivation.adjoints if a.role == "adjoint"}
        self.gradients = {adjoints[n]: arrays[adjoints[n]] for n in names}
        self.passed = sum(  # what a slope near 0 is left of
            float(np.sum(np.abs(a), initial=0, where=np.isfinite(a))) for a in (
                np.asarray(arrays[d.array]) for d in derivation.adjoints if d.array in arrays))
        self.inputs = {n: arrays[n] for n, a in system.arrays.items() if a.kind == "input"}
        self.directions = {n: generator.standard_normal(np.shape(arrays[n])) for n in names}
        self.slope = loss_slope(system, self.inputs, sizes, self.directions)

    def check(self) -> None:
        """Raises Refuted where the loss has another slope than the gradients say."""
        total, size = self._predicted()
        if not agree(self.slope, total, lambda: self._scale(size)):
            loss = self.system.equation(self.system.loss)
            raise Refuted(
                loss.number if loss else self.system.loss, "all gradients",
                "the derivative of the loss along a random direction is "
                f"{float(self.slope):.12g}, the gradients say {float(total):.12g}",
                self.sizes, {**self.inputs, **self.gradients})

    def control(self) -> None:
        """Raises VerificationError if wrong gradients would pass."""
        total, size = self._predicted()
        wrong_total = total * (1 + float(CONTROL))
        unnoticed = agree(self.slope, wrong_total, lambda: self._scale(size))
        # Beside a large loss, or where the true slope is 0, rounding hides a millionth of it.
        hidden = agree(total, wrong_total, lambda: self._scale(size))
        if abs(total) > 1e-3 * size and unnoticed and not hidden:
            raise VerificationError("the negative control passed: wrong gradients go unnoticed")

    def _scale(self, size: Array) -> Array:
        """What the rounding of a slope of the whole loss is measured by.

        Not the loss alone: it can be what a cancellation has left of the terms that it adds up.
        """
        loss = self.system.equation(self.system.loss)
        added = 0.0 if loss is None else magnitude(loss.rhs, self.arrays, self.sizes)
        loss_size = np.abs(self.arrays[self.system.loss])
        return np.asarray(100 * (size + loss_size) + added + self.passed)

    def _predicted(self) -> tuple[Array, Array]:
        pairs = zip(self.gradients.values(), self.directions.values(), strict=True)
        parts = [g * d for g, d in pairs]
        return (np.asarray(sum(p.sum() for p in parts)),
                np.asarray(sum(np.abs(p).sum() for p in parts)))
