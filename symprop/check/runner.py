"""The check itself: gradients against numerical derivatives.

In: what is to be checked. Out: a `CheckReport`. Nothing here knows how gradients are derived.
"""

import copy
import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symprop.check.around import look_around
from symprop.check.blame import explain_loss
from symprop.check.contract import broken_promises, fault_of_form
from symprop.check.departures import angle, departing_row
from symprop.check.places import Places, scaled
from symprop.check.probes import Trial
from symprop.check.report import FAIL, UNDECIDED, CheckReport, CheckRow
from symprop.check.rows import control_is_found, failed_row, judge
from symprop.check.samples import Sample, Sampler
from symprop.check.subject import Subject
from symprop.check.targets import as_subject
from symprop.errors import InputError

MOST_SAMPLES = 6
Progress = Callable[[str, int, int], None]


def check(
    module_or_path_or_functions: object,
    inputs: Mapping[str, Any] | None = None,
    sizes: Mapping[str, int] | None = None,
    seed: int = 0,
    rtol: float = 1e-7,
    *,
    shapes: Mapping[str, Any] | None = None,
    wrt: Iterable[str] | None = None,
    facts: Iterable[object] | None = None,
    progress: Progress | None = None,
) -> CheckReport:
    """Check gradients against numerical derivatives of the loss.

    Takes a module with `forward` and `backward`, live or as the path of a `.py` file (which is
    imported, and so executed), or a pair of functions: (forward, backward), or a loss and a
    function of the same arguments that returns its gradients. Arrays that `inputs` does not hold
    are drawn from the domains that annotations and facts declare; `sizes` fixes named axes.
    `shapes`, `wrt` and `facts` win over what the functions declare. `progress` is called with the
    name of each array, how many are done, and how many there are.

    Raises InputError or ShapeError where there is nothing that could be checked.

    >>> def loss(x: "N"):
    ...     return (x * x).sum()
    >>> check((loss, lambda x: {"x": 2 * x})).passed
    True
    >>> check((loss, lambda x: {"x": x})).rows[0].note
    'every entry is 0.5 times the right one'
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise InputError(f"seed must be a whole number from 0 on, not {seed!r}")
    if not 0 < rtol <= 1e-3:
        raise InputError(f"rtol must lie between 0 and 1e-3, not {rtol!r}")
    inputs = {**getattr(module_or_path_or_functions, "held", {}), **(inputs or {})}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        subject = as_subject(module_or_path_or_functions, inputs, shapes or {}, wrt, facts)
        sampler = Sampler(subject, inputs, sizes or {}, seed)
        sampler.settle_sizes()
        return _Run(subject, sampler, rtol, progress).report()


class _Run:
    """One check: its samples, its rows, its problems."""

    def __init__(
        self, subject: Subject, sampler: Sampler, rtol: float, progress: Progress | None
    ) -> None:
        self.subject, self.sampler, self.rtol = subject, sampler, rtol
        self.progress = progress or (lambda name, done, total: None)
        self.problems: list[str] = []
        self.controls = 0
        self.also = ""

    def report(self) -> CheckReport:
        """Judge every gradient; draw again for those on which a sample cannot decide."""
        samples = self.sampler.finite(0)
        sample = next(samples, None)
        if sample is None:
            return self._finish(self._nothing_finite(), self.sampler.draw(0))
        returned = copy.deepcopy(self.subject.gradients(sample.copy()))
        names = self.subject.expected(returned)
        if not names:
            raise InputError(f"{self.subject.second.name} returns no gradient")
        other = self._another(samples, sample)
        self.problems += broken_promises(self.subject, sample, other, returned, names)
        rows = self._judge(sample, returned, names)
        for again in itertools.chain([other], itertools.islice(samples, MOST_SAMPLES - 2)):
            undecided = [name for name in names if rows[name].status == UNDECIDED]
            if not undecided:
                break
            rows |= self._judge(again, self.subject.gradients(again.copy()), undecided)
        self._would_be_gradients(sample)
        if not self.problems and all(rows[name].status != FAIL for name in names):
            rows |= self._elsewhere(sample, names)
        return self._finish([rows[name] for name in names], sample)

    def _judge(
        self, sample: Sample, returned: Mapping[str, Any], names: Sequence[str]
    ) -> dict[str, CheckRow]:
        """Judge the gradients `names` on one sample."""
        faults = {
            name: fault_of_form(self.subject, sample, returned, name)
            for name in dict.fromkeys((*names, *returned))
        }
        usable = {name: np.asarray(returned[name]) for name in faults if not faults[name]}
        trial = Trial(self.subject, sample, usable, self.rtol, self.sampler.seed, self.axes)
        rows = {}
        for done, name in enumerate(names):
            self.progress(name, done, len(names))
            if faults[name]:
                rows[name] = failed_row(name, sample.leaves[name].shape, faults[name])
                continue
            if name in self.subject.departing:
                rows[name] = departing_row(trial, name)
                continue
            if name in self.subject.own_loss:
                output = self.subject.own_loss[name]
                subject = self.subject.of_loss(output)
                own = Trial(subject, sample, usable, self.rtol, self.sampler.seed, self.axes)
                rows[name] = replace(judge(own, name), method=f"of {output}")
                continue
            rows[name] = judge(trial, name)
            if self.subject.rule:
                rows[name] = replace(rows[name], angle=angle(trial, name))
            if rows[name].passed:
                self._control(trial, name)
        return rows

    def _another(self, samples: Iterator[Sample], sample: Sample) -> Sample:
        """Return a second sample of the same sizes; a scaled one where all arrays are given."""
        floats = [name for name, array in sample.leaves.items() if array.dtype.kind == "f"]
        return next(samples, None) or scaled(sample, floats, 0.75)

    def _elsewhere(self, sample: Sample, names: Sequence[str]) -> dict[str, CheckRow]:
        """Return failed rows for gradients that are right here and wrong somewhere else."""
        subject, sampler = self.subject, self.sampler
        claimed = [n for n in names if n not in subject.departing and n not in subject.own_loss]
        returned = subject.gradients(sample.copy())
        usual = max((float(np.max(np.abs(returned[n]), initial=0.0)) for n in claimed), default=0.0)
        places = Places(subject, sampler, claimed, self.rtol, self.axes, usual)
        looked = look_around(places, sample)
        self.also = looked.said
        return dict(looked.rows)

    def _would_be_gradients(self, sample: Sample) -> None:
        """A rule whose fixed arrays stand for parameters is the gradient where they are equal."""
        pairs = self.subject.feedback
        if not (pairs and all(pairs.values())):
            return
        subject = replace(self.subject, departs=())
        leaves = {**sample.leaves, **{b: sample.leaves[w] for b, w in pairs.items()}}
        equal = Sample(leaves, sample.sizes)
        run = _Run(subject, self.sampler, self.rtol, None)
        returned = subject.gradients(equal.copy())
        rows = run._judge(equal, returned, subject.expected(returned))
        said = ", ".join(f"{b} = {w}" for b, w in pairs.items())
        wrong = [row for row in rows.values() if not row.passed]
        self.problems += [f"with {said} the update of {row.name} is not the gradient: {row.note}"
                          for row in wrong] + run.problems
        self.controls += run.controls

    def _control(self, trial: Trial, name: str) -> None:
        """Test the test: a slightly wrong gradient must fail."""
        if control_is_found(trial, name):
            self.controls += 1
            return
        self.problems.append(f"negative control: a wrong gradient of {name} was not found out")

    def _nothing_finite(self) -> list[CheckRow]:
        """Return failed rows where no sample has a finite loss."""
        self.problems.append(explain_loss(self.subject, self.sampler))
        leaves = self.sampler.draw(0).leaves
        floating = {name: array for name, array in leaves.items() if array.dtype.kind == "f"}
        names = self.subject.expected(floating)
        return [failed_row(name, leaves[name].shape, "not compared") for name in names]

    @property
    def axes(self) -> dict[str, int]:
        """The axes along which arrays sum to one, by name."""
        domains = self.sampler.domains.items()
        return {n: domain.sums_to_one for n, domain in domains if domain.sums_to_one is not None}

    def _finish(self, rows: Sequence[CheckRow], sample: Sample) -> CheckReport:
        return CheckReport(
            title=self.subject.title,
            rows=tuple(rows),
            problems=tuple(self.problems),
            sizes=tuple(sample.sizes.items()),
            seed=self.sampler.seed,
            rtol=self.rtol,
            controls=self.controls,
            also=self.also,
            rule=self.subject.rule,
        )
