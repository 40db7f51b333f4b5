"""The classic loop: forward, loss, backward, update, until the loss rests or the epochs are over.

In: a module of the generated form, data, settings. Out: a `TrainResult`. All gradients of a step
are computed before any parameter changes; the same input and seed give the same numbers.

Early stopping. Without held-out examples training stops when the loss has changed by less than
`tol` for `patience` epochs in a row. With them (`validation`) it stops when their loss has not
fallen by more than `tol` for `patience` epochs, and returns the parameters of the epoch in which it
was lowest.

On the way. `clip` shortens the gradients if together they are longer. `metric` is "accuracy",
"rmse", "mae" or a function of what `predict` returns and of the data, computed after every epoch on
the held-out examples, if there are any. `callback` gets an `Epoch`, with the parameters, after
every epoch; training stops if it returns True.

Nothing is lost. Ctrl-C ends training and returns what was reached. `checkpoint` is an .npz file
that receives the whole state every `checkpoint_every` seconds and at the end, whatever ends it;
`resume` takes up such a file: with the same model, data and settings the numbers are those of a run
that was never stopped, to the last bit. Only `epochs`, `tol` and `patience` may differ. `force`
overwrites a checkpoint that was changed by hand.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symprop.errors import InputError, SympropError
from symprop.train.batches import Examples, examples_if_needed, split
from symprop.train.checkpoint import Keeper, fingerprint, load_course
from symprop.train.course import Course, TrainingError, TrainResult, begun, outcome
from symprop.train.data import Arrays, common_dtype, find_sizes, fit_data
from symprop.train.initial import Init, draw_all, read_init, shape_of, starts, weights
from symprop.train.interrupts import held_back
from symprop.train.memory import check_memory, check_parameters
from symprop.train.metrics import Metric, measure_of
from symprop.train.optimizers import Optimizer, make_optimizer
from symprop.train.report import Callback, Log, Report
from symprop.train.settings import Settings
from symprop.train.signature import Signature, signature_of
from symprop.train.steps import NotFinite, Task, explained, following, is_over

Array = NDArray[Any]
MINUTE = 60.0


def train(
    module: object, data: Mapping[str, Any], *, validation: float = 0.0,
    optimizer: str | Optimizer = "adam", lr: float = 1e-3, batch: int | None = None,
    epochs: int = 50, tol: float = 0.0, patience: int | None = None, seed: int = 0,
    l2: float = 0.0, init: Init = "glorot", sizes: Mapping[str, int] | None = None,
    batch_axis: str | None = None, clip: float | None = None, reference: object = None,
    metric: Metric | None = None, callback: Callback | None = None,
    checkpoint: str | Path | None = None, checkpoint_every: float = MINUTE,
    resume: str | Path | None = None, force: bool = False, log: Log | None = print,
) -> TrainResult:  # fmt: skip
    """Train the parameters in `module.WRT` on `data`, the arrays of all other arguments.

    A module that was generated here knows its constants itself; of one that was read from a file
    they are part of `data`, as `symprop generate --constants` wrote them.

    The batch axis is the one named axis that all data arrays have and no parameter has; examples
    may be rows or columns. Sizes that the data do not tell, such as that of a hidden layer, are
    chosen in `sizes`. `init` is "glorot", "he", "normal", "zeros", an .npz file or a mapping of
    arrays. `l2` is the lambda of lambda/2 ||W||^2 over the weights (biases are free), which the
    reported loss does not contain. `validation` is the part of the examples to hold out, `tol` and
    `patience` stop early, `checkpoint` and `resume` take up a run that was stopped: the module says
    how. What a learning rule keeps fixed is drawn once, after the parameters, or taken from `init`;
    `reference` is a module of the true gradients, whose angle to the updates is then reported.
    Raises InputError for anything that does not fit, and TrainingError, which is one and has the
    last good numbers as its `result`, when the loss or a gradient is no longer finite.

    >>> class Mean:
    ...     WRT = ("m",)
    ...     def forward(self, x: "N", m: ""):
    ...         return np.mean((x - m) ** 2), x - m
    ...     def backward(self, saved, dL=1.0):
    ...         return {"m": -2 * dL * np.mean(saved)}
    >>> result = train(Mean(), {"x": np.arange(5.0)}, optimizer="gd", lr=0.5, epochs=1)
    Epoch 1: Loss = 6
    >>> result.params["m"]
    array(2.)
    """
    settings = Settings(make_optimizer(optimizer, lr), validation, batch, epochs, tol, patience,
                        seed, l2, batch_axis, clip)
    signature = signature_of(module)
    arrays = fit_data(signature, {**getattr(module, "held", {}), **data})
    same = fingerprint(signature, settings, arrays) if checkpoint or resume else {}
    taken_up = None
    if resume is not None:
        taken_up, fixed = load_course(resume, same)
        init = {**taken_up.params, **fixed}
    task, course = _begun(module, signature, settings, arrays, init, sizes or {})
    measure = measure_of(metric, module, signature, task.examples)
    task, course = replace(task, reference=reference, measure=measure), taken_up or course
    course = _measured(task, replace(course, over=is_over(course, settings)))
    check_memory(task, course)
    keeper = None
    if checkpoint is not None:
        keeper = Keeper(Path(checkpoint), checkpoint_every, same, task.fixed, force)
    return _run(task, course, Report(task, log, callback), keeper)


def _begun(
    module: object,
    signature: Signature,
    settings: Settings,
    arrays: Arrays,
    init: Init,
    sizes: Mapping[str, int],
) -> tuple[Task, Course]:
    """Hold out examples, and draw the parameters and what stays fixed."""
    examples = examples_if_needed(signature, settings)
    rng = np.random.default_rng(settings.seed)
    training, held_out = _parted(arrays, examples, settings, rng)
    drawn = _initial(signature, settings, arrays, examples, init, sizes, rng)
    params = {leaf.name: drawn[leaf.name] for leaf in signature.parameters}
    fixed = {leaf.name: drawn[leaf.name] for leaf in signature.fixed}
    regular = weights(signature, examples)
    training, held_out = ({**part, **fixed} if part else {} for part in (training, held_out))
    task = Task(module, signature, settings, examples, regular, training, held_out, fixed)
    return task, begun(params, rng)


def _measured(task: Task, course: Course) -> Course:
    """Try the metric before long work; of epochs that went without it nothing is known."""
    if task.measure is None:
        return replace(course, metrics=())
    task.measure({**(task.held_out or task.training), **course.params})
    unknown = (math.nan,) * (course.epoch - len(course.metrics))
    return replace(course, metrics=(*unknown, *course.metrics))


def _run(task: Task, course: Course, report: Report, keeper: Keeper | None) -> TrainResult:
    """Go through the epochs and report each; whatever stops them, what was reached is kept."""
    begin = good = course
    interrupted = False
    fault: Exception | None = None
    with held_back() as interrupts:
        try:
            with interrupts.let_through():
                for after in following(task, course):
                    if after.state is not course.state:
                        good = course  # its loss and its gradients were finite
                    course = after
                    if course.steps == 0 and report(course):
                        course = replace(course, over=True)
                    if keeper is not None:
                        keeper.may_keep(course)
                    if course.over:
                        break
        except KeyboardInterrupt:
            interrupts.open, interrupted = False, True
        except NotFinite as error:
            fault = InputError(explained(task, error, course.params, [
                part.params for part in (good, begin) if part.params is not course.params]))
        except Exception as error:
            fault = error
        if fault is None and all(np.isfinite(theta).all() for theta in course.params.values()):
            good = course
        return _kept(task, good, keeper, fault, interrupted)


def _kept(
    task: Task, course: Course, keeper: Keeper | None, fault: Exception | None, interrupted: bool
) -> TrainResult:
    """Write the last checkpoint; return what was reached, or raise what was wrong with it."""
    try:
        if keeper is not None:
            keeper.keep(course)
    except SympropError as error:
        fault = fault or error
    metric = task.measure.name if task.measure else ""
    result = outcome(task.signature, course, task.fixed, task.settings, interrupted, metric)
    if isinstance(fault, MemoryError):
        raise TrainingError("a step does not fit into memory: lower batch", result) from fault
    if isinstance(fault, SympropError):
        raise TrainingError(str(fault), result) from fault
    if fault is not None:
        raise fault
    return result


def _parted(
    arrays: Arrays, examples: Examples | None, settings: Settings, rng: np.random.Generator
) -> tuple[Arrays, Arrays]:
    """Hold out a random part of the examples, if asked to."""
    if examples is None or settings.validation == 0:
        return arrays, {}
    kept, held = split(examples.count(arrays), settings.validation, rng)
    return examples.take(arrays, kept), examples.take(arrays, held)


def _initial(
    signature: Signature,
    settings: Settings,
    data: Arrays,
    examples: Examples | None,
    init: Init,
    chosen: Mapping[str, int],
    rng: np.random.Generator,
) -> Arrays:
    """Draw the parameters in the floating type of the data."""
    scheme, given = read_init(signature, init)
    sizes = find_sizes(signature.leaves, {**data, **given}, chosen)
    floats = [data[leaf.name] for leaf in signature.data if leaf.spec.dtype == "float"]
    dtype = common_dtype(floats or list(given.values()))
    check_parameters(signature, sizes, settings.optimizer)
    plan = starts(signature, scheme, examples)
    drawn = draw_all(signature, plan, given, sizes, rng)
    for leaf in signature.parameters:
        if 0 in drawn[leaf.name].shape:
            raise InputError(f"{leaf.name} is empty: {shape_of(leaf, sizes)}")
    return {name: np.array(array, dtype=dtype) for name, array in drawn.items()}
