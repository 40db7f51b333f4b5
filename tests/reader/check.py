"""Every line of a page, evaluated and held against the arrays that it is about.

In: a page of text and `Known`, the arrays by the numbers of their equations. Out: `Verdict`s.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reader.grammar import Grammar
from reader.page import Line, facts, lines, sections
from reader.tokens import Unreadable, tokens
from reader.tree import Entry, Name, Node, Number
from reader.values import Reader, TooLarge

_HEADER = re.compile(r"letter of its index: (.*?)\.")
_AXIS = re.compile(r"(\w+) \((\w+)\)")
_BEYOND = "An adjoint outside of its array is 0, and so is what it multiplies."
_BOUND = re.compile(r"0 ≤ (\w+)(?:\[.*\])? < (.*)$")

@dataclass(frozen=True)
class Known:
    """inputs: by name. numbered: by "F7" or "B3". sizes: of the axes."""

    inputs: Mapping[str, Any]
    numbered: Mapping[str, Any]
    sizes: Mapping[str, int]


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

    def __init__(self, full: str, known: Known, few: int = 64) -> None:
        self.few = few
        arrays = {_same(n): np.asarray(a) for n, a in known.inputs.items()}
        defining = []
        for line in lines(full):
            if line.number and line.section != "boxes" and line.number in known.numbered:
                arrays[_left_name(line.text)] = np.asarray(known.numbered[line.number])
                if line.section == "forward":
                    defining.append(line)
        self.arrays = arrays
        self.adjoints = frozenset(_left_name(line.text) for line in lines(full)
                                  if line.number.startswith("B"))
        defined: dict[str, tuple[Node, Node]] = {}
        for line in defining:
            left, right, *_ = self._sides(line.text)
            defined[_left_name(line.text)] = left, right
        header = _HEADER.search(" ".join(" ".join(sections(full)["given"]).split()))
        letters = {letter: known.sizes[axis]
                   for axis, letter in _AXIS.findall(header[1] if header else "")}
        sizes = Reader(arrays, known.sizes, {}, {}, {})
        below = {}
        for fact in facts(full):
            if bound := _BOUND.match(fact):
                end = sizes.value(Grammar(tokens(bound[2]), ()).sum(), {})
                below[_same(bound[1])] = int(end.data.item())
        self.reader = Reader(arrays, known.sizes, defined, letters, below)

    def verdicts(self, page: str, seed: int = 0) -> Iterator[Verdict]:
        """What is found of each line of a page."""
        rng = np.random.default_rng(seed)
        self.reader.adjoints = self.adjoints if _BEYOND in " ".join(page.split()) else frozenset()
        yield from (self.verdict(line, rng) for line in lines(page))

    def verdict(self, line: Line, rng: np.random.Generator) -> Verdict:
        """Whether all sides of a line are what its left side is."""
        with np.errstate(all="ignore"):  # what is nan or infinite is compared, not warned of
            return self._verdict(line, rng)

    def _verdict(self, line: Line, rng: np.random.Generator) -> Verdict:
        try:
            left, *sides = self._sides(line.text)
            name = _left_name(line.text)
            if name not in self.arrays:
                raise Unreadable(f"nothing is called {name!r}")
            array = self.arrays[name]
            positions = left.positions if isinstance(left, Entry) else ()
            taken = _places(array.shape, positions, rng, self.few)
            wanted = array[np.ix_(*taken)] if array.ndim else array
            for side in sides:
                got = self.reader.compared(left, side, array.shape, taken)
                if not _equal(got, wanted):
                    why = f"{np.ravel(got)[:3]}, not {np.ravel(wanted)[:3]}"
                    return Verdict(line, "wrong", why)
        except Unreadable as error:
            return Verdict(line, "unreadable", str(error))
        except TooLarge as error:
            return Verdict(line, "large", str(error))
        return Verdict(line, "right")

    def _sides(self, text: str) -> list[Node]:
        return Grammar(tokens(text), self.arrays).sides()


def _same(name: str) -> str:
    return unicodedata.normalize("NFD", name)


def _left_name(text: str) -> str:
    return _same(text.split(" = ")[0]).split("[")[0]


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
