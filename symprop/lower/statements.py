"""Equations as statements.

In: an equation `V[i, j] = rhs`. Out: one assignment; where deltas on V's own indices are
left, an array of zeros (or of the other terms) that values are scattered into.
"""

from __future__ import annotations

from symprop.algebra.build import as_monomial, idx, substitute_term
from symprop.algebra.canonical import expand
from symprop.algebra.expr import (
    Atom,
    Expr,
    Index,
    Iverson,
    Paren,
    Term,
    atoms,
    free_indices,
    indices_of,
)
from symprop.algebra.indexing import within
from symprop.lower.contract import aligned
from symprop.lower.ir import (
    Arange,
    Assign,
    Expand,
    Fill,
    Grid,
    Node,
    Scatter,
    Subscript,
    Whole,
    Zeros,
)
from symprop.lower.terms import Lowering, Scope, as_float
from symprop.system import Adjoint, Equation

Writes = Assign | Zeros | Scatter


def lower_equation(equation: Equation | Adjoint, scope: Scope) -> tuple[Writes, ...]:
    """The statements of one equation, inside a loop without its first index."""
    indices = tuple(i for i in equation.indices if i is not scope.loop)
    at = idx(scope.loop) if scope.loop is not None else None
    live = tuple(i for i in indices if i.size.number != 1)
    rhs = equation.rhs
    if any(isinstance(a, Paren) and any(_targets(t, live) for t in a.body.terms)
           for a in atoms(rhs)):
        rhs = expand(rhs)
    scattered = [t for t in rhs.terms if _targets(t, live)]
    lowering = Lowering(scope)
    rest = Expr(tuple(t for t in rhs.terms if not _targets(t, live)))
    first: Writes
    if scattered and rest.is_zero:
        first = Zeros(equation.array, tuple(i.size for i in indices), equation.number, at)
    else:
        node = aligned(as_float(lowering.expr(rest, live)), live)
        if node.axes != live or (scattered and not _is_new(node)):
            node = Fill(indices, node)
        elif node.axes != indices:
            node = Expand(indices, node)
        first = Assign(equation.array, node, equation.number, at)
    return (first, *(_scatter(equation, t, indices, live, lowering, at) for t in scattered))


def _is_new(node: Node) -> bool:
    """Whether a node makes an array of its own, that may be written into."""
    return type(node).__name__ not in ("View", "Transpose")


def _targets(term: Term, indices: tuple[Index, ...]) -> dict[Index, tuple[Atom, Expr]]:
    """The deltas of a term that fix an index of the left-hand side: index -> (delta, position)."""
    found: dict[Index, tuple[Atom, Expr]] = {}
    bound = frozenset(term.bound)
    for item, _ in term.factors:
        if not isinstance(item, Iverson) or item.relation != "==":
            continue
        for side, other in ((item.lhs, item.rhs), (item.rhs, item.lhs)):
            index = side.single_index
            if index in indices and index is not None and index not in found and (
                free_indices(other) & bound and not free_indices(other) & frozenset(indices)
            ):
                found[index] = (item, other)
                break
    return found


def _scatter(
    equation: Equation | Adjoint, term: Term, indices: tuple[Index, ...],
    live: tuple[Index, ...], lowering: Lowering, at: Expr | None,
) -> Scatter:
    """One term whose deltas say where its values go."""
    targets = _targets(term, live)
    deltas = {id(delta) for delta, _ in targets.values()}
    spread = frozenset(i for _, p in targets.values() for i in free_indices(p))
    first = min(indices.index(i) for i in targets)
    last = max(indices.index(i) for i in targets) + 1
    grid = tuple(b for b in term.bound if b in spread) + tuple(
        i for i in indices[first:last] if i not in targets)
    before, after = indices[:first], indices[last:]
    order = tuple(i for i in (*before, *grid, *after) if i.size.number != 1 or i in grid)
    # Where a value goes, the target's own index has the value of its position.
    moved = substitute_term(
        Term(term.coef, tuple((a, e) for a, e in term.factors if id(a) not in deltas),
             tuple(b for b in term.bound if b not in spread)),
        {index: position for index, (_, position) in targets.items()},
    )
    rest = as_monomial(moved)
    sign, value = lowering.term(rest, order)
    guarded = frozenset(i for a, _ in rest.factors if isinstance(a, Iverson)
                        for i in indices_of(a))
    integer = Lowering(lowering.scope, True)
    subscripts: list[Subscript] = []
    for place, index in enumerate(indices):
        if index in targets:
            target = targets[index][1]
            safe = within(target, index.size) or not free_indices(target) & guarded
            position = aligned(integer.expr(target, grid), grid)
            subscripts.append(Grid(position, None if safe else index.size))
        elif first <= place < last:
            subscripts.append(Grid(Arange((index,), True)))
        else:
            subscripts.append(Whole())
    return Scatter(equation.array, tuple(subscripts), grid, (*before, *grid, *after), sign,
                   aligned(value, order), equation.number, at)
