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

MATRICES = ("symmetric", "positive_definite")


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


def symmetric(name: str) -> Fact:
    """The matrices over the last two axes of `name` are symmetric.

    The gradient by `name` is still that of unrelated entries: each as if it alone moved.

    >>> symmetric("H")
    Fact(kind='symmetric', array='H', args=())
    """
    return Fact("symmetric", check_name(name, "the array of a fact"))


def positive_definite(name: str) -> Fact:
    """The matrices over the last two axes of `name` are symmetric, their eigenvalues positive.

    >>> positive_definite("A")
    Fact(kind='positive_definite', array='A', args=())
    """
    return Fact("positive_definite", check_name(name, "the array of a fact"))


def _check_number(value: object, what: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise FactError(f"{what}: {value!r} is not a number")


def checked_facts(facts: Iterable[Fact], inputs: Mapping[str, Array]) -> tuple[Fact, ...]:
    """The facts with their axes counted from 0. FactError where one fits no declared array."""
    found: list[Fact] = []
    for fact in facts:
        if not isinstance(fact, Fact):
            raise FactError(
                f"facts holds {fact!r}: a fact is made by sums_to_one, positive, in_range, "
                "one_of, symmetric or positive_definite")
        array = inputs.get(fact.array)
        if array is None:
            raise FactError(
                f"the fact {fact.kind} is about {fact.array}, which is no input; the inputs are "
                f"{', '.join(inputs)}")
        if array.dtype == "bool":
            raise FactError(f"the fact {fact.kind} is about {fact.array}, which is boolean")
        if fact.kind in MATRICES:
            _check_square(fact, array)
        found.append(_with_axis(fact, array) if fact.kind == "sums_to_one" else fact)
    return tuple(dict.fromkeys(found))


def _check_square(fact: Fact, array: Array) -> None:
    if len(array.shape) < 2 or array.shape[-1] != array.shape[-2]:
        raise FactError(
            f"{fact.kind}({fact.array!r}): the last two axes of {fact.array} are not declared "
            'equal, as in "N N"')
    if array.dtype != "float":
        raise FactError(f"{fact.kind}({fact.array!r}): {fact.array} does not hold floats")


def _with_axis(fact: Fact, array: Array) -> Fact:
    axis, rank = fact.args[0], len(array.shape)
    if not -rank <= axis < rank:
        raise FactError(f"sums_to_one({fact.array!r}): there is no axis {axis} in {rank} axes")
    return replace(fact, args=(axis % rank,))
