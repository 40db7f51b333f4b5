"""The value of an expression on a grid of index values.

In: an `Expr`, arrays, sizes, the free indices. Out: an array with one axis for each free
index. Bound indices are further axes, summed at the end of their term.

A bracket is a strong zero: where it is false nothing else of its term counts, neither an
infinity nor a read out of range. An unguarded read out of range raises.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from symprop.algebra.expansion import DET
from symprop.algebra.expr import (
    UNIT,
    Access,
    Apply,
    Atom,
    Expr,
    Extremum,
    Idx,
    Index,
    Iverson,
    Paren,
    Partial,
    Size,
    Term,
)
from symprop.errors import IndexRangeError, InputError, UnsupportedError
from symprop.interpret.determinant import bound, determinant
from symprop.interpret.functions import value
from symprop.interpret.grid import (
    Frame,
    Positions,
    Value,
    both,
    contracted,
    full,
    integral,
    lifted,
    product,
    summed,
    view,
    whole,
)

Arrays = Mapping[str, "np.ndarray[Any, Any]"]
Partials = Callable[[str, str], "np.ndarray[Any, Any]"]

EQUAL = 1e-9  # floats this close, relatively, count as equal in a bracket
_LARGE = 20_000  # grid points from which a term is contracted factor by factor
_COMPARE = {"==": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal}
_LARGEST_INT = 2**62  # what NumPy computes with as integers
_LARGEST_FLOAT = sys.float_info.max


def evaluate(
    expr: Expr, arrays: Arrays, sizes: Mapping[str, int], indices: Sequence[Index] = (),
    partials: Partials | None = None,
) -> np.ndarray[Any, Any]:
    """The values of `expr` for all values of `indices`, in their order.

    partials: gives, for the names of two arrays, the array of all derivatives of the first
    by the second (axes of the first, then of the second). Raises IndexRangeError for a read
    out of range that no bracket of its term forbids, InputError for an unknown name.

    >>> from symprop.algebra.build import access, idx, size, sum_over
    >>> n = Index("n", size("N"))
    >>> float(evaluate(sum_over(access("x", [idx(n)]), [n]), {"x": np.arange(4.0)}, {"N": 4}))
    6.0
    """
    return Evaluator(arrays, sizes, partials).value(expr, indices)


def magnitude(
    expr: Expr, arrays: Arrays, sizes: Mapping[str, int], indices: Sequence[Index] = (),
    rough: Arrays | None = None, at: Positions | None = None,
) -> np.ndarray[Any, Any]:
    """The same sum with every product made positive: what rounding errors are measured by.

    rough: takes the place of an array's entries where they are factors, for arrays that are
    themselves what a cancellation has left. at: as in `Evaluator.value`.
    """
    return Magnitude(arrays, sizes, rough or {}).value(expr, indices, at)


def extent(size: Expr, sizes: Mapping[str, int]) -> int:
    """The value of a size. Raises InputError for one that is negative or no integer."""
    atom = size.single_atom
    if isinstance(atom, Size) and atom.name in sizes:
        return int(sizes[atom.name])
    found = float(Evaluator({}, sizes).expr(size, Frame(), None))
    nearest = round(found)
    if nearest < 0 or abs(found - nearest) > 1e-9 * nearest:
        raise InputError(f"an axis cannot have the size {found:g}")
    return nearest


class Evaluator:
    """Evaluates expressions over one set of arrays, which may grow between calls.

    In its methods `live` is where a value counts (None: everywhere).
    """

    equal = EQUAL

    def __init__(
        self, arrays: Arrays, sizes: Mapping[str, int], partials: Partials | None = None
    ) -> None:
        self.arrays, self.sizes, self.partials = arrays, sizes, partials
        self.extents: dict[str, int] = {}

    def value(
        self, expr: Expr, indices: Sequence[Index] = (),
        at: Positions | None = None,
    ) -> np.ndarray[Any, Any]:
        """As `evaluate`; `at` has the rising values of an index, where not all are wanted."""
        frame = Frame([(i, self.extent(i.size)) for i in indices], at)
        with np.errstate(all="ignore"):
            found = self.expr(expr, frame, None)
        return np.array(found if np.shape(found) == frame.shape
                        else np.broadcast_to(found, frame.shape))

    def extent(self, size: Expr) -> int:
        """The value of a size."""
        found = self.extents.get(size.key)
        if found is None:
            found = self.extents[size.key] = extent(size, self.sizes)
        return found

    def expr(self, expr: Expr, frame: Frame, live: Value) -> Value:
        """The sum of the terms."""
        single = expr.single_index
        if single is not None:
            return frame.arange(single)
        total: Value = 0
        for term in expr.terms:
            total = total + self.term(term, frame, live)
        return total

    def term(self, term: Term, frame: Frame, live: Value) -> Value:
        """One product on the grid of free and bound indices, then summed."""
        outer = len(frame.shape)
        if term.bound:
            frame = frame.extended([(b, self.extent(b.size)) for b in term.bound])
            live = lifted(live, len(term.bound))
        if term.bound and math.prod(frame.shape) > _LARGE:
            found = self._factor_by_factor(term, frame, live, outer)
            if found is not None:
                return found
        own, parts = self._brackets(term, frame, live)
        if own is not None and not np.any(own):
            return 0
        reach = both(live, own)
        values = [self.power(item, exponent, frame, reach)
                  for item, exponent in term.factors if not isinstance(item, Iverson)]
        if term.coef is not UNIT or not values:
            values.insert(0, self.coefficient(term.coef))
        if term.bound and math.prod(frame.shape) > _LARGE:
            found = contracted(values, parts, frame, outer)
            if found is not None:
                return found
        found = product(values)
        if own is not None:
            found = np.where(own, found, 0)
        return summed(found, frame, outer)

    def _factor_by_factor(self, term: Term, frame: Frame, live: Value, outer: int) -> Value:
        """A large term as a contraction in which each bracket is one more factor, 0 or 1.

        None where a bracket is needed as a guard: against a read out of range, or an infinity.
        """
        values, brackets = [self.coefficient(term.coef)], []
        try:
            for item, exponent in term.factors:
                if isinstance(item, Iverson):
                    brackets.append(np.asarray(self.bracket(item, frame, live)))
                else:
                    values.append(self.power(item, exponent, frame, live))
        except IndexRangeError:
            return None
        return contracted(values, brackets, frame, outer)

    def _brackets(
        self, term: Term, frame: Frame, live: Value
    ) -> tuple[Value, list[np.ndarray[Any, Any]]]:
        """Where all brackets of a term hold, and where each does.

        Those on positions come first: they guard the others. One that reads out of range waits
        until the others hold, for they may guard it: [x[j - y[n]] < 0] [0 <= j - y[n]].
        """
        left = [a for a, _ in term.factors if isinstance(a, Iverson)]
        if len(left) > 1:
            left.sort(key=lambda a: any(c.arrays for c in a.children))
        own: Value = None
        parts: list[np.ndarray[Any, Any]] = []
        waited = 0
        while left:
            bracket = left.pop(0)
            try:
                part = np.asarray(self.bracket(bracket, frame, both(live, own)))
            except IndexRangeError:
                waited += 1
                if waited > len(left):
                    raise
                left.append(bracket)
                continue
            parts.append(part)
            own, waited = both(own, part), 0
        return own, parts

    def coefficient(self, coef: Fraction) -> Value:
        """A whole coefficient stays an int: positions are made of them."""
        whole = coef.denominator == 1 and -_LARGEST_INT < coef.numerator < _LARGEST_INT
        if whole:
            return coef.numerator
        return float(coef) if abs(coef) <= _LARGEST_FLOAT else math.copysign(math.inf, coef)

    def power(self, item: Atom, exponent: int | Fraction, frame: Frame, live: Value) -> Value:
        """A factor with its exponent."""
        base = self.atom(item, frame, live)
        if exponent == 1:
            return base
        if isinstance(exponent, int) and exponent > 0:
            return base**exponent
        if isinstance(exponent, int):
            return np.divide(1.0, base**-exponent)
        if abs(exponent) == Fraction(1, 2):
            root = np.sqrt(base * 1.0)
            return root if exponent > 0 else np.divide(1.0, root)
        return np.power(base * 1.0, float(exponent))

    def atom(self, item: Atom, frame: Frame, live: Value) -> Value:
        """One factor."""
        if isinstance(item, Access):
            return self.entry(item, frame, live)
        if isinstance(item, Idx):
            return frame.arange(item.index)
        if isinstance(item, Size):
            if item.name not in self.sizes:
                raise InputError(f"the size {item.name} is not known")
            return int(self.sizes[item.name])
        if isinstance(item, Paren):
            return self.expr(item.body, frame, live)
        if isinstance(item, Extremum):
            return self.extremum(item, frame, live)
        if isinstance(item, Partial):
            return self.partial(item, frame, live)
        assert isinstance(item, Apply)
        return self.apply(item, frame, live)

    def apply(self, item: Apply, frame: Frame, live: Value) -> Value:
        """A row function, or integer arithmetic."""
        if item.function == "inf":
            return np.inf
        args = tuple(self.expr(a, frame, live) for a in item.args)
        if item.function in ("floordiv", "mod"):
            operation = np.floor_divide if item.function == "floordiv" else np.remainder
            return operation(whole(args[0]), whole(args[1]))
        return value(item.function, args)

    def bracket(self, item: Iverson, frame: Frame, live: Value) -> Value:
        """Where a condition holds; floats are compared up to rounding."""
        lhs, rhs = (np.real(self.expr(c, frame, live)) for c in (item.lhs, item.rhs))
        if integral(lhs) and integral(rhs):
            return _COMPARE[item.relation](lhs, rhs)
        largest = np.maximum(np.abs(lhs), np.abs(rhs))
        near = (np.abs(lhs - rhs) <= self.equal * largest) & np.isfinite(largest)  # not inf
        equal = near | (lhs == rhs)
        less = (lhs < rhs) & ~equal
        return {"==": equal, "!=": ~equal, "<": less, "<=": less | equal}[item.relation]

    def extremum(self, item: Extremum, frame: Frame, live: Value) -> Value:
        """The largest or smallest value; a complex step is shared equally among ties."""
        inner = frame.extended([(b, self.extent(b.size)) for b in item.bound])
        outer, axes = len(frame.shape), tuple(range(len(frame.shape), len(inner.shape)))
        body = self.expr(item.body, inner, lifted(live, len(item.bound)))
        body = full(body, inner, outer)
        if item.kind == DET:
            return self.determinant(body)
        best = (np.max if item.kind == "max" else np.min)(body.real, axis=axes, keepdims=True)
        if np.iscomplexobj(body):
            hit = body.real == best
            step = np.where(hit, body.imag, 0).sum(axes, keepdims=True)
            largest, best = best, np.empty(best.shape, complex)
            best.real, best.imag = largest, step / hit.sum(axes, keepdims=True)  # inf stays inf
        return best.reshape(best.shape[:outer])

    def determinant(self, matrix: np.ndarray[Any, Any]) -> Value:
        """The determinants over the last two axes."""
        return determinant(matrix)

    def entry(self, item: Access, frame: Frame, live: Value) -> Value:
        """An entry of an array."""
        array = self.arrays.get(item.array)
        if array is None:
            raise InputError(f"the array {item.array} has no value")
        return self.read(item.array, np.asarray(array), item.indices, frame, live)

    def partial(self, item: Partial, frame: Frame, live: Value) -> Value:
        """A local derivative, as an entry of the array of all of them."""
        above, below = item.numerator, item.denominator
        if self.partials is None:
            raise UnsupportedError(f"the derivative {item.key} has no value here")
        table = self.partials(above.array, below.array)
        name = f"the derivative of {above.array} by {below.array}"
        return self.read(name, table, (*above.indices, *below.indices), frame, live)

    def read(
        self, name: str, array: np.ndarray[Any, Any], indices: tuple[Expr, ...],
        frame: Frame, live: Value,
    ) -> Value:
        """The entries of an array at positions; out of range only where `live` is false."""
        if len(indices) != array.ndim:
            raise InputError(
                f"{name} has {array.ndim} axes and is read at {len(indices)} positions")
        if array.dtype.kind == "b":
            array = array.astype(int)
        whole_array = view(array, indices, frame)
        if whole_array is not None:
            return whole_array
        positions = []
        for axis, index in enumerate(indices):
            position = whole(self.expr(index, frame, live))
            outside = (position < 0) | (position >= array.shape[axis])
            if np.any(outside):
                _refuse(name, axis, array.shape[axis], position, both(outside, live))
                position = np.clip(position, 0, array.shape[axis] - 1)
            positions.append(position)
        return array[tuple(positions)]


class Literal(Evaluator):
    """The walk with floats compared to their last bit, as code compares them."""

    equal = 0.0


class Magnitude(Evaluator):
    """The walk with every coefficient and factor made positive."""

    def __init__(self, arrays: Arrays, sizes: Mapping[str, int], rough: Arrays) -> None:
        super().__init__(arrays, sizes)
        self.plain = Evaluator(arrays, sizes)
        self.rough = Evaluator({**arrays, **rough}, sizes)

    def coefficient(self, coef: Fraction) -> Value:
        """Its absolute value."""
        return abs(super().coefficient(coef))

    def bracket(self, item: Iverson, frame: Frame, live: Value) -> Value:
        """As it is."""
        return self.plain.bracket(item, frame, live)

    def power(self, item: Atom, exponent: int | Fraction, frame: Frame, live: Value) -> Value:
        """A sum as a factor is made positive term by term, unless it divides."""
        if isinstance(item, Paren) and exponent > 0:
            return super().power(item, exponent, frame, live)
        if isinstance(item, Extremum) and item.kind == DET and exponent > 0:
            return _Bounds(self.arrays, self.sizes).power(item, exponent, frame, live)
        walk = self.rough if isinstance(item, Access) and exponent > 0 else self.plain
        return np.abs(walk.power(item, exponent, frame, live))


class _Bounds(Evaluator):
    """The walk with determinants as large as those of such rows can be."""

    def determinant(self, matrix: np.ndarray[Any, Any]) -> Value:
        """The product of the lengths of the rows."""
        return bound(matrix)


def _refuse(name: str, axis: int, length: int, position: Value, bad: Value) -> None:
    """Raises for a read out of range that counts."""
    if np.any(bad):
        where = np.broadcast_to(position, np.shape(bad))[np.asarray(bad)]
        raise IndexRangeError(
            f"{name} is read at {int(where.flat[0])} on axis {axis}, which has size {length}")
