"""The answers of a system: its definitions and facts, sorted by how they are used.

In: a System. Out: `Definitions`: monomial definitions (expanded to a basis and folded back),
functions and extrema kept by the forward pass, one-term sums with their names, facts.

No answer looks through all equations: a definition is filed under the rarest array that it
reads, and only those of the arrays at hand are looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Generic, TypeVar

from symprop.algebra.build import (
    ONE,
    ZERO,
    access,
    as_monomial,
    idx,
    instantiate,
    make_term,
    mul,
    power,
    sub,
)
from symprop.algebra.canonical import collect, expand
from symprop.algebra.expansion import COFACTORS, DET
from symprop.algebra.expr import (
    ADJOINT,
    Access,
    Apply,
    Atom,
    Exponent,
    Expr,
    Extremum,
    Index,
    Iverson,
    Paren,
    Size,
    Term,
    arrays_of,
    indices_of,
)
from symprop.algebra.integers import nonnegative
from symprop.derive.adjugate import adjugate
from symprop.derive.cost import contracts
from symprop.derive.divisors import divisors
from symprop.derive.knowledge import Knowledge, Rule
from symprop.derive.memo import Memo
from symprop.derive.symmetry import evident, turned
from symprop.system import Equation, System, cycles

T = TypeVar("T")
Based = tuple[Term, tuple[str, ...]]  # a monomial in the basis, the equations that led to it


class Definitions(Knowledge):
    """The definitions of a system, indexed for expansion and folding."""

    def __init__(self, system: System, memo: Memo | None = None) -> None:
        self.system = system
        self.cyclic = frozenset(cycles(system.equations))
        self.integers = frozenset(n for n, a in system.arrays.items() if a.dtype != "float")
        self.memo = memo or Memo()  # that of other systems, where many are derived in a row
        self._bases: dict[str, Rule | None] = {}
        self._adjoints: dict[str, Equation] = {}
        self._symmetric: dict[str, tuple[str, ...]] = {}

    def definition(self, array: str) -> Equation | None:
        """The equation of an array that may be expanded: none inside a recurrence."""
        return None if array in self.cyclic else self.system.equation(array)

    # ---- the answers ---------------------------------------------------------------------

    def basis(self, array: str) -> Rule | None:
        """An array's definition as one monomial of arrays that have none, or None."""
        if array not in self._bases:
            equation = self.definition(array)
            found = None if equation is None else self._monomial(equation)
            self._bases[array] = None if equation is None or found is None \
                else _rule(equation, *found)
        return self._bases[array]

    def opens(self, array: str) -> Equation | None:
        """None for a definition that hides a matrix product."""
        equation = self._several.get(array)
        return None if equation is None or contracts(equation.rhs) else equation

    def active(self, array: str) -> bool:
        return array in self._parts or self.opens(array) is not None

    def ranges(self, array: str) -> tuple[Expr, ...]:
        return self._ranges.get(array, ())

    def kept(self, function: str, arrays: frozenset[str]) -> list[Rule]:
        table = self._kept.get(function)
        return [] if table is None else table.within(arrays)

    def sums(self, arrays: frozenset[str]) -> list[Rule]:
        return self._sums.within(arrays)

    def monomials(self, arrays: frozenset[str]) -> list[Rule]:
        return self._monomials.within(arrays)

    def several(self, arrays: frozenset[str]) -> list[Equation]:
        return self._groups.within(arrays)

    def symmetric(self, array: str) -> Rule | None:
        if array not in self._symmetric:
            self._symmetric[array] = ()  # while it is asked: around a cycle nothing is evident
            self._symmetric[array] = self._symmetry(array)
        because = self._symmetric[array]
        if not because:
            return None
        shape = self.system.arrays[array.removeprefix(ADJOINT)].shape
        indices = tuple(Index("i", s) for s in shape)
        at = [idx(i) for i in indices]
        value = access(array, [*at[:-2], at[-1], at[-2]])
        return Rule(access(array, at).terms[0], indices, value, because)

    def _symmetry(self, array: str) -> tuple[str, ...]:
        """The fact or the equation by which an array is symmetric."""
        facts = [f"{f.kind}({array})" for f in self.system.facts
                 if f.array == array and f.kind in ("symmetric", "positive_definite")]
        equation = self._adjoints.get(array) or self.definition(array)
        if not facts and equation is not None and evident(
                equation, lambda a: self.symmetric(a) is not None):
            return (equation.number,)
        return tuple(facts[:1])

    def derived(self, equation: Equation) -> None:
        """Notes an adjoint, which may be symmetric by its own equation."""
        self._adjoints[equation.array] = equation

    def divides(self, array: str) -> bool:
        return array in self._divisors

    # ---- the tables ----------------------------------------------------------------------

    def _monomial(self, equation: Equation) -> Based | None:
        if _is_monomial(equation.rhs):
            return as_monomial(self.to_basis(equation.rhs)), self.leads(equation.rhs)
        return self._quotient(equation.rhs) if len(equation.rhs.terms) > 1 else None

    def _quotient(self, rhs: Expr) -> Based | None:
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
        whole = as_monomial(mul(opened, make_term(ONE.terms[0].coef, below)))
        opens = (self.definition(a.array) for a in below if isinstance(a, Access))
        return whole, (*self.leads(rhs), *(e.number for e in opens if e is not None))

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

    @cached_property
    def _divisors(self) -> frozenset[str]:
        """What stands below the line in every case, and what it is made of."""
        found = divisors(self.system)
        bases = (self.basis(array) for array in found)
        return found.union(*(r.arrays for r in bases if r is not None))

    @cached_property
    def _ranges(self) -> dict[str, tuple[Expr, ...]]:
        table: dict[str, tuple[Expr, ...]] = {}
        for found in (r for r in self.system.index_ranges if r.inside):
            table[found.array] = (*table.get(found.array, ()), found.size)
        return table

    @cached_property
    def _kept(self) -> dict[str, _Table[Rule]]:
        """Functions and extrema whose value the forward pass keeps, by function name."""
        rules: dict[str, list[Rule]] = {}
        for equation in self.system.equations:
            item = equation.rhs.single_atom
            if isinstance(item, (Apply, Extremum)):
                name = item.function if isinstance(item, Apply) else item.kind
                rules.setdefault(name, []).append(_rule(equation, equation.rhs.terms[0]))
        for equation in self.system.equations:
            rule = adjugate(equation, rules.get(DET, []))
            if rule is not None:
                rules.setdefault(COFACTORS, []).append(rule)
        return {name: _Table(found, _read) for name, found in rules.items()}

    @cached_property
    def _sums(self) -> _Table[Rule]:
        rules = []
        for equation in self.system.equations:
            if equation.array in self.cyclic or len(equation.rhs.terms) != 1:
                continue
            if not equation.rhs.terms[0].bound:
                continue
            rules.extend(self.sum_rules(equation))
        for fact in self.system.facts:
            if fact.kind == "sums_to_one":
                rules.append(self._fact_rule(fact.array, fact.args[0]))
        return _Table(rules, _read)

    def sum_rules(self, equation: Equation) -> list[Rule]:
        """How the sum of an equation of one term is found: as it stands and in the basis."""
        term = equation.rhs.terms[0]
        bound = frozenset(term.bound)
        inner = tuple((a, e) for a, e in term.factors if indices_of(a) & bound)
        outer = {a: e for a, e in term.factors if not indices_of(a) & bound}
        read = frozenset(i for a, _ in inner for i in indices_of(a))
        if any(indices_of(a) for a in outer) or any(
                i not in read and i.size != ONE for i in equation.indices):
            return []  # an occurrence must tell every position
        if any(isinstance(a, Iverson) for a in outer):
            return []  # a sum that counts in one case only does not tell what it is in the other
        name = access(equation.array, [idx(i) if i in read else ZERO for i in equation.indices])
        value = mul(make_term(1 / term.coef, {a: -e for a, e in outer.items()}), name)
        variables = (*equation.indices, *term.bound)
        patterns: dict[tuple[tuple[Atom, Exponent], ...], tuple[str, ...]] = {inner: ()}
        alone = Expr((Term(ONE.terms[0].coef, inner, term.bound),))
        base = self.to_basis(alone).terms
        if len(base) == 1 and base[0].coef == 1 and frozenset(base[0].bound) == bound:
            patterns.setdefault(base[0].factors, self.leads(alone))
        for item, other in turned(Term(ONE.terms[0].coef, inner, term.bound)):
            rule = self.symmetric(item.array)
            if rule is not None:
                patterns.setdefault(other.factors, rule.because)
        beside = tuple((a, e) for a, e in outer.items() if not _counts(a))
        return [Rule(Term(ONE.terms[0].coef, p, term.bound), variables, value,
                     tuple(dict.fromkeys((equation.number, *because))), beside)
                for p, because in patterns.items()]

    def _fact_rule(self, array: str, axis: int) -> Rule:
        shape = self.system.arrays[array].shape
        indices = tuple(Index("i", s) for s in shape)
        read = Access(array, tuple(idx(i) for i in indices))
        bound = (indices[axis],)
        text = f"sums_to_one({array}, axis={axis})"
        return Rule(Term(ONE.terms[0].coef, ((read, 1),), bound), indices, ONE, (text,))

    @cached_property
    def _monomials(self) -> _Table[Rule]:
        bases = (self.basis(e.array) for e in self.system.equations)
        return _Table([r for r in bases if r is not None and r.pattern.factors], _read)

    @cached_property
    def _several(self) -> dict[str, Equation]:
        spread = (_spread(e) for e in self.system.equations)
        return {e.array: e for e in spread
                if len(e.rhs.terms) > 1 and e.array not in self.cyclic}

    @cached_property
    def _groups(self) -> _Table[Equation]:
        return _Table(self._several.values(), lambda e: frozenset(e.reads))

    @cached_property
    def _parts(self) -> frozenset[str]:
        """The arrays that are one monomial, and those that such monomials are made of."""
        rules = self._monomials.items
        return frozenset(a for r in rules for a in (*r.arrays, *arrays_of(r.value)))


class _Table(Generic[T]):
    """Definitions, each filed under the rarest of the arrays that it reads."""

    def __init__(self, items: Iterable[T], reads: Callable[[T], frozenset[str]]) -> None:
        self.items = list(items)
        self._reads = [reads(item) for item in self.items]
        often = Counter(a for arrays in self._reads for a in arrays)
        self._filed: dict[str | None, list[int]] = {}
        for k, arrays in enumerate(self._reads):
            rarest = min(arrays, key=lambda a: (often[a], a), default=None)
            self._filed.setdefault(rarest, []).append(k)

    def within(self, arrays: frozenset[str]) -> list[T]:
        """Those that read no other arrays, in order."""
        filed = {k for a in (None, *arrays) for k in self._filed.get(a, ())}
        return [self.items[k] for k in sorted(filed) if self._reads[k] <= arrays]


def _read(rule: Rule) -> frozenset[str]:
    return rule.arrays


def _rule(equation: Equation, pattern: Term, because: tuple[str, ...] = ()) -> Rule:
    name = access(equation.array, [idx(i) for i in equation.indices])
    reasons = tuple(dict.fromkeys((equation.number, *because)))
    return Rule(pattern, equation.indices, name, reasons)


def _counts(item: Atom) -> bool:
    """Whether an atom is a number of entries, which is at least 1."""
    if isinstance(item, Paren):
        sizes = all(isinstance(a, Size) for t in item.body.terms for a, _ in t.factors)
        return sizes and nonnegative(sub(item.body, ONE))
    return isinstance(item, Size)


def _spread(equation: Equation) -> Equation:
    """A number times a sum in parentheses as a sum: (1 + t)/2 is 1/2 + t/2."""
    return replace(equation, rhs=expand(equation.rhs)) if _scales(equation.rhs) else equation


def _scales(rhs: Expr) -> bool:
    if len(rhs.terms) != 1 or rhs.terms[0].bound or len(rhs.terms[0].factors) != 1:
        return False
    item, exponent = rhs.terms[0].factors[0]
    return isinstance(item, Paren) and exponent == 1


def _is_monomial(rhs: Expr) -> bool:
    if len(rhs.terms) != 1 or rhs.terms[0].bound or not rhs.terms[0].factors or _scales(rhs):
        return False
    term = rhs.terms[0]
    kept = any(isinstance(a, (Apply, Extremum)) for a, _ in term.factors)
    return not kept and any(isinstance(a, (Access, Paren)) for a, _ in term.factors)
