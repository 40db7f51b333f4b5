"""The sizes at which a function and its equations are compared.

In: a System. Out: assignments of sizes that its conditions allow: distinct primes, all ones, also
where computed axes are empty then, one axis shorter than any width in the program (each axis in
turn). An axis declared as a number keeps it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from symprop.algebra.expr import Expr
from symprop.errors import InputError
from symprop.interpret.draw import draw_sizes, holds, size_tests
from symprop.system import Condition, System

Sizes = dict[str, int]
Test = tuple[frozenset[str], Expr | Condition]

_PRIMES = (5, 7, 3, 11, 13, 2, 17, 19, 23)
_OTHERS = (4, 6, 8, 12, 1, 9, 10, 16)
_ATTEMPTS = 400
_IN_TURN = 3  # axes that are made short one by one; of more, the first and the last
LENGTHS = (11, *range(1, 9), 10, 14, 103)  # of an axis that a loop runs over
_LONGEST = 5_000  # an axis, merged ones such as R*S included


def sets_of_sizes(system: System) -> list[Sizes]:
    """All sets, without doubles; none where no small sizes meet the conditions."""
    tests = size_tests(system)
    found: list[Sizes] = []
    for sizes in _candidates(system, tests):
        if sizes is not None and sizes not in found:
            found.append(sizes)
    if not found:
        with suppress(InputError):
            found.append(draw_sizes(system, 0))
    return found


def loop_sizes(system: System) -> list[Sizes]:
    """Sets in which an axis that a loop runs over has a length that no trace has seen.

    The longest first: what has been traced at a few lengths must hold at that one.
    """
    tests = size_tests(system)
    longer = {n: _rotated(k) for k, n in enumerate(system.sizes)}
    found = (_fitting(system.sizes, tests, {**longer, name: (length,)})
             for name in system.loops for length in LENGTHS)
    return [sizes for sizes in found if sizes is not None]


def _candidates(system: System, tests: Sequence[Test]) -> Iterator[Sizes | None]:
    names = system.sizes
    yield _fitting(names, tests, {n: _rotated(k) for k, n in enumerate(names)})
    yield _fitting(names, tests, dict.fromkeys(names, (1,)))
    yield _fitting(names, _of_inputs(system, tests), dict.fromkeys(names, (1,)))
    short = max(min(_widths(system), default=3) - 1, 1)
    chosen = names if len(names) <= _IN_TURN else (names[0], names[-1])
    for name in chosen:
        longer = {n: _rotated(k) for k, n in enumerate(names)}
        yield _fitting(names, tests, {**longer, name: tuple(dict.fromkeys((short, 2, 1)))})


def _of_inputs(system: System, tests: Sequence[Test]) -> list[Test]:
    """The tests without those that an axis of a computed array has entries: N - 1 at N = 1."""
    axes = [s for a in system.arrays.values() if a.kind == "input" for s in a.shape]
    axes += [r.size for r in system.index_ranges]
    own = {s.key for s in axes}
    return [(names, t) for names, t in tests if isinstance(t, Condition) or t.key in own]


def _widths(system: System) -> Iterator[int]:
    """The lengths from 2 on that the program gives to axes as numbers."""
    for array in system.arrays.values():
        for size in array.shape:
            if size.number is not None and size.number >= 2:
                yield int(size.number)


def _rotated(turn: int) -> tuple[int, ...]:
    """Primes in an order of their own for each axis, then other sizes."""
    turn %= len(_PRIMES)
    return (*_PRIMES[turn:], *_PRIMES[:turn], *_OTHERS)


def _fitting(
    names: Sequence[str], tests: Sequence[Test], wanted: Mapping[str, Sequence[int]]
) -> Sizes | None:
    """The first assignment of the wanted sizes that meets all tests; None if there is none."""
    order = sorted(names, key=lambda n: len(wanted[n]))  # the least free choose first
    return next(_assignments(order, {}, tests, wanted, iter(range(_ATTEMPTS))), None)


def _assignments(
    names: Sequence[str], chosen: Sizes, tests: Sequence[Test],
    wanted: Mapping[str, Sequence[int]], attempts: Iterator[int],
) -> Iterator[Sizes]:
    if not names:
        if all(holds(test, chosen, _LONGEST) for needs, test in tests if not needs):
            yield dict(chosen)
        return
    for candidate in wanted[names[0]]:
        if next(attempts, None) is None:
            return
        grown = {**chosen, names[0]: candidate}
        due = (t for needs, t in tests if names[0] in needs and needs <= grown.keys())
        if all(holds(t, grown, _LONGEST) for t in due):
            yield from _assignments(names[1:], grown, tests, wanted, attempts)
