"""The positions of a triangle, row by row: np.triu_indices and np.tril_indices of a size.

In: the number of rows and columns, and a diagonal. Out: two integer arrays, rows and columns.

Row r of an upper triangle of M columns begins at place r (2 M - r + 1)/2, row r of a lower one at
r (r + 1)/2. How many rows begin at or before a place tells its row, and what is left over its
column. Rows that a diagonal leaves whole stand before the upper triangle, or behind the lower one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symprop.algebra.build import ONE, ZERO, add, idx, iverson, mul, number, sub, sum_over
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Expr
from symprop.algebra.integers import exact_quotient, floordiv
from symprop.errors import UnsupportedError
from symprop.trace.context import located
from symprop.trace.elementwise import defined, named
from symprop.trace.joining import concatenate
from symprop.trace.limits import limited
from symprop.trace.running import current
from symprop.trace.shapes_of import new_axes
from symprop.trace.sizes import size_expr
from symprop.trace.tensor import Traced

Pair = tuple[Traced, Traced]


def triu_indices(n: Any, k: Any = 0, m: Any = None) -> Pair:
    """Rows and columns with column >= row + k."""
    size, edge = _arguments(n, k, m, "triu_indices")
    cut = sub(size, number(abs(edge)))
    width = cut if edge > 0 else size  # of the first row that is shorter than the one before
    row, left = _rows(cut, lambda r: mul(r, add(mul(number(2), width), sub(ONE, r))))
    if edge >= 0:
        return row, _named(row, add(left, row.body, number(edge)), number(edge), sub(size, ONE))
    column = _named(row, add(left, row.body), ZERO, sub(size, ONE))
    row = _named(row, add(row.body, number(-edge)), number(-edge), sub(size, ONE))
    return _joined(size, _full_rows(size, number(-edge), ZERO), (row, column))


def tril_indices(n: Any, k: Any = 0, m: Any = None) -> Pair:
    """Rows and columns with column <= row + k."""
    size, edge = _arguments(n, k, m, "tril_indices")
    cut = sub(size, number(abs(edge)))
    more = number(1 + 2 * max(edge, 0))
    row, left = _rows(cut, lambda r: mul(r, add(r, more)))
    if edge > 0:
        column = _named(row, left, ZERO, sub(size, ONE))
        return _joined(size, (row, column), _full_rows(size, number(edge), cut))
    column = _named(row, left, ZERO, sub(cut, ONE))
    if edge < 0:
        row = _named(row, add(row.body, number(-edge)), number(-edge), sub(size, ONE))
    return row, column


def _full_rows(size: Expr, count: Expr, first: Expr) -> Pair:
    """All places of so many rows, from the first one on."""
    (place,) = new_axes([normal(mul(count, size))])
    at = floordiv(idx(place), size)
    whole = Traced(current(), (place,), at, "int")
    return (_named(whole, add(first, at), first, sub(add(first, count), ONE)),
            _named(whole, sub(idx(place), mul(size, at)), ZERO, sub(size, ONE)))


def _joined(size: Expr, before: Pair, after: Pair) -> Pair:
    """Rows and columns, one part behind the other."""
    rows, columns = (
        limited(named(concatenate([a, b]), "place"), ZERO, sub(size, ONE))
        for a, b in zip(before, after, strict=True))
    return rows, columns


def _named(row: Traced, body: Expr, low: Expr, high: Expr) -> Traced:
    """An integer array of its own, whose entries lie between these ends."""
    return limited(named(Traced(row.tracer, row.axes, body, "int"), "place"), low, high)


def _rows(count: Expr, begin: Any) -> tuple[Traced, Expr]:
    """(the row of each place of so many rows, its place in that row).

    begin: twice the place at which a row begins; that of row `count` is how many places there are.
    """
    current().at_least(count, ZERO)
    place, later = new_axes([
        normal(exact_quotient(normal(begin(count)), number(2))), current().size_normal(count)])
    started = iverson("<=", normal(begin(idx(later))), mul(number(2), idx(place)))
    rows = defined(sub(sum_over(started, [later]), ONE), (place,), "int", "rows")
    row = limited(rows, ZERO, sub(count, ONE))
    at = row.at([idx(i) for i in row.axes])
    return row, sub(idx(row.axes[0]), floordiv(begin(at), number(2)))


def _arguments(n: Any, k: Any, m: Any, what: str) -> tuple[Expr, int]:
    size = size_expr(n)
    if size is None or not isinstance(k, int | np.integer):
        raise _unsupported(what, "the size of an axis and a whole k")
    if m is not None and m != n:
        raise _unsupported(what, "as many columns as rows")
    return size, int(k)


def _unsupported(what: str, of: str) -> Exception:
    return located(UnsupportedError, (
        f"np.{what} of a size is traced with {of}: use np.triu(x), np.tril(x) or a mask such as "
        "np.arange(N)[:, None] <= np.arange(N)"))
