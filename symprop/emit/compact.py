"""An equation of a sheet in one row, as in a table.

In: a block. Out: its last row, which is in matrix notation where there is one, with its number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symprop.emit.page import Block, Row


def compact(block: Block) -> tuple[Row, ...]:
    """An equation in one row: in matrix notation where it has one, with its number."""
    if not block.rows:
        return ()
    *others, last = block.rows
    departing = [row for row in others if row.label]
    if departing:
        return block.rows
    return (replace(last, number=block.number),)


def compacted(blocks: Sequence[Block]) -> tuple[Row, ...]:
    """Equations in a row each."""
    return tuple(row for block in blocks for row in compact(block))
