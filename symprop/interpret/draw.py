"""Small random tensors from the declared domains of a system's inputs.

In: a System and a seed. Out: sizes, as small and as different as the conditions allow, and a
value for every input: continuous where the domain is, so that no kink is met.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from symprop.algebra.expr import Expr, Extremum, Index, Paren, Size, atoms
from symprop.errors import InputError
from symprop.interpret.evaluate import evaluate, extent
from symprop.system import Array, Condition, Fact, IndexRange, System

_LARGEST = 16
# The longest axis that is wanted, merged axes such as R*S included, and the attempts at it.
_LONGEST = ((16, 500), (64, 500), (None, 20_000))


def draw(
    system: System, seed: int, sizes: Mapping[str, int] | None = None, positive: bool = False
) -> tuple[dict[str, int], dict[str, np.ndarray[Any, Any]]]:
    """Sizes and inputs. `positive` keeps unrestricted inputs in 0.5 ... 1.5.

    Raises InputError when no small sizes meet the conditions.
    """
    chosen = dict(sizes) if sizes is not None else draw_sizes(system, seed)
    generator = np.random.default_rng(seed)
    inputs = {
        array.name: _draw_array(system, array, chosen, generator, positive)
        for array in system.arrays.values()
        if array.kind == "input" and array.name not in system.held
    }
    return chosen, inputs | held_inputs(system)


def held_inputs(system: System) -> dict[str, np.ndarray[Any, Any]]:
    """The inputs whose numbers are known, in the types that are calculated with."""
    kinds = {"float": float, "int": int, "bool": bool}
    return {n: values.astype(kinds[system.arrays[n].dtype]) for n, values in system.held.items()}


def draw_sizes(system: System, seed: int) -> dict[str, int]:
    """The first assignment of small sizes, different where that can be, that all tests allow."""
    divided = {n for c in system.conditions if c.kind == "divides" for n in size_names(c.left)}
    names = sorted(system.sizes, key=lambda n: n not in divided)  # the least free choose first
    tests = size_tests(system)
    for longest, attempts in _LONGEST:
        for chosen in _assignments(names, 0, {}, tests, seed, iter(range(attempts)), longest):
            return chosen
    raise InputError(f"{system.name}: no sizes up to {_LARGEST} meet the conditions")


def size_tests(system: System) -> list[tuple[frozenset[str], Expr | Condition]]:
    """What sizes must meet, each with the names that it is about: axes and conditions."""
    shapes = [n for a in system.arrays.values() for n in a.shape]
    shapes += [b.size for e in system.equations for b in _bound(e.rhs)]
    tests: list[tuple[frozenset[str], Expr | Condition]] = [
        (size_names(s), s) for s in {s.key: s for s in shapes}.values()]
    tests += [(size_names(c.left) | size_names(c.right), c) for c in system.conditions]
    return tests + [(size_names(r.size), r.size) for r in system.index_ranges]


def _assignments(
    names: Sequence[str], k: int, chosen: dict[str, int],
    tests: Sequence[tuple[frozenset[str], Expr | Condition]], seed: int, attempts: Iterator[int],
    longest: int | None,
) -> Iterator[dict[str, int]]:
    """Depth first over the names; a test is made as soon as all its names are chosen."""
    if k == len(names):
        yield dict(chosen)
        return
    for candidate in _candidates(chosen, len(names), seed + k, longest is None):
        if next(attempts, None) is None:
            return
        chosen[names[k]] = candidate
        due = (t for needs, t in tests if names[k] in needs and needs <= chosen.keys())
        if all(holds(t, chosen, longest) for t in due):
            yield from _assignments(names, k + 1, chosen, tests, seed, attempts, longest)
        del chosen[names[k]]


def _candidates(chosen: Mapping[str, int], count: int, seed: int, again: bool) -> list[int]:
    """Small sizes not yet in use, in an order that the seed turns; then larger, then used ones.

    2 comes late: two numbers, normalised, are 1 and -1 whatever they were, and tie everywhere.
    """
    used = set(chosen.values())
    small = [n for n in range(3, count + 4) if n not in used]
    turn = seed % len(small)
    large = [n for n in (2, *range(count + 4, _LARGEST + 1)) if n not in used]
    return [*small[turn:], *small[:turn], *large, *([*sorted(used), 1] if again else [])]


def _bound(expr: Expr) -> Iterator[Index]:
    """The indices of sums and extrema: a test on none of them would be empty."""
    yield from (b for t in expr.terms for b in t.bound)
    for item in atoms(expr):
        if isinstance(item, Extremum):
            yield from item.bound
        elif isinstance(item, Paren):
            yield from (b for t in item.body.terms for b in t.bound)


def size_names(size: Expr) -> frozenset[str]:
    """The named axes that a size is made of."""
    return frozenset(a.name for a in atoms(size) if isinstance(a, Size))


def holds(test: Expr | Condition, sizes: Mapping[str, int], longest: int | None) -> bool:
    """Whether an axis is neither empty nor too long, or a condition on sizes is met."""
    try:
        if isinstance(test, Expr):
            return 1 <= extent(test, sizes) <= (longest or sys.maxsize)
        left, right = extent(test.left, sizes), extent(test.right, sizes)
    except InputError:
        return False
    if test.kind == "divides":
        return right > 0 and left % right == 0
    return left >= right if test.kind == "at_least" else left == right


def _draw_array(
    system: System, array: Array, sizes: Mapping[str, int],
    generator: np.random.Generator, positive: bool,
) -> np.ndarray[Any, Any]:
    shape = [extent(s, sizes) for s in array.shape]
    facts = {f.kind: f for f in system.facts if f.array == array.name}
    if array.dtype == "bool":
        return np.asarray(generator.integers(0, 2, shape).astype(bool))
    if "one_of" in facts:
        kind = int if array.dtype == "int" else float
        return np.asarray(generator.choice(np.array(facts["one_of"].args, kind), shape))
    if array.dtype == "int":
        return _draw_integers(system, array, sizes, shape, facts, generator)
    drawn = _draw_floats(shape, facts, generator, positive)
    return _matrices(drawn, facts)


def _draw_integers(
    system: System, array: Array, sizes: Mapping[str, int], shape: list[int],
    facts: Mapping[str, Fact], generator: np.random.Generator,
) -> np.ndarray[Any, Any]:
    """Positions within every axis they are used on; else small numbers."""
    ranges = [r for r in system.index_ranges if r.array == array.name]
    drawn = _positions([r for r in ranges if not r.at], sizes, shape, facts, generator)
    for at in dict.fromkeys(r.at for r in ranges if r.at):
        place = tuple(slice(None) if n is None else n for n in at)
        drawn[place] = _positions([r for r in ranges if r.at in ((), at)], sizes,
                                  list(drawn[place].shape), facts, generator)
    return drawn


def _positions(
    ranges: Sequence[IndexRange], sizes: Mapping[str, int], shape: list[int],
    facts: Mapping[str, Fact], generator: np.random.Generator,
) -> np.ndarray[Any, Any]:
    """Positions of which all of this is said."""
    tops = [extent(r.size, sizes) for r in ranges]
    starts = [-1 if r.start is None else _value(r.start, sizes) for r in ranges]
    low, high = max([1 if "positive" in facts else min(starts, default=0), *starts]), min(
        tops, default=4)
    if "in_range" in facts:
        first, last = facts["in_range"].args
        low = max(low, int(first))
        high = min(int(last) + 1, high) if tops else int(last) + 1
    drawn = np.asarray(generator.integers(low, max(high, low + 1), shape))
    for ignored in (r.ignored for r in ranges):
        if ignored is not None:
            drawn = np.where(generator.integers(0, 4, shape) == 0, ignored, drawn)
    return drawn


def _matrices(drawn: np.ndarray[Any, Any], facts: Mapping[str, Fact]) -> np.ndarray[Any, Any]:
    """Symmetric matrices over the last two axes, and positive definite ones, where facts say so."""
    if "positive_definite" in facts:
        return definite(drawn)
    if "symmetric" in facts:
        return np.asarray((drawn + np.swapaxes(drawn, -1, -2)) / 2)
    return drawn


def definite(drawn: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A positive definite matrix made of any square one."""
    product = drawn @ np.swapaxes(drawn, -1, -2) / drawn.shape[-1]
    return np.asarray(product + 0.5 * np.eye(drawn.shape[-1]))


def _value(expr: Expr, sizes: Mapping[str, int]) -> int:
    """The value of a sum of sizes, which may be negative."""
    return int(evaluate(expr, {}, sizes))


def _draw_floats(
    shape: list[int], facts: Mapping[str, Fact], generator: np.random.Generator, positive: bool
) -> np.ndarray[Any, Any]:
    """Inside the range, away from its ends; a distribution along an axis that sums to one."""
    low, high = (0.5, 1.5) if positive or "positive" in facts else (-1.5, 1.5)
    if "sums_to_one" in facts:
        low, high = 0.2, 1.2
    if "in_range" in facts:
        first, last = (float(v) for v in facts["in_range"].args)
        if not np.isfinite(first):
            first = min(last - 3.0, -1.5)
        if not np.isfinite(last):
            last = max(first + 3.0, 1.5)
        if "positive" in facts:
            first = max(first, 0.0)
        margin = 0.05 * (last - first)
        low, high = first + margin, last - margin
    drawn = generator.uniform(low, high, shape)
    if "sums_to_one" in facts:
        drawn = drawn / drawn.sum(axis=facts["sums_to_one"].args[0], keepdims=True)
    return np.asarray(drawn)
