"""What the derivation may ask about a system, and what follows from the answers.

In: an expression or the arrays that it reads. Out: the definitions and facts that could
apply to it. `Knowledge` is all that a simplification sees of a system; `Definitions`
(definitions.py) answers from the equations.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from symprop.algebra.build import (
    ONE,
    as_monomial,
    distributes,
    instantiate,
    make_term,
    mul,
    power,
)
from symprop.algebra.expr import (
    Access,
    Atom,
    Exponent,
    Expr,
    Index,
    Iverson,
    Term,
    accesses,
    arrays_of,
)
from symprop.algebra.integers import reading, within
from symprop.derive.sift import tidy_term
from symprop.system import Equation


@dataclass(frozen=True)
class Rule:
    """`pattern`, its `variables` replaced, is `value`; `because`: equations or a fact.

    `beside`: what stands beside a sum in the equation that names it (`value` is divided by it).
    """

    pattern: Term
    variables: tuple[Index, ...]
    value: Expr
    because: tuple[str, ...]
    beside: tuple[tuple[Atom, Exponent], ...] = ()

    @cached_property
    def arrays(self) -> frozenset[str]:
        """The arrays that an occurrence must read."""
        return frozenset(a.array for a in accesses(Expr((self.pattern,))))


class Knowledge(ABC):
    """The questions that a simplification may ask.

    A question that takes `arrays` is answered by the definitions that read no other arrays,
    in the order of the system.
    """

    @abstractmethod
    def basis(self, array: str) -> Rule | None:
        """An array's definition as one monomial of arrays that have none, or None."""

    @abstractmethod
    def opens(self, array: str) -> Equation | None:
        """The definition of an array as a sum of terms worth opening, or None."""

    @abstractmethod
    def active(self, array: str) -> bool:
        """Whether an array has a definition to expand, or is part of one to fold."""

    @abstractmethod
    def ranges(self, array: str) -> Sequence[Expr]:
        """The axes on which the integers of an array are positions."""

    @abstractmethod
    def kept(self, function: str, arrays: frozenset[str]) -> Sequence[Rule]:
        """Values of a function or an extremum that the forward pass keeps."""

    @abstractmethod
    def sums(self, arrays: frozenset[str]) -> Sequence[Rule]:
        """Sums that have a name (or, by a fact, a value): pattern over its bound indices."""

    @abstractmethod
    def monomials(self, arrays: frozenset[str]) -> Sequence[Rule]:
        """Arrays that are one monomial: basis form -> name."""

    @abstractmethod
    def several(self, arrays: frozenset[str]) -> Sequence[Equation]:
        """Arrays that are a sum of several terms: expanded only tentatively, folded if found."""

    @abstractmethod
    def symmetric(self, array: str) -> Rule | None:
        """An entry as that on the other side of the diagonal of the last two axes, or None."""

    @abstractmethod
    def divides(self, array: str) -> bool:
        """Whether the forward pass divides by an array, or takes its root, in every case."""

    # ---- what follows from the answers ---------------------------------------------------

    def inert(self, expr: Expr) -> bool:
        """Whether an expression reads no array that could be expanded or folded."""
        return not any(self.active(a) for a in arrays_of(expr))

    def to_basis(self, expr: Expr) -> Expr:
        """Every array that is one monomial of others, expanded; nothing grows."""
        terms: list[Term] = []
        for term in expr.terms:
            terms.extend(self._term_to_basis(term).terms)
        return Expr(tuple(terms))

    def leads(self, expr: Expr) -> tuple[str, ...]:
        """The equations that `to_basis` leans on."""
        rules = (self._expansion(a, e) for t in expr.terms for a, e in t.factors)
        return tuple(dict.fromkeys(b for r in rules if r is not None for b in r.because))

    def _term_to_basis(self, term: Term) -> Expr:
        if not any(isinstance(a, Access) and self.basis(a.array) for a, _ in term.factors):
            return Expr((term,))
        pieces = [make_term(term.coef, {}, term.bound)]
        for item, exponent in term.factors:
            pieces.append(self._factor_to_basis(item, exponent))
        product = mul(*pieces)  # 0 where brackets exclude each other
        return tidy_term(product.terms[0]) if product.terms else product

    def _factor_to_basis(self, item: Atom, exponent: Exponent) -> Expr:
        rule = self._expansion(item, exponent)
        if rule is None:
            return make_term(ONE.terms[0].coef, {item: exponent})
        monomial = rule.pattern
        at = instantiate(rule.variables, Expr((monomial,)), item.children)
        inside = as_monomial(at)
        factors = {a: e * exponent for a, e in inside.factors}
        coef = inside.coef if exponent == 1 else as_monomial(
            power(make_term(inside.coef, {}), exponent)
        ).coef
        return make_term(coef, {a: int(e) if e == int(e) else e for a, e in factors.items()})

    def _expansion(self, item: Atom, exponent: Exponent) -> Rule | None:
        """The definition that a power of an array is expanded by, or None."""
        rule = self.basis(item.array) if isinstance(item, Access) else None
        if rule is None or (exponent < 0 and any(
                isinstance(a, Iverson) for a, _ in rule.pattern.factors)):
            return None
        return rule if distributes(rule.pattern, exponent) or _all_roots(rule.pattern) else None

    def covers(self, variables: Iterable[Index], env: Mapping[Index, Expr]) -> bool:
        """Whether a definition exists at the positions that a match gave its indices."""
        return all(self.inside(env[v], v.size) for v in variables if v in env)

    def inside(self, position: Expr, size: Expr) -> bool:
        """Whether a position is known to lie in an axis: an integer array by its own fact."""
        return within(position, size, reading(
            (array, s) for array in position.arrays for s in self.ranges(array)))


def _all_roots(term: Term) -> bool:
    """Whether every factor has a fractional exponent: then its powers are products of powers."""
    return term.coef == 1 and all(e != int(e) for _, e in term.factors)
