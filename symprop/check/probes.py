"""Judges the gradient of one array on one sample.

In: a subject, a sample, and gradients that somebody claims. Out: for every array the coordinates
and directions in which its gradient is probed, and the verdicts on them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from symprop.check.differences import Line, Tolerance, Verdict, rounding_noise
from symprop.check.samples import Sample
from symprop.check.subject import Array, Subject
from symprop.check.trees import flatten
from symprop.errors import InputError

MOST_COORDINATES = 200
SOME_COORDINATES = 50
DIRECTIONS = 4
CONTROL = 1e-5
NEARBY = (0.0, 1e-3, 1e-3, 1e-4, 1e-2)  # relative to the arrays


@dataclass(frozen=True)
class Probe:
    """One direction in which an array is moved; `index` if it is a single coordinate."""

    direction: Array
    index: int | None
    line: Line


class Trial:
    """One sample, with the gradients claimed on it."""

    def __init__(
        self,
        subject: Subject,
        sample: Sample,
        gradients: Mapping[str, Array],
        rtol: float,
        seed: int,
        axes: Mapping[str, int],
        least: float = 0.0,
    ) -> None:
        self.subject, self.sample, self.gradients = subject, sample, gradients
        self.rtol, self.seed, self.axes, self.least = rtol, seed, axes, least
        self._probes: dict[str, list[Probe]] = {}
        self._tolerances: dict[str, Tolerance] = {}
        self._complex: dict[str, bool] = {}

    def verdicts(self, name: str, gradient: Array) -> list[Verdict]:
        """Judge a gradient of the array `name` in every direction in which it is probed."""
        tolerance = self.tolerance(name)
        claims = [(p.line, float(np.vdot(p.direction, gradient))) for p in self.probes(name)]
        found = [line.judge(claimed, tolerance) for line, claimed in claims]
        if any(verdict.right is False for verdict in found):
            rough = self.rougher(tolerance)
            if rough is not tolerance:
                return [line.judge(claimed, rough) for line, claimed in claims]
        return found

    def rougher(self, tolerance: Tolerance) -> Tolerance:
        """Return the tolerance with the rounding errors that extended precision shows.

        Where 1 - p has no digits left, the loss is flat over small steps, as where it is constant.
        """
        if self.rounding <= tolerance.noise:
            return tolerance
        return replace(tolerance, noise=self.rounding)

    @cached_property
    def rounding(self) -> float:
        """How far the loss is off, here and nearby, held against extended precision.

        0 where there is none, or the loss does not run in it.
        """
        if np.finfo(np.longdouble).eps >= np.finfo(np.float64).eps:
            return 0.0
        rng = np.random.default_rng([self.seed, 7])
        worst = 0.0
        for part in NEARBY:
            near = {n: a + part * rng.normal(size=a.shape) * a if a.dtype.kind == "f" else a
                    for n, a in self.sample.copy().items()}
            wide = {n: a.astype(np.longdouble) if a.dtype.kind == "f" else a.copy()
                    for n, a in near.items()}
            try:
                error = abs(float(self.subject.loss(near) - self.subject.loss(wide)))
            except (InputError, ArithmeticError, TypeError, ValueError):
                return 0.0
            worst = max(worst, error if np.isfinite(error) else 0.0)
        return worst

    def scale(self, name: str) -> float:
        """Return what errors are relative to: max|g| of the array, or 1e-3 of the largest.

        Never less than `least`.
        """
        overall = max((_largest(g) for g in self.gradients.values()), default=0.0)
        if overall == 0.0:
            overall = abs(self.loss) or 1.0
        return max(_largest(self.gradients[name]), 1e-3 * overall, self.least)

    def bump(self, name: str) -> float:
        """Return the error that a negative control adds to one entry."""
        return max(CONTROL, 100 * self.rtol) * self.scale(name)

    def tolerance(self, name: str) -> Tolerance:
        """Return how large an error of the gradient of `name` may be."""
        if name not in self._tolerances:
            rng = np.random.default_rng([self.seed, 1])
            direction = self.tangent(name, _unit(rng.normal(size=self.sample.leaves[name].shape)))
            noise = rounding_noise(self._line(name, direction, False).loss, 1.0)
            coarsest = 0.2 * self.bump(name)
            self._tolerances[name] = Tolerance(self.rtol * self.scale(name), noise, coarsest)
        return self._tolerances[name]

    def probes(self, name: str) -> list[Probe]:
        """Return the coordinates and directions to probe, each with the loss along it."""
        if name not in self._probes:
            array = self.sample.leaves[name]
            rng = np.random.default_rng([self.seed, 2])
            few = array.size <= MOST_COORDINATES
            chosen = np.arange(array.size)
            if not few:
                chosen = np.sort(rng.choice(array.size, SOME_COORDINATES, replace=False))
            moves: list[tuple[Array, int | None]] = [
                (_coordinate(array, int(index)), int(index)) for index in chosen
            ]
            more = 0 if few else DIRECTIONS
            moves += [(_unit(rng.normal(size=array.shape)), None) for _ in range(more)]
            tangents = [(self.tangent(name, direction), index) for direction, index in moves]
            trusted = self.is_complex(name)
            self._probes[name] = [
                Probe(direction, index, self._line(name, direction, trusted))
                for direction, index in tangents
                if np.any(direction)
            ]
        return self._probes[name]

    def is_complex(self, name: str) -> bool:
        """Say whether complex steps can be trusted: declared, and confirmed by differences."""
        if name not in self._complex:
            self._complex[name] = self.subject.complex_safe and self._complex_agrees(name)
        return self._complex[name]

    @cached_property
    def zero(self) -> frozenset[str]:
        """The arrays whose gradients are declared to be exactly zero."""
        nodes = self.subject.nodes
        return frozenset(leaf for name in self.subject.zero for leaf in flatten(name, nodes[name]))

    @cached_property
    def loss(self) -> float:
        """The loss on the sample itself."""
        return float(self.subject.loss(self.sample.copy()))

    def _complex_agrees(self, name: str) -> bool:
        rng = np.random.default_rng([self.seed, 3])
        shape = self.sample.leaves[name].shape
        direction = self.tangent(name, _unit(rng.normal(size=shape)))
        line = self._line(name, direction, True)
        slope = line.slope(self.tolerance(name))
        try:
            found = line.complex_slope()
        except (ArithmeticError, ValueError, TypeError):
            return False
        return slope is not None and abs(found - slope) <= 0.1 * self.bump(name)

    def coordinate(self, name: str, index: int) -> Line:
        """Return the loss along one coordinate of an array."""
        return self._line(name, _coordinate(self.sample.leaves[name], index), False)

    def _line(self, name: str, direction: Array, with_complex: bool) -> Line:
        array = self.sample.leaves[name]
        size = np.linalg.norm(array[direction != 0]) if np.count_nonzero(direction) == 1 else 0.0
        if array.size and not size:
            size = np.sqrt(np.mean(array * array))
        return Line(
            loss=lambda t: float(self._moved(name, t * direction)),
            unit=max(1.0, float(size)),
            complex_loss=(lambda t: complex(self._moved(name, t * direction)))
            if with_complex
            else None,
        )

    def _moved(self, name: str, step: Array) -> Any:
        leaves = self.sample.copy()
        leaves[name] = leaves[name] + step
        return self.subject.loss(leaves)

    def tangent(self, name: str, direction: Array) -> Array:
        """Keep a direction inside the domain: what sums to one goes on doing so."""
        axis = self.axes.get(name)
        if axis is None:
            return direction
        return np.asarray(direction - direction.mean(axis=axis, keepdims=True))


def _coordinate(array: Array, index: int) -> Array:
    direction = np.zeros(array.shape)
    direction.flat[index] = 1.0
    return direction


def _unit(direction: Any) -> Array:
    direction = np.asarray(direction)
    length = float(np.linalg.norm(direction))
    return np.asarray(direction / length) if length else direction


def _largest(gradient: Array) -> float:
    return float(np.max(np.abs(gradient), initial=0.0))
