"""Absorbing adjoint equations into their users where the counted cost does not rise.

In: the drafts of the sweep. Out: the same drafts, some of them `inlined` because every user
has absorbed them. An adjoint goes into all its users or into none; what takes part in a
recurrence comes last, in `absorb_cycles`.

First every adjoint gets a zero test: written out down to the last contraction and
collected, it may be exactly nothing (the path through a softmax's maximum is).
"""

from __future__ import annotations

from symprop.algebra.expr import Access, Expr, arrays_of
from symprop.derive.absorb_cycles import STORE, absorb_cycles
from symprop.derive.cost import contracts, cost, volume
from symprop.derive.definitions import Definitions
from symprop.derive.insert import insert
from symprop.derive.present import arranged
from symprop.derive.share import share
from symprop.derive.simplify import settled
from symprop.derive.sweep import Draft
from symprop.derive.write_out import write_out
from symprop.derive.zeros import vanish
from symprop.system import Equation, cycles

_LONGEST = 150  # atoms of a line into which another is inserted

def absorb(drafts: list[Draft], known: Definitions) -> None:
    """Marks zeros, then absorbs, in the order of the sweep."""
    barred = _barred(drafts)
    by_array = {d.array: d for d in drafts}
    vanish(drafts, barred, known)
    users = _users(drafts)
    zeros = [d for d in drafts if d.rhs.is_zero]
    for draft in [*zeros, *(d for d in drafts if not d.rhs.is_zero)]:
        if draft.array in barred or draft.primal in known.system.wrt:
            continue
        reading = [by_array[a] for a in users.get(draft.array, ())]
        reading = [u for u in reading if draft.array in arrays_of(u.rhs)]
        if not reading:
            draft.inlined = True
            continue
        if contracts(draft.rhs) or (draft.rhs.number is None
                                    and any(u.array in barred for u in reading)):
            continue
        if _try(draft, reading, known):
            for user in reading:
                for array in arrays_of(user.rhs):
                    users.setdefault(array, {})[user.array] = None
    write_out(drafts, barred, known)
    absorb_cycles(drafts, known)
    for draft in drafts:
        draft.trail = known.memo.apply(settled, draft.trail, known)
        draft.trail.present(arranged)
    share(drafts, barred, known)


def _barred(drafts: list[Draft]) -> frozenset[str]:
    equations = [Equation(d.number, d.array, d.indices, d.rhs) for d in drafts]
    return frozenset(cycles(equations)) | {d.array for d in drafts if d.fixed}


def _users(drafts: list[Draft]) -> dict[str, dict[str, None]]:
    users: dict[str, dict[str, None]] = {}
    for draft in drafts:
        for array in arrays_of(draft.rhs):
            users.setdefault(array, {})[draft.array] = None
    return users


def _try(draft: Draft, reading: list[Draft], known: Definitions) -> bool:
    """Absorbs `draft` into all of `reading` if the summed cost allows it."""
    contracting = [u for u in reading if contracts(u.rhs)]
    if not _free(draft) and not all(_scaled(u.rhs, draft) for u in contracting):
        return False  # a matrix product needs its operand as an array
    if not draft.rhs.is_zero and any(
            _length(draft.rhs) + _length(u.rhs) > _LONGEST for u in reading):
        return False  # in a chain a line would get longer with each link
    before = cost(draft.rhs) + STORE * volume(draft.indices) + sum(cost(u.rhs) for u in reading)
    trails, after = [], 0.0
    for user in reading:
        trail = insert(user.trail, draft, known)
        trails.append(trail)
        after += cost(trail.expr)
        if after > before:
            return False
    for user, trail in zip(reading, trails, strict=True):
        user.trail = trail
        user.absorbed.append(draft.number)
    draft.inlined = True
    return True


def _length(expr: Expr) -> int:
    return len(expr.atoms)


def _free(draft: Draft) -> bool:
    """A number or another array's name: nothing is worked out twice."""
    return draft.rhs.number is not None or isinstance(draft.rhs.single_atom, Access)


def _scaled(reader: Expr, draft: Draft) -> bool:
    """Whether a draft is a number times another array, and its reader multiplies it by one."""
    own = draft.rhs.terms
    if len(own) != 1 or own[0].bound or [e for _, e in own[0].factors] != [1]:
        return False
    return isinstance(own[0].factors[0][0], Access) and all(
        abs(t.coef) != 1 for t in reader.terms if draft.array in arrays_of(Expr((t,))))
