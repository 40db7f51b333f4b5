"""Draws inputs from their declared domains.

In: the shapes of the leaves of all arguments, the declared facts, sizes and a random generator.
Out: one array for each leaf: normal numbers where nothing is declared; a distribution along an
axis, positive numbers, numbers of a range or a set, positions on an axis where a fact says so.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symprop.errors import FactError, ShapeError
from symprop.shapes import ArraySpec, Dim, parse_dim

Array = NDArray[Any]
KINDS = ("sums_to_one", "positive", "in_range", "one_of", "index", "symmetric",
         "positive_definite")


@dataclass(frozen=True)
class Domain:
    """Where the values of one leaf lie; what is None is not restricted."""

    sums_to_one: int | None = None
    positive: bool = False
    low: float = -math.inf
    high: float = math.inf
    values: tuple[float, ...] | None = None
    index: tuple["Positions", ...] = ()
    symmetric: bool = False  # in the last two axes
    definite: bool = False  # symmetric with positive eigenvalues


@dataclass(frozen=True)
class Positions:
    """Entries that are positions below `end`, from `start` on; `at`: (None, 2) is column 2."""

    end: Dim
    start: Dim
    at: tuple[int | None, ...] = ()


def read_facts(facts: Iterable[object], specs: Mapping[str, ArraySpec]) -> dict[str, Domain]:
    """Return the domain of every leaf; FactError names a fact that cannot be read.

    A fact is a tuple such as `("positive", "s")`, or an object with kind, array and args.

    >>> read_facts([("in_range", "t", 0, 1)], {"t": ArraySpec("float", ())})["t"].high
    1.0
    """
    domains: dict[str, dict[str, Any]] = {name: {} for name in specs}
    for fact in facts:
        kind, name, args = _parts(fact)
        if name not in specs:
            raise FactError(f"the fact {kind} is declared of {name!r}, which is not an argument")
        try:
            for field, value in _restriction(kind, args, specs[name]).items():
                several = domains[name].get(field, ()) if field == "index" else ()
                domains[name][field] = (*several, *value) if field == "index" else value
        except (TypeError, ValueError, ShapeError) as error:
            raise FactError(f"the fact {fact!r} is not readable: {error}") from None
    return {name: Domain(**restrictions) for name, restrictions in domains.items()}


def draw(spec: ArraySpec, domain: Domain, sizes: Mapping[str, int], rng: Any) -> Array:
    """Draw one array of the shape `spec` (every axis known in `sizes`) from its domain.

    >>> draw(ArraySpec("int", ()), Domain(low=3, high=3), {}, np.random.default_rng(0))
    array(3)
    """
    shape = tuple(dim.evaluate(sizes) for dim in spec.dims)
    if domain.values is not None:
        drawn = rng.choice(np.array(domain.values), size=shape)
    elif domain.sums_to_one is not None:
        drawn = _distribution(shape, domain.sums_to_one, spec.dtype, rng)
    elif spec.dtype == "bool":
        drawn = rng.integers(0, 2, size=shape)
    elif spec.dtype == "int":
        drawn = _integers(shape, domain, sizes, rng)
    else:
        drawn = _matrices(_reals(shape, domain, rng), domain)
    kinds = {"float": np.float64, "int": np.int64, "bool": np.bool_}
    return np.asarray(drawn).astype(kinds[spec.dtype])


def _parts(fact: object) -> tuple[str, str, tuple[Any, ...]]:
    """Take a fact apart into its kind, the name of its array, and the rest."""
    if isinstance(fact, tuple | list) and len(fact) >= 2:
        kind, name, args = fact[0], fact[1], tuple(fact[2:])
    else:
        kind, name = getattr(fact, "kind", None), getattr(fact, "array", None)
        args = tuple(getattr(fact, "args", ()))
    if kind not in KINDS or not isinstance(name, str):
        raise FactError(f"{fact!r} is not a fact; facts are {', '.join(KINDS)}")
    return str(kind), name, args


def _restriction(kind: str, args: tuple[Any, ...], spec: ArraySpec) -> dict[str, Any]:
    """Translate one fact into fields of a Domain."""
    if kind == "positive":
        return {"positive": True}
    if kind in ("symmetric", "positive_definite"):
        if len(spec.dims) < 2 or spec.dims[-1] != spec.dims[-2]:
            raise ValueError("its last two axes are not declared equal")
        return {"symmetric": True, "definite": kind == "positive_definite"}
    if kind == "one_of":
        values = args[0] if len(args) == 1 and isinstance(args[0], tuple | list) else args
        if not values:
            raise ValueError("it allows no value")
        return {"values": tuple(float(value) for value in values)}
    if kind == "in_range":
        low, high = (float(arg) for arg in args)
        if not low <= high:
            raise ValueError("the range is empty")
        return {"low": low, "high": high}
    if kind == "index":
        end, start = (parse_dim(str(arg)) for arg in (*args, 0)[:2])
        at = args[2] if len(args) > 2 else ()
        return {"index": (Positions(end, start, at),)}
    (arg,) = args
    if not -len(spec.dims) <= int(arg) < len(spec.dims):
        raise ValueError(f"there is no axis {arg}")
    return {"sums_to_one": int(arg) % len(spec.dims)}


def _distribution(shape: tuple[int, ...], axis: int, dtype: str, rng: Any) -> Array:
    """Draw positive numbers that sum to one along `axis`; integers are drawn one-hot."""
    weights = np.exp(rng.normal(size=shape))
    if dtype != "float":
        return np.asarray(weights == weights.max(axis=axis, keepdims=True))
    return np.asarray(weights / weights.sum(axis=axis, keepdims=True))


def integer_range(domain: Domain) -> tuple[int, int]:
    """Return the least and the largest integer of a domain without an index fact.

    0 and 1 where nothing is declared: they are legal almost anywhere.
    """
    low, high = 0, 1
    if math.isfinite(domain.low) or math.isfinite(domain.high):
        low = math.ceil(domain.low) if math.isfinite(domain.low) else math.floor(domain.high) - 3
        high = math.floor(domain.high) if math.isfinite(domain.high) else low + 3
    if domain.positive:
        low, high = max(low, 1), high if math.isfinite(domain.high) else max(high, 3)
    if high < low:
        raise FactError(f"there is no integer between {low} and {high}")
    return low, high


def real_range(domain: Domain) -> tuple[float, float] | None:
    """Return a range inside a domain, away from its ends; None if all numbers are allowed."""
    low = max(domain.low, 0.0) if domain.positive else domain.low
    high = domain.high
    if math.isinf(low) and math.isinf(high):
        return None
    if math.isinf(low):
        return high - 2.0, high - 0.5
    if math.isinf(high):
        return low + 0.5, low + 2.0
    return low + 0.05 * (high - low), high - 0.05 * (high - low)


def _integers(shape: tuple[int, ...], domain: Domain, sizes: Mapping[str, int], rng: Any) -> Array:
    """Draw positions on an axis or integers of a range."""
    if domain.index:
        starts, ends = zip(*(
            (max(p.start.value_at(sizes) for p in told),
             min(p.end.evaluate(sizes) for p in told))
            for told in columns(shape, domain)), strict=True)
        if len(ends) == 1:
            return np.asarray(rng.integers(starts[0], ends[0], size=shape))
        wide = [-1 if k == column_axis(domain) else 1 for k in range(len(shape))]
        return np.asarray(rng.integers(
            np.reshape(starts, wide), np.reshape(ends, wide), size=shape))
    low, high = integer_range(domain)
    return np.asarray(rng.integers(low, high + 1, size=shape))


def column_axis(domain: Domain) -> int | None:
    """The axis whose entries point into axes of their own, where it is one and the same."""
    fixed = {tuple(k for k, n in enumerate(p.at) if n is not None) for p in domain.index if p.at}
    return next(iter(fixed))[0] if len(fixed) == 1 and len(min(fixed)) == 1 else None


def columns(shape: Sequence[object], domain: Domain) -> list[list[Positions]]:
    """What is said of each column in turn, or of all entries together."""
    axis = column_axis(domain)
    length = None if axis is None else shape[axis]
    if not isinstance(length, int):
        return [[*domain.index]]
    told = [[p for p in domain.index if not p.at or p.at[axis or 0] in (k, k - length)]
            for k in range(length)]
    return [t or [*domain.index] for t in told]


def _reals(shape: tuple[int, ...], domain: Domain, rng: Any) -> Array:
    """Draw real numbers of a range, or normal ones."""
    ends = real_range(domain)
    if ends is None:
        return np.asarray(rng.normal(size=shape))
    return np.asarray(rng.uniform(*ends, size=shape))


def _matrices(drawn: Array, domain: Domain) -> Array:
    """Make the matrices over the last two axes what the domain says."""
    if domain.definite:
        product = drawn @ np.swapaxes(drawn, -1, -2) / drawn.shape[-1]
        return np.asarray(product + 0.5 * np.eye(drawn.shape[-1]))
    return np.asarray((drawn + np.swapaxes(drawn, -1, -2)) / 2) if domain.symmetric else drawn
