"""Columns of an integer input that point into axes of their own.

In: the drafts of a trace, merged, and what is known of its integer inputs. Out: the same drafts;
where columns of one input are positions on unlike axes, each is an equation:

    E[k[n,0],d] + R[k[n,1],d]     ->     k_0[n] = k[n,0],  k_1[n] = k[n,1],  E[k_0[n],d] + ...

Then what is said of a column is said of an array. Where all columns point into the same axis the
input is left whole, and so is what is assumed of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symprop.algebra.build import access, idx, map_accesses, number
from symprop.algebra.expr import Access, Index
from symprop.system import IndexRange
from symprop.trace.tracer import PROVISIONAL, Draft, Tracer

At = tuple[int | None, ...]


def name_columns(drafts: Sequence[Draft], tracer: Tracer) -> list[Draft]:
    """The drafts, with those of columns before them."""
    told: dict[str, dict[tuple[object, ...], IndexRange]] = {}
    for found in tracer.index_ranges:
        what = (found.size, found.start, found.ignored)
        told.setdefault(found.array, {})[what] = replace(found, at=())
    apart = {array for array, ranges in told.items() if len(ranges) > 1}
    whole = [r for array, ranges in told.items() if array not in apart for r in ranges.values()]
    parts = [r for r in tracer.index_ranges if r.array in apart]
    made: dict[tuple[str, At], Draft] = {
        (r.array, r.at): _column(r.array, r.at, tracer) for r in parts if r.at}
    tracer.index_ranges = [*whole, *parts, *(
        replace(r, array=made[r.array, r.at].array, at=()) for r in parts if r.at)]

    def read(item: Access) -> Access:
        for (array, at), draft in made.items():
            if item.array == array and all(
                    n is None or p.number == n for n, p in zip(at, item.indices, strict=True)):
                return Access(draft.array, tuple(
                    p for n, p in zip(at, item.indices, strict=True) if n is None))
        return item

    for draft in drafts if made else ():
        draft.rhs = map_accesses(draft.rhs, read)
    return [*made.values(), *drafts]


def _column(array: str, at: At, tracer: Tracer) -> Draft:
    """An equation for what stands at these positions."""
    sizes = tracer.arrays[array].shape
    axes = tuple(Index("i", s) for n, s in zip(at, sizes, strict=True) if n is None)
    free = iter(axes)
    rhs = access(array, [idx(next(free)) if n is None else number(n) for n in at])
    name = f"{PROVISIONAL}{len(tracer.drafts) + 1}"
    draft = Draft(name, axes, rhs, "int", "place", "")
    view = next((v for v in tracer.observer.columns if v.entry.array == array and at == tuple(
        None if p.number is None else int(p.number) for p in v.entry.indices)), None)
    if view is None or view.level:  # a variable of a helper's is one for all of its calls
        draft.name = "_".join([array, *(str(n) for n in at if n is not None)])
    else:
        draft.name, draft.source = view.variable, view.source
    tracer.drafts[name] = draft
    return draft
