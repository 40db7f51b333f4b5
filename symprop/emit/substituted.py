"""Equations with numbers in the place of their symbols.

In: an equation, the values of all arrays, a notation. Out: printed right-hand sides of single
entries, with sums written out: 0.15·0.05 + 0.2·0.1 + 0.35.
"""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symprop.algebra.build import as_monomial, atom, mul, number, paren, power, substitute
from symprop.algebra.expr import (
    Access,
    Apply,
    Atom,
    Expr,
    Extremum,
    Index,
    Iverson,
    Paren,
    Partial,
    Size,
    Term,
    atoms,
)
from symprop.algebra.expr import Idx as IndexAtom
from symprop.emit.notation import Notation
from symprop.emit.pieces import SIGNED, Piece, join
from symprop.emit.printer import Printer
from symprop.interpret.evaluate import Evaluator, extent

Array = np.ndarray[Any, Any]
MOST_TERMS = 8  # of a sum that is written out


class Substituted:
    """Prints entries of equations on one set of values."""

    def __init__(
        self, notation: Notation, arrays: Mapping[str, Array], sizes: Mapping[str, int],
        precision: int,
    ) -> None:
        self.to, self.sizes = notation, sizes
        self.evaluator = Evaluator(dict(arrays), sizes)
        self.precision = precision
        self.printer = _Numbers(self)

    def right(self, rhs: Expr, indices: Sequence[Index], at: Sequence[int]) -> Piece | None:
        """One entry of a right-hand side; None where it is too long to be written out."""
        if not _has_arrays(rhs) or any(isinstance(a, Extremum | Partial) for a in atoms(rhs)):
            return None
        fixed = substitute(rhs, {i: number(k) for i, k in zip(indices, at, strict=True)})
        opened = self._opened(fixed)
        return None if opened is None else self.printer.expr(opened)

    def value(self, found: float) -> Piece:
        """A number with so many decimals, or digits where it is small."""
        return signed(self.to, shown(found, self.precision))

    def position(self, expr: Expr) -> int:
        """An index position in numbers."""
        return round(float(self.evaluator.value(expr)))

    def _opened(self, expr: Expr) -> Expr | None:
        """Every sum written out term by term; None if that takes too many."""
        found: list[Term] = []
        for term in expr.terms:
            counts = [extent(b.size, self.sizes) for b in term.bound]
            if len(found) + math.prod(counts) > MOST_TERMS:
                return None
            free = Expr((Term(term.coef, term.factors),))
            for place in itertools.product(*map(range, counts)):
                at = {b: number(k) for b, k in zip(term.bound, place, strict=True)}
                for one in substitute(free, at).terms:
                    kept = self._kept(one)
                    if kept is None:
                        return None
                    found += kept
        return Expr(tuple(found))

    def _kept(self, term: Term) -> tuple[Term, ...] | None:
        """A term without the brackets that hold; nothing where one does not."""
        parts = [number(term.coef)]
        for item, exponent in term.factors:
            if isinstance(item, Iverson) and not _has_arrays(atom(item)):
                if not float(self.evaluator.value(atom(item))):
                    return ()
                continue
            inside = self._inside(item)
            if inside is None:
                return None
            parts.append(inside if exponent == 1 else power(inside, exponent))
        return (as_monomial(mul(*parts)),)

    def _inside(self, item: Atom) -> Expr | None:
        if isinstance(item, Paren):
            body = self._opened(item.body)
            return None if body is None else paren(body)
        if isinstance(item, Apply) and any(_has_arrays(a) for a in item.args):
            arguments = [self._opened(a) for a in item.args]
            if any(a is None for a in arguments):
                return None
            return atom(Apply(item.function, tuple(a for a in arguments if a is not None)))
        return atom(item)


class _Numbers(Printer):
    """A printer for which an entry of an array, a size and an index are numbers."""

    def __init__(self, values: Substituted) -> None:
        dotted = copy.copy(values.to)
        dotted.between = "dot"  # for factors are numbers
        super().__init__(dotted, {})
        self.values = values

    def leading(self, term: Term) -> Piece:
        alone = Expr((term,)).single_atom
        return super().leading(term) if alone is None else self.atom(alone)

    def atom(self, atom: Atom) -> Piece:
        if isinstance(atom, Access):
            at = tuple(self.values.position(i) for i in atom.indices)
            array = np.asarray(self.values.evaluator.arrays[atom.array])
            return self.values.value(float(array[at]))
        if isinstance(atom, Size):
            return self.to.piece(str(self.values.sizes[atom.name]))
        if isinstance(atom, IndexAtom):
            return self.to.piece("0")  # an axis of size 1
        return super().atom(atom)


def signed(notation: Notation, text: str) -> Piece:
    """A number as a piece; one below 0 needs parentheses in a product."""
    mantissa, _, exponent = text.lstrip("-").partition("e")
    body = notation.scientific(mantissa, int(exponent)) if exponent else notation.piece(mantissa)
    if not text.startswith("-"):
        return body
    return join([notation.sign("negative"), body], SIGNED).fused()


def shown(value: float, precision: int) -> str:
    """A number with `precision` decimals at most, in the notation of Python.

    >>> shown(0.5, 9), shown(1 / 3, 4), shown(1.5e-7, 4), shown(-2.0, 4), shown(123456789.0, 2)
    ('0.5', '0.3333', '1.5e-07', '-2', '123456789')
    """
    if value != value or value in (math.inf, -math.inf):
        return str(value)
    small = 0 < abs(value) < 10.0 ** -((precision + 1) // 2)
    text = f"{value:.{max(precision // 2, 1)}e}" if small or abs(value) >= 1e15 else (
        f"{value:.{precision}f}")
    mantissa, mark, exponent = text.partition("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return "0" if mantissa in ("-0", "0") else mantissa + mark + exponent


def _has_arrays(expr: Expr) -> bool:
    return any(isinstance(a, Access) for a in atoms(expr))


