"""Values to evaluate the lines of one derivation with.

In: a system, sizes, arrays. Out: the value of an expression over an adjoint's indices, and its
sum against a random direction, in which local derivatives need no table of their own.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, partial, reduce
from typing import Any

import numpy as np

from symprop.algebra.build import access, idx, mul
from symprop.algebra.expr import Access, Expr, Partial, Term, free_indices, term_indices
from symprop.errors import InputError
from symprop.interpret import jacobian
from symprop.interpret.evaluate import Evaluator, magnitude
from symprop.interpret.grid import Positions
from symprop.interpret.run import slope
from symprop.system import Adjoint, Equation, System
from symprop.verify.sample import sampled

Array = np.ndarray[Any, Any]


class Setting:
    """One value for every array; `place` says where, if that is a point of its own."""

    exact = False  # whether a local derivative is nan where only differences could tell it

    def __init__(
        self, system: System, sizes: Mapping[str, int], arrays: dict[str, Array], place: str = "",
    ) -> None:
        self.system, self.sizes, self.arrays, self.place = system, sizes, arrays, place
        self.evaluator = Evaluator(arrays, sizes, self.table)
        self.tables: dict[tuple[str, str], Array] = {}
        self.adjoint: Adjoint | None = None
        self.terms: dict[Term, Array] = {}
        self.samples: dict[str, Positions] = {}

    def value(self, expr: Expr, adjoint: Adjoint) -> Array:
        """The expression at all positions of the adjoint."""
        if not expr.terms:
            return self.evaluator.value(expr, adjoint.indices, self.sample(adjoint))
        with np.errstate(all="ignore"):
            return reduce(np.add, [self.term(t, adjoint) for t in expr.terms])

    def term(self, term: Term, adjoint: Adjoint) -> Array:
        """One term at all positions, worked out once for all steps of the adjoint."""
        if adjoint is not self.adjoint:
            self.adjoint = adjoint
            self.terms.clear()
        found = self.terms.get(term)
        if found is None:
            found = self.terms[term] = self.evaluator.value(
                Expr((term,)), adjoint.indices, self.sample(adjoint))
        return found

    def scale(self, expr: Expr, adjoint: Adjoint) -> Array:
        """The size of what is added up in the expression, and in what it reads."""
        return magnitude(expr, self.arrays, self.sizes, adjoint.indices, self.rough,
                         self.sample(adjoint))

    def sample(self, adjoint: Adjoint) -> Positions:
        """The positions that the lines of an adjoint are looked at: all, where these are few."""
        found = self.samples.get(adjoint.array)
        if found is None:
            found = self.samples[adjoint.array] = sampled(adjoint, self.sizes)
        return found

    @cached_property
    def rough(self) -> dict[str, Array]:
        """For every forward array the size of what its entries are added up from."""
        return roughness(self.system.equations, self.arrays, self.sizes)

    def table(self, above: str, below: str) -> Array:
        """All local derivatives of one array by another."""
        if (above, below) not in self.tables:
            equation = self.system.equation(above)
            if equation is None:
                raise InputError(f"{above} is differentiated but has no equation")
            self.tables[above, below] = jacobian(equation, below, self.evaluator)
        return self.tables[above, below]

    def along(
        self, expr: Expr, adjoint: Adjoint, direction: Array
    ) -> tuple[Array, Callable[[], Array]]:
        """Σ_p direction[p] expr[p], and on demand the same with everything made positive.

        The direction is 0 but at the sample of the adjoint's positions.
        """
        total, sizes = np.zeros(()), []
        for term in expr.terms:
            slopes: dict[str, Array] = {}
            contracted = self._contracted(term, adjoint, direction, slopes)
            if contracted is None:
                with np.errstate(all="ignore"):
                    value = self.term(term, adjoint)
                    total = total + np.sum(value * self.there(adjoint, direction))
                sizes.append(partial(self._size_along, Expr((term,)), adjoint, direction))
                continue
            arrays = ChainMap(slopes, self.arrays)
            total = total + Evaluator(arrays, self.sizes).value(contracted)
            sizes.append(partial(magnitude, contracted, arrays, self.sizes))
        return total, lambda: np.asarray(sum(size() for size in sizes))

    def _size_along(self, expr: Expr, adjoint: Adjoint, direction: Array) -> Array:
        """Σ_p |direction[p]| |expr[p]| with everything in the expression made positive."""
        size = magnitude(expr, self.arrays, self.sizes, adjoint.indices,
                         at=self.sample(adjoint))
        return np.asarray(np.sum(size * np.abs(self.there(adjoint, direction))))

    def there(self, adjoint: Adjoint, entries: Array) -> Array:
        """The entries of an array at the sample of the adjoint's positions."""
        at = self.sample(adjoint)
        return entries[np.ix_(*(at[i] if i in at else np.arange(n) for i, n in zip(
            adjoint.indices, entries.shape, strict=True)))] if at else entries

    def _contracted(
        self, term: Term, adjoint: Adjoint, direction: Array, slopes: dict[str, Array]
    ) -> Expr | None:
        """Σ_p d[p] Ū[u] ∂U[u]/∂V[p] as Ū[u] (slope of U along d)[u]; None for other terms."""
        found = [a for a, e in term.factors if isinstance(a, Partial) and e == 1]
        if len(found) != 1 or found[0].denominator != itself(adjoint, adjoint.primal):
            return None
        item = found[0]
        equation = self.system.equation(item.numerator.array)
        rest = tuple((a, e) for a, e in term.factors if a is not item)
        above = frozenset().union(*(free_indices(i) for i in item.numerator.indices))
        others = term_indices(Term(term.coef, rest)) | above
        if equation is None or others & set(adjoint.indices):
            return None
        name = f"{equation.array} along {adjoint.primal}"  # no name of an array has a space
        slopes[name] = slope(
            equation, adjoint.primal, direction, self.evaluator, self.exact)
        along = access(name, item.numerator.indices)
        return mul(Expr((Term(term.coef, rest, term.bound),)), along)


def roughness(
    equations: Iterable[Equation], arrays: Mapping[str, Array], sizes: Mapping[str, int]
) -> dict[str, Array]:
    """For the array of every equation the size of what its entries are added up from."""
    found: dict[str, Array] = {}
    for equation in equations:
        if np.asarray(arrays[equation.array]).dtype.kind == "f":
            size = magnitude(equation.rhs, arrays, sizes, equation.indices, found)
            found[equation.array] = np.maximum(size, np.abs(arrays[equation.array]))
    return found


def itself(adjoint: Adjoint, array: str) -> Access:
    """The entry of an array at the adjoint's own indices."""
    return Access(array, tuple(idx(i) for i in adjoint.indices))
