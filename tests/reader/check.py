"""Every line of a page, evaluated and held against the arrays that it is about.

In: a page, its form, and the arrays that it is about. Out: a `Verdict` on each line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from reader.grammar import Grammar
from reader.page import Known, Line
from reader.tokens import Token, Unreadable
from reader.tree import Entry, Name, Node, Number, Whole
from reader.values import Reader, TooLarge, whole_last

_BEYOND = "An adjoint outside of its array is 0, and so is what it multiplies."


def says_beyond(page: str) -> bool:
    """Whether a page says that adjoints are 0 outside of their arrays."""
    return _BEYOND in " ".join(page.split())


class Form(Protocol):
    """A form of print: where its lines are, and how they are cut."""

    def arrays(self, full: str, known: Known) -> dict[str, Any]: ...
    def lines(self, page: str) -> Iterator[Line]: ...
    def tokens(self, line: str) -> list[Token]: ...
    def left_name(self, line: str) -> str: ...
    def letters(self, full: str) -> dict[str, str]: ...
    def bounds(self, full: str) -> Iterator[tuple[str, str]]: ...
    def adjoints(self, full: str) -> frozenset[str]: ...
    def from_one(self, full: str) -> frozenset[str]: ...


@dataclass(frozen=True)
class Verdict:
    """`found` is right, wrong, unreadable or large; `why` says what was met."""

    line: Line
    found: str
    why: str = ""


class Page:
    """A page whose lines can be evaluated; `full` is where every equation has its number.

    few: arrays of more entries are looked at in two places of each axis.
    """

    def __init__(self, form: Form, full: str, known: Known, few: int = 64) -> None:
        self.form, self.few = form, few
        self.beyond = False  # whether another page says that adjoints are 0 outside of their arrays
        self.turns: Mapping[str, Sequence[int]] = {}  # at which first positions a line holds
        self.arrays = {n: np.asarray(a) for n, a in form.arrays(full, known).items()}
        self.adjoints = form.adjoints(full)
        layered = form.from_one(full)
        layered |= {a for a in self.adjoints if _primal(a) in layered}
        for name in layered & self.arrays.keys():  # counted from 1: nothing is at 0
            array = np.asarray(self.arrays[name], float)
            self.arrays[name] = np.concatenate([np.full((1, *array.shape[1:]), np.nan), array])
        defined: dict[str, tuple[Node, Node]] = {}
        for line in form.lines(full):
            if line.section == "forward" and form.left_name(line.text) not in defined:
                left, right, *_ = self._sides(line.text)
                defined[form.left_name(line.text)] = left, right
        letters = {letter: known.sizes[axis] for axis, letter in form.letters(full).items()}
        sizes = Reader({}, known.sizes, {}, {}, {})
        below = {name: int(sizes.value(Grammar(form.tokens(end), ()).sum(), {}).data.item())
                 for name, end in form.bounds(full)}
        self.reader = Reader(self.arrays, known.sizes, defined, letters, below)
        self.reader.from_one = layered

    def verdicts(self, page: str, seed: int = 0) -> Iterator[Verdict]:
        """What is found of each line of a page."""
        rng = np.random.default_rng(seed)
        beyond = self.beyond or says_beyond(page)
        self.reader.adjoints = self.adjoints if beyond else frozenset()
        yield from (self.verdict(line, rng) for line in self.form.lines(page))

    def verdict(self, line: Line, rng: np.random.Generator) -> Verdict:
        """Whether all sides of a line are what its left side is."""
        with np.errstate(all="ignore"):  # what is nan or infinite is compared, not warned of
            return self._verdict(line, rng)

    def _verdict(self, line: Line, rng: np.random.Generator) -> Verdict:
        try:
            left, *sides = self._sides(line.text)
            name = self.form.left_name(line.text)
            if name not in self.arrays:
                raise Unreadable(f"nothing is called {name!r}")
            array = self.arrays[name]
            positions = left.positions if isinstance(left, Entry) else ()
            if isinstance(left, Entry) and Whole() in positions:
                array = whole_last(array, positions)
                positions = tuple(p for p in positions if not isinstance(p, Whole))
                left = Entry(left.of, positions)
            taken = _places(array.shape, positions, rng, self.few)
            first = positions[0] if positions else None
            if isinstance(first, Name) and name in self.reader.from_one:
                taken[0] = np.arange(1, len(array))
            elif isinstance(first, Name) and first.name in self.reader.counted:
                turns = self.turns.get(name, self.reader.counted[first.name])
                taken[0] = np.array([t for t in turns if not np.isnan(array[t]).all()])
            wanted = array[np.ix_(*taken)] if array.ndim else array
            begin = int(name in self.reader.from_one and not positions)  # there is no layer 0
            for side in sides:
                got = self.reader.compared(left, side, array.shape, taken)
                if not _equal(got[begin:], wanted[begin:]) if begin else not _equal(got, wanted):
                    why = f"{np.ravel(got)[:3]}, not {np.ravel(wanted)[:3]}"
                    return Verdict(line, "wrong", why)
        except Unreadable as error:
            return Verdict(line, "unreadable", str(error))
        except TooLarge as error:
            return Verdict(line, "large", str(error))
        return Verdict(line, "right")

    def _sides(self, text: str) -> list[Node]:
        return Grammar(self.form.tokens(text), self.arrays).sides()


def _primal(name: str) -> str:
    """What an adjoint is of: ∂W of W, or W without its bar."""
    return name.removeprefix("∂").replace("\u0304", "").replace("\u0305", "")


def _places(
    shape: Sequence[int], positions: Sequence[Node], rng: np.random.Generator, few: int,
) -> list[Any]:
    """The positions of each axis at which a line is looked at."""
    taken = []
    for axis, size in enumerate(shape):
        place = positions[axis] if axis < len(positions) else None
        if isinstance(place, Number):
            taken.append(np.array([int(place.value)]))
        elif isinstance(place, Name) and np.prod(shape) > few:
            taken.append(np.sort(rng.choice(size, min(size, 2), replace=False)))
        else:
            taken.append(np.arange(size))
    return taken


def _equal(got: Any, wanted: Any) -> bool:
    scale = np.abs(wanted[np.isfinite(wanted)]).max(initial=0)
    return bool(np.allclose(got, wanted, rtol=1e-7, atol=1e-9 * scale + 1e-13))
