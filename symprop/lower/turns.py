"""Lines of blocks in a row as loops over the arguments that are lists.

In: the lines of forward, backward and predict; the runs of the program. Out: the same lines, those
of a run as one `Turns` in each, and the stacks that they loop over. A run is written out turn by
turn where other lines read what its turns hand to each other, where what its turns take is in no
list argument, or where the same array that all turns take has a gradient: that is a sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from symprop.algebra.expr import Expr, Size, adjoint
from symprop.blocks import Run
from symprop.check.trees import part_name
from symprop.lower.invoke import Invoke, Stack, Turns
from symprop.lower.program import Either
from symprop.system import Argument, System

Item = Sequence[Either] | Invoke | Turns  # the equations of a recurrence stand together
Column = tuple[str, ...]
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Passes:
    """The lines of forward, backward and predict, and what is read besides: results, outputs."""

    forward: Sequence[Item]
    backward: Sequence[Item]
    predict: Sequence[Item]
    ends: frozenset[str]

    @property
    def all(self) -> tuple[Sequence[Item], ...]:
        return self.forward, self.backward, self.predict

    def reads(self) -> Iterable[str]:
        """What all lines but those of loops read, and what is read besides."""
        yield from self.ends
        for items in self.all:
            for item in items:
                if not isinstance(item, Turns):
                    yield from reads_of(item)


def reads_of(item: Item) -> tuple[str, ...]:
    """The arrays that a line reads."""
    if isinstance(item, Turns):
        return tuple(a for line in item.lines for a in line.arrays)
    if isinstance(item, Invoke):
        return item.arrays
    return tuple(dict.fromkeys(a for e in item for a in e.reads))


def makes_of(item: Item) -> tuple[str, ...]:
    """The arrays that a line makes."""
    if isinstance(item, Turns):
        return tuple(t for line in item.lines for t in line.targets if t)
    if isinstance(item, Invoke):
        return tuple(t for t in item.targets if t)
    return tuple(e.array for e in item)


def looped(
    passes: Passes, runs: Sequence[tuple[Run, Sequence[str]]], system: System
) -> tuple[Passes, tuple[Stack, ...]]:
    """The lines with their loops; each run with the names of its uses, turn by turn."""
    stacks = {s.name: s for s in _stacks(system)} if runs else {}
    while stacks:
        found = passes
        for run, uses in runs:
            if all(len(turn) == 1 for turn in run.turns):
                found = _with_loops(found, uses, stacks.values())
        loops = [i for items in found.all for i in items if isinstance(i, Turns)]
        read = frozenset(found.reads())
        kept = {name: _in_order(s, loops) for name, s in stacks.items()
                if _is_alone(s, loops, read)}
        if kept == stacks:
            return found, tuple(stacks.values())
        stacks = kept
    return passes, ()


def _with_loops(
    passes: Passes, uses: Sequence[str], stacks: Iterable[Stack]
) -> Passes:
    """The lines with a run as a loop, or with parts of it that are as long as a stack."""
    start = 0
    while start < len(uses):
        lengths = sorted({len(s.columns[0]) for s in stacks} | {len(uses)}, reverse=True)
        for length in lengths:
            part = uses[start:start + length]
            found = _with_loop(passes, frozenset(part), stacks) if len(part) == length else None
            if found is not None:
                passes, start = found, start + length - 1
                break
        start += 1
    return passes


def _with_loop(
    passes: Passes, uses: frozenset[str], stacks: Iterable[Stack]
) -> Passes | None:
    """The lines with one run as a loop in each pass; None where it cannot be one."""
    columns = {c: (s, k) for s in stacks for k, c in enumerate(s.columns)}
    backward = {tuple(map(adjoint, reversed(c))): place for c, place in columns.items()
                if place[0].wanted}
    new = []
    for items, known in zip(passes.all, (columns, backward, columns), strict=True):
        places = [k for k, i in enumerate(items) if isinstance(i, Invoke) and i.use in uses]
        lines = [i for i in items if isinstance(i, Invoke) and i.use in uses]
        rest = [i for k, i in enumerate(items) if k not in places]
        if not lines:
            new.append(items)
            continue
        turns = _turns(lines, known)
        others = {a for i in rest for a in reads_of(i)} | passes.ends
        if turns is None or not others.isdisjoint(_handed(turns)):
            return None
        before = places[-1] + 1 - len(lines)
        new.append([*rest[:before], turns, *rest[before:]])
    forward, back, predict = new
    return replace(passes, forward=forward, backward=back, predict=predict)


def _handed(turns: Turns) -> frozenset[str]:
    """What turns hand to the next one, and to no one else."""
    return frozenset(line.targets[t] for line in turns.lines[:-1] for _, t in turns.carried)


def _turns(lines: Sequence[Invoke], columns: Mapping[Column, tuple[Stack, int]]) -> Turns | None:
    """Lines as the turns of a loop; None where they are none."""
    first, last = lines[0], lines[-1]
    if len(lines) < 2 or any(line.sizes != first.sizes for line in lines):
        return None
    carried, listed = [], []
    targets = [tuple(line.targets[k] for line in lines) for k in range(len(first.targets))]
    for k in range(len(first.arguments)):
        values = tuple(line.arguments[k] for line in lines)
        maker = next((t for t, made in enumerate(targets) if made[:-1] == values[1:]), None)
        if maker is not None:
            carried.append((k, maker))
        elif not first.backward and values in columns:
            listed.append((k, *columns[values]))  # type: ignore[index]
        elif any(v != values[0] for v in values):
            return None
    for k, made in enumerate(targets):
        if any(t == k for _, t in carried):
            continue
        if first.backward and made in columns:
            listed.append((k, *columns[made]))
        elif any(made) and (first.backward or any(made[:-1])):
            return None
    if not carried or (first.backward and len(carried) < len(first.arguments)):
        return None
    return Turns(tuple(lines), tuple(carried), tuple(listed)) if last.targets else None


# ---- arguments that are lists ---------------------------------------------------------------


def _stacks(system: System) -> Iterable[Stack]:
    """The arguments, and parts of arguments, that may be: lists of equal entries of floats."""
    told = {f.array for f in system.facts} | {r.array for r in system.index_ranges}
    keys = system.wrt_keys or system.wrt
    for argument, found in ((a, s) for a in system.arguments for s in _lists(
            a, a.tree, a.annotation, ())):
        if not found.arrays.isdisjoint(told):
            continue
        arrays = [system.arrays[name] for name in found.arrays]
        shown = all(a.dtype == "float" and all(map(_is_plain, a.shape)) for a in arrays)
        none = found.arrays.isdisjoint(system.wrt)
        if shown and (none or argument.name in keys):
            yield replace(found, wanted=not none)


def _lists(argument: Argument, tree: Any, notes: Any, path: Path) -> Iterator[Stack]:
    """The outermost lists of equal entries in a part of an argument."""
    found = _stack(argument.name, tree, notes, path)
    if found is not None:
        yield found
    elif not isinstance(tree, str) and tree is not None:
        for key, part in tree.items() if isinstance(tree, Mapping) else enumerate(tree):
            yield from _lists(argument, part, notes[key], (*path, key))


def _stack(argument: str, tree: Any, notes: Any, path: Path) -> Stack | None:
    if not isinstance(tree, list | tuple) or len(tree) < 2:
        return None
    if any(note != notes[0] for note in notes):
        return None
    entries = [[*_leaves(entry, ())] for entry in tree]
    paths = [path for path, _ in entries[0]]
    if not paths or any([p for p, _ in entry] != paths for entry in entries):
        return None
    columns = tuple(zip(*([a for _, a in entry] for entry in entries), strict=True))
    return Stack(argument, path, reduce(part_name, path, argument), _kind(tree[0]), tuple(paths),
                 columns, False, tree[0])


def _leaves(tree: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """The arrays of an entry, each with the keys at which it stands."""
    if isinstance(tree, str):
        yield path, tree
        return
    for key, part in tree.items() if isinstance(tree, Mapping) else enumerate(tree):
        yield from _leaves(part, (*path, key))


def _kind(tree: Any) -> str:
    if isinstance(tree, str):
        return "array"
    parts = tree.values() if isinstance(tree, Mapping) else tree
    if not all(isinstance(part, str) for part in parts):
        return "nested"
    return "dict" if isinstance(tree, Mapping) else type(tree).__name__


def _is_plain(size: Expr) -> bool:
    return size.number is not None or isinstance(size.single_atom, Size)


def _is_alone(stack: Stack, loops: Sequence[Turns], read: frozenset[str]) -> bool:
    """Whether loops alone read a stack, and one of them makes all its adjoints."""
    if not read.isdisjoint((*stack.arrays, *map(adjoint, stack.arrays))):
        return False
    listed = [[c for _, s, c in loop.listed if s is stack] for loop in loops]
    made = [found for found, loop in zip(listed, loops, strict=True)
            if found and loop.lines[0].backward]
    every = set(range(len(stack.columns)))
    return {c for found in listed for c in found} == every and (
        not stack.wanted or (len(made) == 1 and set(made[0]) == every))


def _in_order(stack: Stack, loops: Sequence[Turns]) -> Stack:
    """A stack with its columns in the order in which the first loop takes them."""
    order = next(found for loop in loops if (
        found := [*dict.fromkeys(c for _, s, c in loop.listed if s is stack)]))
    order += [c for c in range(len(stack.columns)) if c not in order]
    if order == sorted(order):
        return stack
    return replace(stack, keys=tuple(stack.keys[c] for c in order),
                   columns=tuple(stack.columns[c] for c in order))
