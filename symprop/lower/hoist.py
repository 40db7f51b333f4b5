"""What a recurrence computes that does not depend on it, moved out of its loop.

In: the equations of a program, in order. Out: the same, where an equation of a recurrence
`V[t] = rhs` reads arrays made for all t at once:

    V_given[t]   the terms of rhs that read no array of the recurrence
    V_factor[t]  the factors and inner sums of a term that read none, if more than a read

Only work is moved: a bare read of an array stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TypeVar

from symprop.algebra.build import (
    ZERO,
    access,
    add,
    atom,
    idx,
    make_term,
    map_accesses,
    sub,
    substitute,
)
from symprop.algebra.canonical import normal, same
from symprop.algebra.expr import (
    ADJOINT,
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
    Term,
    accesses,
    adjoint,
    arrays_of,
    free_indices,
    indices_of,
)
from symprop.names import counted
from symprop.system import Adjoint, Array, Equation, System, cycles, itself

Kind = TypeVar("Kind", bound=Equation | Adjoint)
MADE = "made"  # the role of an equation whose array others read in the place of a part


@dataclass
class Hoist:
    """What is made for the recurrences of one program."""

    system: System
    made: dict[str, Array] = field(default_factory=dict)
    new: list[Equation] = field(default_factory=list)

    def array(self, equation: Equation | Adjoint, role: str, indices: Sequence[Index]) -> str:
        """A new array for a part of an equation, named after it."""
        stem = equation.array.removeprefix(ADJOINT)
        name = counted(f"{stem}_{role}", {*self.system.arrays, *self.made})
        self.made[name] = Array(name, "float", tuple(i.size for i in indices), "computed")
        return adjoint(name) if equation.array.startswith(ADJOINT) else name


def hoisted(
    system: System, equations: Sequence[Kind]
) -> tuple[System, tuple[Equation | Kind, ...]]:
    """The system with the arrays that are made, and the equations, in an order that can run."""
    groups = cycles(equations)
    members: dict[int, set[str]] = {}
    for array, group in groups.items():
        members.setdefault(group, set()).add(array)
    hoist = Hoist(system)
    result: list[Equation | Kind] = []
    for equation in equations:
        if equation.array not in groups or itself(equation) is not None or (
                _whole_numbers(system, equation.array)):
            result.append(equation)
            continue
        rhs = _rewritten(equation, members[groups[equation.array]], hoist)
        result.extend(hoist.new)
        hoist.new.clear()
        result.append(replace(equation, rhs=rhs))
    if not hoist.made:
        return system, tuple(equations)
    return replace(system, arrays={**system.arrays, **hoist.made}), tuple(result)


def are_floats(hoist: Hoist, arrays: Iterable[str]) -> bool:
    """Whether arrays hold floats: what is made of them for a program does."""
    known = hoist.system.arrays
    return all(a.startswith(ADJOINT) or a in hoist.made or known[a].dtype == "float"
               for a in arrays)


def _whole_numbers(system: System, array: str) -> bool:
    return not array.startswith(ADJOINT) and system.arrays[array].dtype != "float"


def _rewritten(equation: Equation | Adjoint, members: set[str], hoist: Hoist) -> Expr:
    """The right-hand side of an equation of a recurrence, reading what is made outside."""
    free = [t for t in equation.rhs.terms if members.isdisjoint(arrays_of(Expr((t,))))]
    rest = [t if any(t is f for f in free) else _factored(equation, t, members, hoist)
            for t in equation.rhs.terms]
    if len(free) < 2 and not any(t.bound or _works(t.factors) for t in free):
        return Expr(tuple(rest))
    array = hoist.array(equation, "given", equation.indices)
    hoist.new.append(Equation(equation.number, array, equation.indices, Expr(tuple(free))))
    given = access(array, [idx(i) for i in equation.indices])
    return add(given, Expr(tuple(t for t in rest if all(t is not f for f in free))))


def _works(factors: Iterable[tuple[Atom, Exponent]]) -> bool:
    """Whether a product is more than one read with a number and brackets."""
    reads = 0
    for item, exponent in factors:
        if isinstance(item, (Apply, Paren, Extremum)) or exponent != 1:
            return not isinstance(item, Size)
        reads += isinstance(item, Access)
    return reads > 1


def _factored(
    equation: Equation | Adjoint, term: Term, members: set[str], hoist: Hoist
) -> Term:
    """One term, with its factors outside the recurrence as one array; its brackets likewise."""
    term = Term(term.coef, tuple(
        (Paren(Expr(tuple(_factored(equation, t, members, hoist) for t in a.body.terms)))
         if isinstance(a, Paren) and not _is_free(a, members) else a, e)
        for a, e in term.factors), term.bound)
    mine, summed = _outside(term, members)
    product = make_term(Fraction(1), dict(mine), summed)
    rest = [b for b in term.bound if b not in summed]
    used = [i for i in (*equation.indices, *rest) if i in free_indices(product)]
    places = [_place(i, product, hoist.system) for i in used]
    if len(free_indices(product)) > len(used):
        return term
    if not used or not (summed or _works(mine)) or any(p is None for p in places):
        return term
    known = [p for p in places if p is not None]
    at = {i: sub(idx(p.index), p.shift) for i, p in zip(used, known, strict=True)
          if p.index is not i}
    own = tuple(p.index for p in known)
    array = hoist.array(equation, "factor", own)
    product = map_accesses(substitute(product, at), _settled)
    hoist.new.append(Equation(equation.number, array, own, product))
    read = Access(array, tuple(
        normal(add(idx(i), p.shift)) for i, p in zip(used, known, strict=True)))
    factors: dict[Atom, Exponent] = {}
    for item, exponent in term.factors:
        if all(item is not a for a, _ in mine):
            factors[item] = exponent
        elif item is mine[0][0]:
            factors[read] = 1
    return Term(term.coef, tuple(factors.items()), tuple(rest))


def _outside(
    term: Term, members: set[str]
) -> tuple[list[tuple[Atom, Exponent]], tuple[Index, ...]]:
    """The factors and sums of a term that read no array of the recurrence.

    A sum is moved as far as all that it ranges over is free of the recurrence: of
    Σ_hm dh[t,h] e[t,m] E[m,h] the sum over m.
    """
    bound = frozenset(term.bound)
    held = frozenset().union(*(indices_of(a) for a, _ in term.factors if not _is_free(a, members)))
    summed = tuple(b for b in term.bound if b not in held)
    mine = [(a, e) for a, e in term.factors if _is_free(a, members) and (
        indices_of(a) & frozenset(summed)
        or not (isinstance(a, (Iverson, Size)) or indices_of(a) & bound))]
    return mine, summed


def _settled(item: Access) -> Access:
    return Access(item.array, tuple(normal(p) for p in item.indices))


def _is_free(item: Atom, members: set[str]) -> bool:
    return members.isdisjoint(arrays_of(atom(item)))


@dataclass(frozen=True)
class _Place:
    """An index of the equation is read at `index + shift`, `index` running along an array."""

    index: Index
    shift: Expr


def _place(index: Index, product: Expr, system: System) -> _Place | None:
    """Where a product reads along an index; None where that is not one place.

    Behind a bracket, x[j - H] may lie outside of x for some j: the product is then worked
    out along the axis of x itself.
    """
    shifts: dict[str, Expr] = {}
    sizes: dict[str, Expr] = {}
    for read in accesses(product):
        shape = system.arrays[read.array.removeprefix(ADJOINT)].shape
        for position, size in zip(read.indices, shape, strict=True):
            if index not in free_indices(position) or isinstance(position.single_atom, Access):
                continue
            shift = normal(sub(position, idx(index)))
            if free_indices(shift) or arrays_of(shift):
                return None
            shifts[shift.key], sizes[size.key] = shift, size
    if all(s.is_zero for s in shifts.values()) and all(same(s, index.size) for s in sizes.values()):
        return _Place(index, ZERO)
    if len(shifts) > 1 or len(sizes) > 1 or _counts(index, product):
        return None
    (size,), (shift,) = sizes.values(), shifts.values()
    return _Place(Index(index.letter, size), shift)


def _counts(index: Index, product: Expr) -> bool:
    """Whether an index is read as a number, and not only as a position."""
    def within(expr: Expr) -> bool:
        return any(
            item.index is index if isinstance(item, Idx)
            else not isinstance(item, Access) and any(within(c) for c in item.children)
            for term in expr.terms for item, _ in term.factors)
    return within(product)
