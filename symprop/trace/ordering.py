"""Places and orders: argmax, argsort, and what is read at such places.

In: traced arrays. Out: integer arrays, which are piecewise constant, and entries picked by them.

    argmax[n] = min_k {k where x[n,k] = max_j x[n,j], K elsewhere}          the first largest
    rank[n,k] = Σ_j [x[n,j] < x[n,k]] + [x[n,j] = x[n,k]] [j < k]           how many come before
    sort[n,r] = Σ_k x[n,k] [rank[n,k] = r]
    argsort[n,r] = Σ_k k [rank[n,k] = r]                                    stable

Counting compares every pair along the axis: time and memory grow with the square of its size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from symprop.algebra.build import ONE, ZERO, add, idx, iverson, mul, number, sub, sum_over
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Expr
from symprop.algebra.integers import floordiv, mod
from symprop.errors import InputError, UnsupportedError
from symprop.trace.arithmetic import add as add_arrays
from symprop.trace.arithmetic import multiply
from symprop.trace.booleans import choice
from symprop.trace.coerce import as_traced
from symprop.trace.context import located
from symprop.trace.elementwise import atomic, defined, named
from symprop.trace.joining import stack
from symprop.trace.limits import limited
from symprop.trace.reductions import max_, min_, reduced, shaped
from symprop.trace.registry import function, method
from symprop.trace.shapes_of import axis_tuple, new_axes, normal_axis, positions
from symprop.trace.shaping import ravel
from symprop.trace.tensor import Traced
from symprop.trace.views import moveaxis


def _entries(a: Any) -> Traced:
    """The array with single accesses as entries, to be compared often."""
    array = as_traced(a)
    return atomic(array) if array.kind != "bool" else named(
        Traced(array.tracer, array.axes, array.body, "int"))


def _below(array: Traced, size: Expr) -> Traced:
    """The integer array, its values known to be at least 0 and less than `size`."""
    return limited(array, ZERO, sub(size, ONE))


# ---- argmax and argmin --------------------------------------------------------------------


def _place(name: str, best: Any) -> Any:
    def apply(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Traced:
        _no_out(name, out)
        array = _entries(a)
        flat = ravel(array) if axis is None else array
        place = normal_axis(0 if axis is None else axis, flat.ndim, name)
        size = flat.sizes[place]
        top = best(flat, axis=place, keepdims=True)

        def entry(axes: Sequence[Any]) -> Expr:
            at = positions(axes)
            on = iverson("==", flat.at(at), top.aligned(axes))
            return choice(on, idx(axes[place]), size)

        found = _below(reduced("min", flat, place, entry, "int", name), size)
        if axis is None:
            return shaped(found, array, range(array.ndim), keepdims)
        return shaped(found, flat, (place,), keepdims)

    apply.__doc__ = f"The first place of the {name[3:]}imum: an integer, whose derivative is 0."
    return apply


argmax = method("argmax")(function("argmax")(_place("argmax", max_)))
argmin = method("argmin")(function("argmin")(_place("argmin", min_)))


def _no_out(name: str, out: Any) -> None:
    if out is not None:
        raise located(UnsupportedError, f"np.{name} is traced without out=")


# ---- orders -------------------------------------------------------------------------------


def _rank(array: Traced, place: int) -> Traced:
    """How many entries along an axis come before each one; equal ones come as they stand."""
    axes = new_axes(array.sizes)
    (other,) = new_axes([axes[place].size])
    mine = positions(axes)
    theirs = [idx(other) if k == place else p for k, p in enumerate(mine)]
    earlier = iverson("<", idx(other), idx(axes[place]))
    before = choice(earlier, iverson("<=", array.at(theirs), array.at(mine)),
                    iverson("<", array.at(theirs), array.at(mine)))
    return defined(sum_over(before, [other]), axes, "int", "rank")


def _by_rank(
    array: Traced, rank: Traced, place: int, value: Callable[[Sequence[Expr]], Expr], kind: str,
    op: str,
) -> Traced:
    """For every r, the value at the entry whose rank along an axis is r."""
    axes = new_axes(array.sizes)
    (source,) = new_axes([axes[place].size])
    at = positions(axes)
    at[place] = idx(source)
    on = iverson("==", rank.at(at), idx(axes[place]))
    return defined(sum_over(mul(on, value(at)), [source]), axes, kind, op)


def _ranked(a: Any, axis: Any, what: str) -> tuple[Traced, Traced, int]:
    """(array, the ranks of its entries, axis), flattened where axis is None."""
    array = _entries(a)
    if axis is None:
        array, axis = ravel(array), 0
    place = normal_axis(axis, array.ndim, what)
    return array, _rank(array, place), place


def _plain(what: str, options: dict[str, Any]) -> None:
    for key, value in options.items():
        if value is not None and value is not False:
            raise located(UnsupportedError, f"np.{what} is traced without {key}=")


@function("argsort")
@method("argsort")
def argsort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *,
            stable: Any = None) -> Traced:
    """The places of the entries in ascending order, equal ones as they stand."""
    _plain("argsort", {"order": order})
    array, rank, place = _ranked(a, axis, "argsort")
    found = _by_rank(array, rank, place, lambda at: at[place], "int", "order")
    return _below(found, array.sizes[place])


@function("sort")
def sort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *,
         stable: Any = None) -> Traced:
    """The entries in ascending order; the gradient goes back to where each one came from."""
    _plain("sort", {"order": order})
    array, rank, place = _ranked(a, axis, "sort")
    return _by_rank(array, rank, place, array.at, array.kind, "sort")


@function("partition")
def partition(a: Any, kth: Any, axis: Any = -1, kind: Any = None, order: Any = None) -> Traced:
    """A full sort: its k-th entry is where np.partition puts it."""
    _plain("partition", {"order": order})
    return sort(a, axis)


@function("argpartition")
@method("argpartition")
def argpartition(a: Any, kth: Any, axis: Any = -1, kind: Any = None, order: Any = None) -> Traced:
    """The order of a full sort."""
    _plain("argpartition", {"order": order})
    return argsort(a, axis)


@function("searchsorted")
@method("searchsorted")
def searchsorted(a: Any, v: Any, side: Any = "left", sorter: Any = None) -> Traced:
    """How many entries of the ascending vector a are less than v (right: not greater)."""
    _plain("searchsorted", {"sorter": sorter})
    table, value = _entries(a), _entries(v)
    axes = new_axes(value.sizes)
    (k,) = new_axes(table.sizes)
    relation = "<" if side == "left" else "<="
    entry = iverson(relation, table.at([idx(k)]), value.at(positions(axes)))
    found = defined(sum_over(entry, [k]), axes, "int", "searchsorted")
    return _below(found, add(k.size, ONE))


# ---- quantiles ----------------------------------------------------------------------------


@function("median")
def median(a: Any, axis: Any = None, out: Any = None, overwrite_input: Any = False,
           keepdims: Any = False) -> Traced:
    """The middle entry, or the mean of the middle two."""
    _plain("median", {"out": out})
    return _quantile(a, Fraction(1, 2), axis, keepdims, "median")


def _quantiles(name: str, scale: int) -> Any:
    def apply(a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: Any = False,
              method: Any = "linear", keepdims: Any = False, *, weights: Any = None,
              interpolation: Any = None) -> Traced:
        _plain(name, {"out": out, "weights": weights, "interpolation": interpolation})
        if method != "linear":
            raise located(UnsupportedError, f"np.{name} is traced with the method 'linear'")
        given = q.tolist() if hasattr(q, "tolist") and not isinstance(q, Traced) else q
        if isinstance(given, list | tuple):
            return stack([_quantile(a, _level(p, scale, name), axis, keepdims, name)
                          for p in given])
        return _quantile(a, _level(given, scale, name), axis, keepdims, name)

    apply.__doc__ = f"The {name} for a plain number q, linear between two entries."
    return apply


quantile = function("quantile")(_quantiles("quantile", 1))
percentile = function("percentile")(_quantiles("percentile", 100))


def _level(q: Any, scale: int, name: str) -> Fraction:
    if isinstance(q, bool) or not isinstance(q, int | float):
        raise located(UnsupportedError, f"np.{name} is traced for plain numbers q")
    level = Fraction(repr(q)) / scale
    if not 0 <= level <= 1:
        raise located(InputError, f"np.{name}: q = {q} is outside its range")
    return level


def _quantile(a: Any, level: Fraction, axis: Any, keepdims: Any, what: str) -> Traced:
    """The entry at (size - 1) * level of the sorted ones, linear between two places."""
    array = _entries(a)
    axes = axis_tuple(axis, array.ndim, what)
    rest = [k for k in range(array.ndim) if k not in axes]
    moved = moveaxis(array, axes, tuple(range(len(rest), array.ndim)))
    flat = _merged(moved, len(rest))
    rank = _rank(flat, len(rest))
    last = normal(sub(flat.sizes[-1], ONE))
    top, bottom = level.numerator, number(level.denominator)
    steps = normal(mul(number(top), last))
    low = floordiv(steps, bottom)
    left = mod(steps, bottom)  # over the denominator: how far it is to the next place
    first = _at(flat, rank, low)
    if left.is_zero:
        return shaped(first, array, axes, keepdims)
    high = floordiv(normal(add(steps, sub(bottom, ONE))), bottom)  # rounded up: never outside
    share = mul(number(Fraction(1, level.denominator)), left)
    far = Traced(flat.tracer, (), share, "float")
    near = Traced(flat.tracer, (), sub(ONE, share), "float")
    second = _at(flat, rank, high)
    mixed = add_arrays(multiply(near, first), multiply(far, second))
    return shaped(mixed, array, axes, keepdims)


def _merged(array: Traced, keep: int) -> Traced:
    """The axes from number `keep` on as one."""
    if array.ndim == keep + 1:
        return array
    return array.reshape((*array.shape[:keep], -1))  # type: ignore[no-any-return]


def _at(array: Traced, ranks: Traced, rank: Expr) -> Traced:
    """The entry that has a rank along the last axis."""
    axes = new_axes(array.sizes)
    at = positions(axes)
    entry = mul(iverson("==", ranks.at(at), rank), array.at(at))
    return defined(sum_over(entry, axes[-1:]), axes[:-1], "float", "quantile")
