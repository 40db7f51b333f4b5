"""A line at which one block runs another.

In: nothing. Out: the statement that `pairs.py` makes and that count and emission read.
"""

from __future__ import annotations

from dataclasses import dataclass

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
