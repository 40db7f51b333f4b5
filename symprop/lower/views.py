"""Reading an array: positions become slices where they can, grids of integers where not.

In: an `Access`. Out: a `View` whose axes are the indices of the positions.

    X[n, k]        X            x[t - 1]          x[t - 1]    (t the loop's index)
    x[2 i + 1]     x[1::2]      p[n, y[n]]        p[np.arange(N), y]
    x[2 i + p]     the windows of x, every other one
    x[E i + e]     x.reshape(I, E)            x[E i + e], e < E/2     x.reshape(I, E)[:, :E // 2]
    x[d // E, d % E]   x.reshape(D)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from symprop.algebra import integers
from symprop.algebra.build import ONE, ZERO, add, idx, mul, number, sub
from symprop.algebra.canonical import normal, same
from symprop.algebra.expr import Access, Expr, Index, Size, accesses, free_indices
from symprop.algebra.integers import filled, within
from symprop.algebra.integers_slices import ends_plainly
from symprop.lower.axes import closed, opened
from symprop.lower.digits import Cut, Labels, digit, joint, merged
from symprop.lower.ir import (
    Arange,
    At,
    Axes,
    Grid,
    Node,
    Pads,
    Part,
    Stretch,
    Subscript,
    View,
    Whole,
    Window,
)
from symprop.lower.padding import Padded, shape_of

Lower = Callable[[Expr, Axes], Node]
Inside = Callable[[Expr, Expr], bool]


@dataclass(frozen=True)
class Reader:
    """What is known where an array is read.

    guarded: indices that a bracket of the same term restricts; positions: lowers a position
    to a grid; labels: indices of axes that are cut or joined; filled: whether an axis is known
    to have an entry; inside: whether a position is known to lie in an axis.
    """

    loop: Index | None
    guarded: frozenset[Index]
    positions: Lower
    labels: Labels
    filled: Callable[[Expr], bool] = filled
    inside: Inside = within


def view(item: Access, shape: tuple[Expr, ...], order: Axes, reader: Reader,
         dtype: str = "float") -> Node:
    """An access as a view of the array, reshaped where axes are cut or joined."""
    full = shape_of(item, shape)
    at = [normal(p) for p in item.indices]
    joints: list[Cut] = []
    for axis, position in enumerate(at):
        found = joint(position, reader.labels)
        alone = found is not None and not any(
            free_indices(p) & frozenset(found[0].parts) for p in (*at[:axis], *at[axis + 1:]))
        if found is not None and alone and reader.loop not in found[0].parts and (
            not reader.guarded.intersection(found[0].parts) or within(position, full[axis])
        ):
            joints.append(found[0])
            at[axis] = normal(add(idx(found[0].whole), found[1]))
    at, full = _split(at, full, reader)
    merges: list[Cut] = []
    for index, axes in merged(at, full).items():
        if index is reader.loop or index in reader.guarded:
            continue
        parts = []
        for axis in axes:
            found_digit = digit(at[axis])
            assert found_digit is not None
            key = (index, found_digit.stride, found_digit.count)
            part = index if len(axes) == 1 else reader.labels.setdefault(
                key, Index(index.letter, found_digit.count))
            at[axis] = normal(add(idx(part), found_digit.start))
            parts.append(part)
        merges.append(Cut(index, tuple(parts)))
    inner = (*order, *(c.whole for c in joints), *(p for c in merges for p in c.parts))
    node = _plain(item, at, full, inner, reader, dtype)
    for cut in merges:
        node = closed(node, cut)
    for cut in joints:
        node = opened(node, cut)
    return node


def _split(
    at: Sequence[Expr], full: Sequence[Expr], reader: Reader
) -> tuple[list[Expr], tuple[Expr, ...]]:
    """Axes that would need a grid, as two where the position is s high + low with low < s."""
    done: list[tuple[Expr, Expr]] = []
    todo = list(zip(at, full, strict=True))
    while todo:
        position, size = todo.pop(0)
        parts = _high_and_low(position, size)
        if parts is None or subscript(position, size, reader.loop, reader.inside) is not None:
            done.append((position, size))
        else:
            todo[:0] = parts
    return [p for p, _ in done], tuple(s for _, s in done)


def _high_and_low(position: Expr, size: Expr) -> list[tuple[Expr, Expr]] | None:
    """The two digits of a position, and the sizes of their axes."""
    for index in sorted(free_indices(position), key=lambda i: i.uid):
        step = integers.coefficient(position, index)
        if step is None or step.number in (0, 1, -1) or not integers.exact(size, step):
            continue
        high = normal(integers.quotient(position, step))
        low = normal(sub(position, mul(step, high)))
        count = normal(integers.quotient(size, step))
        if within(low, step) and within(high, count):
            return [(high, count), (low, step)]
    return None


def _plain(item: Access, at: Sequence[Expr], full: tuple[Expr, ...], order: Axes,
           reader: Reader, dtype: str) -> Node:
    """A view of an array without reshaping."""
    pads = item.pads if isinstance(item, Padded) else ()
    shape = tuple(full) if len(full) > len(item.indices) else ()
    found = [_readable(subscript(p, s, reader.loop, reader.inside), reader)
             for p, s in zip(at, full, strict=True)]
    used = [i for s in found for i in (axes_of(s[0], s[1]) if s else ())]
    if any(s is None for s in found) or len(set(used)) != len(used):
        axes, subscripts, grid = _gather(at, full, order, reader)
        if not shape:
            subscripts, pads = _never_empty(subscripts, full, pads, reader)
        return View(axes, item.array, subscripts, grid, dtype, pads, shape)
    known = [s for s in found if s is not None]
    outer = [i for s, i in known if i is not None]
    inner = [s.inner for s, _ in known if isinstance(s, Window)]
    return View((*outer, *inner), item.array, tuple(s for s, _ in known), (), dtype, pads, shape)


def _readable(
    found: tuple[Subscript, Index | None] | None, reader: Reader
) -> tuple[Subscript, Index | None] | None:
    """The subscript; None for windows of which there may be none: the axis may be shorter then."""
    if found is None or not isinstance(found[0], Window):
        return found
    return found if reader.filled(found[0].outer.size) else None


def _never_empty(
    subscripts: tuple[Subscript, ...], full: Sequence[Expr], pads: Pads, reader: Reader
) -> tuple[tuple[Subscript, ...], Pads]:
    """One zero behind each axis that may be empty and is read at clipped positions."""
    empty = [isinstance(s, Grid) and s.size is not None and not reader.filled(s.size)
             for s in subscripts]
    if not any(empty):
        return subscripts, pads
    around = pads or tuple((ZERO, ZERO) for _ in full)
    return (tuple(replace(s, size=normal(add(s.size, ONE)))
                  if e and isinstance(s, Grid) and s.size is not None else s
                  for s, e in zip(subscripts, empty, strict=True)),
            tuple((low, normal(add(high, ONE))) if e else (low, high)
                  for (low, high), e in zip(around, empty, strict=True)))


def axes_of(item: Subscript, index: Index | None) -> Axes:
    """The indices that a subscript without a grid uses."""
    if isinstance(item, Window):
        return (item.outer, item.inner)
    return () if index is None else (index,)


def subscript(
    position: Expr, size: Expr, loop: Index | None, inside: Inside
) -> tuple[Subscript, Index | None] | None:
    """A subscript without a grid, and the index along the axis; None if it needs a grid.

    A slice or a window that could begin before the axis or end behind it is not built.
    """
    indices = free_indices(position) - ({loop} if loop is not None else set())
    if not indices:  # y[t] in a position is not a number that can be printed as one
        plain = not any(a.indices for a in accesses(position))
        return (At(position), None) if plain else None
    if not inside(position, size):
        return None
    steps: dict[Index, int] = {}
    start = position
    for index in sorted(indices, key=lambda i: i.uid):
        step = integers.coefficient(position, index)
        value = step.number if step is not None else None
        if value is None or value.denominator != 1 or value == 0:
            return None
        steps[index] = int(value)
        start = normal(sub(start, mul(number(value), idx(index))))
    if free_indices(start) - {loop}:
        return None
    if len(steps) == 2:
        window = _window(start, steps)
        return None if window is None else (window, window.outer)
    if len(steps) != 1:
        return None
    index, by = next(iter(steps.items()))
    if by == 1 and start.is_zero and same(index.size, size):
        return Whole(), index
    if by < 0 and not ends_plainly(start, index.size, by):
        return None
    return Stretch(start, index.size, by), index


def _window(start: Expr, steps: dict[Index, int]) -> Window | None:
    """Two axes of one: the shorter one, as far as that can be told, is the window."""
    order = sorted(steps, key=lambda i: _width(i.size))
    inner, outer = order if steps[order[1]] > 0 else order[::-1]
    if steps[outer] < 0 or any(isinstance(i, Part) and not filled(i.size) for i in order):
        return None
    dilation = steps[inner]
    if dilation < 0:
        start = normal(add(start, mul(number(dilation), sub(inner.size, ONE))))
    return Window(start, outer, steps[outer], inner, dilation)


def _width(size: Expr) -> tuple[int, int]:
    """Numbers first, then the size of one name, then what is calculated from it."""
    if size.number is not None:
        return 0, int(size.number)
    return (1, 0) if isinstance(size.single_atom, Size) else (2, len(size.terms))


def _gather(
    at: Sequence[Expr], shape: Sequence[Expr], order: Axes, reader: Reader,
) -> tuple[Axes, tuple[Subscript, ...], Axes]:
    """Grids for what needs them, and for all between, so that their axes stay together."""
    simple = [subscript(p, s, reader.loop, reader.inside) for p, s in zip(at, shape, strict=True)]
    simple = [None if s is not None and isinstance(s[0], Window) else s for s in simple]
    needs = [s is None or isinstance(s[0], At) for s in simple]
    gridded = {i for p, s in zip(at, simple, strict=True) if s is None
               for i in free_indices(p)} - {reader.loop}
    growing = True
    while growing:  # an index of a grid is one wherever it stands
        seen = [s[1] for s in simple if s is not None]
        growing = False
        for k, found in enumerate(simple):
            index = found[1] if found is not None else None
            if index is not None and not needs[k] and (
                index in gridded or seen.count(index) > 1
            ):
                needs[k] = growing = True
                gridded.add(index)
        first, last = needs.index(True), len(needs) - needs[::-1].index(True)
        for k in range(first, last):
            found = simple[k]
            if not needs[k] and found is not None and found[1] is not None:
                gridded.add(found[1])
                growing = True
            needs[k] = True
    grid = tuple(i for i in order if i in gridded)
    subscripts: list[Subscript] = []
    axes: list[Index] = []
    for k, (position, size) in enumerate(zip(at, shape, strict=True)):
        if k == first:
            axes.extend(grid)
        found = simple[k]
        if needs[k] or found is None:
            subscripts.append(grid_at(position, size, grid, reader.inside, reader.positions))
        else:
            subscripts.append(found[0])
            axes.extend([found[1]] if found[1] is not None else [])
    return tuple(axes), tuple(subscripts), grid


def grid_at(
    position: Expr, size: Expr, grid: Axes, inside: Inside, positions: Lower
) -> Grid:
    """An array of positions, clipped where they are not known to lie in the axis."""
    index = position.single_index
    node = Arange((index,), True) if index in grid and index is not None \
        else positions(position, grid)
    return Grid(node, None if inside(position, size) else size)
