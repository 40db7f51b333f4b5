"""What a scalar function is: one row of data.

In: nothing. Out: the frozen dataclass `Row`, and the symbols in which rows are written.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy

from symprop.errors import InputError
from symprop.names import check_name

x, y, z = X = sympy.symbols("x y z", real=True)
VALUE = sympy.Symbol("v", real=True)  # in a derivative: the value that the forward pass kept

Interval = tuple[float, float]
EVERYWHERE: Interval = (-math.inf, math.inf)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A scalar function: what it is, how NumPy and a page spell it, and its conventions.

    `definition` is the whole meaning; everything else is spelling, and tests prove each one
    equal to it. The kink conventions are part of the definition: where branches of a Piecewise
    meet, the derivative is that of the branch which owns the point.

    >>> Row(name="cube", arity=1, definition=x**3, numpy="{x} * {x} * {x}",
    ...     latex="{x}^3", text="{x}³").domains
    ((-inf, inf),)
    """

    name: str
    arity: int  # 0 for a constant such as pi
    definition: sympy.Expr  # in x, y, z: SymPy's functions, Piecewise, other rows applied
    latex: str  # with {x}, {y}, {z} for the arguments
    text: str  # the same for a terminal, in Unicode
    numpy: str | None = None  # stable and dtype-preserving; None: printed from the definition
    derivative: tuple[sympy.Expr | None, ...] = ()  # in x, y, z, VALUE; None: SymPy's diff
    mirror: tuple[int, int] | None = None  # (a, b) where f(-x) = a + b f(x): odd is (0, -1)
    domain: tuple[Interval, ...] = ()  # open interval of each argument; (): all reals
    bounded: bool = False  # finite for every finite argument: a mask may multiply it
    whole: bool = False  # a whole number for whole arguments, in NumPy too
    complex_safe: bool = False  # the NumPy spelling carries a complex step through
    exact: Callable[..., Any] | None = None  # NumPy's own, where the definition would round
    accuracy: str = "relative"  # of the NumPy spelling in the tails: relative or absolute
    helper: str | None = None  # a NumPy-only function definition that the spelling calls
    note: str = ""  # the convention at kinks and corners, for docs/conventions.md

    def __post_init__(self) -> None:
        """Raises InputError or NameRuleError for a row that cannot be one."""
        check_name(self.name, "a scalar function")
        if not 0 <= self.arity <= 3:
            raise InputError(f"row {self.name}: the arity is 0 to 3, not {self.arity}")
        object.__setattr__(self, "definition", sympy.S(self.definition))
        strangers = self.definition.free_symbols - set(X[: self.arity])
        if strangers:
            found = ", ".join(sorted(str(s) for s in strangers))
            raise InputError(
                f"row {self.name}: the definition uses {found}; with arity {self.arity} it may "
                f"use only {', '.join(str(s) for s in X[: self.arity]) or 'numbers'}"
            )
        for spelled in self.derivative:
            if spelled is not None and spelled.free_symbols - {*X[: self.arity], VALUE}:
                raise InputError(f"row {self.name}: a derivative uses an unknown symbol")

    @property
    def domains(self) -> tuple[Interval, ...]:
        """One open interval for each argument."""
        return self.domain or (EVERYWHERE,) * self.arity
