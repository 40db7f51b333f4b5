"""Carries that a loop only adds to, as sums over its turns.

In: the drafts of a loop, a carry, what it begins with. Out: the same drafts, in which the carry
is what it begins with and the sum of what every turn adds:

    s[t] = s_prev[t] + e[t]     ->     s = s_0 + Σ_t e[t]
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace

from symprop.algebra.build import access, add, idx, instantiate, sum_over
from symprop.algebra.expr import Access, Expr, Index, Term, accesses
from symprop.trace.replay import Entry
from symprop.trace.tracer import Draft


def as_sum(
    drafts: Sequence[Draft], name: str, before: str, entry: Entry, outside: Container[str]
) -> list[Draft] | None:
    """The drafts with a sum in place of the carry `name`; None where it is more than added to.

    `before` is the read of what the turn before made; `outside` holds what is read elsewhere.
    """
    table = {d.array: d for d in drafts}
    found = _chain(table, name, before)
    if found is None or not found[1]:
        return None
    chain, rest = found
    readers = [a.array for d in drafts for a in accesses(d.rhs)]
    if readers.count(name) or any(readers.count(n) > 1 for n in (before, *chain[1:])):
        return None
    if any(c in outside for c in chain[1:]):
        return None
    total = table[name]
    time, *own = total.indices
    turn = Index(time.letter, time.size)
    again = [Index(i.letter, i.size) for i in own]
    at = [idx(turn), *map(idx, again)]
    added = replace(total, array=f"{name}+", rhs=Expr(tuple(rest)), name=None, local=None,
                    hint=None, variable=None)
    formals, start = entry
    rhs = add(instantiate(formals, start, list(map(idx, again))),
              sum_over(access(added.array, at), [turn]))
    done = replace(total, indices=tuple(again), rhs=rhs, op="sum")
    return [d for d in drafts if d.array not in chain] + [added, done]


def _chain(
    table: dict[str, Draft], name: str, before: str, seen: tuple[str, ...] = ()
) -> tuple[list[str], list[Term]] | None:
    """(the drafts through which a carry goes, what is added on the way)."""
    if name == before:
        return [], []
    draft = table.get(name)
    own = table[seen[0] if seen else name].indices
    if draft is None or name in seen or len(draft.indices) != len(own):
        return None
    rhs = instantiate(draft.indices, draft.rhs, list(map(idx, own)))
    for term in rhs.terms:
        onward = _next(term, own)
        rest = None if onward is None else _chain(table, onward, before, (*seen, name))
        if rest is not None:
            return [name, *rest[0]], [*rest[1], *(t for t in rhs.terms if t is not term)]
    return None


def _next(term: Term, own: Sequence[Index]) -> str | None:
    """The array of which a term is the entry itself, at the entry's own place."""
    item = Expr((term,)).single_atom
    if not isinstance(item, Access) or len(item.indices) != len(own):
        return None
    at = [p.single_index for p in item.indices]
    return item.array if all(a is b for a, b in zip(at, own, strict=True)) else None
