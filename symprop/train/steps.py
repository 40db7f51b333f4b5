"""The steps of a training run, one after the other.

In: a `Task` and a `Course`. Out: the courses that follow, one for each step and one at the end of
each epoch. All gradients of a step are computed before any parameter changes; nothing is changed
in place, and the same course goes on in the same way to the last bit.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np

from symprop.check.calls import where
from symprop.errors import InputError
from symprop.train.angles import angles_between, reference_gradients
from symprop.train.batches import Examples, batches
from symprop.train.blame import first_not_finite
from symprop.train.course import Course, generator
from symprop.train.data import Arrays
from symprop.train.metrics import Measure
from symprop.train.settings import Settings
from symprop.train.signature import Signature, gradient_function


class NotFinite(InputError):
    """The loss or a gradient of a step on `examples` is not finite."""

    def __init__(self, message: str, examples: Arrays) -> None:
        super().__init__(message)
        self.examples = examples


@dataclass(frozen=True)
class Task:
    """Everything that stays the same during training."""

    module: object
    signature: Signature
    settings: Settings
    examples: Examples | None
    weights: tuple[str, ...]
    training: Arrays
    held_out: Arrays
    fixed: Arrays = field(default_factory=dict)
    reference: object = None
    measure: Measure | None = None


def following(task: Task, course: Course) -> Iterator[Course]:
    """Yield the course after every step, and after every epoch, until training is over."""
    while course.epoch < task.settings.epochs and not course.over:
        rng = generator(course)
        for examples, number in islice(_batches(task, rng), course.steps, None):
            course = _step(task, course, examples, number)
            yield course
        course = _closed(task, course, rng)
        yield course


def _step(task: Task, course: Course, examples: Arrays, number: int) -> Course:
    """Take one step on a batch of `number` examples."""
    settings, epoch = task.settings, course.epoch + 1
    loss, grads = _gradients(task, examples, course.params, epoch)
    angles = course.angles
    if task.reference is not None and len(angles) < epoch:
        true = reference_gradients(task.reference, {**examples, **course.params})
        departs = getattr(task.module, "DEPARTS", None)
        angles = (*angles, angles_between(grads, true, departs))
    if settings.clip is not None:
        grads = clipped(grads, settings.clip)
    params, state = settings.optimizer.update(
        course.params, grads, course.state, l2=settings.l2, weights=task.weights
    )
    return replace(course, params=params, state=state, steps=course.steps + 1, angles=angles,
                   total=course.total + loss * number, count=course.count + number)


def _closed(task: Task, course: Course, rng: np.random.Generator) -> Course:
    """End an epoch: its mean loss, the validation loss, and whether it was the last."""
    params, epoch = course.params, course.epoch + 1
    _check_finite(params, task.settings.optimizer.lr, epoch)
    course = replace(course, epoch=epoch, steps=0, total=0.0, count=0,
                     losses=(*course.losses, course.total / course.count),
                     rng=rng.bit_generator.state)
    if task.held_out:
        course = _watched(course, _loss(task, task.held_out, params), task.settings.tol)
    if task.measure is not None:
        found = task.measure({**(task.held_out or task.training), **params})
        course = replace(course, metrics=(*course.metrics, found))
    return replace(course, over=is_over(course, task.settings))


def _watched(course: Course, loss: float, tol: float) -> Course:
    """Take in the validation loss of the epoch that has ended."""
    course = replace(course, validations=(*course.validations, loss))
    if loss < course.lowest:
        course = replace(course, best=course.params, best_epoch=course.epoch, lowest=loss)
    if loss < course.reference - tol:
        return replace(course, reference=loss, calm=0)
    return replace(course, calm=course.calm + 1)


def is_over(course: Course, settings: Settings) -> bool:
    """Tell whether to stop early: by the validation loss where there is one."""
    if settings.validation:
        return 0 < settings.calm_epochs <= course.calm
    return at_rest(course.losses, settings.tol, settings.calm_epochs)


def clipped(grads: Arrays, most: float) -> Arrays:
    """Shorten all gradients by one factor if together they are longer than `most`.

    >>> clipped({"w": np.array([3.0]), "b": np.array(4.0)}, 1.0)
    {'w': array([0.6]), 'b': array(0.8)}
    """
    largest = max(float(np.max(np.abs(g), initial=0.0)) for g in grads.values())
    if largest == 0.0:
        return grads
    squares = sum(float(np.sum((np.asarray(g, float) / largest) ** 2)) for g in grads.values())
    factor = most / largest / np.sqrt(squares)  # no square of a large number overflows
    if factor >= 1:
        return grads
    return {name: np.asarray(g * factor, np.asarray(g).dtype) for name, g in grads.items()}


def at_rest(losses: tuple[float, ...], tol: float, calm_epochs: int) -> bool:
    """Tell whether each of the last `calm_epochs` epochs changed the loss by less than `tol`."""
    last = losses[-calm_epochs - 1 :]
    return 0 < calm_epochs < len(losses) and bool(np.all(np.abs(np.diff(last)) < tol))


def _check_finite(params: Arrays, lr: float, epoch: int) -> None:
    """The last step of an epoch may have left the numbers, and no loss would show it."""
    for name, theta in params.items():
        if not np.isfinite(theta).all():
            raise InputError(f"{name} is no longer finite after epoch {epoch}: lower lr ({lr:g})")


def _batches(task: Task, rng: np.random.Generator) -> Iterator[tuple[Arrays, int]]:
    """Yield the data of each batch and the number of its examples; without `batch`, all at once."""
    if task.settings.batch is None or task.examples is None:
        yield task.training, 1
        return
    count = task.examples.count(task.training)
    for rows in batches(count, task.settings.batch, rng):
        yield task.examples.take(task.training, rows), len(rows)


def _gradients(task: Task, data: Arrays, params: Arrays, epoch: int) -> tuple[float, Arrays]:
    """Return loss and gradients, both tested to be finite and of the right shape."""
    arguments = task.signature.arguments({**data, **params})
    with np.errstate(all="ignore"):  # what is not finite is reported below, in words
        value, structured = _called(gradient_function(task.module), arguments)
    loss, grads = float(value), task.signature.flattened(structured)
    if not np.isfinite(loss):
        raise NotFinite(
            f"the loss is {loss} in epoch {epoch}: lower lr ({task.settings.optimizer.lr:g}) or"
            " scale the data", data,
        )
    for name, theta in params.items():
        if name not in grads:
            raise InputError(f"backward returns no gradient of {name}")
        if np.shape(grads[name]) != theta.shape:
            shape = np.shape(grads[name])
            raise InputError(f"the gradient of {name} has the shape {shape}, not {theta.shape}")
        if not np.isfinite(grads[name]).all():
            raise NotFinite(f"the gradient of {name} is not finite in epoch {epoch}", data)
    return loss, grads


def explained(task: Task, error: NotFinite, params: Arrays, good: Sequence[Arrays]) -> str:
    """Say which equation was the first to leave the finite numbers; with `good` it did not."""
    bad, *others = (
        task.signature.arguments({**error.examples, **part}) for part in (params, *good)
    )
    clause = first_not_finite(task.module, gradient_function(task.module), bad, others)
    return f"{error}; {clause}" if clause else str(error)


def _loss(task: Task, data: Arrays, params: Arrays) -> float:
    forward = task.module.forward  # type: ignore[attr-defined]
    with np.errstate(all="ignore"):
        value, _ = _called(forward, task.signature.arguments({**data, **params}))
    return float(value)


def _called(function: Callable[..., tuple[Any, Any]], arguments: Mapping[str, Any]) -> Any:
    """Call a function of the module; what it refuses at its door is the user's input."""
    try:
        return function(**arguments)
    except np.linalg.LinAlgError as error:
        raise InputError(
            f"a linear system of the module has no solution{where(error, function)} for these "
            f"arrays ({str(error).lower()})") from error
    except (ValueError, IndexError) as error:
        raise InputError(str(error)) from error
