"""The positions of a triangle, row by row: np.triu_indices and np.tril_indices of a size.

In: the number of rows and columns, and a diagonal. Out: two integer arrays, rows and columns.

Row r of an upper triangle with M rows begins at r (2 M - r + 1)/2 of its M (M + 1)/2 places, row r
of a lower one at r (r + 1)/2. How many rows begin at or before a place tells its row, and what is
left over its column.
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
from symprop.trace.limits import limited
from symprop.trace.running import current
from symprop.trace.shapes_of import new_axes
from symprop.trace.sizes import size_expr
from symprop.trace.tensor import Traced

Pair = tuple[Traced, Traced]


def triu_indices(n: Any, k: Any = 0, m: Any = None) -> Pair:
    """Rows and columns with column >= row + k."""
    size, edge = _arguments(n, k, m, "triu_indices")
    if edge < 0:
        raise _unsupported("triu_indices", "k of 0 or more")
    count = sub(size, number(edge))
    row, left = _rows(count, lambda r: mul(r, add(mul(number(2), count), sub(ONE, r))))
    return row, _named(row, add(left, row.body, number(edge)), number(edge), sub(size, ONE))


def tril_indices(n: Any, k: Any = 0, m: Any = None) -> Pair:
    """Rows and columns with column <= row + k."""
    size, edge = _arguments(n, k, m, "tril_indices")
    if edge > 0:
        raise _unsupported("tril_indices", "k of 0 or less")
    count = add(size, number(edge))
    inner, left = _rows(count, lambda r: mul(r, add(r, ONE)))
    column = _named(inner, left, ZERO, sub(count, ONE))
    row = _named(inner, add(inner.body, number(-edge)), number(-edge), sub(size, ONE))
    return row if edge else inner, column


def _named(row: Traced, body: Expr, low: Expr, high: Expr) -> Traced:
    """An integer array of its own, whose entries lie between these ends."""
    return limited(named(Traced(row.tracer, row.axes, body, "int"), "place"), low, high)


def _rows(count: Expr, begin: Any) -> tuple[Traced, Expr]:
    """(the row of each place of a triangle of so many rows, its place in that row).

    begin: twice the place at which a row begins.
    """
    current().at_least(count, ZERO)
    double = mul(count, add(count, ONE))
    place, later = new_axes([
        normal(exact_quotient(normal(double), number(2))), current().size_normal(count)])
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
