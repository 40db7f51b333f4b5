"""Views that the author named become equations where they are read.

In: the drafts of a trace, merged, and the views that variables held. Out: the same drafts, with
one more for every such part of an array, and what read the array there reads the part:

    i, f, o, g = np.split(z, 4, axis=1)
    c = sigmoid(f) * c + ...                ->  f[n,h] = z[n,h+H],    e[n,h] = exp(-f[n,h])

It costs no operation, in either direction: every entry of such a view is another entry of the
array, so that the adjoint of the array is that of its parts, side by side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from symprop.algebra.build import ONE, access, idx, map_accesses, mul, substitute
from symprop.algebra.canonical import normal, same
from symprop.algebra.expr import Access, Apply, Expr, Idx, Index, Size, accesses, indices_of
from symprop.system import Call
from symprop.trace.tracer import PROVISIONAL, Draft, Tracer

MOST = 12  # views of one name: what a loop cuts off step by step goes on without names


@dataclass(frozen=True)
class View:
    """A part of an array that a variable held: `axes` and the entry at them."""

    variable: str
    axes: tuple[Index, ...]
    entry: Access
    level: int
    call: Call | None
    source: str


def name_views(
    drafts: Sequence[Draft], views: Sequence[View], tracer: Tracer, facts: Sequence[str]
) -> tuple[list[Draft], dict[str, View]]:
    """The drafts, with those of views that are read; and these views by their new arrays."""
    result = list(drafts)
    made: dict[str, View] = {}
    often = Counter(v.variable for v in {(v.variable, v.entry.key): v for v in views}.values())
    known = {d.array: d for d in drafts}
    for view in reversed(views):  # a view of a view is narrower, and comes later
        whole = known.get(view.entry.array)
        shape = tracer.arrays[view.entry.array].shape if whole is None and (
            view.entry.array in tracer.arrays) else [i.size for i in whole.indices] if whole else ()
        if often[view.variable] > MOST or view.entry.array in facts or not _is_part(view):
            continue
        if _is_whole(view, shape) or (whole is not None and whole.kind != "float"):
            continue
        if view.variable == (view.entry.array if whole is None else _called(whole)):
            continue  # it goes on being called so: h[T-1] is the last h
        readers = [d for d in drafts if d is not whole and _reads(d, view)]
        if not readers or any(isinstance(d.rhs.single_atom, Access) for d in readers):
            continue  # nothing reads it; or an output is called so
        draft = _draft(view, tracer)
        for reader in readers:
            reader.rhs = with_name(reader.rhs, view, draft.array)
        made[draft.array] = view
    for array in reversed(made):
        place = next(k for k, d in enumerate(result) if array in d.reads)
        result.insert(place, tracer.drafts[array])
    return result, made


def _draft(view: View, tracer: Tracer) -> Draft:
    axes = _formal(view)
    fresh = {a: Index(a.letter, a.size) for a in axes}
    rhs = substitute(access(view.entry.array, view.entry.indices), {
        a: idx(f) for a, f in fresh.items()})
    name = f"{PROVISIONAL}{len(tracer.drafts) + 1}"
    draft = Draft(name, tuple(fresh.values()), rhs, "float", "view", view.source, call=view.call)
    if view.level == 0:
        draft.name = view.variable
    else:
        draft.local = draft.helper = view.variable
    draft.depth, draft.variable = view.level, view.variable
    tracer.drafts[name] = draft
    return draft


def _formal(view: View) -> list[Index]:
    """The indices of a view's equation: those of loops first, none of size 1."""
    inside = indices_of(view.entry)
    own = [a for a in view.axes if a.size != ONE]
    return [*sorted(inside - set(own), key=lambda i: i.uid), *own]


def _is_part(view: View) -> bool:
    """Whether its entries are entries at other positions each, and all its indices are read."""
    found: list[Index] = []
    for position in view.entry.indices:
        inside = [a.index for a in position.atoms if isinstance(a, Idx)]
        if any(isinstance(a, Access | Apply) for a in position.atoms) or not _strides(position):
            return False
        found += inside
    return len(found) == len(set(found)) and set(found) == set(_formal(view))


def _strides(position: Expr) -> bool:
    """Whether a position is a number in mixed radix: each index runs within the next's step."""
    steps = []
    for term in normal(position).terms:
        inner = [a for a, _ in term.factors if isinstance(a, Idx)]
        if len(inner) > 1 or term.bound:
            return False
        if inner:
            rest = tuple((a, e) for a, e in term.factors if a is not inner[0])
            if any(not isinstance(a, Size) for a, _ in rest) or not (rest or abs(term.coef) == 1):
                return False  # every second entry, or windows that stand beside each other
            steps.append((inner[0].index, Expr((type(term)(abs(term.coef), rest),))))
    while len(steps) > 1:
        inner_most = next((s for s in steps if any(
            same(normal(mul(s[0].size, s[1])), normal(o[1])) for o in steps if o is not s)), None)
        if inner_most is None:
            return False
        steps.remove(inner_most)
    return True


def _is_whole(view: View, shape: Sequence[Expr]) -> bool:
    """Whether a view shows its array as it is."""
    shown = [p.single_index for p in view.entry.indices]
    return shown == _formal(view) and len(shown) == len(shape) and all(
        i is not None and same(i.size, s) for i, s in zip(shown, shape, strict=True))


def _called(whole: Draft) -> str:
    """The variable that an array is called by, be it one that holds it in another shape."""
    return whole.name or whole.helper or whole.hint or ""


def matched(found: Access, view: View) -> dict[Index, Index] | None:
    """The indices at which a view is read by an access; None where that reads something else."""
    if found.array != view.entry.array:
        return None
    at: dict[Index, Index] = {}
    for wanted, given in zip(view.entry.indices, found.indices, strict=True):
        inner, outer = ([a.index for a in p.atoms if isinstance(a, Idx)]
                        for p in (normal(wanted), normal(given)))
        if len(inner) != len(outer):
            return None
        at.update(zip(inner, outer, strict=True))
        moved = substitute(wanted, {i: idx(o) for i, o in at.items()})
        if not same(normal(moved), normal(given)):
            return None
    return at if all(same(i.size, o.size) for i, o in at.items()) else None


def _reads(draft: Draft, view: View) -> bool:
    return any(matched(a, view) is not None for a in accesses(draft.rhs))


def with_name(expr: Expr, view: View, array: str) -> Expr:
    """The expression with the name of a view where it is read."""
    def change(item: Access) -> Access:
        at = matched(item, view)
        return item if at is None else Access(array, tuple(idx(at[a]) for a in _formal(view)))

    return map_accesses(expr, change)
