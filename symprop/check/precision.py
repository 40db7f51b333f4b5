"""Gradients in single precision: their dtypes, and their values.

In: a subject and samples. Out: a sentence for every gradient that is not what single precision
allows. How far two precisions may be apart is measured: by how much the gradient moves where the
inputs move by the rounding of a float32.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from symprop.check.compare import largest
from symprop.check.samples import Sample, is_finite
from symprop.check.subject import Leaves, Subject
from symprop.errors import InputError

EPS = float(np.finfo(np.float32).eps)
MOVES = 3
OWN = 2000.0  # roundings of the largest entry, for what a backward pass adds up
FAINT = 1e-2  # of the largest gradient: what a faint one may be the difference of
MOVED = 50.0  # times what the rounding of the inputs does


def single_precision(
    subject: Subject, samples: Sequence[Sample], names: Sequence[str]
) -> Iterator[str]:
    """Gradients have the dtype of their parameters in float32 too, and their values."""
    try:
        gradients = subject.gradients(samples[0].copy(np.float32))
    except InputError as error:
        yield f"in float32, {error}"
        return
    for name in names:
        dtype = np.asarray(gradients[name]).dtype if name in gradients else np.float32
        if dtype != np.float32:
            yield f"the gradient of {name} in float32 is {dtype}"
    # Beside a kink one sample may differ by right: what is wrong is wrong on all.
    wrong: dict[str, str] = {}
    for number, sample in enumerate(samples):
        found = _wrong_values(subject, sample, names)
        wrong = {n: said for n, said in found.items() if not number or n in wrong}
        if not wrong:
            return
    yield from wrong.values()


def _wrong_values(subject: Subject, sample: Sample, names: Sequence[str]) -> dict[str, str]:
    """Say which gradients in float32 are not those in float64, of the same inputs."""
    single = sample.copy(np.float32)
    if not is_finite(subject.loss({n: array.copy() for n, array in single.items()})):
        return {}
    exact = {n: _wide(array) for n, array in single.items()}
    narrow = subject.gradients(single)
    wide = subject.gradients({n: array.copy() for n, array in exact.items()})
    moves = [subject.gradients(_moved(exact, number)) for number in range(MOVES)]
    overall = max((largest(wide.get(name, 0.0)) for name in names), default=0.0)
    found = {}
    for name in names:
        if not all(name in table for table in (narrow, wide, *moves)):
            continue
        said = _said(name, narrow[name], wide[name], [table[name] for table in moves], overall)
        if said:
            found[name] = said
    return found


def _said(name: str, narrow: Any, wide: Any, moves: Sequence[Any], overall: float) -> str:
    left, right = np.asarray(narrow), np.asarray(wide)
    arrays = (left, right, *map(np.asarray, moves))
    if any(array.shape != right.shape for array in arrays):
        return ""
    if not all(np.all(np.isfinite(array)) for array in arrays[1:]):
        return ""
    spread = max((largest(np.asarray(m) - right) for m in moves), default=0.0)
    bound = OWN * EPS * max(largest(right), FAINT * overall) + MOVED * spread
    errors = np.abs(left.astype(np.float64) - right)
    if not errors.size or np.all(errors <= bound):
        return ""
    at = np.unravel_index(int(np.argmax(np.where(np.isnan(errors), np.inf, errors))), right.shape)
    place = f" at [{', '.join(str(i) for i in at)}]" if at else ""
    return (f"the gradient of {name} in float32 is {float(left[at]):.6g}{place}, in float64 it is"
            f" {float(right[at]):.6g} on the same inputs")


def _moved(exact: Leaves, number: int) -> dict[str, Any]:
    """Move every number by the rounding of a float32, up or down."""
    rng = np.random.default_rng([number, 4])
    return {
        name: array * (1 + EPS * rng.choice([-1.0, 1.0], size=array.shape))
        if array.dtype.kind == "f" else array.copy()
        for name, array in exact.items()
    }


def _wide(array: Any) -> Any:
    return array.astype(np.float64) if array.dtype.kind == "f" else array.copy()
