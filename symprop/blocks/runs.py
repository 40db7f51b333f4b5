"""Uses of equal blocks in a row, as loops.

In: the equations and the uses of a block. Out: its `Run`s, and everything numbered so that a run
is one line. `for block in blocks: x = layer(x, block)` is

    (F2)  x[l] = layer(x[l-1], block[l]),  l = 1, ..., 12

A run is what hands its results to its next turn, or what one line of the program calls again and
again, as for heads in a list. In a turn every array is its own (a list), the same as in all others
(shared), or what the turn before has made (carried); else there is no run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from symprop.algebra.expr import Access
from symprop.blocks.block import Carried, Listed, Run, Use
from symprop.system import Equation, cycles

_COUNTED = re.compile(r"(_?\d+)+$")


def with_runs(
    equations: Sequence[Equation], uses: Sequence[Use]
) -> tuple[tuple[Equation, ...], tuple[Use, ...], tuple[Run, ...]]:
    """The lines of a block with the runs among them, each one line, numbered anew."""
    lines = [*map(_Line, uses)]
    by_number = {line.uses[0].number: line for line in lines}
    for equation in equations:
        if equation.number in by_number:
            by_number[equation.number].equations.append(equation)
        else:
            lines.append(_Line(equation=equation))
    lines.sort(key=lambda line: int(line.number[1:]))
    joined = [*_joined(lines)]
    found: list[Run] = []
    for number, line in enumerate(_runnable(joined), 1):
        line.renumber(f"F{number}")
        if line.run is not None:
            found.append(line.run)
    done = [e for line in joined for e in line.equations]
    used = [u for line in joined for u in line.uses]
    return (tuple(sorted(done, key=_position)), tuple(sorted(used, key=_position)),
            tuple(sorted(found, key=_position)))


def _position(item: Equation | Use | Run) -> int:
    return int(item.number[1:])


class _Line:
    """An equation; or a use, or a run, with the equations of what it is handed."""

    def __init__(self, *uses: Use, equation: Equation | None = None) -> None:
        self.uses = [*uses]
        self.equations = [] if equation is None else [equation]
        self.run: Run | None = None

    @property
    def number(self) -> str:
        return (self.uses or self.equations)[0].number

    @property
    def makes(self) -> set[str]:
        return {e.array for e in self.equations} | {r for u in self.uses for r in u.results if r}

    @property
    def reads(self) -> set[str]:
        read = {a for e in self.equations for a in e.reads}
        return read | {a for u in self.uses for a in u.arguments}

    def renumber(self, number: str) -> None:
        """One number for all of it."""
        self.equations = [replace(e, number=number) for e in self.equations]
        new = {id(u): replace(u, number=number) for u in self.uses}
        self.uses = [*new.values()]
        if self.run is not None:
            self.run = replace(self.run, number=number, turns=tuple(
                tuple(new[id(u)] for u in turn) for turn in self.run.turns))


def _joined(lines: Sequence[_Line]) -> Iterator[_Line]:
    """The lines, those of each run as one."""
    rest = [*lines]
    uses = [line for line in lines if line.uses]
    start = 0
    while start < len(uses):
        for length, period in _repeats([line.uses[0] for line in uses[start:]]):
            line = _as_run(uses[start:start + length], period, rest)
            if line is not None:
                chosen = uses[start:start + length]
                rest[rest.index(chosen[0])] = line
                rest = [other for other in rest if other not in chosen]
                start += length - 1
                break
        start += 1
    yield from rest


def _repeats(uses: Sequence[Use]) -> Iterator[tuple[int, int]]:
    """(how many uses from the first on are turns, uses in a turn), the longest first."""
    found = []
    for period in range(1, len(uses) // 2 + 1):
        length = period
        while length < len(uses) and uses[length].block is uses[length - period].block:
            length += 1
        found += [(whole, period) for whole in range(2 * period, length + 1, period)]
    yield from sorted(found, key=lambda pair: (-pair[0], pair[1]))


def _as_run(lines: Sequence[_Line], period: int, around: Sequence[_Line]) -> _Line | None:
    """Some lines as one, if they are a loop."""
    whole = _Line(*(u for line in lines for u in line.uses))
    whole.equations = [e for line in lines for e in line.equations]
    turns = tuple(tuple(whole.uses[k:k + period]) for k in range(0, len(lines), period))
    whole.run = _run(turns, whole.equations)
    if whole.run is None or not _is_closed(whole, lines, around):
        return None
    return whole


def _run(turns: tuple[tuple[Use, ...], ...], equations: Sequence[Equation]) -> Run | None:
    """A loop of these turns; None where they are none."""
    copies = {e.array: source for e in equations if (source := _copied(e))}
    results = {r: (k, j, place) for k, turn in enumerate(turns) for j, use in enumerate(turn)
               for place, r in enumerate(use.results) if r}
    if any(e.array not in copies and not results.keys().isdisjoint(e.reads) for e in equations):
        return None  # a view of what is carried
    carried, lists, shared = [], [], {}
    for j, use in enumerate(turns[0]):
        for port in range(len(use.arguments)):
            arrays = tuple(turn[j].arguments[port] for turn in turns)
            handed = [copies.get(a, a) for a in arrays]
            makers = [results.get(a) for a in handed]
            maker = _same_maker(makers)
            if maker is not None:
                first = handed[0] if makers[0] is None else ""
                carried.append(Carried(j, port, *maker, first))
            elif any(makers):
                return None
            elif len(set(handed)) == 1:
                shared[j, port] = handed[0]
            elif len(set(handed)) == len(handed):
                lists.append(Listed(j, port, arrays))
            else:
                return None
    sites = {(use.call.site, use.call.spot) for turn in turns for use in turn}
    firsts = {(c.maker, c.result, c.first) for c in carried if c.first}
    if len({f[:2] for f in firsts}) < len(firsts):
        return None  # what is carried to two places begins as two arrays
    if not any(c.first for c in carried) and not (
            len(sites) == len(turns[0]) and _are_a_list(turns)):
        return None
    return Run("", turns, tuple(carried), tuple(lists), shared)


def _same_maker(makers: Sequence[tuple[int, int, int] | None]) -> tuple[int, int] | None:
    """(use, result) that makes an argument of every turn: in that turn, or in the one before."""
    for back in (0, 1):
        if back and makers[0] is not None:
            return None
        found = {None if m is None or m[0] != k - back else m[1:]
                 for k, m in enumerate(makers) if k >= back}
        (only,) = found if len(found) == 1 else (None,)
        if only is not None:
            return only
    return None


def _are_a_list(turns: Sequence[Sequence[Use]]) -> bool:
    """Whether results are counted, as `o_0, o_1` and `u1, u2`, and have no names of their own."""
    rows = [tuple(_COUNTED.sub("", r) for use in turn for r in use.results) for turn in turns]
    return all(len({n for n in column if n}) <= 1 for column in zip(*rows, strict=True))


def _copied(equation: Equation) -> str:
    """What an equation is a copy of, if it is."""
    item = equation.rhs.single_atom
    if isinstance(item, Access) and [p.single_index for p in item.indices] == [
            *equation.indices]:
        return item.array
    return ""


def _is_closed(whole: _Line, lines: Sequence[_Line], around: Sequence[_Line]) -> bool:
    """Whether nothing else stands between the turns: reads one, and is read by another."""
    after = whole.makes
    others = [line for line in around if line not in lines]
    size = -1
    while size != len(after):
        size = len(after)
        for line in others:
            if not after.isdisjoint(line.reads):
                after |= line.makes
    return (after - whole.makes).isdisjoint(whole.reads)


def _runnable(lines: Sequence[_Line]) -> list[_Line]:
    """Each line after what it reads, otherwise in the given order; a recurrence as it stands."""
    makes = {a: k for k, line in enumerate(lines) for a in line.makes}
    cyclic = cycles([e for line in lines for e in line.equations])
    component = {k: cyclic[a] for a, k in makes.items() if a in cyclic}
    done: dict[int, _Line] = {}

    def visit(k: int) -> None:
        if k not in done:
            for array in sorted(lines[k].reads):
                other = makes.get(array, k)
                if other != k and not (
                        k in component and component[k] == component.get(other)):
                    visit(other)
            done[k] = lines[k]

    for k in range(len(lines)):
        visit(k)
    return [*done.values()]
