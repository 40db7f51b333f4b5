"""What can be said of an update that is not the gradient: the angle between the two.

In: a `Trial` and the name of an array. Out: degrees, and a `CheckRow` whose status is DEPARTS.
Over the coordinates and directions that are probed, as for every gradient; below 90 degrees a
small enough step along the update lowers the loss.
"""

import math

import numpy as np

from symprop.check.differences import RICHARDSON
from symprop.check.probes import Trial
from symprop.check.report import DEPARTS, CheckRow
from symprop.check.subject import Array


def angle(trial: Trial, name: str) -> float:
    """Return the degrees between an update and the numerical gradient; nan where one is zero."""
    update, slopes = _probed(trial, name)
    lengths = float(np.linalg.norm(update) * np.linalg.norm(slopes))
    if lengths == 0.0:
        return math.nan
    return math.degrees(math.acos(float(np.clip(update @ slopes / lengths, -1.0, 1.0))))


def departing_row(trial: Trial, name: str) -> CheckRow:
    """Return the row of an update that its rule declares not to be the gradient."""
    update, slopes = _probed(trial, name)
    return CheckRow(
        name=name,
        shape=trial.gradients[name].shape,
        status=DEPARTS,
        error=float(np.max(np.abs(update - slopes), initial=0.0)),
        bound=math.nan,
        decided=len(slopes),
        total=len(trial.probes(name)),
        method=RICHARDSON,
        angle=angle(trial, name),
    )


def _probed(trial: Trial, name: str) -> tuple[Array, Array]:
    """Return what the update and the loss say of every direction that can be decided."""
    tolerance, pairs = trial.tolerance(name), []
    for probe in trial.probes(name):
        slope = probe.line.slope(tolerance)
        if slope is not None:
            pairs.append((float(np.vdot(probe.direction, trial.gradients[name])), slope))
    update, slopes = np.array(pairs).reshape(-1, 2).T
    return update, slopes
