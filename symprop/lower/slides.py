"""Sums over the places of a window, as products of two matrices.

In: the equations of a program, in order. Out: the same, where a product of two arrays that slides
one along the other reads, or makes, an array whose axes stand as such a product has them:

    z[n,i,j] = Σ_rv a[n,r,j+v] K[i,r,v]         z_columns[r,v,n,j] = a[n,r,j+v], for both:
    dK[i,r,v] = Σ_nj dz[n,i,j] a[n,r,j+v]       the windows are copied once

    da[n,r,j] = Σ_iv dz[n,i,j-v] K[i,r,v] [0 ≤ j-v < J]
                                                da_columns[r,v,n,q] = Σ_i K[i,r,v] dz[n,i,q], and
                                                da[n,r,j] = Σ_vq da_columns[r,v,n,q] [q+v = j]:
                                                one addition for each v, and none of zeros
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TypeVar

from symprop.algebra import integers
from symprop.algebra.build import access, idx, iverson, mul, sub
from symprop.algebra.canonical import normal
from symprop.algebra.expr import (
    ADJOINT,
    Access,
    Expr,
    Index,
    Iverson,
    Size,
    Term,
    free_indices,
    indices_of,
)
from symprop.algebra.integers import within
from symprop.derive.cost import volume
from symprop.lower.hoist import MADE, Hoist
from symprop.lower.ir import Window
from symprop.lower.padding import slack_of
from symprop.lower.views import subscript
from symprop.system import Adjoint, Equation, System, cycles

Kind = TypeVar("Kind", bound=Equation | Adjoint)
Either = Equation | Adjoint
Slot = tuple[int, int, str]  # of an index that a position has: the axis, the step, the size
COLUMNS = "columns"  # the role of an equation whose array is a copy, laid out for a product
_MOST = 64  # places of a window along an axis, each an addition


def slid(
    system: System, equations: Sequence[Equation], adjoints: Sequence[Adjoint]
) -> tuple[System, tuple[Equation, ...], tuple[Either, ...]]:
    """The system with the arrays that are made, the equations, and the adjoint equations."""
    every: tuple[Either, ...] = (*equations, *adjoints)
    groups = cycles(every)
    hoist = Hoist(system)
    found = [w for e in every if e.array not in groups
             for t in e.rhs.terms if (w := _windows(e, t, system)) is not None]
    often = Counter(w.key for w in found)
    follow = _following(every, system)
    copies = {key: _Copies() for key, count in often.items() if count > 1}

    def rewritten(several: Sequence[Kind]) -> tuple[Equation | Kind, ...]:
        result: list[Equation | Kind] = []
        for equation in several:
            if equation.array not in groups:
                terms = [_added(equation, t, hoist) for t in equation.rhs.terms]
                terms = [_copied(equation, t, copies, hoist, follow) for t in terms]
                if any(a is not b for a, b in zip(terms, equation.rhs.terms, strict=True)):
                    equation = replace(equation, rhs=Expr(tuple(terms)))
            result += [*hoist.new, equation]
            hoist.new.clear()
        return tuple(result)

    first, second = rewritten(equations), rewritten(adjoints)
    return replace(system, arrays={**system.arrays, **hoist.made}), first, second


def _pair(term: Term, system: System) -> tuple[Access, Access] | None:
    """The two arrays of floats that a term multiplies, beside sizes and brackets."""
    factors = [(a, e) for a, e in term.factors if not isinstance(a, Size | Iverson)]
    reads = [a for a, e in factors if isinstance(a, Access) and e == 1]
    if len(factors) != 2 or len(reads) != 2:
        return None
    known = [a.array.startswith(ADJOINT) or system.arrays[a.array].dtype == "float" for a in reads]
    return (reads[0], reads[1]) if all(known) else None


def _shape(item: Access, system: System) -> tuple[Expr, ...]:
    return system.arrays[item.array.removeprefix(ADJOINT)].shape


@dataclass(frozen=True)
class _Affine:
    """A position: where it starts, and by how much it grows with each index."""

    start: Expr
    steps: dict[Index, int]


def _affine(position: Expr) -> _Affine | None:
    """A position in whole numbers; None for any other."""
    steps: dict[Index, int] = {}
    start = normal(position)
    for index in free_indices(start):
        step = integers.coefficient(start, index)
        if step is None or step.number is None or step.number.denominator != 1:
            return None
        steps[index] = int(step.number)
        start = normal(sub(start, mul(step, idx(index))))
    return None if free_indices(start) else _Affine(start, steps)


def _tiles(place: _Affine) -> bool:
    """Whether no two pairs of indices have the same position: the axis is cut into two."""
    steps = [*place.steps.items()]
    return len(steps) == 2 and any(
        far == near * index.size.number
        for (_, far), (index, near) in (steps, steps[::-1]) if index.size.number is not None)


# ---- windows that are copied once -------------------------------------------------------------


@dataclass(frozen=True)
class _Windows:
    """Windows that a product of two arrays reads.

    Its indices by their slots: in the result and in both factors; summed over; in the result and
    in this factor alone.
    """

    read: Access
    key: tuple[object, ...]
    sides: tuple[dict[Slot, Index], dict[Slot, Index], dict[Slot, Index]]


@dataclass
class _Copies:
    """The array that holds windows, once it is made: for every axis its side and its slot."""

    array: str = ""
    order: list[tuple[int, Slot]] = field(default_factory=list)


def _windows(equation: Either, term: Term, system: System) -> _Windows | None:
    pair = _pair(term, system)
    if pair is None or any(isinstance(a, Iverson) for a, _ in term.factors):
        return None
    for read, other in (pair, pair[::-1]):
        shape = _shape(read, system)
        at = [a for p in read.indices if (a := _affine(p)) is not None]
        used = [i for a in at for i in a.steps]
        if len(at) < len(shape) or len(set(used)) < len(used) or max(
            (len(a.steps) for a in at), default=0) != 2 or any(
            step < 0 or (len(a.steps) == 1 and not (step == 1 and a.start.is_zero))
            for a in at for step in a.steps.values()
        ) or any(map(_tiles, at)) or not all(
            within(normal(p), s) for p, s in zip(read.indices, shape, strict=True)
        ):
            continue
        theirs, bound = indices_of(other), frozenset(term.bound)
        if any(i in bound and i not in theirs for i in used) or not any(
                i in theirs and i not in used for i in equation.indices):
            continue  # no product of two matrices
        sides: tuple[dict[Slot, Index], ...] = ({}, {}, {})
        for axis, place in enumerate(at):
            for index, step in place.steps.items():
                side = 1 if index in bound else 0 if index in theirs else 2
                sides[side][axis, step, index.size.key] = index
        if not sides[1] or not sides[2] or sum(map(len, sides)) < len(used):
            continue
        key = (read.array, tuple(a.start.key for a in at), frozenset(sides[0]),
               frozenset((frozenset(sides[1]), frozenset(sides[2]))))
        return _Windows(read, key, (sides[0], sides[1], sides[2]))
    return None


def _in_runs(sides: Sequence[dict[Slot, Index]]) -> list[tuple[int, Slot]]:
    """The order of a copy: what no window runs along is innermost, if its runs are longest."""
    often = Counter(axis for side in sides for axis, _, _ in side)
    still = [i for (axis, _, _), i in sides[2].items() if often[axis] == 1]
    moved = [i for (axis, _, _), i in sides[2].items() if often[axis] > 1]
    last = bool(still and moved) and volume(still) >= max(volume([i]) for i in moved)
    own = sorted(sides[2], key=lambda slot: last and often[slot[0]] == 1)
    return [*((0, s) for s in sides[0]), *((1, s) for s in sides[1]), *((2, s) for s in own)]


def _following(equations: Sequence[Either], system: System) -> set[str]:
    """What is made of products with windows, and lies as they do; and zeros around an array."""
    found: set[str] = set()
    for e in equations:
        if e.array.startswith(ADJOINT) or pads(e) or not found.isdisjoint(e.reads) or any(
                _windows(e, t, system) is not None for t in e.rhs.terms):
            found.add(e.array)
    return found


def _copied(
    equation: Either, term: Term, copies: dict[tuple[object, ...], _Copies], hoist: Hoist,
    follow: Container[str],
) -> Term:
    """The term, reading windows from the array that holds them."""
    windows = _windows(equation, term, hoist.system)
    copy = None if windows is None else copies.get(windows.key)
    if windows is None or copy is None:
        return term
    sides = windows.sides
    if not copy.array:
        copy.order = _in_runs(sides)
        own = [sides[k][slot] for k, slot in copy.order]
        copy.array = hoist.array(equation, COLUMNS, own)
        read = _turned(windows.read, own, equation, hoist, follow)
        hoist.new.append(Equation(
            equation.number, copy.array, tuple(own), access(read.array, read.indices),
            role=COLUMNS))
    elif {slot for k, slot in copy.order if k == 1} != set(sides[1]):
        sides = (sides[0], sides[2], sides[1])
    read = Access(copy.array, tuple(idx(sides[k][slot]) for k, slot in copy.order))
    return Term(term.coef, tuple(
        (read if a is windows.read else a, e) for a, e in term.factors), term.bound)


def _turned(
    read: Access, own: Sequence[Index], equation: Either, hoist: Hoist, follow: Container[str]
) -> Access:
    """The access to an array whose windows are copied in another order than its own: turned once.

    follow: what lies in that order by itself.
    """
    order = order_of(read, own)
    if read.array in follow or order == tuple(range(len(order))):
        return read
    shape = _shape(read, hoist.system)
    indices = [Index(own[-1].letter if k == order[-1] else own[0].letter, s)
               for k, s in enumerate(shape)]
    array = hoist.array(equation, "turned", [indices[k] for k in order])
    hoist.new.append(Equation(
        equation.number, array, tuple(indices[k] for k in order),
        access(read.array, [idx(i) for i in indices]), role=COLUMNS))
    return Access(array, tuple(read.indices[k] for k in order))


def pads(equation: Equation | Adjoint) -> bool:
    """Whether an equation puts zeros around an array."""
    if len(equation.rhs.terms) != 1 or equation.rhs.terms[0].bound:
        return False
    factors = [a for a, e in equation.rhs.terms[0].factors if not isinstance(a, Iverson)]
    return len(factors) == 1 < len(equation.rhs.terms[0].factors) and isinstance(
        factors[0], Access)


def order_of(read: Access, own: Sequence[Index]) -> tuple[int, ...]:
    """The axes of an array in the order in which a copy of its windows runs along them."""
    at = {i: k for k, i in enumerate(own)}
    return tuple(sorted(range(len(read.indices)), key=lambda k: max(
        (at[i] for i in free_indices(read.indices[k]) if i in at), default=-1)))


# ---- products whose values are added at several places -------------------------------------------


def _added(equation: Either, term: Term, hoist: Hoist) -> Term:
    """The term as one product, made before, whose entries are added at the places of a window."""
    moved = _at_places(equation, term, hoist.system)
    pair = _pair(moved, hoist.system)
    deltas = [a for a, _ in moved.factors if isinstance(a, Iverson)]
    if pair is None or not deltas:
        return term
    own, bound = frozenset(equation.indices), frozenset(moved.bound)
    inner: set[Index] = set()
    places: set[Index] = set()
    for delta in deltas:
        target = delta.lhs.single_index or delta.rhs.single_index
        position = delta.rhs if delta.lhs.single_index is not None else delta.lhs
        if delta.relation != "==" or target is None or target not in own or not (
                free_indices(position) <= bound):
            return term
        found = subscript(normal(position), target.size, None, within)
        if found is None or found[1] is None:
            return term
        places |= free_indices(position)
        if isinstance(found[0], Window):
            inner.add(found[0].inner)
    kernel, other = pair if inner <= indices_of(pair[0]) else pair[::-1]
    theirs, mine = indices_of(kernel), indices_of(other)
    if not inner or not inner <= theirs - mine or any((i.size.number or _MOST + 1) > _MOST
                                                      for i in inner):
        return term
    summed = (theirs & mine & bound) - places
    used = (*_indices(kernel), *_indices(other))
    if not summed or not (theirs - mine) & own or len(set(used)) + len(theirs & mine) != len(used):
        return term
    both = [i for i in used[:len(theirs)] if i in mine and i not in summed]
    axes = (*both, *(i for i in used if i in theirs and i not in mine), *sorted(
        (i for i in used if i in mine and i not in theirs), key=lambda i: i not in places))
    array = hoist.array(equation, COLUMNS, axes)
    product = Term(Fraction(1), ((kernel, 1), (other, 1)),
                   tuple(b for b in moved.bound if b in summed))
    hoist.new.append(Equation(equation.number, array, axes, Expr((product,)), role=MADE))
    rest = tuple((a, e) for a, e in moved.factors if a not in pair)
    return Term(moved.coef, ((Access(array, tuple(map(idx, axes))), 1), *rest),
                tuple(b for b in moved.bound if b not in summed))


def _indices(item: Access) -> tuple[Index, ...]:
    return tuple(i for p in item.indices if (i := p.single_index) is not None)


def _at_places(equation: Either, term: Term, system: System) -> Term:
    """Σ_v d[j-v] K[v] [0 ≤ j-v < J] as Σ_vq d[q] K[v] [q+v = j]; other terms as they are."""
    pair, own = _pair(term, system), frozenset(equation.indices)
    held = {slack_of(a) for a, _ in term.factors if isinstance(a, Iverson)}
    for read, other in (pair, pair[::-1]) if pair is not None and held else ():
        at, deltas, new, keys = [], [], [], set[str]()
        for position, size in zip(read.indices, _shape(read, system), strict=True):
            place = normal(position)
            affine = _affine(place)
            steps = {} if affine is None else affine.steps
            target = [i for i, step in steps.items() if i in own and step == 1]
            if len(steps) < 2 or len(target) != 1 or any(
                    i not in term.bound or i not in indices_of(other)
                    for i in steps if i is not target[0]):
                at.append(position)
                continue
            guards = {slack_of(b.single_atom) for b in integers.guard(place, size)
                      if isinstance(b.single_atom, Iverson)}
            index = Index(target[0].letter, size)
            at.append(idx(index))
            new.append(index)
            keys |= guards
            deltas.append(iverson("==", idx(target[0]), normal(
                sub(idx(index), sub(place, idx(target[0]))))))
        taken = {i for p in at for i in free_indices(p)}
        atoms = [d.single_atom for d in deltas]
        if new and keys == held - {""} == held and not any(
                free_indices(d) & own & taken for d in deltas) and None not in atoms:
            factors = [(a, e) for a, e in term.factors
                       if a is not read and not isinstance(a, Iverson)]
            return Term(term.coef, (
                (Access(read.array, tuple(at)), 1), *factors,
                *((a, 1) for a in atoms if a is not None)), (*term.bound, *new))
    return term
