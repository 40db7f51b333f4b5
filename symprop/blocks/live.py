"""Which arrays of a block have an adjoint.

In: what each line makes of what, where gradients are wanted, where adjoints are given. Out: the
arrays that depend on the former, and those of them that the latter depend on.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass


@dataclass(frozen=True)
class Reading:
    """A line: the arrays that it makes and those that it reads."""

    makes: tuple[str, ...]
    reads: tuple[str, ...]


def live(
    lines: Sequence[Reading], begins: AbstractSet[str], ends: AbstractSet[str],
    floats: AbstractSet[str],
) -> tuple[frozenset[str], frozenset[str]]:
    """(arrays that depend on `begins`, those of them on which `ends` depend)."""
    moving, reaching = set(begins), set(ends)
    size = -1
    while size != len(moving) + len(reaching):
        size = len(moving) + len(reaching)
        for line in lines:
            if not moving.isdisjoint(line.reads):
                moving.update(a for a in line.makes if a in floats)
        for line in reversed(lines):
            if not reaching.isdisjoint(line.makes):
                reaching.update(line.reads)
    return frozenset(moving), frozenset(moving & reaching)
