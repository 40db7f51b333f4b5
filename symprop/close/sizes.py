"""The sets of sizes at which a module is compared with its equations.

In: a System. Out: assignments that its conditions allow: the drawn ones, distinct small numbers;
all as small as can be; each axis in turn as short as can be; distinct primes. A program of many
equations has three of them; one that takes long at these has two, of axes of 2 and of 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from symprop.algebra.expr import Expr, Size, atoms
from symprop.errors import InputError
from symprop.interpret.budget import ALL_AXES, work
from symprop.interpret.draw import draw_sizes
from symprop.interpret.evaluate import extent
from symprop.system import Condition, System

Sizes = dict[str, int]

_PRIMES = (3, 5, 2, 7, 11, 13, 17, 19, 23, 29)
_SMALL = tuple(range(1, 17))
_ATTEMPTS = 3000
_LONGEST = 20_000  # entries of the largest array
_EQUATIONS = 60  # up to so many, all sets are tried
_SETS = 8


def sets_of_sizes(system: System) -> Iterator[Sizes]:
    """Distinct assignments, the most telling ones first."""
    found: list[Sizes] = []
    for sizes in _candidates(system):
        if sizes is not None and sizes not in found:
            found.append(sizes)
            yield sizes
        if len(found) >= (_SETS if len(system.equations) <= _EQUATIONS else 3):
            return


def _candidates(system: System) -> Iterator[Sizes | None]:
    drawn = _drawn(system)
    if drawn is not None and work(system, drawn) > ALL_AXES:
        yield fitting(system, dict.fromkeys(system.sizes, (*_SMALL[1:], 1)))
        yield fitting(system, dict.fromkeys(system.sizes, _SMALL))
        return
    yield drawn
    yield fitting(system, dict.fromkeys(system.sizes, _SMALL))
    if drawn is None:
        return
    rest = {n: (drawn[n], *_SMALL) for n in system.sizes}
    for name in system.sizes:
        yield fitting(system, {**rest, name: _SMALL})
    turned = {n: _PRIMES[k:] + _PRIMES[:k] for k, n in enumerate(reversed(system.sizes))}
    yield fitting(system, {n: (*turned[n], *_SMALL) for n in system.sizes}, apart=True)


def _drawn(system: System) -> Sizes | None:
    try:
        return draw_sizes(system, 0)
    except InputError:
        return None


def fitting(
    system: System, wishes: Mapping[str, Sequence[int]], apart: bool = False
) -> Sizes | None:
    """The first assignment, each size the earliest of its wishes, that the system allows.

    An axis of a computed array may be empty, one of an input not. apart: no size twice, if that
    can be.
    """
    tests: list[tuple[frozenset[str], Expr | Condition, int]] = []
    for array in system.arrays.values():
        least = 1 if array.kind == "input" else 0
        tests += [(_names(s), s, least) for s in array.shape]
    tests += [(_names(c.left) | _names(c.right), c, 0) for c in system.conditions]
    tests += [(_names(r.size), r.size, 1) for r in system.index_ranges]
    for distinct in (True, False) if apart else (False,):
        attempts = iter(range(_ATTEMPTS))
        for chosen in _assignments(list(wishes), wishes, {}, tests, attempts, distinct):
            return chosen
    return None


def _assignments(
    names: Sequence[str], wishes: Mapping[str, Sequence[int]], chosen: Sizes,
    tests: Sequence[tuple[frozenset[str], Expr | Condition, int]], attempts: Iterator[int],
    distinct: bool,
) -> Iterator[Sizes]:
    """Depth first over the names; a test is made as soon as all its names are chosen."""
    if len(chosen) == len(names):
        yield dict(chosen)
        return
    name = names[len(chosen)]
    for candidate in dict.fromkeys(wishes[name]):
        if distinct and candidate in chosen.values():
            continue
        if next(attempts, None) is None:
            return
        chosen[name] = candidate
        due = (t for t in tests if name in t[0] and t[0] <= chosen.keys())
        if all(_holds(test, chosen, least) for _, test, least in due):
            yield from _assignments(names, wishes, chosen, tests, attempts, distinct)
        del chosen[name]


def _names(size: Expr) -> frozenset[str]:
    return frozenset(a.name for a in atoms(size) if isinstance(a, Size))


def _holds(test: Expr | Condition, sizes: Sizes, least: int) -> bool:
    try:
        if isinstance(test, Expr):
            return least <= extent(test, sizes) <= _LONGEST
        left, right = extent(test.left, sizes), extent(test.right, sizes)
    except (InputError, ZeroDivisionError):
        return False
    if test.kind == "divides":
        return right > 0 and left % right == 0
    return left >= right if test.kind == "at_least" else left == right
