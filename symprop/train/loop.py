"""The classic loop: forward, loss, backward, update, until the loss rests or the epochs are over.

In: a module of the generated form, data, settings. Out: a `TrainResult`. All gradients of a step
are computed before any parameter changes; the same input and seed give the same numbers.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symprop.check.calls import where
from symprop.errors import InputError
from symprop.train.angles import ALL, angles_between, reference_gradients
from symprop.train.batches import Examples, batches, examples_if_needed, split
from symprop.train.data import Arrays, common_dtype, find_sizes, fit_data
from symprop.train.initial import Init, draw_all, read_init, shape_of, starts, weights
from symprop.train.optimizers import Optimizer, State, make_optimizer
from symprop.train.settings import Settings
from symprop.train.signature import Signature, gradient_function, leaves_of, signature_of

Array = NDArray[Any]
Log = Callable[[str], object]


@dataclass(frozen=True)
class TrainResult:
    """What training leaves: the parameters as the module takes them, and how the loss fell.

    `losses` holds one number an epoch, the mean over its batches of the loss before each step;
    `arrays` are the parameters leaf by leaf, as an .npz file holds them. `fixed` holds what was
    drawn once and not trained, and `angles` the degrees between updates and gradients in each
    epoch: see `reference` of `train`.
    """

    params: dict[str, Any]
    losses: tuple[float, ...]
    validation_losses: tuple[float, ...]
    epochs: int
    converged: bool
    fixed: Arrays = field(default_factory=dict)
    angles: tuple[Mapping[str, float], ...] = ()

    @property
    def arrays(self) -> Arrays:
        """All parameters by leaf name."""
        return leaves_of(self.params)


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
    rng: np.random.Generator
    log: Log
    fixed: Arrays = field(default_factory=dict)
    reference: object = None


def train(
    module: object,
    data: Mapping[str, Any],
    *,
    validation: float = 0.0,
    optimizer: str | Optimizer = "adam",
    lr: float = 1e-3,
    batch: int | None = None,
    epochs: int = 50,
    tol: float = 0.0,
    patience: int | None = None,
    seed: int = 0,
    l2: float = 0.0,
    init: Init = "glorot",
    sizes: Mapping[str, int] | None = None,
    batch_axis: str | None = None,
    reference: object = None,
    log: Log | None = print,
) -> TrainResult:
    """Train the parameters in `module.WRT` on `data`, the arrays of all other arguments.

    The batch axis is the one named axis that all data arrays have and no parameter has; examples
    may be rows or columns. Sizes that the data do not tell, such as that of a hidden layer, are
    chosen in `sizes`. `init` is "glorot", "he", "normal", "zeros", an .npz file or a mapping of
    arrays. `l2` is the lambda of lambda/2 ||W||^2 over the weights (biases are free), which the
    reported loss does not contain. What a learning rule keeps fixed is drawn once, after the
    parameters, or taken from `init`. `reference` is a module of the true gradients: each epoch then
    reports the angle between these and the updates that are not gradients, on its first batch. It
    stops early when the loss has changed by less than `tol` for `patience` epochs in a row. Raises
    InputError for anything that does not fit, and when the loss or a gradient is no longer finite.

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
                        seed, l2, batch_axis)
    signature = signature_of(module)
    arrays = fit_data(signature, data)
    examples = examples_if_needed(signature, settings)
    rng = np.random.default_rng(seed)
    training, held_out = _parted(arrays, examples, settings, rng)
    drawn = _initial(signature, arrays, examples, init, sizes or {}, rng)
    params = {leaf.name: drawn[leaf.name] for leaf in signature.parameters}
    fixed = {leaf.name: drawn[leaf.name] for leaf in signature.fixed}
    regular = weights(signature, examples)
    quiet = log if log is not None else _silent
    training, held_out = ({**part, **fixed} if part else {} for part in (training, held_out))
    task = Task(module, signature, settings, examples, regular, training, held_out, rng, quiet,
                fixed, reference)
    return _run(task, params)


def _run(task: Task, params: Arrays) -> TrainResult:
    """Go through the epochs; report each."""
    losses: list[float] = []
    validations: list[float] = []
    angles: list[Mapping[str, float]] = []
    state, converged = State(), False
    for epoch in range(1, task.settings.epochs + 1):
        loss, params, state = _epoch(task, params, state, epoch, angles)
        line = f"Epoch {epoch}: Loss = {loss:.4g}"
        losses.append(loss)
        if task.held_out:
            validations.append(_loss(task, task.held_out, params))
            line += f", validation = {validations[-1]:.4g}"
        if task.reference is not None:
            line += f", angle = {angles[-1][ALL]:.0f}°"
        task.log(line)
        if at_rest(losses, task.settings.tol, task.settings.calm_epochs):
            converged = True
            task.log(f"Converged after {epoch} epochs")
            break
    found = task.signature.structured(params)
    return TrainResult(found, tuple(losses), tuple(validations), len(losses), converged,
                       task.fixed, tuple(angles))


def _epoch(
    task: Task, params: Arrays, state: State, epoch: int, angles: list[Mapping[str, float]]
) -> tuple[float, Arrays, State]:
    """Go once through all examples; return their mean loss and what came of the parameters."""
    total, count = 0.0, 0
    for examples, number in _batches(task):
        loss, grads = _gradients(task, examples, params, epoch)
        if task.reference is not None and len(angles) < epoch:
            true = reference_gradients(task.reference, {**examples, **params})
            angles.append(angles_between(grads, true, getattr(task.module, "DEPARTS", None)))
        total += loss * number
        count += number
        params, state = task.settings.optimizer.update(
            params, grads, state, l2=task.settings.l2, weights=task.weights
        )
    _check_finite(params, task.settings.optimizer.lr, epoch)
    return total / count, params, state


def _check_finite(params: Arrays, lr: float, epoch: int) -> None:
    """The last step of an epoch may have left the numbers, and no loss would show it."""
    for name, theta in params.items():
        if not np.isfinite(theta).all():
            raise InputError(f"{name} is no longer finite after epoch {epoch}: lower lr ({lr:g})")


def _batches(task: Task) -> Iterator[tuple[Arrays, int]]:
    """Yield the data of each batch and the number of its examples; without `batch`, all at once."""
    if task.settings.batch is None or task.examples is None:
        yield task.training, 1
        return
    count = task.examples.count(task.training)
    for rows in batches(count, task.settings.batch, task.rng):
        yield task.examples.take(task.training, rows), len(rows)


def _gradients(task: Task, data: Arrays, params: Arrays, epoch: int) -> tuple[float, Arrays]:
    """Return loss and gradients, both tested to be finite and of the right shape."""
    arguments = task.signature.arguments({**data, **params})
    with np.errstate(all="ignore"):  # what is not finite is reported below, in words
        value, structured = _called(gradient_function(task.module), arguments)
    loss, grads = float(value), task.signature.flattened(structured)
    if not np.isfinite(loss):
        raise InputError(
            f"the loss is {loss} in epoch {epoch}: lower lr ({task.settings.optimizer.lr:g}) or"
            " scale the data"
        )
    for name, theta in params.items():
        if name not in grads:
            raise InputError(f"backward returns no gradient of {name}")
        if np.shape(grads[name]) != theta.shape:
            shape = np.shape(grads[name])
            raise InputError(f"the gradient of {name} has the shape {shape}, not {theta.shape}")
        if not np.isfinite(grads[name]).all():
            raise InputError(f"the gradient of {name} is not finite in epoch {epoch}")
    return loss, grads


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
    plan = starts(signature, scheme, examples)
    drawn = draw_all(signature, plan, given, sizes, rng)
    for leaf in signature.parameters:
        if 0 in drawn[leaf.name].shape:
            raise InputError(f"{leaf.name} is empty: {shape_of(leaf, sizes)}")
    return {name: np.array(array, dtype=dtype) for name, array in drawn.items()}


def at_rest(losses: list[float], tol: float, calm_epochs: int) -> bool:
    """Tell whether each of the last `calm_epochs` epochs changed the loss by less than `tol`."""
    last = losses[-calm_epochs - 1 :]
    return 0 < calm_epochs < len(losses) and bool(np.all(np.abs(np.diff(last)) < tol))


def _silent(line: str) -> None:
    """Say nothing."""
