"""The turns of Python loops over named axes, while those axes have a length to count by.

In: how many entries each such axis is taken to have, and the loops as Python runs them. Out: the
turn in which an equation is made. Sizes stay symbolic in all that is calculated; only Python's
counting (range(T), `for row in x`, a comparison of a position with the end) sees the numbers.
`rolling` makes recurrences of the turns, and `lifting` compares several lengths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from symprop.algebra.build import add, number
from symprop.algebra.build import size as size_of
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Apply, Atom, Expr, Paren, Size, atoms
from symprop.errors import TraceError

Turn = tuple[tuple[int, int], ...]  # (loop, turn), the loop that began first at first

_FEWEST = 3  # turns that entries of a list come from
_BEYOND = 1  # how far above an assumed length a number may lie that is compared with it


class LoopRefusal(TraceError):
    """Python was asked to count the entries of named axes."""

    axes: tuple[str, ...] = ()


class Position(int):
    """A position that a loop has come to: an int of Python's.

    Comparing it with a number that no position of the loop comes near, as in `t == 100`, settles
    something only at other lengths.
    """

    beyond: int

    @classmethod
    def of(cls, value: int, count: int) -> Position:
        """A position in a loop of so many turns."""
        made = cls(value)
        made.beyond = count + _BEYOND
        return made

    def _near(self, other: object) -> None:
        if isinstance(other, int | float) and abs(other) > self.beyond:
            raise LoopRefusal(f"a position in a loop is compared with {other}")

    def __add__(self, other: object) -> Any:
        return self._moved(super().__add__(other))  # type: ignore[operator]

    def __sub__(self, other: object) -> Any:
        return self._moved(super().__sub__(other))  # type: ignore[operator]

    __radd__ = __add__

    def _moved(self, value: Any) -> Any:
        return Position.of(value, self.beyond - _BEYOND) if isinstance(value, int) else value

    def __mod__(self, other: object) -> Any:
        self._near(other)
        return super().__mod__(other)  # type: ignore[operator]

    def __floordiv__(self, other: object) -> Any:
        self._near(other)
        return super().__floordiv__(other)  # type: ignore[operator]

    def __eq__(self, other: object) -> bool:
        self._near(other)
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        self._near(other)
        return super().__ne__(other)

    def __lt__(self, other: Any) -> bool:
        self._near(other)
        return super().__lt__(other)

    def __le__(self, other: Any) -> bool:
        self._near(other)
        return super().__le__(other)

    def __gt__(self, other: Any) -> bool:
        self._near(other)
        return super().__gt__(other)

    def __ge__(self, other: Any) -> bool:
        self._near(other)
        return super().__ge__(other)

    __hash__ = int.__hash__


class Turns:
    """The loops of one trace in which axes have an assumed length.

    growing: where the lines are put that make what is longer from turn to turn.
    """

    def __init__(self, lengths: Mapping[str, int], growing: list[str] | None = None) -> None:
        self.lengths = dict(lengths)
        self.counts: dict[int, int] = {}  # of the turns of each loop
        self.letters: dict[int, str] = {}  # of the axis of each
        self.growing = [] if growing is None else growing
        self._running: dict[int, int] = {}

    def grows(self, ends: Sequence[Any], line: str) -> None:
        """Notes range(t) or x[:t]: as long as the turn of a loop that runs says."""
        if sum(isinstance(e, Position) for e in ends) == 1:
            self.growing.append(line)

    @property
    def here(self) -> Turn:
        """The turns that are running."""
        return tuple(self._running.items())

    def over(self, sizes: Sequence[Expr], count: int, item: Callable[[int], Any]) -> Iterator[Any]:
        """The entries of a loop over an axis that these sizes tell, each of which begins a turn."""
        loop = len(self.counts)
        self.counts[loop] = 0
        self.letters[loop] = axes_of(sizes)[0].lower()
        try:
            for turn in range(count):
                self._running[loop] = turn
                self.counts[loop] = turn + 1
                yield item(turn)
        finally:
            self._running.pop(loop, None)

    def position(self, value: int) -> Position:
        """A position in a loop that runs."""
        return Position.of(value, max(self.lengths.values()))

    def positions(self, items: Sequence[Any]) -> Expr | None:
        """The size of the axis whose positions a list holds, all and in order."""
        axes = [a for a, n in self.lengths.items() if n == len(items)]
        counted = all(isinstance(i, Position) for i in items)
        return size_of(axes[0]) if len(axes) == 1 and counted and list(items) == list(
            range(len(items))) else None

    def counted(self, items: int) -> Expr:
        """How many items there are, calculated from positions alone: as an axis has entries."""
        axes = [a for a, n in self.lengths.items() if n == items]
        return size_of(axes[0]) if len(axes) == 1 else number(items)

    def length(self, items: int, turns: Iterable[Turn]) -> Expr:
        """How many items there are of which each comes from another turn of a loop.

        As many as an axis has entries, or one more or less: then that is their number.
        """
        counted = len({t for t in turns if t})
        near = [(axis, n) for axis, n in self.lengths.items() if abs(n - items) <= 1]
        if counted < max(items - 1, _FEWEST) or len(near) != 1:
            return number(items)
        axis, length = near[0]
        return normal(add(size_of(axis), number(items - length)))

    def value(self, size: Expr) -> int | None:
        """What a size is at the assumed lengths; None where it has another axis in it."""
        value = _value(size, self.lengths)
        return None if value is None or value != int(value) else int(value)

    def compared(self, left: Expr, right: Expr) -> tuple[int, int] | None:
        """Two sizes as numbers to compare; None where that would settle more than is known.

        Whether T is above 100 depends on T: whether a position is the last one does not.
        """
        first, second = self.value(left), self.value(right)
        if first is None or second is None:
            return None
        for size, other in ((first, right), (second, left)):
            if other.number is not None and other.number > size + _BEYOND:
                return None
        return first, second


def axes_of(sizes: Sequence[Expr]) -> tuple[str, ...]:
    """The named axes in some sizes."""
    return tuple(dict.fromkeys(a.name for s in sizes for a in atoms(s) if isinstance(a, Size)))


def _value(size: Expr, lengths: Mapping[str, int]) -> Any:
    total: Any = 0
    for term in size.terms:
        product: Any = term.coef
        for item, exponent in term.factors:
            value = _value_of(item, lengths)
            if value is None or (not value and exponent < 0) or term.bound:
                return None
            product *= value**exponent
        total += product
    return total


def _value_of(item: Atom, lengths: Mapping[str, int]) -> Any:
    if isinstance(item, Size):
        return lengths.get(item.name)
    if isinstance(item, Paren):
        return _value(item.body, lengths)
    if isinstance(item, Apply):
        values = [_value(a, lengths) for a in item.args]
        if None in values:
            return None
        if item.function == "maximum":
            return max(values)
        if item.function in ("floordiv", "mod") and values[1]:
            return values[0] // values[1] if item.function == "floordiv" else (
                values[0] % values[1])
    return None
