"""From a finished trace to a System.

In: the tracer and what the user's function returned. Out: merged, ordered, named, numbered
equations; and errors for what cannot be a loss or an output.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symprop.algebra.build import ONE, access, idx, substitute
from symprop.algebra.expr import Access, Expr, Index, atoms
from symprop.errors import DTypeError, InputError, ShapeError, TraceError
from symprop.names import check_name
from symprop.system import Array, Call, Equation, Fact, IndexRange, cycles
from symprop.trace.aliases import View, matched, name_views, with_name
from symprop.trace.array_names import Named, name_all
from symprop.trace.coerce import as_traced
from symprop.trace.columns import name_columns
from symprop.trace.determinants import inverses
from symprop.trace.elementwise import named
from symprop.trace.fillable import traced_part
from symprop.trace.merge import merge, renamed
from symprop.trace.naming import is_whole
from symprop.trace.outside import name_sums
from symprop.trace.related import name_related
from symprop.trace.sizes import SymbolicSize
from symprop.trace.tensor import Traced
from symprop.trace.text import shape_text
from symprop.trace.tracer import Draft, Tracer


@dataclass(frozen=True)
class Result:
    """The equations of a system and which of them are its loss and outputs."""

    equations: tuple[Equation, ...]
    arrays: Mapping[str, Array]
    loss: str
    outputs: tuple[tuple[str, str], ...]
    index_ranges: tuple[IndexRange, ...]


@dataclass(frozen=True)
class Returned:
    """What the function returned, as provisional arrays, each with an equation of its own."""

    loss: str
    outputs: Mapping[str, str]
    shapes: tuple[tuple[Expr, ...], ...]


def returned(value: Any, tracer: Tracer) -> Returned:
    """The loss and the outputs by name."""
    value, extra = loss_and_outputs(value)
    if isinstance(value, tuple | list | dict):
        raise InputError(
            "the function must return its loss, or (loss, {name: array}), not a "
            f"{type(value).__name__} of {len(value)}")
    loss = _equation_of(_checked_loss(value), "loss")
    outputs: dict[str, str] = {}
    shapes = []
    for name, array in extra.items():
        check_name(name, "an output")
        traced = as_traced(array)
        outputs[name] = _equation_of(traced, "copy", name)
        shapes.append(tuple(traced.sizes))
    return Returned(loss, outputs, tuple(shapes))


def loss_and_outputs(value: Any) -> tuple[Any, dict[str, Any]]:
    """(the loss, the outputs by name) of what a function returned.

    `return loss, {...}` names outputs; whatever else stands behind the loss is left out.
    """
    if not isinstance(value, tuple) or not value:
        return value, {}
    loss, *others = value
    if len(others) != 1 or not isinstance(others[0], Mapping):
        return loss, {}
    arrays = (Traced, np.ndarray, np.generic, int, float)
    return loss, {k: v for k, v in others[0].items() if isinstance(v, arrays)}


def _checked_loss(value: Any) -> Traced:
    if isinstance(value, SymbolicSize):
        raise TraceError("the function returns the size of an axis, not a loss")
    part = traced_part(value)
    value = value if part is None else part
    if inspect.iscoroutine(value):
        value.close()  # Python would complain of its own that nobody awaits it
    if not isinstance(value, Traced):
        shown = "nothing" if value is None else f"a plain {type(value).__name__}"
        raise TraceError(
            f"the function returns {shown}: its loss must be calculated from its arguments")
    if value.ndim:
        raise ShapeError(
            f"the loss must be a scalar, but it has the shape {shape_text(value.sizes)}: sum it "
            "or take its mean")
    if value.kind != "float":
        raise DTypeError("the loss is an integer or a truth value, which has no gradient")
    return value


def _equation_of(value: Traced, op: str, wanted: str = "") -> str:
    """The equation that is this array; a view or an input gets one."""
    if value.draft is None or not is_whole(value):
        value = named(value, op)
    draft = value.draft
    assert draft is not None
    if draft.name is None and wanted:
        draft.name = wanted
    return draft.array


def finish(
    tracer: Tracer, loss: str, outputs: Mapping[str, str], wrt: Iterable[str],
    facts: Iterable[Fact] = (),
) -> Result:
    """Merges, orders, names and numbers the equations."""
    keep = {loss, *outputs.values()}
    live = _live(list(tracer.drafts.values()), keep)
    drafts = name_columns(merge(_ordered(live), keep), tracer)
    drafts = name_related(_ordered(drafts), tracer)
    drafts = name_sums(drafts, tracer, frozenset(wrt))
    drafts, views = name_views(
        drafts, tracer.observer.views, tracer, [f.array for f in facts])
    named = name_all(drafts, tracer, loss)
    names = {a: n.name for a, n in named.items()}
    arrays = dict(tracer.arrays)
    equations = []
    calls = _Calls(names, arrays, views)
    for count, draft in enumerate(drafts, 1):
        _expect_floats(draft)
        name = names[draft.array]
        arrays[name] = Array(name, draft.kind, tuple(i.size for i in draft.indices), "computed")
        equations.append(_equation(f"F{count}", draft, named, names, calls))
    final = tuple((name, names[array]) for name, array in outputs.items())
    ranges = (replace(r, array=names.get(r.array, r.array)) for r in tracer.index_ranges)
    return Result(tuple(equations), arrays, names[loss], final,
                  tuple(r for r in ranges if r.array in arrays))


def _expect_floats(draft: Draft) -> None:
    """Refuses a number that no float can be: Python's integers are as long as they like."""
    for expr in (draft.rhs, *(c for a in atoms(draft.rhs) for c in a.children)):
        if any(abs(t.coef) > sys.float_info.max for t in expr.terms):
            raise InputError(
                f"{draft.source}: a number of this line is larger than the largest float, 1.8e308")


class _Calls:
    """The calls, with the arrays that they were handed under their final names."""

    def __init__(
        self, names: Mapping[str, str], inputs: Mapping[str, Array], views: Mapping[str, View]
    ) -> None:
        self.names = {**{n: n for n in inputs}, **names}
        self.views = views
        self.done: dict[Call, Call] = {}

    def named(self, call: Call | None) -> Call | None:
        """A call; what is no equation any more is left out."""
        if call is not None and call not in self.done:
            held = tuple(
                (n, Access(self.names[a.array], tuple(renamed(i, self.names) for i in a.indices)))
                for n, a in ((n, self._viewed(a)) for n, a in call.parameters)
                if a.array in self.names)
            self.done[call] = replace(call, parent=self.named(call.parent), parameters=held)
        return None if call is None else self.done[call]

    def _viewed(self, item: Access) -> Access:
        """What was handed, by the name of the view that it is."""
        for array, view in self.views.items():
            if matched(item, view) is not None:
                found = with_name(access(item.array, item.indices), view, array).single_atom
                item = found if isinstance(found, Access) else item
        return item


def _equation(
    number: str, draft: Draft, named: Mapping[str, Named], names: dict[str, str], calls: _Calls
) -> Equation:
    fresh = tuple(Index(i.letter, i.size) for i in draft.indices)
    mapping = {i: idx(f) for i, f in zip(draft.indices, fresh, strict=True) if i.size != ONE}
    rhs = substitute(renamed(draft.rhs, names), mapping)
    own = named[draft.array]
    return Equation(number, own.name, fresh, rhs, draft.source, calls.named(draft.call),
                    draft.variable or "", bool(draft.name or draft.local),
                    own.base if own.counted else "", own.role)


def _live(drafts: Sequence[Draft], keep: set[str]) -> list[Draft]:
    """What the user or a helper named, the loss, the outputs, and all that these read."""
    table = {d.array: d for d in drafts}
    wanted = [d.array for d in drafts if d.name or d.local or d.array in keep]
    found: set[str] = set()
    while wanted:
        array = wanted.pop()
        if array in table and array not in found:
            found.add(array)
            wanted.extend(table[array].reads)
        if not wanted:
            wanted = [a for a in inverses([d for d in drafts if d.array in found])
                      if a not in found]
    return [d for d in drafts if d.array in found]


def _ordered(drafts: Sequence[Draft]) -> list[Draft]:
    """An order in which they can run, as written where possible; a recurrence stays together."""
    component = cycles([Equation("", d.array, d.indices, d.rhs) for d in drafts])
    groups: dict[object, list[Draft]] = {}
    for draft in drafts:
        groups.setdefault(component.get(draft.array, draft.array), []).append(draft)
    group_of = {d.array: key for key, members in groups.items() for d in members}
    done: list[Draft] = []
    visited: set[object] = set()
    for key in groups:
        _visit(key, groups, group_of, visited, done)
    return done


def _visit(
    start: object, groups: Mapping[object, list[Draft]], group_of: Mapping[str, object],
    visited: set[object], done: list[Draft],
) -> None:
    """Adds a group after the groups that it reads (a stack in place of recursion)."""
    stack = [(start, False)]
    while stack:
        key, ready = stack.pop()
        if ready:
            done.extend(groups[key])
        elif key not in visited:
            visited.add(key)
            stack.append((key, True))
            needs = [group_of[r] for d in groups[key] for r in d.reads if r in group_of]
            stack.extend((n, False) for n in reversed(needs) if n not in visited)

