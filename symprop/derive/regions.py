"""Where the entries of an array are read at all: the branches that `np.where` takes.

In: equations. Out: for every array the cases in which an entry of it is read. What stands
outside them may be infinite or nan; it has no effect, and so its adjoint is nothing there.

    y[n] = [0 < x[n]] r[n] + [x[n] <= 0] x[n]     r is read where [0 < x[n]], x everywhere
    z[n] = Σ_j [m[n,j]] r[j]                      r is read where [0 < Σ_n [m[n,j]]]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from symprop.algebra import rows
from symprop.algebra.build import (
    ONE,
    ZERO,
    atom,
    idx,
    iverson,
    mul,
    negation,
    number,
    sub,
    substitute,
    sum_over,
)
from symprop.algebra.canonical import normal
from symprop.algebra.expr import (
    Access,
    Apply,
    Atom,
    Exponent,
    Expr,
    Extremum,
    Idx,
    Index,
    Iverson,
    Paren,
    Size,
)
from symprop.algebra.integers import Facts, reading, within
from symprop.derive.sift import sift, tidy_term
from symprop.system import Equation, System, cycles

Case = tuple[Iverson, ...]  # all of these hold

_MOST_CASES = 4
_PASSES = 3  # through a recurrence


@dataclass
class Region:
    """The cases in which an entry at `indices` is read; with an empty case, everywhere."""

    indices: tuple[Index, ...]
    cases: list[Case] = field(default_factory=list)

    @property
    def is_everywhere(self) -> bool:
        """Whether every entry is read whatever the values are."""
        return () in self.cases

    @property
    def is_partial(self) -> bool:
        """Whether it depends on the values; what no equation reads is read by backward alone."""
        return bool(self.cases) and not self.is_everywhere

    def add(self, case: Case) -> None:
        """One more case, kept apart from those that imply it or that it implies."""
        held = set(case)
        for known in self.cases:
            if set(known) <= held:
                return
            opposite = _differs_in_one(known, case)
            if opposite is not None:
                self.cases.remove(known)
                self.add(tuple(b for b in case if b != opposite))
                return
        self.cases = [*(c for c in self.cases if not held <= set(c)), case]
        if len(self.cases) > _MOST_CASES:
            self.cases = [_either(self.cases)]

    def guard(self, at: Sequence[Expr]) -> Expr:
        """The bracket (or product of brackets) that holds where the entry at `at` is read."""
        case = self.cases[0] if len(self.cases) == 1 else _either(self.cases)
        found = mul(*(atom(b) for b in case))
        return substitute(found, dict(zip(self.indices, at, strict=True)))


def regions(
    equations: Sequence[Equation], system: System, read: Iterable[str]
) -> dict[str, Region]:
    """The region of every array that the equations read; all of `read` is read everywhere.

    In a recurrence all is read everywhere at first, and then where what was found allows it.
    """
    always = frozenset(read)
    cyclic = set(cycles(equations))
    if not any(isinstance(a, Iverson) for e in equations for a in e.rhs.atoms):
        cyclic.clear()
    found: dict[str, Region] = {}
    for _ in range(_PASSES if cyclic else 1):
        own: dict[str, list[Case]] = {a: found[a].cases if found else [()] for a in cyclic}
        found = _passed(equations, system, always, own)
    return found


def _passed(
    equations: Sequence[Equation], system: System, always: frozenset[str],
    own: Mapping[str, list[Case]],
) -> dict[str, Region]:
    """The regions where those of the arrays in `own` are known."""
    found = {e.array: Region(e.indices, [()] if e.array in always else []) for e in equations}
    facts = reading((r.array, r.size) for r in system.index_ranges if r.inside)
    for equation in reversed(equations):
        cases = own.get(equation.array, found[equation.array].cases)
        for item, held in _reads(equation.rhs, ()):
            region = found.get(item.array)
            if region is None:
                shape = system.arrays[item.array].shape
                region = found[item.array] = Region(tuple(Index("i", s) for s in shape))
            for case in () if region.is_everywhere else cases:
                for seen in _seen(item, (*case, *held), region.indices, facts):
                    region.add(seen)
    return found


def _reads(expr: Expr, held: Case) -> Iterator[tuple[Access, Case]]:
    """Every access whose value counts, with the brackets in front of it."""
    for term in expr.terms:
        inside = (*held, *(a for a, _ in term.factors if isinstance(a, Iverson)))
        for item, _ in term.factors:
            if isinstance(item, Access):
                yield item, inside
            elif not isinstance(item, Iverson):
                for child in item.children:
                    yield from _reads(child, inside)


def _seen(
    item: Access, held: Case, variables: tuple[Index, ...], facts: Facts
) -> Iterator[Case]:
    """The cases in which an entry of an array is what `item` reads where `held` holds."""
    if not held:
        yield ()
        return
    solved: dict[Index, Expr] = {}
    conditions = [atom(b) for b in held]
    for position, variable in zip(item.indices, variables, strict=True):
        if variable.size == ONE:
            continue
        place = normal(substitute(position, solved))
        index = _alone(place, variables)
        if index is None:
            conditions.append(iverson("==", place, idx(variable)))
            continue
        sign = number(next(t.coef for t in place.terms if t.factors == ((Idx(index), 1),)))
        rest = sub(place, mul(sign, idx(index)))
        value = normal(mul(sign, sub(idx(variable), rest)))
        solved = {i: substitute(v, {index: value}) for i, v in solved.items()} | {index: value}
        if place.single_index is None or index.size != variable.size:
            conditions += [iverson("<=", ZERO, value), iverson("<", value, index.size)]
    yield from _settled([substitute(c, solved) for c in conditions], variables, facts)


def _alone(place: Expr, variables: tuple[Index, ...]) -> Index | None:
    """An index for which a position can be solved: it is there once, with the factor 1 or -1."""
    for term in place.terms:
        if abs(term.coef) != 1 or len(term.factors) != 1 or term.bound:
            continue
        item, exponent = term.factors[0]
        rest = Expr(tuple(t for t in place.terms if t is not term))
        if isinstance(item, Idx) and exponent == 1 and item.index not in variables \
                and item.index not in rest.free:
            return item.index
    return None


def _settled(
    conditions: list[Expr], variables: tuple[Index, ...], facts: Facts
) -> Iterator[Case]:
    """The conditions as a case of the variables alone; none where they exclude each other.

    At a position that lies in an axis for certain, one entry of that axis is read.
    """
    case: list[Iverson] = []
    own = frozenset(variables)
    for alone in (True, False):
        part = [c for c in conditions if (c.free <= own) is alone]
        product = mul(ONE, *part)
        if not alone and part:
            others = sorted(product.free - own, key=lambda i: i.uid)
            total = sift(sum_over(product, others), partial(within, facts=facts))
            bound = any(t.bound for t in total.terms)
            product = (_one_there(total) or iverson("<", ZERO, total)) if bound else total
        done = Expr(tuple(t for term in product.terms for t in tidy_term(term).terms))
        if done.is_zero:
            return
        case += _brackets(done)
    yield tuple(dict.fromkeys(case))


def _one_there(total: Expr) -> Expr | None:
    """[0 < Σ_q [a <= q]], for q < Q, is [a <= Q - 1] [0 < Q]; None for other sums."""
    (term, *others) = total.terms
    if others or len(term.bound) != 1 or len(term.factors) != 1:
        return None
    (index,), (held, _) = term.bound, term.factors[0]
    if not isinstance(held, Iverson) or held.relation not in ("<", "<="):
        return None
    some = iverson("<", ZERO, index.size)
    if held.rhs.single_index == index and index not in held.lhs.free:
        return mul(iverson(held.relation, held.lhs, sub(index.size, ONE)), some)
    if held.lhs.single_index == index and index not in held.rhs.free:
        return mul(iverson(held.relation, ZERO, held.rhs), some)
    return None


def _brackets(condition: Expr) -> Case:
    """What is not 0 where a sum of products of brackets is not, as brackets."""
    if condition.number is not None:
        return ()
    term = condition.terms[0]
    if len(condition.terms) == 1 and not term.bound and all(
            isinstance(a, Iverson) for a, _ in term.factors):
        return tuple(a for a, _ in term.factors if isinstance(a, Iverson))
    return _bracket(iverson("<", ZERO, condition))


def _bracket(condition: Expr) -> Case:
    found = condition.single_atom
    return (found,) if isinstance(found, Iverson) else ()


def _either(cases: Sequence[Case]) -> Case:
    """At least one case, as one bracket."""
    products = [mul(*(atom(b) for b in case)) for case in cases]
    return _bracket(iverson("<", ZERO, Expr(tuple(p.terms[0] for p in products))))


def _differs_in_one(known: Case, case: Case) -> Iverson | None:
    """The bracket of `case` whose opposite stands in `known`, all others being the same."""
    left, right = set(known), set(case)
    if len(left) != len(right) or len(left & right) != len(left) - 1:
        return None
    (mine,), (other,) = right - left, left - right
    return mine if negation(mine).single_atom == other else None


# ---- what may be infinite or nan there ------------------------------------------------------


class Branches:
    """Which entries may be infinite or nan outside of where they are read."""

    def __init__(
        self, equations: Sequence[Equation], system: System, read: Iterable[str]
    ) -> None:
        self.regions = regions(equations, system, read)
        self.extrema = {e.array for e in equations if isinstance(e.rhs.single_atom, Extremum)}
        self.wild: set[str] = set()
        size = -1
        while size != len(self.wild):
            size = len(self.wild)
            for equation in equations:
                region = self.regions[equation.array]
                if region.is_partial and self.may_blow(equation.rhs):
                    self.wild.add(equation.array)

    def guard(self, array: str, derivative: Expr, at: Sequence[Expr]) -> Expr:
        """1, or brackets that hold where the entry at `at` is read, if `derivative` needs them."""
        region = self.regions[array]
        if not region.is_partial or not self.may_blow(derivative):
            return ONE
        return region.guard(at)

    def may_blow(self, expr: Expr) -> bool:
        """Whether an expression may be infinite or nan where all that is read is finite."""
        return any(self._factor_may(a, e) for t in expr.terms for a, e in t.factors)

    def _factor_may(self, item: Atom, exponent: Exponent) -> bool:
        if isinstance(item, (Size, Idx, Iverson)):
            return False
        if not (isinstance(exponent, int) and exponent > 0):
            return not (_is_number(atom(item)) or self._counts_ties(item))
        if isinstance(item, Access):
            return item.array in self.wild
        if isinstance(item, Apply):
            row = rows.registry().rows.get(item.function)
            if row is not None and not row.bounded:
                return True
        return any(self.may_blow(c) for c in item.children)


    def _counts_ties(self, item: Atom) -> bool:
        """Whether a factor is how many entries are equal to their maximum: one at least."""
        return isinstance(item, Paren) and all(
            t.coef > 0 and t.factors and all(
                isinstance(a, Iverson) and a.relation == "=="
                and any(self._is_extremum(side.single_atom) for side in (a.lhs, a.rhs))
                for a, _ in t.factors)
            for t in item.body.terms)

    def _is_extremum(self, item: Atom | None) -> bool:
        return isinstance(item, Extremum) or (
            isinstance(item, Access) and item.array in self.extrema)


def _is_number(expr: Expr) -> bool:
    """Whether an expression is made of numbers and sizes alone."""
    return all(isinstance(a, (Size, Paren, Apply)) for a in expr.atoms)
