"""Turns verdicts on directions into the verdict on one array.

In: a `Trial` and the name of an array. Out: its `CheckRow`, and whether the negative control, the
same gradient with one entry slightly wrong, is found out.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from symprop.check.differences import COMPLEX, RICHARDSON, STEPS, Verdict
from symprop.check.probes import Probe, Trial
from symprop.check.report import FAIL, PASS, UNDECIDED, ZERO, CheckRow
from symprop.check.subject import Array

ENOUGH = 0.9


def judge(trial: Trial, name: str) -> CheckRow:
    """Judge the gradient of `name` by numerical derivatives."""
    gradient = trial.gradients[name]
    verdicts = trial.verdicts(name, gradient)
    status, note = _status(verdicts), ""
    is_zero = name in trial.zero
    if is_zero and np.any(gradient):
        status, note = FAIL, "it is declared to be exactly zero, and is not"
    elif status == FAIL:
        note = _difference(trial, name, verdicts)
    elif status == UNDECIDED:
        note = _why_undecided(trial, name, verdicts)
    elif is_zero:
        status = ZERO
    decided = [verdict for verdict in verdicts if verdict.right is not None]
    return CheckRow(
        name=name,
        shape=gradient.shape,
        status=status,
        error=max((verdict.error for verdict in decided), default=0.0),
        bound=max((verdict.bound for verdict in decided), default=trial.tolerance(name).bound),
        decided=len(decided),
        total=len(verdicts),
        method=COMPLEX if trial.is_complex(name) else RICHARDSON,
        note=note,
    )


def control_is_found(trial: Trial, name: str) -> bool:
    """Say whether an error of 1e-5 of the scale in one decided entry makes the gradient fail."""
    gradient = trial.gradients[name]
    probes, verdicts = trial.probes(name), trial.verdicts(name, gradient)
    for probe, verdict in zip(probes, verdicts, strict=True):
        if probe.index is not None and verdict.right:
            wrong = np.array(gradient)
            wrong.flat[probe.index] += trial.bump(name)
            return _status(trial.verdicts(name, wrong)) == FAIL
    return not probes


def failed_row(name: str, shape: tuple[int, ...], note: str) -> CheckRow:
    """Return the row of a gradient that fails without being compared."""
    return CheckRow(name, shape, FAIL, math.nan, math.nan, 0, 0, "-", note)


def _status(verdicts: Sequence[Verdict]) -> str:
    if any(verdict.right is False for verdict in verdicts):
        return FAIL
    decided = sum(verdict.right is not None for verdict in verdicts)
    return PASS if decided >= ENOUGH * len(verdicts) else UNDECIDED


def _difference(trial: Trial, name: str, verdicts: Sequence[Verdict]) -> str:
    """Say how the claimed gradient differs from the numerical one."""
    gradient, probes, sizes = trial.gradients[name], trial.probes(name), trial.sample.sizes
    pairs = [
        (verdict, probe, float(np.vdot(probe.direction, gradient)))
        for verdict, probe in zip(verdicts, probes, strict=True)
        if verdict.right is not None
    ]
    factor = _common_factor([(claimed, v.slope, v.bound) for v, _, claimed in pairs])
    if factor:
        return f"every entry is {factor} times the right one{_like(float(factor), sizes)}"
    verdict, probe, claimed = max(pairs, key=lambda pair: pair[0].error)
    return f"{claimed:.6g}{_place(probe, gradient)}, differences say {verdict.slope:.6g}"


def _common_factor(pairs: Sequence[tuple[float, float, float]]) -> str:
    """Return the factor by which all claims differ from all slopes, "" if there is none."""
    factors = {
        f"{claimed / slope:.4g}" if abs(slope) > bound else "0" if abs(claimed) > bound else ""
        for claimed, slope, bound in pairs
    }
    factors.discard("")
    return factors.pop() if len(factors) == 1 and factors.isdisjoint(("0", "1")) else ""


def _like(factor: float, sizes: Mapping[str, int]) -> str:
    """Name the size of an axis that a factor equals: often it was forgotten."""
    for name, size in sizes.items():
        for text, value in ((name, size), (f"1/{name}", 1 / size)):
            if abs(factor - value) <= 1e-3 * abs(value):
                return f" ({text} = {value:.4g})"
    return ""


def _place(probe: Probe, gradient: Array) -> str:
    if probe.index is None:
        return " along a random direction"
    if not gradient.ndim:
        return ""
    return f" at [{', '.join(str(i) for i in np.unravel_index(probe.index, gradient.shape))}]"


def _why_undecided(trial: Trial, name: str, verdicts: Sequence[Verdict]) -> str:
    tolerance = trial.tolerance(name)
    if all(tolerance.floor(step) > tolerance.coarsest for step in STEPS):
        return f"its effect is lost in the rounding of the loss, which is {trial.loss:.3g}"
    open_ones = sum(verdict.right is None for verdict in verdicts)
    return f"{open_ones} of {len(verdicts)} differences meet a kink or a jump of the loss"
