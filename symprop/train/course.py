"""How far a training run has come: what a checkpoint holds, and what is returned at the end.

In: nothing. Out: a `Course`, which a step replaces by a new one and never changes, so that a run
that is stopped anywhere, by whatever it is, still has a whole one; and `TrainResult`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symprop.errors import InputError
from symprop.train.data import Arrays
from symprop.train.optimizers import State
from symprop.train.settings import Settings
from symprop.train.signature import Signature, leaves_of


@dataclass(frozen=True)
class Course:
    """A place between two steps.

    `rng` is the state of the generator at the start of the epoch that goes on, of which `steps`
    steps are done; `total` and `count` add up its loss. `epoch` epochs are over.
    """

    params: Arrays
    state: State
    rng: Mapping[str, Any]
    epoch: int = 0
    steps: int = 0
    total: float = 0.0
    count: int = 0
    losses: tuple[float, ...] = ()
    validations: tuple[float, ...] = ()
    metrics: tuple[float, ...] = ()
    angles: tuple[Mapping[str, float], ...] = ()
    best: Arrays | None = None
    best_epoch: int = 0
    lowest: float = math.inf
    reference: float = math.inf
    calm: int = 0
    over: bool = False


@dataclass(frozen=True)
class TrainResult:
    """What training leaves: the parameters as the module takes them, and how the loss fell.

    `losses` holds one number an epoch, the mean over its batches of the loss before each step.
    `best` are the parameters after `best_epoch`, the epoch with the lowest validation loss, and
    `last` those after the last step; `params` are the best if early stopping watched the
    validation loss, else the last. `converged` says that training stopped before its epochs were
    over, `interrupted` that Ctrl-C stopped it.
    `metrics` holds what the `metric` of that name found in each epoch. `fixed` holds what was drawn
    once and not trained, and `angles` the degrees between updates and gradients in each epoch: see
    `reference` of `train`.
    """

    params: dict[str, Any]
    losses: tuple[float, ...]
    validation_losses: tuple[float, ...]
    epochs: int
    converged: bool
    fixed: Arrays = field(default_factory=dict)
    angles: tuple[Mapping[str, float], ...] = ()
    last: dict[str, Any] = field(default_factory=dict)
    best: dict[str, Any] = field(default_factory=dict)
    best_epoch: int = 0
    interrupted: bool = False
    metrics: tuple[float, ...] = ()
    metric: str = ""

    def __repr__(self) -> str:
        last = f", the last loss {self.losses[-1]:.4g}" if self.losses else ""
        return f"<TrainResult: {self.epochs} epochs{last}, parameters {', '.join(self.params)}>"

    @property
    def arrays(self) -> Arrays:
        """All parameters by leaf name, as an .npz file holds them."""
        return leaves_of(self.params)


class TrainingError(InputError):
    """Training cannot go on; `result` holds what it reached before, with the last good numbers."""

    def __init__(self, message: str, result: TrainResult) -> None:
        super().__init__(message)
        self.result = result


def begun(params: Arrays, rng: np.random.Generator) -> Course:
    """Return the place before the first step."""
    return Course(params, State(), rng.bit_generator.state)


def generator(course: Course) -> np.random.Generator:
    """Return the generator as it was at the start of the epoch that goes on."""
    rng = np.random.default_rng(0)
    rng.bit_generator.state = dict(course.rng)
    return rng


def outcome(
    signature: Signature, course: Course, fixed: Arrays, settings: Settings, interrupted: bool,
    metric: str,
) -> TrainResult:  # fmt: skip
    """Return what a run has reached."""
    last = signature.structured(course.params)
    best = last if course.best is None else signature.structured(course.best)
    return TrainResult(
        params=best if settings.calm_epochs else last,
        losses=course.losses,
        validation_losses=course.validations,
        epochs=course.epoch,
        converged=course.over,
        fixed=fixed,
        angles=course.angles,
        last=last,
        best=best,
        best_epoch=course.best_epoch,
        interrupted=interrupted,
        metrics=course.metrics,
        metric=metric,
    )
