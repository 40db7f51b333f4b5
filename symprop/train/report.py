"""What is told after every epoch: a line, and an `Epoch` for a function of the user's.

In: a `Task` and a `Course`. Out: the line, and whether the user's function wants to stop.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from symprop.train.angles import ALL
from symprop.train.course import Course
from symprop.train.steps import Task


@dataclass(frozen=True)
class Epoch:
    """What a callback gets: the number of the epoch, what was noted, and the parameters now.

    `validation` and `metric` are None where there is none. `params` are as the module takes them,
    and are never changed in place: they may be kept.
    """

    number: int
    loss: float
    validation: float | None
    metric: float | None
    params: dict[str, Any]


Callback = Callable[[Epoch], object]
Log = Callable[[str], object]


@dataclass(frozen=True)
class Report:
    """Tells of every epoch of a task; true if training shall stop."""

    task: Task
    log: Log | None
    callback: Callback | None

    def __call__(self, course: Course) -> bool:
        """Tell of the epoch that has just ended."""
        if self.log is not None:
            self.log(self.line(course))
        asked = False
        if self.callback is not None:
            params = self.task.signature.structured(course.params)
            last = [values[-1] if values else None for values in (course.validations,
                                                                  course.metrics)]
            epoch = Epoch(course.epoch, course.losses[-1], last[0], last[1], params)
            asked = self.callback(epoch) is True
        if self.log is not None and (course.over or asked):
            self.log(f"{'Converged' if course.over else 'Stopped'} after {course.epoch} epochs")
        return asked

    def line(self, course: Course) -> str:
        """Say how the epoch went."""
        line = f"Epoch {course.epoch}: Loss = {course.losses[-1]:.4g}"
        if course.validations:
            line += f", validation = {course.validations[-1]:.4g}"
        if self.task.measure is not None:
            line += f", {self.task.measure.name} = {course.metrics[-1]:.4g}"
        if self.task.reference is not None:
            line += f", angle = {course.angles[-1][ALL]:.0f}°"
        return line
