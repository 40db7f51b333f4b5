"""Tests of form: what can be said of gradients without a numerical derivative.

In: a subject, a sample, and what came back. Out: the fault of one gradient (missing, of a strange
shape or dtype, not finite), and the promises of a module that are broken.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from symprop.check.blame import operation
from symprop.check.samples import Sample
from symprop.check.subject import Leaves, Subject
from symprop.errors import InputError

CLOSE = 1e-9


def fault_of_form(subject: Subject, sample: Sample, returned: Leaves, name: str) -> str:
    """Say why the gradient of `name` cannot be right whatever its values, "" if it can."""
    if name not in returned:
        return "no gradient came back"
    parameter, gradient = sample.leaves[name], np.asarray(returned[name])
    if gradient.shape != parameter.shape:
        return f"its shape is {gradient.shape}, that of {name} is {parameter.shape}"
    if gradient.dtype != parameter.dtype:
        return f"its dtype is {gradient.dtype}, that of {name} is {parameter.dtype}"
    strange = np.argwhere(~np.isfinite(gradient))
    if not strange.size:
        return ""
    place = ", ".join(str(index) for index in strange[0])
    value = gradient[tuple(strange[0])]
    leaves = sample.copy()
    said = operation(subject, lambda: subject.gradients(leaves))
    at = f" at [{place}]" if place else ""
    return f"{value}{at}, {len(strange)} of {gradient.size} entries are not finite{said}"


def broken_promises(subject: Subject, sample: Sample, names: Sequence[str]) -> Iterator[str]:
    """Yield a sentence for every promise that the functions break, apart from the values."""
    yield from _changes(subject, sample)
    if subject.loss(sample.copy()) != subject.loss(sample.copy()):
        yield "the loss differs from one call to the next"
    if subject.is_module:
        yield from _single_precision(subject, sample, names)
        yield from _scaling(subject, sample)
        yield from _combination(subject, sample)


def _changes(subject: Subject, sample: Sample) -> Iterator[str]:
    """Find arrays of the caller that a call changes."""
    for entry, call in ((subject.first, subject.loss), (subject.second, subject.gradients)):
        leaves = sample.copy()
        call(leaves)
        changed = [name for name in leaves if not _equal(leaves[name], sample.leaves[name])]
        if changed:
            yield f"{entry.name} changes its argument {', '.join(changed)}"
            return


def _single_precision(subject: Subject, sample: Sample, names: Sequence[str]) -> Iterator[str]:
    """Gradients have the dtype of their parameters in float32 too."""
    try:
        gradients = subject.gradients(sample.copy(np.float32))
    except InputError as error:
        yield f"in float32, {error}"
        return
    for name in names:
        dtype = np.asarray(gradients[name]).dtype if name in gradients else np.float32
        if dtype != np.float32:
            yield f"the gradient of {name} in float32 is {dtype}"


def _scaling(subject: Subject, sample: Sample) -> Iterator[str]:
    """Backward is linear in the derivative of the loss that it is given."""
    if not subject.takes_scale:
        return
    once, scaled = subject.gradients(sample.copy()), subject.gradients(sample.copy(), 3.0)
    linear = {n: 3.0 * np.asarray(g) for n, g in once.items() if n not in subject.departing}
    wrong = _differing(linear, scaled)
    if wrong:
        yield f"{subject.second.name} with dL=3 does not give 3 times the gradient of {wrong}"


def _combination(subject: Subject, sample: Sample) -> Iterator[str]:
    """value_and_grad says the same as forward and backward."""
    if subject.combined is None:
        return
    loss, gradients = subject.together(sample.copy())
    apart = subject.loss(sample.copy())
    if not abs(loss - apart) <= CLOSE * abs(apart):
        yield "value_and_grad and forward do not return the same loss"
    wrong = _differing(subject.gradients(sample.copy()), gradients)
    if wrong:
        yield f"value_and_grad and backward do not return the same gradient of {wrong}"


def _differing(expected: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Name the arrays in which two tables of gradients differ; nan equals nan here.

    A gradient whose true value is zero holds rounding alone, on the scale of the others.
    """
    wrong = []
    sizes = {name: _size(gradient) for name, gradient in expected.items()}
    least = 1e-3 * max(sizes.values(), default=0.0)
    for name, gradient in expected.items():
        left, right = np.asarray(gradient), np.asarray(found.get(name, np.nan))
        allowed = CLOSE * max(sizes[name], least)
        if left.shape != right.shape or not np.allclose(
            left, right, rtol=CLOSE, atol=allowed, equal_nan=True
        ):
            wrong.append(name)
    return ", ".join(wrong)


def _size(gradient: Any) -> float:
    """Return the largest entry, or 0 where something is not finite."""
    array = np.asarray(gradient)
    return float(np.max(np.abs(array), initial=0.0)) if np.all(np.isfinite(array)) else 0.0


def _equal(left: Any, right: Any) -> bool:
    return bool(np.array_equal(left, right, equal_nan=left.dtype.kind == "f"))
