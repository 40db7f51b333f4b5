"""Which axis counts the examples, and how they are cut into batches.

In: a `Signature`, leaf arrays, a random generator. Out: the name of the batch axis, its place in
every data array, and the numbers of the examples of each batch.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symprop.errors import InputError
from symprop.train.settings import Settings
from symprop.train.signature import Leaf, Signature

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Examples:
    """The batch axis: its name, and its place in each data array that has it."""

    axis: str
    places: Mapping[str, int]

    def count(self, data: Mapping[str, NDArray[Any]]) -> int:
        """Return the number of examples."""
        name, place = next(iter(self.places.items()))
        return int(data[name].shape[place])

    def take(self, data: Mapping[str, NDArray[Any]], rows: Rows) -> dict[str, NDArray[Any]]:
        """Return these examples of the data; arrays without the axis stay whole."""
        return {
            name: np.take(array, rows, axis=self.places[name]) if name in self.places else array
            for name, array in data.items()
        }


def find_examples(signature: Signature, chosen: str | None = None) -> Examples:
    """Find the batch axis: the one named axis that all data arrays have and no parameter has.

    Scalars and constants do not count. `chosen` decides where that leaves none or several.
    InputError names the arrays.
    """
    arrays = [leaf for leaf in signature.data if leaf.spec.dims and not leaf.constant]
    drawn = (*signature.parameters, *signature.fixed)
    trained = {name for leaf in drawn for name in leaf.spec.names()}
    shown = ", ".join(str(leaf) for leaf in arrays)
    if chosen is None:
        candidates = [
            axis
            for axis in dict.fromkeys(name for leaf in arrays for name in leaf.spec.names())
            if axis not in trained and all(axis in leaf.spec.names() for leaf in arrays)
        ]
        if len(candidates) != 1:
            which = f"{' and '.join(candidates)} do" if candidates else "none does"
            raise InputError(
                f"which axis counts the examples? It must be in every data array ({shown}) and in"
                f" no parameter; {which}: give batch_axis"
            )
        chosen = candidates[0]
    if chosen in trained:
        raise InputError(f"batch_axis {chosen} is an axis of a parameter: it cannot be cut")
    places = {leaf.name: _place(leaf, chosen) for leaf in arrays if chosen in leaf.spec.names()}
    if not places:
        raise InputError(f"batch_axis {chosen} is in none of the data arrays ({shown})")
    return Examples(chosen, places)


def examples_if_needed(signature: Signature, settings: Settings) -> Examples | None:
    """Find the batch axis; a model that has none can still be trained on all data at once."""
    try:
        return find_examples(signature, settings.batch_axis)
    except InputError:
        if settings.needs_examples or settings.batch_axis is not None:
            raise
        return None


def split(count: int, fraction: float, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Return the examples to train on and those held out, both in order, drawn at random.

    >>> kept, held = split(10, 0.2, np.random.default_rng(0))
    >>> len(kept), len(held)
    (8, 2)
    """
    held = max(1, round(count * fraction)) if fraction > 0 else 0
    if held >= count:
        raise InputError(f"{count} examples are too few to hold out {fraction:g} of them")
    order = rng.permutation(count)
    return np.sort(order[held:]), np.sort(order[:held])


def batches(count: int, batch: int, rng: np.random.Generator) -> Iterator[Rows]:
    """Yield all examples once, shuffled, `batch` at a time; the last batch may be smaller."""
    order = rng.permutation(count)
    for start in range(0, count, batch):
        yield order[start : start + batch]


def _place(leaf: Leaf, axis: str) -> int:
    """Return where `axis` stands alone in an array; it must do so exactly once."""
    places = [i for i, dim in enumerate(leaf.spec.dims) if axis in dim.names()]
    if len(places) != 1 or leaf.spec.dims[places[0]].kind != "name":
        raise InputError(
            f"{leaf} cannot be cut into batches along {axis}: it must stand alone and once"
        )
    return places[0]
