"""One array of a module beside the right-hand side of its equation.

In: the arrays that a module has computed, an equation. Out: nothing, or a `Mismatch`.

The right-hand side is evaluated in double precision on the module's own arrays, so that each
equation is compared by itself and no rounding travels. An entry may differ by what rounding can do
to what was added up for it: RELATIVE times its magnitude, and as much as the equation itself loses
when it is evaluated in single precision. Where an equation has more grid points than LARGE, it is
compared on a part of its grid: first and last positions and some between, with every sum in full.

Numbers that only rounding keeps apart (the columns of a softmax of equal columns) are a tie to the
interpreter. To code they are none, if it compares the very numbers that it has kept; where it works
one side out again, they may be. So an entry may have either value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from symprop.algebra.build import atom
from symprop.algebra.expr import (
    Access,
    Apply,
    Atom,
    Expr,
    Extremum,
    Index,
    Iverson,
    Paren,
    arrays_of,
    atoms,
)
from symprop.errors import IndexRangeError, InputError, VerificationError
from symprop.interpret.evaluate import Evaluator, Literal, Magnitude, extent, magnitude
from symprop.interpret.grid import Frame
from symprop.interpret.regular import looks_at_singular
from symprop.system import Adjoint, Equation

Array = np.ndarray[Any, Any]
Item = Equation | Adjoint
At = dict[Index, Array]

LARGE = 3_000_000  # grid points
RELATIVE = {"float64": 1e-11, "float32": 2e-4}
_NOISE = 100.0  # times what single precision loses, in single precision
_OF_ROWS = 20.0  # roundings of a function that its definition adds up from larger parts
_NUDGES = (1.0, 1.0 + 1e-5, 1.0 - 1e-5)
_FAR = np.finfo(np.float32).max / 1e6
_NEAR = np.finfo(np.float32).tiny * 1e6
_TINY = 1e-300  # what is made of numbers with fewer digits, below 2e-308


class Mismatch(VerificationError):
    """Internal: a module does not compute what an equation of its derivation says."""

    def __init__(self, where: str, problem: str, sizes: Mapping[str, int], entry: str = "") -> None:
        self.where, self.sizes, self.entry = where, dict(sizes), entry
        at = ", ".join(f"{k}={v}" for k, v in self.sizes.items())
        super().__init__(
            f"{where}: the module was not written, for {problem}{f' (sizes {at})' if at else ''}. "
            "This is an error of symprop: please report it with the forward pass")


class Values:
    """The arrays of one run, and the sizes.

    arrays: all that the equations read. dtype: what the module computes floats in. strict: the
    loss is finite; where it is not, nan may come of nan, and of a mean of nothing.
    """

    def __init__(
        self, arrays: Mapping[str, Any], sizes: Mapping[str, int], dtype: Any, strict: bool = True
    ) -> None:
        self.sizes, self.dtype, self.strict = sizes, np.dtype(dtype), strict
        # A copy: what the module does to its arrays later is not to be seen here.
        self.arrays = {n: _wide(np.array(a)) for n, a in arrays.items()}
        self.exact = Evaluator(self.arrays, sizes)
        self.literal = Literal(self.arrays, sizes)

    def compare(self, item: Item, found: Any, slack: float = 1.0) -> None:
        """Raises Mismatch where an array is not what its equation says.

        slack: times the tolerance, where rounding errors of several equations meet.
        """
        array = np.asarray(found)
        shape = tuple(self.exact.extent(i.size) for i in item.indices)
        if array.shape != shape:
            raise self.mismatch(item, f"{item.array} has the shape {array.shape}, not {shape}")
        if not array.size or looks_at_singular(item, self.arrays, self.sizes):
            return
        if _divides_by_no_size(item, self.sizes):
            return  # a mean of nothing: nan in NumPy
        if self._compares_nan(item):
            return  # neither a < b nor its opposite holds
        at = _positions(item, self.sizes)
        expected = self._value(self.exact, item, at)
        for axis, index in enumerate(item.indices):
            if index in at:
                array = np.take(array, at[index], axis)
        wrong = self._wrong(item, at, array, expected, slack)
        if wrong is not None:
            place = tuple(int(at[i][k]) if i in at else int(k)
                          for i, k in zip(item.indices, wrong, strict=True))
            entry = f"{item.array}[{', '.join(map(str, place))}]" if place else item.array
            raise self.mismatch(
                item, f"{entry} is {array[wrong]:.10g} and its equation says "
                f"{expected[wrong]:.10g}", entry)

    def _compares_nan(self, item: Item) -> bool:
        """Whether a bracket of an equation compares numbers of which some are nan."""
        brackets = (a for a in atoms(item.rhs) if isinstance(a, Iverson))
        compared = {n for a in brackets for side in (a.lhs, a.rhs) for n in arrays_of(side)}
        floats = [self.arrays[n] for n in compared if self.arrays[n].dtype.kind == "f"]
        return any(bool(np.isnan(np.min(a, initial=0.0))) for a in floats)

    def mismatch(self, item: Item, problem: str, entry: str = "") -> Mismatch:
        """The exception for an equation."""
        return Mismatch(f"({item.number})", problem, self.sizes, entry)

    def _value(self, walk: Evaluator, item: Item, at: At) -> Array:
        try:
            return walk.value(item.rhs, item.indices, at)
        except (IndexRangeError, InputError) as error:
            raise type(error)(f"({item.number}): {error}") from error

    def _wrong(
        self, item: Item, at: At, found: Array, expected: Array, slack: float
    ) -> tuple[int, ...] | None:
        """The first entry that differs by more than rounding does; None if there is none."""
        if expected.dtype.kind in "iub":
            differ = np.asarray(found != expected)
        else:
            relative = RELATIVE[self.dtype.name] * slack
            with np.errstate(all="ignore"):
                gap = np.abs(_wide(found) - expected)
                close = gap <= relative * np.abs(expected)
                differ = ~(close | (found == expected) | np.isnan(expected))
                if not self.strict and self._unsettled(item):
                    differ &= ~np.isnan(found)
                if np.any(differ):
                    allowed = self._allowed(item, at, relative, slack)
                    differ &= ~(gap <= allowed)
                    differ &= ~self._beyond(expected, _wide(found))
                if np.any(differ):
                    literal = self._value(self.literal, item, at)
                    gap = np.abs(_wide(found) - literal)
                    differ &= ~(gap <= np.maximum(allowed, relative * np.abs(literal)))
        if not np.any(differ):
            return None
        return tuple(int(k) for k in np.unravel_index(int(np.argmax(differ)), differ.shape))

    def _unsettled(self, item: Item) -> bool:
        """Whether an equation reads nan, or an empty array."""
        read = [self.arrays[n] for n in item.reads]
        return any(not a.size or (a.dtype.kind == "f" and np.any(np.isnan(a))) for a in read)

    def _beyond(self, expected: Array, found: Array) -> Array:
        """Entries that single precision cannot hold, and double not to as many digits.

        What is too small must be so on both sides: 0 is no such number beside 0.5.
        """
        size = np.abs(expected)
        least = _TINY if self.dtype == np.float64 else _NEAR
        far = (size > _FAR) & (self.dtype != np.float64)
        return np.asarray(far | ((size < least) & (np.abs(found) < least)))

    def _allowed(self, item: Item, at: At, relative: float, slack: float) -> Array:
        """What rounding can do to each entry."""
        added = magnitude(item.rhs, self.arrays, self.sizes, item.indices, at=at)
        share = np.finfo(self.dtype).eps / np.finfo(np.float32).eps
        row = _Row(self.arrays, self.sizes, {}).value(item.rhs, item.indices, at)
        lost = _OF_ROWS * np.finfo(self.dtype).eps * row + _NOISE * share * self._noise(item, at)
        return np.asarray(relative * added + slack * lost)

    def _noise(self, item: Item, at: At) -> Array:
        """What the right-hand side loses in single precision, here and at two points beside.

        At one point alone its rounding errors may happen to cancel.
        """
        found: Array = np.zeros(())
        for nudge in _NUDGES:
            single = {n: _single(self.arrays[n], nudge) for n in item.reads}
            wide = {n: _wide(a) for n, a in single.items()}
            low, high = (Evaluator(a, self.sizes).value(item.rhs, item.indices, at)
                         for a in (single, wide))
            found = np.maximum(found, np.nan_to_num(np.abs(low - high), nan=0.0))
        return found


class _Row(Magnitude):
    """The walk with the value of a function at least 1: what its definition may add up to."""

    def power(self, item: Atom, exponent: int | Fraction, frame: Frame, live: Any) -> Any:
        """As there."""
        found = super().power(item, exponent, frame, live)
        row = isinstance(item, Apply) and item.function not in ("floordiv", "mod", "inf")
        return np.maximum(found, 1.0) if row and exponent > 0 else found


def _wide(array: Any) -> Array:
    """In double precision; not copied where it is that already."""
    found: Array = np.asarray(array)
    return found.astype(np.float64, copy=False) if found.dtype.kind == "f" else found


def _single(array: Array, nudge: float) -> Array:
    return (array * nudge).astype(np.float32) if array.dtype.kind == "f" else array


# ---- parts of large grids -------------------------------------------------------------------


def points(expr: Expr, sizes: Mapping[str, int], outer: float = 1.0) -> float:
    """How many grid points an expression has, sums within sums included."""
    total = 0.0
    for term in expr.terms:
        own = outer * math.prod(extent(b.size, sizes) for b in term.bound)
        total += own
        for item, _ in term.factors:
            if isinstance(item, Extremum):
                total += points(item.body, sizes, own * math.prod(
                    extent(b.size, sizes) for b in item.bound))
            elif isinstance(item, Paren) or not isinstance(item, Access):
                total += sum(points(c, sizes, own) for c in item.children)
    return total


def _positions(item: Item, sizes: Mapping[str, int]) -> At:
    """The positions at which an equation is compared, for axes where these are not all."""
    lengths = [extent(i.size, sizes) for i in item.indices]
    inner = points(item.rhs, sizes)
    if inner * math.prod(lengths) <= LARGE or not lengths:
        return {}
    room = max(LARGE / inner, 2.0)
    counts = [1] * len(lengths)
    while True:  # the axes in turn, while there is room
        more = [min(c + 1, n) for c, n in zip(counts, lengths, strict=True)]
        grown = False
        for axis in range(len(counts)):
            trial = [*counts[:axis], more[axis], *counts[axis + 1:]]
            if more[axis] > counts[axis] and math.prod(trial) <= room:
                counts, grown = trial, True
        if not grown:
            break
    return {i: _spread(n, c) for i, n, c in zip(item.indices, lengths, counts, strict=True)
            if c < n}


def _spread(length: int, count: int) -> Array:
    """Some positions of an axis: the last, the first, their neighbours, others between."""
    ends: Sequence[int] = (length - 1, 0, 1, length - 2)[:count]
    rest = np.random.default_rng(length).permutation(length)
    chosen = list(dict.fromkeys([*ends, *(int(k) for k in rest)]))[:count]
    return np.array(sorted(chosen))


def _divides_by_no_size(item: Item, sizes: Mapping[str, int]) -> bool:
    """Whether a term is divided by a size that is 0 here."""
    below = [atom(a) for t in item.rhs.terms for a, e in t.factors if e < 0]
    return any(extent(b, sizes) == 0 for b in below if not b.arrays and not b.free)
