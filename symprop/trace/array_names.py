"""The names of equations: the author's, else by what they are.

In: the drafts of a trace, in order. Out: a name for each. First come the variables of the traced
function, and of its helpers; of what they only hold a view of the whole lends its name. What
nobody named is called by its role (`roles.py`). Where several want a name, each has a number:
x1, x2, ... are what was in x, one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symprop.names import LONGEST, is_name
from symprop.trace.forms import Part
from symprop.trace.naming import CARRY, PREVIOUS
from symprop.trace.roles import REST, role_of
from symprop.trace.tracer import Draft, Tracer

_BRIEF = re.compile(r"[A-Za-z_]{1,8}")
_DIGITS = re.compile(r"[A-Za-z_]*?([0-9]+)")


@dataclass(frozen=True)
class Named:
    """A name, what it is without what tells it from others, and whether that is a number.

    role: the row of the table that made it, "" where somebody chose it.
    """

    name: str
    base: str
    counted: bool = False
    role: str = ""


@dataclass
class _Wishes:
    """Who wants to be called what, and, of a part, what it is of."""

    arrays: dict[str, list[str]] = field(default_factory=dict)
    of: dict[str, str] = field(default_factory=dict)

    def add(self, base: str, array: str, of: str = "") -> None:
        self.arrays.setdefault(base, []).append(array)
        self.of[array] = of


class _Names:
    """Names as they are given away."""

    def __init__(self, drafts: Sequence[Draft], tracer: Tracer) -> None:
        self.drafts, self.tracer = drafts, tracer
        self.taken = {*tracer.taken, *tracer.size_names}
        self.own: set[str] = set(tracer.observer.reserved)
        self.found: dict[str, Named] = {}
        self.roles: dict[str, str] = {}  # of those that nobody named
        self.roots = {n: n for n in tracer.arrays}
        self.by_array = {d.array: d for d in drafts}
        self.readers: dict[str, list[Draft]] = {}
        for draft in drafts:
            for array in dict.fromkeys(draft.reads):
                self.readers.setdefault(array, []).append(draft)

    def give(self, wishes: _Wishes, authors: bool = False) -> None:
        """Gives what is wished for: plain to one, with numbers to several."""
        for base, arrays in wishes.arrays.items():
            free = base not in self.taken and (authors or base not in self.own)
            if len(arrays) == 1 and free:
                self._set(arrays[0], Named(base, base))
                continue
            for array, named in zip(
                    arrays, self._told_apart(base, arrays, wishes.of), strict=True):
                self._set(array, named)

    def _set(self, array: str, named: Named) -> None:
        self.found[array] = replace(named, role=self.roles.get(array, ""))
        self.taken.add(named.name)
        self.roots.setdefault(array, named.name)

    def _told_apart(
        self, base: str, arrays: Sequence[str], of: Mapping[str, str]
    ) -> Iterable[Named]:
        """A name for each: by what it is of, where that is brief, else by number."""
        roots = [self.roots.get(of[a], "") for a in arrays]
        digits = [m[1] if (m := _DIGITS.fullmatch(r)) else "" for r in roots]
        for ends in (digits, [f"_{r}" if _BRIEF.fullmatch(r) else "" for r in roots]):
            names = [base + end for end in ends]
            if all(ends) and len(set(names)) == len(names) and not base[-1].isdigit() and not (
                    self.taken | self.own).intersection(names):
                counted = any(self.found[of[a]].counted for a in arrays if of[a] in self.found)
                return [Named(name, base, counted) for name in names]
        return [Named(name, base, True) for name in self._numbers(base, len(arrays))]

    def _numbers(self, base: str, count: int) -> list[str]:
        stem = base + "_" * base[-1].isdigit()
        names: list[str] = []
        number = 0
        while len(names) < count:
            number += 1
            name = stem[: LONGEST - len(str(number))] + str(number)
            if name not in self.taken and name not in self.own:
                names.append(name)
        return names

    def authors(self, loss: str) -> None:
        """The variables of the traced function; then those of its helpers."""
        mine, helpers = _Wishes(), _Wishes()
        for draft in self.drafts:
            name = draft.name or ("L" if draft.array == loss else "")
            if not name and not draft.helper and draft.hint and draft.hint_depth == 0:
                name = draft.hint
            if name:
                mine.add(name, draft.array)
                if draft.op == CARRY and name.endswith(PREVIOUS):
                    self.roles[draft.array] = f"{{}}{PREVIOUS}"
                continue
            local = draft.helper if not draft.library else None
            local = (local or draft.hint or "").strip("_")
            if local and is_name(local):
                helpers.add(local, draft.array)
        self.give(mine, authors=True)
        self.give(helpers)

    def parts(self) -> None:
        """By role; or what a function of symprop.nn, or a helper that is handed it, calls it."""
        wishes = _Wishes()
        plays: dict[str, str] = {}
        called = self.roots | {a: n.base for a, n in self.found.items()}
        axes = {n.lower() for n in self.tracer.size_names if len(n) == 1}
        for draft in self.drafts:
            part = Part(draft, self.readers.get(draft.array, ()), self.by_array, plays, called)
            found = role_of(part)
            if found is not None:
                plays[draft.array] = found[0].name
            if draft.array in self.found:
                continue
            local = (draft.helper or draft.argument or "").strip("_")
            role, of = found or (REST, "")
            base = role.named(part, called.get(of, ""))
            if base in axes and role.beside:
                base = role.beside
            if found is None and is_name(local):
                base = local
            else:
                base = base if is_name(base) else role.named(part, "")
                self.roles[draft.array] = role.name
            called[draft.array] = base
            if of in self.roots:
                self.roots.setdefault(draft.array, self.roots[of])
            wishes.add(base, draft.array, of)
        self.give(wishes)


def name_all(drafts: Sequence[Draft], tracer: Tracer, loss: str) -> dict[str, Named]:
    """The final name of every draft, by its provisional one."""
    names = _Names(drafts, tracer)
    names.authors(loss)
    names.parts()
    return names.found
