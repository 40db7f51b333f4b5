"""Slices of whole numbers: where they start and stop, and how many fit.

In: starts, counts, steps and the size of the axis, as expressions. Out: the two ends of a Python
slice, each None where it is the end of the axis. Printers print these and add nothing of their own.
"""

from __future__ import annotations

from symprop.algebra.build import ONE, ZERO, add, mul, number, sub
from symprop.algebra.canonical import normal, same
from symprop.algebra.expr import Expr
from symprop.algebra.integers import end_of, filled, floordiv, nonnegative, unclipped

Ends = tuple[Expr | None, Expr | None]


def ends(start: Expr, count: Expr, step: int, size: Expr) -> Ends:
    """Start and stop of `count` positions from `start` on, by `step`.

    >>> from symprop.algebra.build import size
    >>> N = size("N")
    >>> [e and e.key for e in ends(ONE, sub(N, ONE), 1, N)] == [ONE.key, None]
    True
    >>> ends(sub(N, ONE), N, -1, N)
    (None, None)
    """
    if step < 0:
        last = last_of(start, count, step)
        from_top = same(normal(add(start, ONE)), size)
        return None if from_top else start, None if last.is_zero else normal(sub(last, ONE))
    if fills(size, start, ONE, step, unclipped(count)):
        return _from(start, size, size)
    stop = end_of(start, count) if step == 1 else normal(add(start, span(count, step)))
    return _from(start, stop, size)


def windows_ends(start: Expr, outer: Expr, step: int, width: Expr, size: Expr) -> Ends:
    """Start and stop of the stretch that `outer` windows of a width cover."""
    if fills(size, start, width, step, outer):
        return _from(start, size, size)
    return _from(start, normal(sub(add(start, span(outer, step), width), ONE)), size)


def place_ends(
    start: Expr, outer: Expr, step: int, inner: Expr, dilation: int, place: Expr, size: Expr
) -> tuple[Expr, Expr]:
    """Start and stop of the positions that one place inside all windows goes to."""
    moved = mul(number(dilation), place)
    if dilation < 0:
        moved = add(moved, mul(number(-dilation), inner), number(dilation))
    width = span(inner, abs(dilation))
    reach = span(outer, step)
    if fills(size, start, width, step, outer):  # the same positions, and fewer sizes to read
        reach = add(sub(size, add(width, start)), ONE)
    first = normal(add(start, moved))
    return first, normal(add(first, reach))


def span(count: Expr, step: int) -> Expr:
    """From the first position to one behind the last of `count` positions."""
    if step > 1 and not filled(count):  # there may be no last position: any end behind it does
        return normal(mul(count, number(step)))
    return normal(add(mul(sub(count, ONE), number(step)), ONE))


def fills(size: Expr, start: Expr, width: Expr, step: int, count: Expr) -> bool:
    """Whether `count` is how many windows fit into an axis from `start` on."""
    places = normal(add(sub(size, add(start, width)), ONE))
    return same(normal(count), normal(floordiv(add(places, number(step - 1)), number(step))))


def last_of(start: Expr, count: Expr, step: int) -> Expr:
    """The last of `count` positions."""
    return normal(add(start, mul(sub(count, ONE), number(step))))


def ends_plainly(start: Expr, count: Expr, step: int) -> bool:
    """Whether the last position of a falling slice is known to be 0, or to be more."""
    last = last_of(start, count, step)
    return filled(count) and (last.is_zero or nonnegative(sub(last, ONE)))


def top_of(size: Expr) -> Expr:
    """The last position of an axis."""
    return normal(sub(size, ONE))


def padded(size: Expr, low: Expr, high: Expr) -> Expr:
    """A size with entries added on both sides."""
    return normal(add(size, low, high))


def _from(start: Expr, stop: Expr, size: Expr) -> Ends:
    return None if same(start, ZERO) else start, None if same(stop, size) else stop
