"""The parameters before the first step.

In: a `Signature`, the sizes of all axes, a scheme or ready arrays. Out: arrays by leaf name. How
each parameter is drawn is a `Start`, data that the training loop and the emitter both read.

    glorot   weights uniform in +-sqrt(6 / (fan in + fan out)); biases zero
    he       weights normal with the standard deviation sqrt(2 / fan in); biases zero
    normal   everything normal with the standard deviation 0.05
    zeros    everything zero

Fans are counted as PyTorch does: the first two axes, times the product of all others. The fan in is
the first axis where examples are rows (X @ W) and the second where they are columns (W @ a). What
has at most one axis is a bias; so is `"1 H"` or `"H 1"` with its 1 in the place of the examples.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symprop.check.domains import Domain
from symprop.errors import InputError, ShapeError
from symprop.shapes import Dim
from symprop.train.batches import Examples
from symprop.train.data import Arrays, load_arrays
from symprop.train.signature import Leaf, Signature

Array = NDArray[Any]
Init = str | Path | Mapping[str, Any]
SCHEMES = ("glorot", "he", "normal", "zeros")
NORMAL = 0.05
ONE = Dim("number", value=1)


@dataclass(frozen=True)
class Start:
    """How one parameter is drawn.

    `kind` is zeros; normal with the deviation `low`; uniform between `low` and `high`; glorot or
    he, whose scale follows from `fan`.
    """

    kind: str
    low: float = 0.0
    high: float = 0.0
    fan: Dim = ONE


def starts(signature: Signature, scheme: str, examples: Examples | None) -> dict[str, Start]:
    """Say for each parameter, and what stays fixed, how it is drawn under one of `SCHEMES`."""
    drawn = (*signature.parameters, *signature.fixed)
    return {leaf.name: _start(leaf, signature, scheme, examples) for leaf in drawn}


def weights(signature: Signature, examples: Examples | None) -> tuple[str, ...]:
    """Return the names of the parameters that are no biases: those that an L2 penalty concerns."""
    return tuple(
        leaf.name for leaf in signature.parameters if not _is_bias(leaf, signature, examples)
    )


def draw(start: Start, shape: tuple[int, ...], fan: int, rng: np.random.Generator) -> Array:
    """Draw one parameter in float64; `fan` is `start.fan` in numbers."""
    if start.kind == "glorot":
        bound = np.sqrt(6 / fan)
        return rng.uniform(-bound, bound, shape)
    if start.kind == "he":
        return rng.normal(0.0, np.sqrt(2 / fan), shape)
    if start.kind == "normal":
        return rng.normal(0.0, start.low, shape)
    if start.kind == "uniform":
        return rng.uniform(start.low, start.high, shape)
    return np.zeros(shape)


def draw_all(
    signature: Signature,
    plan: Mapping[str, Start],
    given: Mapping[str, Array],
    sizes: Mapping[str, int],
    rng: np.random.Generator,
) -> Arrays:
    """Return all parameters, and what stays fixed: those in `given`, the others drawn in order."""
    return {
        leaf.name: given[leaf.name]
        if leaf.name in given
        else draw(
            plan[leaf.name],
            shape_of(leaf, sizes),
            evaluated(plan[leaf.name].fan, leaf, sizes),
            rng,
        )
        for leaf in (*signature.parameters, *signature.fixed)
    }


def read_init(signature: Signature, init: Init) -> tuple[str, Arrays]:
    """Return the scheme, and the arrays that are given ready.

    A mapping may hold some of the parameters, the others are drawn; a file holds all of them. What
    stays fixed may be among them, and is drawn if it is not.
    """
    if isinstance(init, str) and init in SCHEMES:
        return init, {}
    if isinstance(init, str) and not init.endswith(".npz"):
        raise InputError(f"init {init!r} is neither {', '.join(SCHEMES)} nor an .npz file")
    whole = isinstance(init, str | Path)
    leaves = load_arrays(init) if isinstance(init, str | Path) else signature.flattened(init)
    known = [leaf.name for leaf in signature.parameters]
    fixed = [leaf.name for leaf in signature.fixed]
    for name in leaves:
        if name not in (*known, *fixed):
            raise InputError(f"init holds {name}; the parameters are {', '.join(known)}")
    missing = [name for name in known if name not in leaves]
    if whole and missing:
        raise InputError(f"{init} lacks {', '.join(missing)}")
    return SCHEMES[0], {name: _checked(name, value) for name, value in leaves.items()}


def shape_of(leaf: Leaf, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """Return the shape of a parameter; InputError names the size that is not known."""
    return tuple(evaluated(dim, leaf, sizes) for dim in leaf.spec.dims)


def evaluated(dim: Dim, leaf: Leaf, sizes: Mapping[str, int]) -> int:
    """Return the size of an axis of a parameter; InputError names what is missing."""
    missing = [name for name in dim.names() if name not in sizes]
    if missing:
        name = missing[0]
        raise InputError(
            f"the size of {name} ({leaf}) is not in the data: choose it with"
            f' sizes={{"{name}": 64}} or --size {name}=64'
        )
    try:
        return dim.evaluate(sizes)
    except ShapeError as error:
        raise InputError(f"{leaf.name} cannot be drawn: {error}; give it as init") from None


def _start(leaf: Leaf, signature: Signature, scheme: str, examples: Examples | None) -> Start:
    span = _range(leaf.domain)
    if span is not None:
        return Start("uniform", *span)
    if leaf.fixed and (scheme == "zeros" or len(leaf.spec.dims) < 2):  # zeros would carry nothing
        scheme = "glorot"
    if scheme == "normal":
        return Start("normal", NORMAL)
    if scheme == "zeros" or (_is_bias(leaf, signature, examples) and not leaf.fixed):
        return Start("zeros")
    first, second, *others = (*leaf.spec.dims, ONE, ONE)[: max(2, len(leaf.spec.dims))]
    columns = examples is not None and _column(examples, signature) == 1
    fan_in = second if columns or others else first
    fan = fan_in if scheme == "he" else Dim("+", args=(first, second))
    for dim in others:
        fan = Dim("*", args=(fan, dim))
    return Start(scheme, fan=fan)


def _is_bias(leaf: Leaf, signature: Signature, examples: Examples | None) -> bool:
    """A vector or scalar; or a matrix whose 1 meets the examples, unless features number 1 too."""
    if len(leaf.spec.dims) < 2:
        return True
    column = _column(examples, signature) if examples is not None else None
    ones = [i for i, dim in enumerate(leaf.spec.dims) if _is_one(dim)]
    single = any(_is_one(dim) for given in signature.data for dim in given.spec.dims)
    return len(leaf.spec.dims) == 2 and ones == [column] and not single


def _column(examples: Examples, signature: Signature) -> int | None:
    """Return where the examples stand in all matrices of the data: 0, 1, or None."""
    places = {
        examples.places[leaf.name]
        for leaf in signature.data
        if leaf.name in examples.places and len(leaf.spec.dims) == 2
    }
    return places.pop() if len(places) == 1 else None


def _is_one(dim: Dim) -> bool:
    return dim.kind == "number" and dim.value == 1


def _range(domain: Domain) -> tuple[float, float] | None:
    """Return where a parameter with a declared domain starts; None: anywhere."""
    low = max(domain.low, 0.0) if domain.positive else domain.low
    if math.isinf(low) and math.isinf(domain.high):
        return None
    if math.isinf(low):
        return domain.high - 1.5, domain.high - 0.5
    return (low + 0.5, low + 1.5) if math.isinf(domain.high) else (low, domain.high)


def _checked(name: str, value: Any) -> Array:
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise InputError(f"init holds {name} as {array.dtype}, not as real numbers")
    if not np.isfinite(array).all():
        raise InputError(f"init holds numbers in {name} that are not finite")
    return array
