"""Reading an array: positions become slices where they can, grids of integers where not.

In: an `Access`. Out: a `View` whose axes are the indices of the positions.

    X[n, k]        X            x[t - 1]          x[t - 1]    (t the loop's index)
    x[2 i + 1]     x[1::2]      p[n, y[n]]        p[np.arange(N), y]
"""

from __future__ import annotations

from collections.abc import Callable

from symprop.algebra import indexing
from symprop.algebra.build import idx, mul, number, sub
from symprop.algebra.canonical import normal, same
from symprop.algebra.expr import Access, Expr, Index, free_indices
from symprop.lower.ir import Arange, At, Axes, Grid, Node, Stretch, Subscript, View, Whole

Lower = Callable[[Expr, Axes], Node]


def view(
    item: Access, shape: tuple[Expr, ...], order: Axes, loop: Index | None,
    guarded: frozenset[Index], positions: Lower,
) -> View:
    """The view of an access. guarded: indices that a bracket of the same term restricts."""
    subscripts: list[Subscript] = []
    plain: list[Index | None] = []
    for position, size in zip(item.indices, shape, strict=True):
        subscript, index = _simple(position, size, loop, guarded)
        subscripts.append(subscript or Whole())
        plain.append(index if subscript is not None else None)
        if subscript is None or (index is not None and index in plain[:-1]):
            return _gather(item, shape, order, loop, guarded, positions)
    return View(tuple(i for i in plain if i is not None), item.array, tuple(subscripts))


def _simple(
    position: Expr, size: Expr, loop: Index | None, guarded: frozenset[Index]
) -> tuple[Subscript | None, Index | None]:
    """A subscript without a grid, and the index that it runs over; None if it needs one."""
    indices = free_indices(position) - ({loop} if loop is not None else set())
    if not indices and (position.number is not None or free_indices(position)):
        return At(position), None
    if not indices:
        return At(position), None
    if len(indices) != 1:
        return None, None
    index = next(iter(indices))
    if position.single_index is index and same(index.size, size):
        return Whole(), index
    step = indexing.coefficient(normal(position), index)
    value = step.number if step is not None else None
    if value is None or value.denominator != 1 or value == 0:
        return None, None
    if index in guarded and not indexing.within(position, size):
        return None, None
    start = normal(sub(position, mul(number(value), idx(index))))
    if free_indices(start):
        return None, None
    return Stretch(start, index.size, int(value)), index


def _gather(
    item: Access, shape: tuple[Expr, ...], order: Axes, loop: Index | None,
    guarded: frozenset[Index], positions: Lower,
) -> View:
    """Grids for what needs them, and for all between, so that their axes stay together."""
    simple = [_simple(p, s, loop, guarded) for p, s in zip(item.indices, shape, strict=True)]
    needs = [sub is None for sub, _ in simple]
    gridded = {i for p, need in zip(item.indices, needs, strict=True) if need
               for i in free_indices(p)} - {loop}
    seen: list[Index | None] = [i for _, i in simple]
    for k, (_, index) in enumerate(simple):
        if index is not None and (index in gridded or seen.count(index) > 1):
            needs[k] = True
            gridded.add(index)
        needs[k] = needs[k] or isinstance(simple[k][0], At)
    first, last = needs.index(True), len(needs) - needs[::-1].index(True)
    for k in range(first, last):
        needs[k] = True
        index = simple[k][1]
        if index is not None:
            gridded.add(index)
    grid = tuple(i for i in order if i in gridded)
    subscripts: list[Subscript] = []
    axes: list[Index] = []
    for k, (position, size) in enumerate(zip(item.indices, shape, strict=True)):
        subscript, index = simple[k]
        if needs[k]:
            subscripts.append(_grid(position, size, grid, guarded, positions))
            if k == first:
                axes.extend(grid)
        elif subscript is not None:
            subscripts.append(subscript)
            axes.extend([index] if index is not None else [])
    return View(tuple(axes), item.array, tuple(subscripts), grid)


def _grid(
    position: Expr, size: Expr, grid: Axes, guarded: frozenset[Index], positions: Lower
) -> Grid:
    index = position.single_index
    node = Arange((index,), True) if index in grid and index is not None \
        else positions(position, grid)
    safe = indexing.within(position, size) or not (free_indices(position) & guarded)
    return Grid(node, None if safe else size)


