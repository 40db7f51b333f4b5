"""Chooses small sizes for named axes, so that every declared shape comes out whole.

In: the axes that must fit and the sizes already known. Out: a size for every name, distinct primes
where possible, so that a forgotten transpose cannot hide.
"""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from symprop.errors import InputError, ShapeError
from symprop.shapes import ArraySpec, Dim

PRIMES = (5, 3, 7, 2, 11, 13, 17, 19, 23, 29, 31, 37)
OTHERS = (4, 6, 8, 12, 9, 10, 14, 15, 16, 18, 20, 21, 22, 24)
LARGE = (67, 64, 66, 72)
MOST_AXES = 6
MOST_DRAWS = 10
MOST_STEPS = 20_000


def choose_sizes(dims: Iterable[Dim], known: Mapping[str, int], attempt: int = 0) -> dict[str, int]:
    """Return sizes for every name in `dims`; another `attempt` gives other sizes.

    InputError if no small sizes make all the axes whole and positive.

    >>> from symprop.shapes import parse_dim
    >>> choose_sizes([parse_dim("N"), parse_dim("D//2")], {})
    {'N': 5, 'D': 4}
    """
    wanted = [dim for dim in dims if dim.kind not in ("_", "number")]
    names = dict.fromkeys(name for dim in wanted for name in dim.names())
    sizes = {name: known[name] for name in names if name in known}
    for group in _groups(names, wanted):
        free = [name for name in group if name not in sizes]
        limits = [dim for dim in wanted if set(dim.names()) & set(group)]
        candidates = _candidates(sizes.values(), attempt)
        for least in (2, 1):  # an axis of size 1 would hide a broadcast
            search = _Search(limits, least)
            found = next(search.solutions(free, sizes, candidates), None)
            if found is not None:
                break
        else:
            raise InputError(_no_sizes(limits, sizes))
        sizes = found
    return {name: sizes[name] for name in names}


def other_sizes(names: Sequence[str], seed: int) -> list[list[dict[str, int]]]:
    """Return sizes to compare at beside the usual ones, each with others to try if they do not fit.

    All names drawn from the seed; all 1; one after the other 1, and large. Of more names than
    `MOST_AXES` the seed chooses those.

    >>> other_sizes(["N"], 0)[1:]
    [[{'N': 1}], [{'N': 67}, {'N': 64}, {'N': 66}, {'N': 72}]]
    """
    rng = random.Random(seed)
    small, count = range(2, max(13, len(names) + 2)), len(names)
    draws = (rng.sample(small, count) for _ in range(MOST_DRAWS))
    drawn = [dict(zip(names, sizes, strict=True)) for sizes in draws]
    some = list(names)
    if len(some) > MOST_AXES:
        some = sorted(rng.sample(some, MOST_AXES), key=some.index)
    ones = [[{name: 1}] for name in some] if len(names) > 1 else []
    large = [[{name: size} for size in LARGE] for name in some]
    return [drawn, [dict.fromkeys(names, 1)], *ones, *large]


def named_axes(array: str, spec: ArraySpec) -> ArraySpec:
    """Give every unnamed axis of an array a name of its own, one that no user can write.

    >>> named_axes("x", ArraySpec("float", (Dim("_"),)))
    ArraySpec(dtype='float', dims=(Dim('x__0'),))
    """
    dims = tuple(
        Dim("name", name=f"{array}__{position}") if dim.kind == "_" else dim
        for position, dim in enumerate(spec.dims)
    )
    return replace(spec, dims=dims)


def _candidates(used: Iterable[int], attempt: int) -> list[int]:
    """List the sizes to try: primes first, later attempts in other orders."""
    order = [*PRIMES, *OTHERS]
    if attempt:
        small = sorted(order)[: (len(order), 8, 12, 8)[attempt % 4]]  # large ones are slow
        random.Random(attempt).shuffle(small)
        order = small + [size for size in order if size not in small]
    taken = set(used)
    return [size for size in order if size not in taken]


def _groups(names: Iterable[str], dims: Sequence[Dim]) -> list[list[str]]:
    """Split the names into groups that share no axis, each in order of appearance."""
    group = {name: [name] for name in names}
    for dim in dims:
        first, *others = dim.names() or ("",)
        for other in others:
            if group[first] is not group[other]:
                group[first].extend(group[other])
                for name in group[other]:
                    group[name] = group[first]
    return list({id(members): members for members in group.values()}.values())


@dataclass
class _Search:
    """Assigns one name after the other, going back where an axis does not come out whole."""

    limits: Sequence[Dim]
    least: int
    steps: int = 0

    def solutions(
        self, free: Sequence[str], sizes: Mapping[str, int], candidates: Sequence[int]
    ) -> Iterator[dict[str, int]]:
        self.steps += 1
        if self.steps > MOST_STEPS or not all(self._fits(dim, sizes) for dim in self.limits):
            return
        if not free:
            yield dict(sizes)
            return
        for size in candidates:
            rest = [other for other in candidates if other != size]
            yield from self.solutions(free[1:], {**sizes, free[0]: size}, rest)

    def _fits(self, dim: Dim, sizes: Mapping[str, int]) -> bool:
        """Say whether the axis is whole and large enough, as far as its sizes are known."""
        if any(name not in sizes for name in dim.names()):
            return True
        try:
            return dim.evaluate(sizes) >= min(self.least, *(sizes[n] for n in dim.names()))
        except ShapeError:
            return False


def _no_sizes(limits: Iterable[Dim], sizes: Mapping[str, int]) -> str:
    axes = ", ".join(dict.fromkeys(str(dim) for dim in limits))
    given = ", ".join(f"{name} = {size}" for name, size in sizes.items())
    where = f" with {given}" if given else ""
    return f"no small sizes fit the axes {axes}{where}; give them, as in sizes={{'N': 4}}"
