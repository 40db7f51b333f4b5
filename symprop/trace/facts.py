"""What may be assumed of an input.

In: names and numbers. Out: `Fact`s, to be given to `trace`, which checks them against the
declared arrays. A step of a derivation that leans on a fact names it; the generated module
tests it at its door.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

from symprop.errors import FactError
from symprop.names import check_name
from symprop.system import Array, Fact


def sums_to_one(name: str, axis: int = -1) -> Fact:
    """The entries of `name` along `axis` sum to 1: one-hot labels, or a distribution.

    >>> sums_to_one("Y", axis=1)
    Fact(kind='sums_to_one', array='Y', args=(1,))
    """
    if isinstance(axis, bool) or not isinstance(axis, int):
        raise FactError(f"sums_to_one({name!r}): axis must be an integer, not {axis!r}")
    return Fact("sums_to_one", check_name(name, "the array of a fact"), (axis,))


def positive(name: str) -> Fact:
    """Every entry of `name` is greater than 0.

    >>> positive("s")
    Fact(kind='positive', array='s', args=())
    """
    return Fact("positive", check_name(name, "the array of a fact"))


def in_range(name: str, low: float, high: float) -> Fact:
    """Every entry lies between `low` and `high`, ends included.

    >>> in_range("t", 0, 1)
    Fact(kind='in_range', array='t', args=(0, 1))
    """
    for end in (low, high):
        _check_number(end, f"in_range({name!r})")
    if low > high:
        raise FactError(f"in_range({name!r}): {low} is greater than {high}")
    return Fact("in_range", check_name(name, "the array of a fact"), (low, high))


def one_of(name: str, *values: float) -> Fact:
    """Every entry is one of `values`.

    >>> one_of("y", -1, 1)
    Fact(kind='one_of', array='y', args=(-1, 1))
    """
    if not values:
        raise FactError(f"one_of({name!r}) needs at least one value")
    for value in values:
        _check_number(value, f"one_of({name!r})")
    return Fact("one_of", check_name(name, "the array of a fact"), tuple(values))


def _check_number(value: object, what: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise FactError(f"{what}: {value!r} is not a number")


def checked_facts(facts: Iterable[Fact], inputs: Mapping[str, Array]) -> tuple[Fact, ...]:
    """The facts with their axes counted from 0. FactError where one fits no declared array."""
    found: list[Fact] = []
    for fact in facts:
        if not isinstance(fact, Fact):
            raise FactError(
                f"facts holds {fact!r}: a fact is made by sums_to_one, positive, in_range or "
                "one_of")
        array = inputs.get(fact.array)
        if array is None:
            raise FactError(
                f"the fact {fact.kind} is about {fact.array}, which is no input; the inputs are "
                f"{', '.join(inputs)}")
        if array.dtype == "bool":
            raise FactError(f"the fact {fact.kind} is about {fact.array}, which is boolean")
        found.append(_with_axis(fact, array) if fact.kind == "sums_to_one" else fact)
    return tuple(dict.fromkeys(found))


def _with_axis(fact: Fact, array: Array) -> Fact:
    axis, rank = fact.args[0], len(array.shape)
    if not -rank <= axis < rank:
        raise FactError(f"sums_to_one({fact.array!r}): there is no axis {axis} in {rank} axes")
    return replace(fact, args=(axis % rank,))
