"""A derivation as a person tells it: of every adjoint the chain rule, what it comes to, the end.

In: an adjoint with its recorded steps. Out: a `Telling`, all of whose lines are right-hand sides
of those steps, less the paths that vanish; and the kind of an equation, which is that of any
other that differs from it in names, sizes and the number before a product only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from symprop.algebra.expr import (
    ADJOINT,
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
    arrays_of,
)
from symprop.system import Adjoint

# What is still the chain rule, read entry by entry; after these something is put in.
_LOCAL = frozenset((
    "chain rule", "local derivative", "kept value", "sifting", "constant summand", "collect",
    "fold", "factor", "symmetry", "cases", "cofactors", "rename"))


@dataclass(frozen=True)
class Telling:
    """`chain` = `local` = `result`; from `local` to `result` by the numbers of `because`.

    vanishing: the adjoints that are zero and are left out of the first two.
    """

    chain: Expr
    local: Expr
    result: Expr
    because: tuple[str, ...] = ()
    vanishing: tuple[str, ...] = ()


def told(adjoint: Adjoint, zeros: Mapping[str, str], loss: str) -> Telling | None:
    """An adjoint's telling, or None where its steps must be told one by one.

    zeros: the arrays of the adjoints that are exactly zero, each with its number. The adjoint of
    the loss, which is 1, is no factor of any line.
    """
    steps = adjoint.steps
    if not steps or steps[0].rule != "chain rule" or any(
            s.departs or s.conditions for s in steps):
        return None
    last = 0
    while last + 1 < len(steps) and steps[last + 1].rule in _LOCAL:
        last += 1
    first, second = (_without(steps[k].after, ADJOINT + loss) for k in (0, last))
    chain, gone = _living(first, zeros)
    local, also = _living(second, zeros)
    if chain.is_zero or (local.is_zero and not adjoint.rhs.is_zero):
        chain, local, gone, also = first, second, (), ()
    because = dict.fromkeys(b for s in steps[last + 1:] for b in s.because)
    vanishing = tuple(dict.fromkeys((*gone, *also)))
    return Telling(chain, local, adjoint.rhs,
                   tuple(b for b in because if b not in vanishing), vanishing)


def _without(expr: Expr, one: str) -> Expr:
    """The same without a factor that is 1."""
    if one not in arrays_of(expr):
        return expr
    return Expr(tuple(Term(t.coef, tuple((a, e) for a, e in t.factors if not (
        isinstance(a, Access) and a.array == one)), t.bound) for t in expr.terms))


def _living(expr: Expr, zeros: Mapping[str, str]) -> tuple[Expr, tuple[str, ...]]:
    """The terms that are not zero for an adjoint in them, and the numbers of those adjoints."""
    kept, gone = [], []
    for term in expr.terms:
        found = [zeros[a.array] for a, _ in term.factors
                 if isinstance(a, Access) and a.array in zeros]
        gone += found
        kept += [] if found else [term]
    return Expr(tuple(kept)), tuple(gone)


def kind(adjoint: Adjoint, telling: Telling) -> str:
    """What two adjoints have in common that differ in names, sizes and constant factors."""
    shape = _Shape()
    head = ",".join(map(shape.index, adjoint.indices))
    return ";".join((shape.array(adjoint.array), head, *map(
        shape.expr, (telling.chain, telling.local, telling.result))))


@dataclass
class _Shape:
    """Names replaced by the order in which they come."""

    arrays: dict[str, int] = field(default_factory=dict)
    indices: dict[int, int] = field(default_factory=dict)

    def array(self, name: str) -> str:
        primal = name.removeprefix(ADJOINT)
        number = self.arrays.setdefault(primal, len(self.arrays))
        return f"{name[:len(name) - len(primal)]}a{number}"

    def index(self, index: Index) -> str:
        return f"i{self.indices.setdefault(index.uid, len(self.indices))}"

    def expr(self, expr: Expr) -> str:
        alone = len(expr.terms) == 1
        return "(" + "+".join(self._term(t, alone) for t in expr.terms) + ")"

    def _term(self, term: Term, alone: bool) -> str:
        """A product; where it is all there is, its sizes and its number do not count."""
        coef = ("-" if term.coef < 0 else "") if alone else str(term.coef)
        factors = "*".join(f"{self._atom(a)}^{e}" for a, e in term.factors
                           if not (alone and isinstance(a, Size)))
        return f"{coef}*{factors}|" + ",".join(map(self.index, term.bound))

    def _atom(self, atom: Atom) -> str:
        inside = ",".join(map(self.expr, atom.children))
        if isinstance(atom, Access):
            return f"{self.array(atom.array)}[{inside}]"
        if isinstance(atom, Idx):
            return self.index(atom.index)
        if isinstance(atom, Size):
            return "size"
        if isinstance(atom, Partial):
            return f"d{self._atom(atom.numerator)}/{self._atom(atom.denominator)}"
        if isinstance(atom, Iverson):
            return f"[{inside}{atom.relation}]"
        if isinstance(atom, Extremum):
            return f"{atom.kind}{','.join(map(self.index, atom.bound))}{inside}"
        if isinstance(atom, Apply):
            return f"{atom.function}{inside}"
        assert isinstance(atom, Paren)
        return inside
