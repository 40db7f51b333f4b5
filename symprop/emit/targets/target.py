"""What a target is: a name, a template, and one table from operations to their spelling.

In: nothing. Out: `Target`. The table's keys are those of `symprop.emit.targets.numpy.table`; a
target that computes as NumPy does needs only the entries that differ.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from symprop.syntax.tree import Many, Value, quote, state


@dataclass(frozen=True)
class Target:
    """What a Program is written down in; its template lays the module out."""

    name: str
    template: str
    table: Mapping[str, str]

    def spell(self, operation: str, **places: Value | Many) -> ast.expr:
        """An operation on trees as an expression."""
        return quote(self.table[operation], **places)

    def do(self, operation: str, **places: Value | Many) -> ast.stmt:
        """An operation that writes into an array as a statement."""
        return state(self.table[operation], **places)
