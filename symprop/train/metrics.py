"""A figure of merit beside the loss, of what `predict` returns.

In: a module, data and parameters, and the name of a metric or a function of the outputs and the
data. Out: a number. A named metric compares the one output that fits with the one array of the data
that `predict` does not take: the target.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symprop.check.calls import parameters
from symprop.check.trees import flatten
from symprop.errors import InputError
from symprop.train.batches import Examples
from symprop.train.data import Array, Arrays
from symprop.train.signature import Signature

Metric = str | Callable[[Mapping[str, Any], Mapping[str, Any]], float]
OWN = "in Python a function metric(outputs, data) can be given"


@dataclass(frozen=True)
class Measure:
    """A metric of one model: its name, and how it is computed from leaf arrays."""

    name: str
    function: Callable[[Arrays], float]

    def __call__(self, arrays: Arrays) -> float:
        """Return the metric; `arrays` holds data and parameters by leaf name."""
        with np.errstate(all="ignore"):
            return float(self.function(arrays))


def measure_of(
    metric: Metric | None, module: object, signature: Signature, examples: Examples | None
) -> Measure | None:
    """Return how to compute a metric; InputError where the model does not allow it."""
    if metric is None:
        return None
    predict = getattr(module, "predict", None)
    if not callable(predict):
        raise InputError("a metric needs the function predict, and this module has none")
    taken = [name for name in parameters(predict) if name in signature.trees]

    def outputs(arrays: Arrays) -> Mapping[str, Any]:
        arguments = signature.arguments(arrays)
        found = predict(**{name: arguments[name] for name in taken})
        return found if isinstance(found, Mapping) else {"output": found}

    if callable(metric):
        given = metric
        names = [leaf.name for leaf in signature.data]
        return Measure(getattr(metric, "__name__", "metric"), lambda arrays: given(
            outputs(arrays), {name: arrays[name] for name in names}))
    if metric not in METRICS:
        raise InputError(f"{metric!r} is no metric; there are {', '.join(METRICS)}: {OWN}")
    target = _target(metric, signature, taken)
    place = examples.places.get(target, 0) if examples is not None else 0
    return Measure(metric, lambda arrays: _compared(
        metric, outputs(arrays), target, arrays[target], place))


def _target(metric: str, signature: Signature, taken: list[str]) -> str:
    """Return the one array of the data that predict does not take."""
    seen = {leaf for name in taken for leaf in flatten(name, signature.trees[name])}
    targets = [leaf.name for leaf in signature.data if leaf.name not in seen and leaf.spec.dims]
    if len(targets) != 1:
        which = " and ".join(targets) if targets else "none"
        raise InputError(f"{metric} needs one array of the data that predict does not take, the"
                         f" target; here that is {which}: {OWN}")
    return targets[0]


def _compared(
    metric: str, outputs: Mapping[str, Any], name: str, target: Array, place: int
) -> float:
    """Compare the target with the one output that fits it."""
    arrays = {key: np.asarray(value) for key, value in outputs.items()}
    found = {key: METRICS[metric](array, target, place) for key, array in arrays.items()}
    fitting = {key: value for key, value in found.items() if value is not None}
    if len(fitting) != 1:
        shapes = ", ".join(f"{key} {array.shape}" for key, array in arrays.items())
        how = "several outputs fit" if fitting else "no output fits"
        raise InputError(f"{metric} of the target {name} {target.shape}: {how} ({shapes}): {OWN}")
    return next(iter(fitting.values()))


def _accuracy(output: Array, target: Array, place: int) -> float | None:
    """The part of the examples whose largest output is that of the right class.

    Targets are one-hot, or the numbers of classes; -1 and 1 are told apart by the sign.
    """
    if output.shape == target.shape and output.ndim >= 2:
        axis = 0 if place == output.ndim - 1 else -1
        return float(np.mean(output.argmax(axis) == target.argmax(axis)))
    if target.dtype.kind in "iu" and output.ndim == target.ndim + 1:
        first = 0 if place == output.ndim - 1 else -1
        for axis in (first, -1, 0):
            if np.delete(output.shape, axis).tolist() == list(target.shape):
                return float(np.mean(output.argmax(axis) == target))
    if output.shape == target.shape and np.isin(target, (-1, 1)).all():
        return float(np.mean((output > 0) == (target > 0)))
    return None


def _rmse(output: Array, target: Array, place: int) -> float | None:
    same = output.shape == target.shape
    return float(np.sqrt(np.mean((output - target) ** 2))) if same else None


def _mae(output: Array, target: Array, place: int) -> float | None:
    return float(np.mean(np.abs(output - target))) if output.shape == target.shape else None


METRICS: Mapping[str, Callable[[Array, Array, int], float | None]] = {
    "accuracy": _accuracy,
    "rmse": _rmse,
    "mae": _mae,
}
