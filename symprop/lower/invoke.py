"""A line at which one block runs another, and a loop of such lines.

In: nothing. Out: the statements that `pairs.py` makes and that count and emission read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from symprop.algebra.expr import Expr

Shape = tuple[Expr, ...]


@dataclass(frozen=True)
class Invoke:
    """`targets` = the forward or backward function of a lemma of `arguments`.

    An argument is an array, or the shape of zeros; a target is "" where nobody reads it.
    number: of the line, "F7" or "B12"; use: which use it is, the same forward and backward.
    kept: forward, whether its backward is called too. sizes: those of the lemma, each with the
    caller's.
    """

    lemma: int
    number: str
    use: str
    backward: bool
    arguments: tuple[str | Shape, ...]
    targets: tuple[str, ...]
    sizes: tuple[tuple[str, str], ...]
    kept: bool = False

    @property
    def arrays(self) -> tuple[str, ...]:
        """The arguments that are arrays."""
        return tuple(a for a in self.arguments if isinstance(a, str))


@dataclass(frozen=True)
class Turns:
    """Lines that are the turns of a loop, in the order in which they run.

    carried: pairs (argument, target) of positions: what one turn hands to the next. listed: the
    position of each argument that is an entry of a stack (backward: of each target that is the
    adjoint of one), with the stack and the column there. All other arguments are the same.
    """

    lines: tuple[Invoke, ...]
    carried: tuple[tuple[int, int], ...]
    listed: tuple[tuple[int, Stack, int], ...]

    @property
    def lemma(self) -> int:
        """The lemma that every turn uses."""
        return self.lines[0].lemma

    @property
    def stacks(self) -> tuple[Stack, ...]:
        """The stacks that the loop runs over, each once."""
        return tuple(dict.fromkeys(stack for _, stack, _ in self.listed))

    @property
    def use(self) -> str:
        """Which loop it is, the same forward and backward: "F2" where turns are "F2_1", ..."""
        return self.lines[-1 if self.lines[0].backward else 0].use.removesuffix("_1")

    @property
    def kept(self) -> bool:
        """Forward: whether its backward is called too."""
        return self.lines[0].kept


@dataclass(frozen=True)
class Stack:
    """A list of equal structures, which loops alone read: an argument, or a part of one.

    path: the keys at which it stands in its argument; name: what a part of that name is called.
    kind: what each entry is: "dict", "list", "tuple" of arrays, "array", or "nested". columns[c][l]
    is the array at keys[c] of entry l; tree: the first entry, with the names of its arrays.
    """

    argument: str
    path: tuple[str | int, ...]
    name: str
    kind: str
    keys: tuple[tuple[str | int, ...], ...]
    columns: tuple[tuple[str, ...], ...]
    wanted: bool  # whether it has a gradient
    tree: Any = field(default=None, compare=False)

    @property
    def arrays(self) -> frozenset[str]:
        """All of its arrays."""
        return frozenset(a for column in self.columns for a in column)

    def said(self, column: int) -> str:
        """What the arrays of a column are called: blocks[l]["W"]."""
        return f"{self.place}[l]{_keys(self.keys[column])}"

    @property
    def place(self) -> str:
        """What it is called itself: params["blocks"]."""
        return f"{self.argument}{_keys(self.path)}"


def _keys(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{key!r}]" for key in path).replace("'", '"')
