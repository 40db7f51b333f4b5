"""What is printed of a derivation: all of it, or what some gradients depend on.

In: a system, its adjoint equations, names of gradients. Out: a `Selection` in printed order,
with every number as it is in the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from symprop.algebra.expr import ADJOINT, Expr, Size, atoms
from symprop.errors import InputError
from symprop.system import Adjoint, Equation, System


@dataclass(frozen=True)
class Selection:
    """The equations to print, the arrays and sizes that occur, the gradients asked for."""

    gradients: tuple[str, ...]
    forward: tuple[Equation, ...]
    backward: tuple[Adjoint, ...]
    arrays: tuple[str, ...]
    sizes: tuple[str, ...]


def select(
    system: System, adjoints: Sequence[Adjoint], only: Sequence[str] | None = None
) -> Selection:
    """What to print. Raises InputError for a name that has no gradient."""
    gradients = system.wrt if only is None else asked(system, only)
    if only is None:
        names = {*system.arrays, *(a.array for a in adjoints)}
    else:
        names = _needed(system, adjoints, gradients)
    arrays = tuple(n for n in system.arrays if n in names)
    used = {a.name for n in arrays for s in system.arrays[n].shape for a in atoms(s)
            if isinstance(a, Size)}
    return Selection(
        gradients=gradients,
        forward=tuple(e for e in system.equations if e.array in names),
        backward=tuple(a for a in adjoints if a.array in names),
        arrays=arrays,
        sizes=tuple(n for n in system.sizes if only is None or n in used),
    )


def select_equation(
    system: System, adjoints: Sequence[Adjoint], number: str
) -> Selection:
    """One equation with its steps, and the arrays that occur in it. InputError for no number."""
    whole = select(system, adjoints)
    wanted = number.strip("() ").upper()
    forward = tuple(e for e in whole.forward if e.number == wanted)
    backward = tuple(a for a in whole.backward if a.number == wanted)
    if not (forward or backward):
        raise InputError(
            f"there is no equation {number!r}; there are (F1) to ({whole.forward[-1].number}) and "
            f"(B1) to ({whole.backward[-1].number})")
    found: list[Equation | Adjoint] = [*forward, *backward]
    names = {n for e in found for n in (e.array, *e.reads)}
    for adjoint in backward:
        names |= {adjoint.primal, *(n for s in adjoint.steps for n in _mentioned(s.after))}
    names |= {n.removeprefix(ADJOINT) for n in names}
    arrays = tuple(n for n in whole.arrays if n in names)
    used = {a.name for n in arrays for s in system.arrays[n].shape for a in atoms(s)
            if isinstance(a, Size)}
    return replace(whole, gradients=(), forward=forward, backward=backward, arrays=arrays,
                   sizes=tuple(n for n in whole.sizes if n in used))


def asked(system: System, only: Sequence[str]) -> tuple[str, ...]:
    """The leaves that are asked for, by their own name or that of their argument."""
    names = [only] if isinstance(only, str) else list(only)
    trees = {a.name: tuple(_leaves(a.tree)) for a in system.arguments}
    found: list[str] = []
    for name in names:
        leaves = [name] if name in system.wrt else [
            leaf for leaf in trees.get(name, ()) if leaf in system.wrt]
        if not leaves:
            known = ", ".join(system.wrt)
            raise InputError(f"there is no gradient of {name!r}; there are those of {known}")
        found += leaves
    return tuple(n for n in system.wrt if n in found)


def _leaves(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, dict):
        for part in tree.values():
            yield from _leaves(part)
    elif isinstance(tree, (list, tuple)):
        for part in tree:
            yield from _leaves(part)


def _needed(
    system: System, adjoints: Sequence[Adjoint], gradients: Sequence[str]
) -> set[str]:
    """The arrays, adjoints included, that the gradients depend on or whose steps mention."""
    by_array = {a.array: a for a in adjoints}
    by_number = {a.number: a.array for a in adjoints}
    by_number |= {e.number: e.array for e in system.equations}
    names: set[str] = set()
    waiting = [ADJOINT + n for n in gradients] + [system.loss]
    while waiting:
        name = waiting.pop()
        if name in names:
            continue
        names.add(name)
        adjoint, equation = by_array.get(name), system.equation(name)
        if adjoint is not None:
            reasons = [b for s in adjoint.steps for b in s.because]
            numbers = [*adjoint.sources, *adjoint.absorbed, *reasons]
            waiting += [by_number[n] for n in numbers if n in by_number]
            waiting += [adjoint.primal, *adjoint.reads]
            waiting += [n for s in adjoint.steps for n in _mentioned(s.after)]
        elif equation is not None:
            waiting += equation.reads
    return names


def _mentioned(expr: Expr) -> Iterator[str]:
    for atom in atoms(expr):
        name = getattr(atom, "array", None)
        if name is not None:
            yield name
