"""The same gradients in other places: at other sizes, on larger and smaller numbers.

In: a subject, a sampler, the names of gradients. Out: failed rows for those that are wrong in one
of the places, each with a note that says where, and what was looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symprop.check.contract import fault_of_form
from symprop.check.differences import Line
from symprop.check.domains import Domain
from symprop.check.probes import Trial
from symprop.check.report import FAIL, CheckRow
from symprop.check.rows import failed_row, judge
from symprop.check.samples import Sample, Sampler, is_finite
from symprop.check.subject import Array, Subject
from symprop.check.together import direction, is_refuted
from symprop.errors import InputError

DIRECTIONS = 2
FAINT = 1e-2  # of the gradients on the first sample: of smaller ones rounding decides


@dataclass(frozen=True)
class Places:
    """Judges gradients wherever a sample can be put.

    `usual` is the largest entry of the gradients on the first sample. Where a loss is saturated
    all of them may be 1e-10, out of terms of 10 that cancel: differences then see its rounding.
    """

    subject: Subject
    sampler: Sampler
    names: Sequence[str]
    rtol: float
    axes: Mapping[str, int]
    usual: float

    def wrong(self, sample: Sample, place: str, count: int = DIRECTIONS) -> dict[str, CheckRow]:
        """Return a failed row for every gradient that is wrong on a sample; `place` names it.

        A sample without a finite loss says nothing.
        """
        try:
            if not is_finite(self.subject.loss(sample.copy())):
                return {}
        except InputError:
            return {}
        try:
            returned = self.subject.gradients(sample.copy())
        except InputError as error:
            return self._rows(sample, dict.fromkeys(self.names, f"{place} {error}"))
        faults = {n: fault_of_form(self.subject, sample, returned, n) for n in self.names}
        good = {n: np.asarray(returned[n]) for n in self.names if not faults[n]}
        trial = Trial(self.subject, sample, good, self.rtol, self.sampler.seed, self.axes,
                      FAINT * self.usual)
        real = {n: said for n, said in faults.items()
                if said and not self._is_open(trial, n, returned)}
        rows = self._rows(sample, {n: f"{place} {said}" for n, said in real.items()})
        return rows or self._refuted(trial, place, count)

    def _rows(self, sample: Sample, notes: Mapping[str, str]) -> dict[str, CheckRow]:
        return {n: failed_row(n, sample.leaves[n].shape, said) for n, said in notes.items()}

    def _is_open(self, trial: Trial, name: str, returned: Mapping[str, Any]) -> bool:
        """Say whether a gradient is not finite only where differences find no slope either."""
        array = trial.sample.leaves[name]
        gradient = np.asarray(returned.get(name, 0.0))
        if gradient.shape != array.shape or gradient.dtype != array.dtype:
            return False
        index = int(np.argmax(~np.isfinite(gradient)))
        claims = {**trial.gradients, name: np.where(np.isfinite(gradient), gradient, 0.0)}
        other = Trial(trial.subject, trial.sample, claims, self.rtol, trial.seed, trial.axes,
                      trial.least)
        line: Line = other.coordinate(name, index)
        return line.slope(other.tolerance(name)) is None

    def _refuted(self, trial: Trial, place: str, count: int) -> dict[str, CheckRow]:
        """Judge all gradients along directions; if that fails, each by itself."""
        names = list(trial.gradients)
        rng = np.random.default_rng([self.sampler.seed, 5])
        for _ in range(count):
            towards = direction(trial, names, rng)
            if is_refuted(trial, towards):
                return self._each(trial, place)
        return {}

    def _each(self, trial: Trial, place: str) -> dict[str, CheckRow]:
        """Find the gradients that are wrong; all, where only their sum is seen to be."""
        rows = {name: judge(trial, name) for name in trial.gradients}
        wrong = {name: row for name, row in rows.items() if row.status == FAIL}
        if wrong:
            return {n: replace(row, note=f"{place} {row.note}") for n, row in wrong.items()}
        said = f"{place} the gradients taken together are wrong along a random direction"
        return self._rows(trial.sample, dict.fromkeys(trial.gradients, said))


def free_arrays(sampler: Sampler) -> list[str]:
    """Name the arrays of real numbers whose values nothing restricts, and nobody has given."""
    return [
        name
        for name, spec in sampler.specs.items()
        if spec.dtype == "float" and name not in sampler.given and sampler.domains[name] == Domain()
    ]


def scaled(sample: Sample, names: Sequence[str], factor: float) -> Sample:
    """Return a sample with some arrays multiplied by a number."""
    leaves: dict[str, Array] = {**sample.leaves, **{n: factor * sample.leaves[n] for n in names}}
    return replace(sample, leaves=leaves)
