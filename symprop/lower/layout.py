"""The order in which the axes of an array lie in memory, where it may be chosen.

In: the equations of forward or of backward. Out: for some arrays the order of their axes.

A batch of matrix products runs over its first axes. An array that such products read or make, and
that is itself made by spreading smaller arrays out, or by such a product, lies as they do:

    c[n,k,d] = x[n,d] - m[k,d]               c = (x.T.copy() - m[:, :, None]).transpose(2, 0, 1)
    z[n,k,d] = e[k,d] c[n,k,d] + Σ_i L[k,d,i] c[n,k,i]        in the order k, d, n as well

What NumPy works out entry by entry lies as its operands do. Nothing else changes: the array has
the axes of its equation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from symprop.algebra.expr import ADJOINT, Access, Expr, Index, Term, free_indices
from symprop.lower.ir import (
    Axes,
    Copy,
    Node,
    Product,
    Put,
    Scatter,
    Sum,
    Transpose,
    View,
    Window,
)
from symprop.lower.slides import COLUMNS, order_of, pads
from symprop.system import Adjoint, Equation, System, cycles

Order = tuple[int, ...]


def laid_out(
    equations: Sequence[Equation | Adjoint], system: System, fixed: Iterable[str] = ()
) -> Mapping[str, Order]:
    """The places of an array's axes, the outermost first; only where they are not in order.

    fixed: arrays that lie in order, as what is handed to the caller.
    """
    groups, kept = cycles(equations), frozenset(fixed)
    wishes: dict[str, Order] = {}
    for equation in equations:
        if isinstance(equation, Equation) and equation.role == COLUMNS:
            read = equation.rhs.single_atom
            assert isinstance(read, Access)
            order = order_of(read, equation.indices)
            if order != tuple(range(len(order))):
                wishes.setdefault(read.array, order)
        for term in equation.rhs.terms if equation.array not in groups else ():
            for array, order in _wishes(equation, term, system):
                wishes.setdefault(array, order)
    return {e.array: wishes[e.array] for e in equations
            if e.array in wishes and e.array not in groups and e.array not in kept
            and (_spreads(e) or _is_batch(e, system) or pads(e))}


def _wishes(
    equation: Equation | Adjoint, term: Term, system: System
) -> Iterable[tuple[str, Order]]:
    """How the arrays of a batch of products would lie; nothing where all batches come first."""
    factors = [a for a, e in term.factors if isinstance(a, Access) and e == 1 and a.indices]
    if len(factors) != 2 or len(term.factors) != 2:
        return
    for item, other in (factors, factors[::-1]):
        mine, theirs = _plain(item), _plain(other)
        if not mine or not theirs or _primal(item.array, system) == "input":
            continue
        bound = frozenset(term.bound)
        batch = [i for i in mine if i in theirs and i not in bound]
        over = [i for i in mine if i in theirs and i in bound]
        columns = [i for i in mine if i not in theirs]
        rows = [i for i in theirs if i not in mine]
        if not batch or not over or not columns or not rows or bound != frozenset(over):
            continue
        if set(mine[:len(batch)]) == set(batch) or mine[0] not in columns:
            continue
        yield item.array, tuple(mine.index(i) for i in (*batch, *over, *columns))
        own = equation.indices
        if set(own) == {*batch, *rows, *columns} and set(own[:len(batch)]) != set(batch):
            yield equation.array, tuple(own.index(i) for i in (*batch, *rows, *columns))


def _plain(item: Access) -> tuple[Index, ...]:
    """The indices of an access, if each position is one of them."""
    found = [i for p in item.indices if (i := p.single_index) is not None]
    return tuple(found) if len(found) == len(item.indices) == len(set(found)) else ()


def _primal(array: str, system: System) -> str:
    return "" if array.startswith(ADJOINT) else system.arrays[array].kind


def _spreads(equation: Equation | Adjoint) -> bool:
    """Whether no term of an equation has all its axes."""
    return all(free_indices(Expr((t,))) < set(equation.indices) for t in equation.rhs.terms)


def _is_batch(equation: Equation | Adjoint, system: System) -> bool:
    """Whether an equation is a batch of products, or a sum with one in it."""
    return any(
        array == equation.array for t in equation.rhs.terms
        for array, _ in _wishes(equation, t, system))


def lying(node: Node, axes: Axes) -> Node:
    """A node that NumPy lays in the order of `axes`: what has fewer is turned in memory first."""
    if isinstance(node, Sum):
        return replace(node, terms=tuple((s, lying(n, axes)) for s, n in node.terms))
    if isinstance(node, Product):
        return replace(node, above=tuple(lying(n, axes) for n in node.above),
                       below=tuple(lying(n, axes) for n in node.below))
    fewer = isinstance(node, Transpose) and len(node.axes) < len(axes)
    return Copy(node.axes, node) if fewer else node


def laid_as(put: Scatter | Put) -> tuple[int, ...]:
    """The order in memory of what is added at the places of a window, if it is another one."""
    if not isinstance(put, Put) or put.at is not None or not isinstance(
            put.value, Transpose):
        return ()
    inner = {s.inner for s in put.subscripts if isinstance(s, Window)}
    outer = [a for a in put.axes if a not in inner]
    if len(outer) != len(put.subscripts) or not isinstance(put.value.body, View):
        return ()
    order = tuple(outer.index(a) for a in put.value.body.axes if a in outer)
    return order if sorted(order) == list(range(len(outer))) != list(order) else ()
