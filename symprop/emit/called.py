r"""What a page calls things: a record that every notation has.

In: nothing; `emit/profile` makes it of a profile and a system.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from symprop.algebra.expr import ADJOINT, Expr

NUMBER = re.compile(r"(?<![A-Za-z\\])l(?![A-Za-z])")  # of a layer


@dataclass(frozen=True)
class Called:
    r"""What a page calls things.

    loss: the array that is differentiated; loss_shown: LaTeX of it, if not as usual. names: LaTeX
    of arrays, given or by the profile. adjoints: LaTeX of adjoints that have a symbol of their own,
    by the array: \delta^{1} of z1. turned: the arrays that are shown transposed, each with the
    number of its axes. mark: "bar", "partial", "d" or "nabla". notation: "both", "index" or
    "matrix". letters: no index has one of these. renamed: the arrays whose names the profile
    chose; listed: one that stands in a list of the program, and how that has it, ("W_0", "W[0]");
    columns: whether it turned for columns. stacked: arrays that hold all layers, whose names have
    an l that stands for their first position. layered: those whose first position counts from 1
    on the page, and not from 0; layers: how many there are.
    """

    loss: str
    loss_shown: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    adjoints: Mapping[str, str] = field(default_factory=dict)
    turned: Mapping[str, int] = field(default_factory=dict)
    mark: str = "bar"
    notation: str = "both"
    letters: frozenset[str] = frozenset()
    renamed: tuple[str, ...] = ()
    listed: tuple[str, str] | None = None
    columns: bool = False
    stacked: frozenset[str] = frozenset()
    layered: frozenset[str] = frozenset()
    layers: Expr | None = None

    def latex(self, array: str, number: str) -> str | None:
        """What a layer of a stacked array, or of its adjoint, is called; None for other arrays."""
        primal = array.removeprefix(ADJOINT)
        if primal not in self.stacked:
            return None
        own = self.names.get(primal) if primal == array else self.adjoints.get(primal)
        return own and NUMBER.sub(lambda _: number, own)

    def shown(self, array: str) -> bool:
        """Whether an array, or its adjoint, is shown transposed."""
        return array.removeprefix(ADJOINT) in self.turned
