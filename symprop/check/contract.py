"""Tests of form: what can be said of gradients without a numerical derivative.

In: a subject, a sample, and what came back. Out: the fault of one gradient (missing, of a strange
shape or dtype, not finite), and the promises of a module that are broken.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from symprop.check.blame import operation
from symprop.check.compare import CLOSE, differing, equal
from symprop.check.precision import single_precision
from symprop.check.repeats import broken_between_calls, changes_later
from symprop.check.samples import Sample
from symprop.check.subject import Leaves, Subject


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
    if not len(strange):
        return ""
    value = gradient[tuple(strange[0])]
    leaves = sample.copy()
    said = operation(subject, lambda: subject.gradients(leaves))
    if not gradient.ndim:
        return f"{value}, and no number is right that is not finite{said}"
    place = ", ".join(str(index) for index in strange[0])
    return f"{value} at [{place}], {len(strange)} of {gradient.size} entries are not finite{said}"


def broken_promises(
    subject: Subject, sample: Sample, other: Sample, first: Leaves, names: Sequence[str]
) -> Iterator[str]:
    """Yield a sentence for every promise that the functions break, apart from the values.

    `other` is a sample of the same sizes; `first` what the very first call returned.
    """
    changed = list(_changes(subject, sample))
    yield from changed
    if subject.loss(sample.copy()) != subject.loss(sample.copy()):
        yield "the loss differs from one call to the next"
        return
    if not changed:
        between = []
        if not subject.same_arguments:
            between = list(broken_between_calls(subject, sample, other, first))
        yield from between
        said = "" if between else changes_later(subject, sample, first)
        yield from [said] if said else []
    if subject.is_module:
        yield from single_precision(subject, (sample, other), names)
        yield from _scaling(subject, sample)
        yield from _combination(subject, sample)


def _changes(subject: Subject, sample: Sample) -> Iterator[str]:
    """Find arrays of the caller that a call changes."""
    for entry, call in ((subject.first, subject.loss), (subject.second, subject.gradients)):
        leaves = sample.copy()
        call(leaves)
        changed = [name for name in leaves if not equal(leaves[name], sample.leaves[name])]
        if changed:
            yield f"{entry.name} changes its argument {', '.join(changed)}"
            return


def _scaling(subject: Subject, sample: Sample) -> Iterator[str]:
    """Backward is linear in the derivative of the loss that it is given."""
    if not subject.takes_scale:
        return
    once, scaled = subject.gradients(sample.copy()), subject.gradients(sample.copy(), 3.0)
    linear = {n: 3.0 * np.asarray(g) for n, g in once.items() if n not in subject.departing}
    wrong = differing(linear, scaled)
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
    wrong = differing(subject.gradients(sample.copy()), gradients)
    if wrong:
        yield f"value_and_grad and backward do not return the same gradient of {wrong}"
