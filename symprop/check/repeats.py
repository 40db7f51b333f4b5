"""What a second call may not change: state between calls, `saved`, and memory that is shared.

In: a subject whose backward takes what forward saved, and two samples of the same sizes. Out: a
sentence for every promise that is broken.
"""

import copy
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import Any

import numpy as np

from symprop.check.compare import differing, equal
from symprop.check.samples import Sample
from symprop.check.subject import Array, Leaves, Subject
from symprop.check.trees import children

MOST_CALLS = 100
MOST_ENTRIES = 20_000


def broken_between_calls(
    subject: Subject, sample: Sample, other: Sample, first: Leaves
) -> Iterator[str]:
    """Yield what goes wrong where a call meets what another one left behind.

    `first` is what the very first call returned on `sample`.
    """
    leaves = sample.copy()
    saved = subject.saved(leaves)
    before = [array.copy() for array in arrays_in(saved)]
    once = subject.backward(saved)
    kept = copy.deepcopy(once)
    yield from shared_memory(once, leaves, saved)
    changed = [k for k, a in enumerate(arrays_in(saved)) if not equal(a, before[k])]
    name = subject.second.name
    if changed:
        shape = before[changed[0]].shape
        yield (f"{name} changes what forward saved (array {changed[0]} in saved, of shape {shape}):"
               f" a second {name} on the same saved goes wrong")
        return
    twice = subject.backward(saved)
    if wrong := differing(kept, twice):
        yield f"{name} called twice on one saved does not return the same gradient of {wrong}"
    elif wrong := ", ".join(n for n, g in once.items() if n in twice and _one_array(g, twice[n])):
        yield (f"{name} returns the same array again as the gradient of {wrong}: a later call"
               " changes what an earlier one returned")
    elif wrong := _interleaved(subject, sample, other, kept):
        yield (f"after forward has run on other arrays, {name} on the first saved does not return"
               f" the same gradient of {wrong}: it reads something that is not in saved")
    elif wrong := differing(first, kept):
        yield f"{name} does not return the same gradient of {wrong} as in its first call"


def changes_later(subject: Subject, sample: Sample, first: Leaves) -> str:
    """Say in which later call the gradients differ from the first ones, "" if in none."""
    entries = sum(array.size for array in sample.leaves.values())
    for call in range(2, MOST_CALLS if entries <= MOST_ENTRIES else 4):
        wrong = differing(first, subject.gradients(sample.copy()))
        if wrong:
            return (f"{subject.second.name} does not return the same gradient of {wrong} on the"
                    f" same arrays when it is called again ({call} calls later): it keeps"
                    " something between calls")
    return ""


def shared_memory(gradients: Leaves, inputs: Leaves, saved: Any = ()) -> Iterator[str]:
    """Yield what would change with a gradient that is changed in place."""
    grads = {name: g for name, g in gradients.items() if isinstance(g, np.ndarray) and g.size}
    for name, gradient in grads.items():
        if not gradient.flags.writeable or _overlaps_itself(gradient):
            yield (f"the gradient of {name} is a read-only or overlapping view, which cannot be"
                   " changed in place; return a copy")
    for (name, left), (other, right) in combinations(grads.items(), 2):
        if _share(left, right):
            yield (f"the gradients of {name} and {other} share memory: changing one in place, as"
                   " clipping does, changes the other; return a copy")
    for name, gradient in grads.items():
        owner = next((n for n, array in inputs.items() if _share(gradient, array)), "")
        if owner:
            yield f"the gradient of {name} shares memory with the argument {owner}; return a copy"
        elif any(_share(gradient, array) for array in arrays_in(saved)):
            yield f"the gradient of {name} shares memory with an array in saved; return a copy"


def arrays_in(value: Any) -> Iterable[Array]:
    """Return the arrays inside a structure of tuples, lists, dicts and dataclasses, in order."""
    if isinstance(value, np.ndarray):
        return [value] if value.dtype.kind != "O" else []
    parts = children(value)
    return [] if parts is None else [a for part in parts.values() for a in arrays_in(part)]


def _interleaved(subject: Subject, sample: Sample, other: Sample, expected: Leaves) -> str:
    """Run forward twice before backward, and name what differs."""
    saved = subject.saved(sample.copy())
    subject.saved(other.copy())
    return differing(expected, subject.backward(saved))


def _one_array(left: Any, right: Any) -> bool:
    return isinstance(left, np.ndarray) and isinstance(right, np.ndarray) and _share(left, right)


def _share(left: Array, right: Array) -> bool:
    return bool(np.may_share_memory(left, right) and np.shares_memory(left, right))


def _overlaps_itself(array: Array) -> bool:
    """Say whether two entries stand in the same place of the memory, as in a broadcast view."""
    pairs = zip(array.shape, array.strides, strict=True)
    return any(size > 1 and not stride for size, stride in pairs)


