"""What the derivation knows of a system: its definitions, sorted by how they are used.

In: a System. Out: `Knowledge`: monomial definitions (expanded to a basis and folded back),
functions and extrema kept by the forward pass, one-term sums with their names, facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from symprop.algebra.build import (
    ONE,
    access,
    as_monomial,
    distributes,
    idx,
    instantiate,
    make_term,
    mul,
    power,
)
from symprop.algebra.canonical import collect, expand, same
from symprop.algebra.expr import (
    Access,
    Apply,
    Atom,
    Exponent,
    Expr,
    Extremum,
    Index,
    Iverson,
    Paren,
    Term,
    accesses,
    indices_of,
)
from symprop.algebra.indexing import within
from symprop.derive.cost import contracts
from symprop.derive.sift import tidy_term
from symprop.system import Equation, System, cycles


@dataclass(frozen=True)
class Rule:
    """`pattern`, its `variables` replaced, is `value`; `because` is an equation or a fact."""

    pattern: Term
    variables: tuple[Index, ...]
    value: Expr
    because: str

    @cached_property
    def arrays(self) -> frozenset[str]:
        """The arrays that an occurrence must read."""
        return frozenset(a.array for a in accesses(Expr((self.pattern,))))


class Knowledge:
    """The definitions of a system, indexed for expansion and folding."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.cyclic = frozenset(cycles(system.equations))
        self.integers = frozenset(n for n, a in system.arrays.items() if a.dtype != "float")
        self._bases: dict[str, Term | None] = {}

    def definition(self, array: str) -> Equation | None:
        """The equation of an array that may be expanded: none inside a recurrence."""
        return None if array in self.cyclic else self.system.equation(array)

    def basis(self, array: str) -> Term | None:
        """An array's definition as one monomial of arrays that have none, or None."""
        if array not in self._bases:
            equation = self.definition(array)
            self._bases[array] = None
            if equation is not None and _is_monomial(equation.rhs):
                self._bases[array] = as_monomial(self.to_basis(equation.rhs))
            elif equation is not None and len(equation.rhs.terms) > 1:
                self._bases[array] = self._quotient(equation.rhs)
        return self._bases[array]

    def _quotient(self, rhs: Expr) -> Term | None:
        """A sum that is one monomial over its common denominator: 1 - 1/s is e/s for s = 1 + e."""
        basis = self.to_basis(rhs)
        if any(t.bound for t in basis.terms):
            return None
        below: dict[Atom, Exponent] = {
            a: e for t in basis.terms for a, e in t.factors
            if e < 0 and isinstance(a, Access) and isinstance(e, int)
        }
        if not below or any(e != -1 for e in below.values()):
            return None
        denominator = make_term(ONE.terms[0].coef, dict.fromkeys(below, 1))
        above = [mul(Expr((t,)), denominator) for t in basis.terms]
        opened = collect(expand(Expr(tuple(t for a in above for t in self._open(a, below).terms))))
        if len(opened.terms) != 1:
            return None
        return as_monomial(mul(opened, make_term(ONE.terms[0].coef, below)))

    def _open(self, expr: Expr, arrays: Mapping[Atom, Exponent]) -> Expr:
        """The given arrays replaced by their definitions where these are sums."""
        term = as_monomial(expr)
        product = make_term(term.coef, {a: e for a, e in term.factors if a not in arrays})
        for item, exponent in term.factors:
            if item not in arrays or not isinstance(item, Access):
                continue
            equation = self.definition(item.array)
            value = make_term(ONE.terms[0].coef, {item: 1})
            if equation is not None and len(equation.rhs.terms) > 1:
                value = instantiate(equation.indices, equation.rhs, item.indices)
            product = mul(product, power(value, exponent))
        return product

    def to_basis(self, expr: Expr) -> Expr:
        """Every array that is one monomial of others, expanded; nothing grows."""
        terms: list[Term] = []
        for term in expr.terms:
            terms.extend(self._term_to_basis(term).terms)
        return Expr(tuple(terms))

    def _term_to_basis(self, term: Term) -> Expr:
        if not any(isinstance(a, Access) and self.basis(a.array) for a, _ in term.factors):
            return Expr((term,))
        pieces = [make_term(term.coef, {}, term.bound)]
        for item, exponent in term.factors:
            pieces.append(self._factor_to_basis(item, exponent))
        return tidy_term(mul(*pieces).terms[0])

    def _factor_to_basis(self, item: Atom, exponent: Exponent) -> Expr:
        plain = make_term(ONE.terms[0].coef, {item: exponent})
        if not isinstance(item, Access):
            return plain
        monomial = self.basis(item.array)
        equation = self.system.equation(item.array)
        if monomial is None or equation is None:
            return plain
        if exponent < 0 and any(isinstance(a, Iverson) for a, _ in monomial.factors):
            return plain
        if not (distributes(monomial, exponent) or _all_roots(monomial)):
            return plain
        at = instantiate(equation.indices, Expr((monomial,)), item.indices)
        inside = as_monomial(at)
        factors = {a: e * exponent for a, e in inside.factors}
        coef = inside.coef if exponent == 1 else as_monomial(
            power(make_term(inside.coef, {}), exponent)
        ).coef
        return make_term(coef, {a: int(e) if e == int(e) else e for a, e in factors.items()})

    def covers(self, variables: Iterable[Index], env: Mapping[Index, Expr]) -> bool:
        """Whether a definition exists at the positions that a match gave its indices."""
        return all(self._lies_in(env[v], v.size) for v in variables if v in env)

    def _lies_in(self, position: Expr, size: Expr) -> bool:
        if within(position, size):
            return True
        item = position.single_atom
        return isinstance(item, Access) and any(
            r.array == item.array and same(r.size, size) for r in self.system.index_ranges
        )

    @cached_property
    def kept(self) -> dict[str, list[Rule]]:
        """Functions and extrema whose value the forward pass keeps, by function name."""
        table: dict[str, list[Rule]] = {}
        for equation in self.system.equations:
            item = equation.rhs.single_atom
            if isinstance(item, (Apply, Extremum)):
                name = item.function if isinstance(item, Apply) else item.kind
                table.setdefault(name, []).append(_rule(equation, equation.rhs.terms[0]))
        return table

    @cached_property
    def sums(self) -> list[Rule]:
        """Sums that have a name (or, by a fact, a value): pattern over its bound indices."""
        rules = []
        for equation in self.system.equations:
            if equation.array in self.cyclic or len(equation.rhs.terms) != 1:
                continue
            term = equation.rhs.terms[0]
            if not term.bound:
                continue
            rules.extend(self._sum_rules(equation, term))
        for fact in self.system.facts:
            if fact.kind == "sums_to_one":
                rules.append(self._fact_rule(fact.array, fact.args[0]))
        return rules

    def _sum_rules(self, equation: Equation, term: Term) -> list[Rule]:
        bound = frozenset(term.bound)
        inner = tuple((a, e) for a, e in term.factors if indices_of(a) & bound)
        outer = {a: -e for a, e in term.factors if not indices_of(a) & bound}
        if any(indices_of(a) for a in outer):
            return []
        name = access(equation.array, [idx(i) for i in equation.indices])
        value = mul(make_term(1 / term.coef, outer), name)
        variables = (*equation.indices, *term.bound)
        patterns = {inner: None}
        base = self.to_basis(Expr((Term(ONE.terms[0].coef, inner, term.bound),))).terms
        if len(base) == 1 and base[0].coef == 1 and frozenset(base[0].bound) == bound:
            patterns[base[0].factors] = None
        return [Rule(Term(ONE.terms[0].coef, p, term.bound), variables, value, equation.number)
                for p in patterns]

    def _fact_rule(self, array: str, axis: int) -> Rule:
        shape = self.system.arrays[array].shape
        indices = tuple(Index("i", s) for s in shape)
        read = Access(array, tuple(idx(i) for i in indices))
        bound = (indices[axis],)
        text = f"sums_to_one({array}, axis={axis})"
        return Rule(Term(ONE.terms[0].coef, ((read, 1),), bound), indices, ONE, text)

    @cached_property
    def monomials(self) -> list[Rule]:
        """Arrays that are one monomial: basis form -> name."""
        rules = []
        for equation in self.system.equations:
            monomial = self.basis(equation.array)
            if monomial is not None and monomial.factors:
                rules.append(_rule(equation, monomial))
        return rules

    @cached_property
    def several(self) -> dict[str, Equation]:
        """Arrays that are a sum of several terms: expanded only tentatively, folded if found."""
        return {e.array: e for e in self.system.equations
                if len(e.rhs.terms) > 1 and e.array not in self.cyclic}

    @cached_property
    def opens(self) -> frozenset[str]:
        """The arrays of `several` worth opening: none that hides a matrix product."""
        return frozenset(a for a, e in self.several.items() if not contracts(e.rhs))

    @cached_property
    def active(self) -> frozenset[str]:
        """The arrays that have a definition to expand, or are part of one to fold."""
        named = frozenset(r.because for r in self.monomials)
        bases = frozenset(e.array for e in self.system.equations if e.number in named)
        parts = frozenset(a for r in self.monomials for a in r.arrays)
        return self.opens | bases | parts


def _rule(equation: Equation, pattern: Term) -> Rule:
    name = access(equation.array, [idx(i) for i in equation.indices])
    return Rule(pattern, equation.indices, name, equation.number)


def _is_monomial(rhs: Expr) -> bool:
    if len(rhs.terms) != 1 or rhs.terms[0].bound or not rhs.terms[0].factors:
        return False
    term = rhs.terms[0]
    kept = any(isinstance(a, (Apply, Extremum)) for a, _ in term.factors)
    return not kept and any(isinstance(a, (Access, Paren)) for a, _ in term.factors)


def _all_roots(term: Term) -> bool:
    """Whether every factor has a fractional exponent: then its powers are products of powers."""
    return term.coef == 1 and all(e != int(e) for _, e in term.factors)
