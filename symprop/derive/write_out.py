"""Several levels of adjoints put into one user at once, where only the whole pays.

In: the drafts, absorbed one by one. Out: the same drafts; some users read what is further up,
and what nothing reads any more is `inlined`.

    h̄ = Σ r̄ ..., r̄ = Σ v̄ ..., v̄ = Σ c̄ ...      no step alone is cheaper, all of them are
"""

from __future__ import annotations

from symprop.algebra.expr import Expr, adjoint, arrays_of
from symprop.derive.absorb_cycles import STORE
from symprop.derive.cost import contracts, cost, volume
from symprop.derive.definitions import Definitions
from symprop.derive.insert import insert
from symprop.derive.simplify import Trail
from symprop.derive.sweep import Draft

_WRITTEN_OUT = 8
_LEVELS = 8


def write_out(drafts: list[Draft], barred: frozenset[str], known: Definitions) -> None:
    """From the last adjoint to the first: all levels that only this user needs."""
    readers = _Readers(drafts, known)
    for user in reversed(drafts):
        if user.inlined or user.array in barred:
            continue
        best = _best(user, readers, barred, known)
        if best is not None:
            readers.replace(user, best.expr)
            user.trail = best
            numbers = [b for s in best.steps if s.rule == "insert" for b in s.because]
            user.absorbed = list(dict.fromkeys(numbers))


def _best(
    user: Draft, readers: _Readers, barred: frozenset[str], known: Definitions
) -> Trail | None:
    """The longest insertion that costs no more than what it makes superfluous."""
    trail, best, least = user.trail, None, 0.0
    inserted: set[str] = set()
    for _ in range(_LEVELS):
        inside = [d for d in readers.drafts(trail.expr)
                  if d.array not in barred and d is not user and not contracts(d.rhs)
                  and readers.only(d, {user.array, *inserted})]
        if not inside:
            break
        nearest = inside[-1]
        trail = insert(trail, nearest, known)
        inserted.add(nearest.array)
        if len(trail.expr.terms) > _WRITTEN_OUT or contracts(trail.expr):
            break
        change = readers.change(user, trail.expr)
        if change <= least:
            least, best = change, trail
    return best


class _Readers:
    """Which adjoints read which, among those that a gradient needs."""

    def __init__(self, drafts: list[Draft], known: Definitions) -> None:
        self.place = {d.array: k for k, d in enumerate(drafts)}
        self.all = drafts
        self.gradients = frozenset(adjoint(w) for w in known.system.wrt)
        self.of: dict[str, set[str]] = {a: set() for a in self.place}
        todo = [a for a in self.gradients if a in self.place]
        seen = set(todo)
        while todo:
            user = self.all[self.place[todo.pop()]]
            for array in arrays_of(user.rhs):
                if array in self.of:
                    self.of[array].add(user.array)
                    if array not in seen:
                        seen.add(array)
                        todo.append(array)

    def drafts(self, expr: Expr) -> list[Draft]:
        """The adjoints that an expression reads, in the order of the sweep."""
        return [self.all[k] for k in sorted(self.place[a] for a in arrays_of(expr)
                                            if a in self.place)]

    def only(self, draft: Draft, users: set[str]) -> bool:
        """Whether nothing but `users` needs an adjoint."""
        return draft.array not in self.gradients and self.of[draft.array] <= users

    def superfluous(self, user: Draft, rhs: Expr) -> list[Draft]:
        """What nothing reads any more once the user is `rhs`."""
        kept = frozenset(arrays_of(rhs))
        gone = {user.array: user}
        todo = [d for d in self.drafts(user.rhs) if d.array not in kept]
        while todo:
            draft = todo.pop()
            if draft.array not in kept and draft.array not in gone and self.only(draft, {*gone}):
                gone[draft.array] = draft
                todo += self.drafts(draft.rhs)
        return list(gone.values())[1:]

    def change(self, user: Draft, rhs: Expr) -> float:
        """By how much the cost, one store for each entry included, rises."""
        saved = sum(cost(d.rhs) + STORE * volume(d.indices) for d in self.superfluous(user, rhs))
        return cost(rhs) - cost(user.rhs) - saved

    def replace(self, user: Draft, rhs: Expr) -> None:
        """The user is `rhs` from now on."""
        gone = self.superfluous(user, rhs)
        for draft in (user, *gone):
            for read in self.drafts(draft.rhs):
                self.of[read.array].discard(draft.array)
        for read in self.drafts(rhs):
            self.of[read.array].add(user.array)
        for draft in gone:
            draft.inlined = True
