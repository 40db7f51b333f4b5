"""Where a line of a derivation is defined: what it divides by, and takes roots and logarithms of.

In: the two sides of a step, and the equations of the system and of its adjoints. Out: what the
second side requires and the first does not: `Requirement`s, for almost all steps none. An array
that stands in a line brings along what its own equation requires, and so do those that it reads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from symprop.algebra import rows
from symprop.algebra.build import atom, map_accesses, number, sub
from symprop.algebra.canonical import canonical
from symprop.algebra.expr import (
    Access,
    Apply,
    Atom,
    Exponent,
    Expr,
    Extremum,
    Iverson,
    Paren,
    Partial,
    Size,
    Term,
    arrays_of,
    atoms,
    indices_of,
)
from symprop.derive.definitions import Definitions
from symprop.system import Adjoint, Requirement, Step

_WITHIN = {"nonzero": ("nonzero", "positive"), "nonnegative": ("nonnegative", "positive"),
           "positive": ("positive",)}


def with_conditions(adjoints: Sequence[Adjoint], known: Definitions) -> tuple[Adjoint, ...]:
    """The adjoints, every step with what is new to its second side."""
    equations = {e.array: e.rhs for e in known.system.equations}
    equations |= {a.array: a.rhs for a in adjoints}
    domains = _Domains(equations, known)
    return tuple(replace(a, steps=tuple(domains.told(s) for s in a.steps)) for a in adjoints)


class _Domains:
    """What the equations of a derivation require, each looked at once."""

    def __init__(self, equations: Mapping[str, Expr], known: Definitions) -> None:
        self.equations, self.known = equations, known
        self._own: dict[str, frozenset[str]] = {}

    def told(self, step: Step) -> Step:
        """The step with its conditions."""
        if step.departs:
            return step
        needs = list(self._needs(step.after))
        if not needs:
            return step
        new = {_key(n.kind, n.of): n for n in needs}
        for there in self._implied(step.before):
            new = {k: n for k, n in new.items()
                   if not any(_key(kind, n.of) in there for kind in _WITHIN[n.kind])}
            if not new:
                return step
        return replace(step, conditions=tuple(new.values()))

    def _implied(self, before: Expr) -> Iterator[frozenset[str]]:
        """What holds wherever a line is defined, then what the arrays in it bring, near ones first.

        One equation after the other, so that nobody walks through the whole network for what
        stands beside the line.
        """
        yield frozenset(_key(n.kind, n.of) for n in self._needs(before))
        todo = deque([*arrays_of(before), *(a.numerator.array for a in atoms(before)
                                            if isinstance(a, Partial))])
        seen: set[str] = set()
        while todo:
            array = todo.popleft()
            rhs = self.equations.get(array)
            if array in seen or rhs is None:
                continue
            seen.add(array)
            if array not in self._own:
                self._own[array] = frozenset(_key(n.kind, n.of) for n in self._needs(rhs))
            if self._own[array]:
                yield self._own[array]
            todo += arrays_of(rhs)

    def _needs(self, expr: Expr) -> Iterator[Requirement]:
        """What a sum requires beyond what always holds, by the arrays that have no monomial."""
        for term in expr.terms:
            guarded = {b for a, _ in term.factors if isinstance(a, Iverson)
                       for b in arrays_of(atom(a))}
            for need in self._term(term):
                read = set(arrays_of(need.of))
                for array in tuple(read):  # a bracket on v guards its root as well
                    read.update(arrays_of(self.equations.get(array, need.of)))
                if not read & guarded:
                    yield need

    def _term(self, term: Term) -> Iterator[Requirement]:
        for item, exponent in term.factors:
            rooted = Fraction(exponent).denominator != 1
            if exponent < 0 or rooted:
                kind = "positive" if exponent < 0 and rooted else (
                    "nonnegative" if rooted else "nonzero")
                yield from self._basic(kind, item)
            if isinstance(item, Paren | Extremum):
                yield from self._needs(item.children[0])
            elif isinstance(item, Apply) and item.function in rows.names():
                for child, (low, high) in zip(
                        item.children, rows.get(item.function).domains, strict=True):
                    yield from self._needs(child)
                    if low > -float("inf"):
                        yield from self._positive(sub(child, number(Fraction(low))))
                    if high < float("inf"):
                        yield from self._positive(sub(number(Fraction(high)), child))

    def _positive(self, expr: Expr) -> Iterator[Requirement]:
        single = expr.single_atom
        if single is not None:
            yield from self._basic("positive", single)
        elif expr.number is None:
            yield Requirement("positive", expr)

    def _basic(self, kind: str, item: Atom) -> Iterator[Requirement]:
        """A requirement of a name as one of what the name stands for."""
        if isinstance(item, Size) or not arrays_of(atom(item)):
            return
        rule = self.known.basis(item.array) if isinstance(item, Access) else None
        if rule is None:
            yield from self._plain(kind, item)
            return
        based = self.known.to_basis(atom(item)).terms
        for a, e in (f for t in based for f in t.factors):
            rooted = Fraction(e).denominator != 1
            if isinstance(a, Size | Iverson) or not arrays_of(atom(a)):
                continue
            yield from self._plain("positive" if rooted and kind != "nonnegative" else
                                   "nonnegative" if rooted else kind, a)

    def _plain(self, kind: str, item: Atom) -> Iterator[Requirement]:
        """A requirement; of a sum of squares only that it is not 0, and with 1 added nothing."""
        rhs = self.equations.get(item.array) if isinstance(item, Access) else (
            item.body if isinstance(item, Paren) else None)
        if rhs is not None and rhs.terms and self._no_less_than_0(rhs, frozenset()):
            if kind == "nonnegative" or any(map(_is_number, rhs.terms)):
                return
            kind = "nonzero"
        yield Requirement(kind, atom(item))

    def _no_less_than_0(self, expr: Expr, above: frozenset[str]) -> bool:
        """Whether all terms are of squares, or of arrays that are sums of such."""
        def factor(item: Atom, exponent: Exponent) -> bool:
            if isinstance(item, Size | Iverson) or (isinstance(exponent, int) and not exponent % 2):
                return True
            rhs = self.equations.get(item.array) if isinstance(item, Access) else None
            return rhs is not None and isinstance(item, Access) and item.array not in above and (
                self._no_less_than_0(rhs, above | {item.array}))

        return all(t.coef > 0 and all(factor(a, e) for a, e in t.factors) for t in expr.terms)


def _is_number(term: Term) -> bool:
    return not any(arrays_of(atom(a)) or isinstance(a, Iverson) for a, _ in term.factors)


def _key(kind: str, of: Expr) -> str:
    """A requirement as a text in which all indices are the same, and no position is told."""
    of = map_accesses(of, lambda a: Access(a.array, ()))
    item = of.single_atom
    everywhere = indices_of(item) if item is not None else of.free
    bound = frozenset(b for a in atoms(of) if isinstance(a, Paren)
                      for t in a.body.terms for b in t.bound)
    return f"{kind} {canonical(of, dict.fromkeys(everywhere | bound, '?'))}"


