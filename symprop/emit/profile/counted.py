"""Loops over layers count from 1 on a page, as books have it; in the program they count from 0.

In: a system. Out: its arrays that have an entry for each layer; a position in one of them, and a
bracket about the layer's number, as they are printed: a[L-1] as a[L], [l = 0] as [l = 1].
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from symprop.algebra.build import add, number
from symprop.algebra.expr import (
    ADJOINT,
    Access,
    Atom,
    Expr,
    Idx,
    Index,
    Iverson,
    Size,
    free_indices,
)
from symprop.system import Equation, System, cycles


def layered(system: System) -> tuple[frozenset[str], Expr | None]:
    """The arrays whose first axis is that of the layers, and how many there are.

    The axis of layers is one of parameters along which a recurrence runs. All that it reads beyond
    its beginning have that axis (time runs over weights that are the same at every step), and one
    of them has others besides.
    None where that axis is also another one of an array, and where the program does more with the
    number of a layer than to go to the next one: what it computes with counts from 0.

    >>> import numpy as np, symprop
    >>> def loss(x: "N", W: "L N N"):
    ...     for l in range(W.shape[0]):
    ...         x = np.tanh(W[l] @ x)
    ...     return np.sum(x)
    >>> sorted(layered(symprop.trace(loss))[0])
    ['W', 'x1']
    """
    component = cycles(system.equations)
    turning = [e for e in system.equations if e.array in component]
    axes = {e.indices[0].size for e in turning if e.indices}
    read = [system.arrays[n].shape for e in turning for n in _on_the_way(e) if n in system.wrt]
    if len(axes) != 1 or not any(len(shape) > 1 for shape in read):
        return frozenset(), None
    (size,) = axes
    arrays = frozenset(n for n, a in system.arrays.items() if a.shape and a.shape[0] == size)
    if not isinstance(size.single_atom, Size) or any(shape[:1] != (size,) for shape in read) or any(
            size in a.shape[1:] for a in system.arrays.values()) or not all(
            _only_goes_on(e.rhs, arrays, size) for e in system.equations):
        return frozenset(), None
    return arrays, size


def _on_the_way(equation: Equation) -> Iterator[str]:
    """What an equation reads at every turn: not [l = 0] x."""
    for term in equation.rhs.terms:
        if not any(isinstance(a, Iverson) for a, _ in term.factors):
            yield from Expr((term,)).arrays


def _only_goes_on(expr: Expr, arrays: Container[str], layers: Expr) -> bool:
    """Whether the number of a layer stands only as l + 1, as a position or beside a number."""
    return all(_goes_on(a, arrays, layers) for t in expr.terms for a, _ in t.factors)


def _goes_on(atom: Atom, arrays: Container[str], layers: Expr) -> bool:
    inside: Sequence[Expr] = atom.children
    if isinstance(atom, Access) and atom.array in arrays:
        at, *inside = atom.indices
        if free_indices(at) and not _near(at, layers):
            return False
    elif isinstance(atom, Iverson):
        counted = [_near(side, layers) for side in inside]
        if any(counted):
            return all(near or not free_indices(side)
                       for near, side in zip(counted, inside, strict=True))
    elif isinstance(atom, Idx):
        return not _counts(atom.index, layers)
    return all(_only_goes_on(part, arrays, layers) for part in inside)


def _near(expr: Expr, layers: Expr) -> bool:
    """l, or l and a number."""
    several = [t for t in expr.terms if t.factors or t.bound]
    index = Expr(tuple(several)).single_index
    return index is not None and _counts(index, layers)


def place(array: str, position: Expr, arrays: Container[str]) -> Expr:
    """The first position in an array, counted from 1 where that is one of layers."""
    if array.removeprefix(ADJOINT) not in arrays or free_indices(position):
        return position
    return _folded(add(position, number(1)))


def bracket(found: Iverson, layers: Expr | None) -> Iverson:
    """A bracket about the number of a layer, that counted from 1; layers: how many there are."""
    left, right = (any(_counts(i, layers) for i in free_indices(e)) for e in (found.lhs, found.rhs))
    if layers is None or left == right:
        return found
    one = number(1)
    lhs, rhs = (found.lhs if left else _folded(add(found.lhs, one)),
                _folded(add(found.rhs, one)) if left else found.rhs)
    return Iverson(found.relation, lhs, rhs)


def _counts(index: Index, layers: Expr | None) -> bool:
    return index.size == layers


def _folded(expr: Expr) -> Expr:
    """With one number at the end at most."""
    terms = [t for t in expr.terms if t.factors or t.bound]
    total = sum(t.coef for t in expr.terms if not t.factors and not t.bound)
    return Expr((*terms, *number(total).terms))
