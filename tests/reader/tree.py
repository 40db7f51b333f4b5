"""What a printed formula is made of."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Node:
    """A part of a formula."""


@dataclass(frozen=True)
class Number(Node):
    value: Fraction | float


@dataclass(frozen=True)
class Name(Node):
    """An array, a size or an index: what it is, is known when it is evaluated."""

    name: str


@dataclass(frozen=True)
class Entry(Node):
    """A part of an array: its first indices are given, or all."""

    of: Node
    positions: tuple[Node, ...]


@dataclass(frozen=True)
class Sum(Node):
    terms: tuple[Node, ...]


@dataclass(frozen=True)
class Negative(Node):
    body: Node


@dataclass(frozen=True)
class Product(Node):
    """Factors beside one another: numbers scale, matrices are multiplied."""

    factors: tuple[Node, ...]


@dataclass(frozen=True)
class Hadamard(Node):
    factors: tuple[Node, ...]


@dataclass(frozen=True)
class Quotient(Node):
    above: Node
    below: Node


@dataclass(frozen=True)
class Power(Node):
    base: Node
    exponent: Node


@dataclass(frozen=True)
class Call(Node):
    """A function by its printed name, of one argument or more."""

    function: str
    args: tuple[Node, ...]


@dataclass(frozen=True)
class Over(Node):
    """Σ, max or min over letters; `ranges` are what the line says of them."""

    what: str
    letters: tuple[str, ...]
    body: Node
    ranges: tuple[tuple[str, Node], ...] = ()


@dataclass(frozen=True)
class Condition(Node):
    """[a < b ≤ c]: 1 where all hold, else 0."""

    parts: tuple[Node, ...]
    signs: tuple[str, ...]


@dataclass(frozen=True)
class Transposed(Node):
    body: Node


@dataclass(frozen=True)
class Partial(Node):
    """∂above/∂below, each an entry."""

    above: Node
    below: Node


@dataclass(frozen=True)
class Ones(Node):
    size: Node


@dataclass(frozen=True)
class Norm(Node):
    """‖body‖² without the square: its power is written by the line."""

    body: Node


@dataclass(frozen=True)
class Infinity(Node):
    pass


@dataclass(frozen=True)
class Whole(Node):
    """The whole of an axis, in the place of a position: z[·,n]."""
