"""Absorbing adjoint equations inside a recurrence: δ[l] = (W[l+1]ᵀ δ[l+1]) ⊙ σ'(z[l]).

In: the drafts of the sweep. Out: the same drafts; some that take part in a recurrence are
`inlined`, because every equation that reads them has absorbed them.

A matrix product is absorbed too where one equation reads it once: inside of a loop there is
nothing else that would use it as an array. What is left still refers to itself only through
the steps that it referred to before, so that it can be computed in the same order.
"""

from __future__ import annotations

from symprop.algebra.expr import Access, Expr, Idx, Iverson, accesses, arrays_of, atoms
from symprop.derive.cost import contracts, cost, volume
from symprop.derive.definitions import Definitions
from symprop.derive.insert import insert
from symprop.derive.sweep import Draft
from symprop.system import Equation, cycles

STORE = 0.5  # operations that one stored entry is worth


def absorb_cycles(drafts: list[Draft], known: Definitions) -> None:
    """Absorbs inside of each recurrence, in the order of the sweep reversed.

    So a product is put first into the equation before it, then with that one further.
    """
    component = cycles([Equation(d.number, d.array, d.indices, d.rhs) for d in drafts])
    for draft in reversed(drafts):
        if draft.array not in component or draft.primal in known.system.wrt:
            continue
        reading = [d for d in drafts if not d.inlined and draft.array in arrays_of(d.rhs)]
        if draft not in reading and all(_readable(draft, user) for user in reading):
            _try(draft, reading, component, known)


def _try(
    draft: Draft, reading: list[Draft], component: dict[str, int], known: Definitions
) -> None:
    """Inserts `draft` into all of `reading` if the summed cost allows it."""
    renames = isinstance(draft.rhs.single_atom, Access)
    if not renames and any(contracts(_reading(user.rhs, draft)) for user in reading):
        return  # a matrix product needs its operand as an array
    if contracts(draft.rhs):
        (user, *others) = reading
        if others or component.get(user.array) != component[draft.array]:
            return
        if sum(a.array == draft.array for a in accesses(user.rhs)) != 1:
            return
    before = cost(draft.rhs) + STORE * volume(draft.indices) + sum(cost(u.rhs) for u in reading)
    trails = [insert(user.trail, draft, known) for user in reading]
    if sum(cost(trail.expr) for trail in trails) > before:
        return
    for user, trail in zip(reading, trails, strict=True):
        user.trail = trail
        user.absorbed.append(draft.number)
    draft.inlined = True


def _reading(expr: Expr, draft: Draft) -> Expr:
    """The terms that read the draft."""
    return Expr(tuple(t for t in expr.terms if draft.array in arrays_of(Expr((t,)))))


def _readable(draft: Draft, user: Draft) -> bool:
    """Whether the draft may stand at the position where it is read.

    What speaks of a position, as the last step's [t = T-1] does, stays where it is read unshifted.
    """
    if not any(isinstance(a, (Iverson, Idx)) for a in _outside_accesses(draft.rhs)):
        return True
    reads = [a for a in accesses(user.rhs) if a.array == draft.array]
    return all(p.single_index is not None for a in reads for p in a.indices)


def _outside_accesses(expr: Expr) -> list[object]:
    inside = {id(a) for read in accesses(expr) for p in read.indices for a in atoms(p)}
    return [a for a in atoms(expr) if id(a) not in inside]
