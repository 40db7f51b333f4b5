"""Loops over layers count from 1 on a page, as books have it; in the program they count from 0.

In: a system. Out: its arrays that have an entry for each layer; a position in one of them, and a
bracket about the layer's number, as they are printed: a[L-1] as a[L], [l = 0] as [l = 1].
"""

from __future__ import annotations

from collections.abc import Container

from symprop.algebra.build import add, number
from symprop.algebra.expr import ADJOINT, Expr, Index, Iverson, Size, free_indices
from symprop.system import System, cycles


def layered(system: System) -> tuple[frozenset[str], Expr | None]:
    """The arrays whose first axis is that of the layers, and how many there are.

    The axis of layers is one of a parameter along which a recurrence runs.

    None where that axis is also another one of an array.

    >>> import numpy as np, symprop
    >>> def loss(x: "N", W: "L N N"):
    ...     for l in range(W.shape[0]):
    ...         x = np.tanh(W[l] @ x)
    ...     return np.sum(x)
    >>> sorted(layered(symprop.trace(loss))[0])
    ['W', 'x1']
    """
    own = {a.shape[0] for n in system.wrt if (a := system.arrays[n]).shape
           and isinstance(a.shape[0].single_atom, Size)}
    component = cycles(system.equations)
    axes = {e.indices[0].size for e in system.equations
            if e.array in component and e.indices and e.indices[0].size in own}
    if len(axes) != 1 or any(s in axes for a in system.arrays.values() for s in a.shape[1:]):
        return frozenset(), None
    (size,) = axes
    return frozenset(n for n, a in system.arrays.items() if a.shape and a.shape[0] == size), size


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
