"""The letters that indices are shown by: one choice for code, LaTeX, Markdown and text.

In: an equation (or an adjoint with its steps), and names that letters must keep clear of. Out: a
letter for every index, by uid. An index is named after its axis (N gives n); a second index of
the same axis gets the next free letter of `POOL`. Two indices share a letter only where they
never meet, and in all steps of one equation an index keeps its letter. The order of appearance
decides, never a uid.
"""

from __future__ import annotations

import string
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from symprop.algebra.expr import (
    ADJOINT,
    Access,
    Atom,
    Expr,
    Extremum,
    Idx,
    Index,
    Iverson,
    Size,
    free_indices,
)
from symprop.system import Step, System

# Readable letters first; those that look like digits, or like an exp or a differential, last.
POOL = "ijpqrsuvwkmnthabcfgxyzdelo"
_LAST_RESORT = POOL + string.ascii_uppercase


class EquationLike(Protocol):
    """What has letters: an `Equation`, or an `Adjoint`, whose `steps` count too."""

    @property
    def indices(self) -> tuple[Index, ...]: ...

    @property
    def rhs(self) -> Expr: ...


@dataclass(frozen=True)
class Stepped:
    """A forward equation with its steps."""

    indices: tuple[Index, ...]
    rhs: Expr
    steps: tuple[Step, ...]


class Letters(dict[int, str]):
    """Letters by uid, and what a reader knows of ranges: those of axes, and the shapes of arrays.

    axes: the letter of each axis, as the header gives them. shapes: the sizes of an array's axes.
    turns: letters of the turns of a run, whose ends its line says.
    """

    def __init__(
        self, chosen: Mapping[int, str], axes: Mapping[str, str],
        shapes: Mapping[str, tuple[Expr, ...]], turns: Container[str] = (),
    ) -> None:
        super().__init__(chosen)
        self.axes, self.shapes, self.turns = axes, shapes, turns

    def unsaid(self, index: Index, inside: Sequence[Atom]) -> bool:
        """Whether the range of a bound index has to stand under its sign.

        It need not where the header gives it, where the index stands alone at positions of
        arrays whose axes have its size, and where it equals an index that is known.
        """
        size = index.size.single_atom
        if self.get(index.uid) in self.turns:
            return False
        if isinstance(size, Size) and self.axes.get(size.name) == self.get(index.uid):
            return False
        alone = [own for own in self._alone(index, inside) if own is not None]
        if alone:
            return any(size != index.size for size in alone)
        return not any(_equal_to_known(index, atom) for atom in inside)

    def _alone(self, index: Index, inside: Sequence[Atom]) -> Iterator[Expr | None]:
        """The sizes of the axes at which an index stands alone; None of an array without shape."""
        for atom in inside:
            if isinstance(atom, Access):
                name = atom.array
                while name not in self.shapes and name.startswith(ADJOINT):
                    name = name[len(ADJOINT):]
                shape = self.shapes.get(name, ())
                for at, position in enumerate(atom.indices):
                    if position.single_index is index:
                        yield shape[at] if at < len(shape) else None


def _equal_to_known(index: Index, atom: Atom) -> bool:
    if not isinstance(atom, Iverson) or atom.relation != "==":
        return False
    sides = [side.single_index for side in (atom.lhs, atom.rhs)]
    return index in sides and all(s is not None and s.size == index.size for s in sides)


def equation_letters(
    system: System, equation: EquationLike, also: frozenset[str] = frozenset()
) -> Letters:
    """The letters of one equation of a system; the function that every output calls.

    also: further names that letters keep clear of, where a page calls arrays by other names.
    Returns uid -> letter for the free and bound indices of the right-hand side and all steps.
    """
    known = system.__dict__.get("_letters")  # once for a system, not once for an equation
    if known is None:
        taken = taken_by(system)
        known = system.__dict__["_letters"] = taken, axis_letters(system.sizes, taken)
    taken, axes = known
    if also - taken:
        taken, axes = taken | also, axis_letters(system.sizes, taken | also)
    shapes = system.__dict__.setdefault("_shapes", {n: a.shape for n, a in system.arrays.items()})
    turns = system.__dict__.get("_turns", ())
    return Letters(letters(equation, taken, axes), axes, shapes, turns)


def taken_by(system: System) -> frozenset[str]:
    """The one-letter names of a system's arrays and sizes, which no index may be shown by."""
    return frozenset(n for n in (*system.arrays, *system.sizes) if len(n) == 1)


def axis_letters(sizes: Iterable[str], taken: Container[str] = ()) -> dict[str, str]:
    """A letter of its own for every axis: one of its name where possible, the first preferred.

    >>> axis_letters(["N", "Kh", "Kw", "K"])
    {'N': 'n', 'K': 'k', 'Kh': 'h', 'Kw': 'w'}
    """
    names = sorted(dict.fromkeys(sizes), key=lambda name: len(name) > 1)
    chosen: dict[str, str] = {}
    for pool in ("", _LAST_RESORT):
        for name in names:
            used = set(chosen.values())
            wanted = [c for c in name.lower() + pool if c.isalpha() and c.isascii()]
            free = [c for c in wanted if c not in used and c not in taken]
            if name not in chosen and free:
                chosen[name] = free[0]
    return {name: chosen[name] for name in names if name in chosen}


def letters(
    equation: EquationLike, taken: Container[str] = (), axes: Mapping[str, str] | None = None
) -> dict[int, str]:
    """Letters for every index of an equation: uid -> one ASCII letter.

    taken: names that no letter may equal where that can be avoided. axes: the letters of the
    axes, from `axis_letters`; left out, the axes of this equation share the letters out.
    """
    meets = _meetings(equation)
    if axes is None:
        axes = axis_letters((n for i in meets if (n := _axis(i)) is not None), taken)
    wish = {i: _wish(i, axes) for i in meets}
    wished = {*wish.values(), *axes.values()}  # no letter says another axis than its own
    chosen: dict[Index, str] = {}
    for index, others in meets.items():
        letter = wish[index]
        if letter and letter not in taken and all(chosen.get(o) != letter for o in others):
            chosen[index] = letter
    for index, others in meets.items():
        if index not in chosen:
            chosen[index] = _spare({chosen.get(o, "") for o in others}, wished, taken)
    return {index.uid: letter for index, letter in chosen.items()}


def _spare(used: set[str], wished: set[str], taken: Container[str]) -> str:
    """The first letter that is free; a letter that is only wished for or taken is second best."""
    free = [c for c in _LAST_RESORT if c not in used]
    lower = [c for c in free if c.islower()]
    for candidates in (
        (c for c in lower if c not in wished and c not in taken),
        (c for c in free if c not in wished and c not in taken),
        (c for c in lower if c not in taken),
        (c for c in free if c not in taken),
        free,
    ):
        found = next(iter(candidates), None)
        if found is not None:
            return found
    return next(f"i{n}" for n in range(len(used) + 1) if f"i{n}" not in used)


def _axis(index: Index) -> str | None:
    atom = index.size.single_atom
    return atom.name if isinstance(atom, Size) else None


def _wish(index: Index, axes: Mapping[str, str]) -> str:
    name = _axis(index)
    if name is not None and name in axes:
        return axes[name]
    hint = [c for c in (name or index.letter).lower() if c in string.ascii_lowercase]
    return hint[0] if hint and hint[0] not in axes.values() else ""


def _meetings(equation: EquationLike) -> dict[Index, set[Index]]:
    """Which indices meet; free ones first, then as they occur in the equation and its steps."""
    meets: dict[Index, set[Index]] = {i: set() for i in equation.indices}
    exprs = [equation.rhs]
    for step in getattr(equation, "steps", ()):
        exprs += [step.before, step.after]
    for expr in exprs:
        stray = _in_order(expr, free_indices(expr))
        for index in stray:
            meets.setdefault(index, set())
    free = tuple(meets)
    for index in free:
        meets[index].update(o for o in free if o is not index)
    for expr in exprs:
        _visit(expr, free, meets)
    met = dict.fromkeys(i for e in exprs for i in occurrences(e))
    order = dict.fromkeys([*free, *met, *meets])
    return {i: meets[i] for i in order if i in meets}


def _in_order(expr: Expr, wanted: frozenset[Index]) -> list[Index]:
    """The wanted indices by their first occurrence."""
    return list(dict.fromkeys(i for i in occurrences(expr) if i in wanted))


def occurrences(expr: Expr) -> Iterator[Index]:
    """Every index of an expression, from left to right."""
    return (a.index for a in expr.atoms if isinstance(a, Idx))


def _visit(expr: Expr, scope: tuple[Index, ...], meets: dict[Index, set[Index]]) -> None:
    for term in expr.terms:
        inner = _enter(term.bound, scope, meets)
        for atom, _ in term.factors:
            bound = atom.bound if isinstance(atom, Extremum) else ()
            visible = _enter(bound, inner, meets)
            for child in atom.children:
                _visit(child, visible, meets)


def _enter(
    bound: tuple[Index, ...], scope: tuple[Index, ...], meets: dict[Index, set[Index]]
) -> tuple[Index, ...]:
    """The scope inside a binder: each new index meets all that are visible there."""
    for index in bound:
        others = meets.setdefault(index, set())
        for other in (*scope, *bound):
            if other is not index:
                others.add(other)
                meets.setdefault(other, set()).add(index)
    return (*scope, *bound)
