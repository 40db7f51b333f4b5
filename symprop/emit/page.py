"""What a template lays out: rows, the blocks of rows of the equations, the sheet of a derivation.

In: nothing; these are frozen records of printed text, and the `Style` that an output has.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from symprop.emit.notation import Notation
from symprop.emit.words import ENGLISH, Words, words
from symprop.system import Adjoint, System


class Derived(Protocol):
    """What is printed: a system and its adjoint equations, in sweep order."""

    @property
    def system(self) -> System: ...

    @property
    def adjoints(self) -> tuple[Adjoint, ...]: ...


@dataclass(frozen=True)
class Row:
    """`left = lines`, with words beside it (a rule, a shape), an equation's number, or both.

    Where a learning rule `departs`, the line takes the place of the one before unequal. Words
    beside a number are ready to be printed.
    """

    left: str
    lines: tuple[str, ...]
    label: str = ""
    number: str = ""
    departs: bool = False


@dataclass(frozen=True)
class Block:
    """One equation with all that is printed of it; `heading` is its array.

    sentence: what is printed in the place of all this, as of a block that is pulled back.
    """

    number: str
    heading: str
    rows: tuple[Row, ...]
    sources: tuple[str, ...] = ()
    absorbed: tuple[str, ...] = ()
    absorbed_by: tuple[str, ...] = ()
    zero: bool = False
    role: str = "adjoint"
    sentence: str = ""


@dataclass(frozen=True)
class SymbolRow:
    """A line of the table of symbols: printed name, name in code, shape, what it is."""

    symbol: str
    code: str
    shape: str
    role: str


@dataclass(frozen=True)
class Sheet:
    """All that a template lays out."""

    words: Words  # the language
    name: str
    loss: str
    sizes: tuple[tuple[str, str], ...]
    symbols: tuple[SymbolRow, ...]
    conventions: tuple[str, ...]
    facts: tuple[str, ...]
    notes: tuple[str, ...]
    forward: tuple[Block, ...]
    backward: tuple[Block, ...]
    gradients: tuple[Block, ...]
    rules: tuple[tuple[str, str], ...]
    departure: str = ""  # the learning rule by which this is not the gradient
    statement: str = ""  # where it departs, in words
    title: str = ""  # of a lemma
    given: str = ""  # what a lemma is given
    then: str = ""  # and of what it is given the adjoints
    detail: str = "full"
    dense: bool = False  # small sums and little space between lines
    sought: str = ""  # what is computed, and what is sought
    box: tuple[Block, ...] = ()  # every adjoint that is computed, in order, with its shape

    @property
    def found(self) -> str:
        """What is derived: "gradients", or the "updates" of a learning rule."""
        return "updates" if self.departure else "gradients"

    @property
    def shown_title(self) -> str:
        """The title of the page."""
        return self.title or self.titled(self.name)

    def titled(self, name: str) -> str:
        """The title of a derivation, with the name as it is given."""
        return self.words(f"title.{self.found}", name=name, rule=self.departure)

    def givens(self) -> str:
        """What a lemma is given, and what is assumed of it."""
        facts = self.words.several(self.facts)
        return self.words("lemma.given_where" if facts else "lemma.given",
                          given=self.given, facts=facts)

    def head(self, block: Block) -> str:
        """The adjoint of an array."""
        return self.words("equation.head", role=self.words(f"role.{block.role}"),
                          array=block.heading)

    def about(self, block: Block) -> str:
        """What an equation is, and where it comes from, in a sentence."""
        say = self.words
        whole = say.beside(
            self.head(block),
            say("equation.from", numbers=say.several(block.sources)) if block.sources else "",
            say("equation.inserted", numbers=say.several(block.absorbed))
            if block.absorbed else "")
        more = [say("equation.zero")] if block.zero else []
        if block.absorbed_by:
            more.append(say("equation.absorbed", numbers=say.several(block.absorbed_by)))
        return say("mark.semicolon").join([whole, *more]) + say("mark.stop")


def runs(
    blocks: Sequence[Block], room: float, measure: Callable[[str], float]
) -> list[Block]:
    """The same, one-line blocks in a row as one while there is room for a common alignment."""
    found: list[Block] = []
    left = right = 0.0
    single = False
    for block in blocks:
        if block.sentence or not block.rows:
            found += [block] if block.sentence else []
            single = False
            continue
        first, *others = block.rows
        short = not others and len(first.lines) == 1
        own_left, own_right = measure(first.left), measure(first.lines[0])
        if single and short and max(left, own_left) + max(right, own_right) <= room:
            found[-1] = replace(found[-1], rows=(*found[-1].rows, first))
            left, right = max(left, own_left), max(right, own_right)
        else:
            found.append(block)
            left, right, single = own_left, own_right, short
    return found


class Style(ABC):
    """What differs between the outputs: marks, room, and how words are written."""

    flavour: str  # "latex" or "text": which spelling of a sentence
    continuation: float  # the indent of a line that continues another

    def __init__(self, notation: Notation, language: str = ENGLISH) -> None:
        self.to = notation
        self.words = words(language)

    @abstractmethod
    def math(self, text: str) -> str:
        """Mathematics within a sentence."""

    @abstractmethod
    def plain(self, text: str) -> str:
        """Any words."""

    def say(self, key: str, /, count: int = 2, **parts: object) -> str:
        """A sentence of the language, none of whose parts is mathematics."""
        return self.plain(self.words(key, count, **parts))

    @abstractmethod
    def times(self) -> str:
        """What stands between two sizes of a shape."""
