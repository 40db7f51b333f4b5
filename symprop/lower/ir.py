"""Whole-tensor operations: the typed nodes and statements of a Program.

In: nothing. Out: frozen records. The axes of a node are indices of the equation that it
belongs to; elementwise nodes broadcast by these labels, never by position, and a node that
repeats an axis, or drops one that it does not have, cannot be built.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from symprop.algebra.expr import Expr, Index
from symprop.lower.invoke import Invoke, Turns

Axes = tuple[Index, ...]


class Part(Index):
    """An index over a part of an axis, which may be empty."""


@dataclass(frozen=True)
class Node:
    """A tensor whose axes are labelled by indices."""

    axes: Axes

    def __post_init__(self) -> None:
        if len(set(self.axes)) != len(self.axes):
            raise AssertionError(f"{type(self).__name__} repeats an axis: {self.axes}")


@dataclass(frozen=True)
class Number(Node):
    """A number."""

    value: Fraction


@dataclass(frozen=True)
class SizeOf(Node):
    """A size, a Python int when the module runs."""

    size: Expr


@dataclass(frozen=True)
class Infinity(Node):
    """Positive infinity."""


@dataclass(frozen=True)
class LoopIndex(Node):
    """The value of the loop's own index (plus a constant)."""

    position: Expr


@dataclass(frozen=True)
class Arange(Node):
    """0, 1, 2, ... along one axis; integers for positions, else of the module's dtype."""

    integer: bool


@dataclass(frozen=True)
class Whole:
    """Subscript: the whole axis."""


@dataclass(frozen=True)
class At:
    """Subscript: one position."""

    position: Expr


@dataclass(frozen=True)
class Stretch:
    """Subscript: start, start + step, ... , `count` of them."""
    start: Expr
    count: Expr
    step: int


@dataclass(frozen=True)
class Grid:
    """Subscript: an array of positions; with `size`, clipped into 0 <= position < size."""

    positions: Node
    size: Expr | None = None


@dataclass(frozen=True)
class Window:
    """Subscript: two axes of one, at start + step * outer + dilation * inner.

    The outer axis stands where the array's own did, the inner (all at least 1 long) come last.
    A negative dilation runs backwards; the lowest position is `start` all the same."""
    start: Expr
    outer: Index
    step: int
    inner: Index
    dilation: int


Subscript = Whole | At | Stretch | Grid | Window
Pads = tuple[tuple[Expr, Expr], ...]  # zeros before and after every axis


@dataclass(frozen=True)
class View(Node):
    """An array, or entries of it. `grid` are the axes that all Grid subscripts share.

    With `pads`, entries of the array with zeros around it; with `shape`, of the array reshaped."""

    array: str
    subscripts: tuple[Subscript, ...]
    grid: Axes = ()
    dtype: str = "float"
    pads: Pads = ()
    shape: tuple[Expr, ...] = ()


@dataclass(frozen=True)
class Local(Node):
    """A `Share` of the same statement; `flavour` as in dtypes.py."""

    label: str
    flavour: str


@dataclass(frozen=True)
class Sum(Node):
    """A sum with signs."""

    terms: tuple[tuple[int, Node], ...]


@dataclass(frozen=True)
class Product(Node):
    """coef * above / below."""

    coef: Fraction
    above: tuple[Node, ...]
    below: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Power(Node):
    """base ** exponent."""

    base: Node
    exponent: Fraction


@dataclass(frozen=True)
class Call(Node):
    """A scalar function of a row of algebra/rows.py, or floordiv, mod."""

    function: str
    args: tuple[Node, ...]


@dataclass(frozen=True)
class Compare(Node):
    """A boolean: left relation right."""

    relation: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Both(Node):
    """A boolean: all of the conditions."""

    conditions: tuple[Node, ...]


@dataclass(frozen=True)
class Cast(Node):
    """A boolean or an integer as the module's float dtype, or (`whole`) as an integer."""

    body: Node
    whole: bool = False


@dataclass(frozen=True)
class Where(Node):
    """yes where the condition holds, else no; a scalar condition is a Python conditional."""

    condition: Node
    yes: Node
    no: Node


@dataclass(frozen=True)
class Reduce(Node):
    """The sum, max or min over the axes that `body` has and this node has not."""

    kind: str
    body: Node

    def __post_init__(self) -> None:
        super().__post_init__()
        if not set(self.axes) < set(self.body.axes):
            raise AssertionError(f"a {self.kind} from {self.body.axes} to {self.axes}")


@dataclass(frozen=True)
class MatMul(Node):
    """left @ right: the last axis of left and the first (or last but one) of right go."""

    left: Node
    right: Node


@dataclass(frozen=True)
class TensorDot(Node):
    """np.tensordot over `over`."""

    left: Node
    right: Node
    over: Axes


@dataclass(frozen=True)
class Vdot(Node):
    """The sum of all products of two arrays with equal axes."""

    left: Node
    right: Node


@dataclass(frozen=True)
class Einsum(Node):
    """np.einsum."""

    operands: tuple[Node, ...]


@dataclass(frozen=True)
class Solve(Node):
    """What times `matrix` gives `right`, or (None) the identity; axes (.., row, column).
    The last axis of the matrix goes; `right` has the columns, if there are some, and none of
    the two need have the whole stack."""

    matrix: Node
    right: Node | None


@dataclass(frozen=True)
class Transpose(Node):
    """The same axes in another order."""

    body: Node

    def __post_init__(self) -> None:
        super().__post_init__()
        if set(self.axes) != set(self.body.axes):
            raise AssertionError(f"{self.axes} is no order of {self.body.axes}")


@dataclass(frozen=True)
class Reshape(Node):
    """The same entries, row by row, with some axes as one or one axis as several."""

    body: Node


@dataclass(frozen=True)
class Repeat(Node):
    """The axis `part` of body repeated `count` times: entry by entry (`each`), or as a whole."""

    body: Node
    part: Index
    count: Expr
    each: bool


@dataclass(frozen=True)
class Running(Node):
    """The sums of body's entries up to each place along an axis, turned before or after."""

    body: Node
    along: Index
    before: bool
    after: bool


@dataclass(frozen=True)
class Fill(Node):
    """A node broadcast to more axes, as an array of its own."""

    body: Node


@dataclass(frozen=True)
class Copy(Node):
    """A node as an array of its own."""

    body: Node


@dataclass(frozen=True)
class Expand(Node):
    """A node with axes of size 1 put in."""

    body: Node


@dataclass(frozen=True)
class Share:
    """A part of a statement that is computed before it; the label is a word and a number."""

    label: str
    node: Node


@dataclass(frozen=True)
class Assign:
    """array = node; inside a loop, array[t] = node."""

    array: str
    node: Node
    number: str
    at: Expr | None = None
    shares: tuple[Share, ...] = ()
    quiet: bool = False  # it may warn of what no one uses


@dataclass(frozen=True)
class Zeros:
    """array = zeros of the shape, to be scattered into; inside a loop array[t] is cleared."""

    array: str
    shape: tuple[Expr, ...]
    number: str
    at: Expr | None = None
    order: tuple[int, ...] = ()  # its axes as they lie in memory, if not in this order


@dataclass(frozen=True)
class Scatter:
    """array[subscripts] += sign * value at grids, one by one; `empty`: it may have none."""

    array: str
    subscripts: tuple[Subscript, ...]
    grid: Axes
    axes: Axes
    sign: int
    value: Node
    number: str
    at: Expr | None = None
    shares: tuple[Share, ...] = ()
    quiet: bool = False
    empty: bool = False


@dataclass(frozen=True)
class Put:
    """array[subscripts] = value, or += it: no position is repeated.
    With windows among the subscripts, one addition for every place in the window; with grids,
    `grid` are the axes that they share. `shape` is the array's while its axes are cut."""

    array: str
    subscripts: tuple[Subscript, ...]
    axes: Axes
    sign: int  # 0 where the entries are set
    value: Node
    number: str
    at: Expr | None = None
    grid: Axes = ()
    shape: tuple[Expr, ...] = ()
    shares: tuple[Share, ...] = ()
    quiet: bool = False


@dataclass(frozen=True)
class Allocate:
    """array = an empty array of the shape, filled by what follows."""

    array: str
    shape: tuple[Expr, ...]
    number: str = ""


@dataclass(frozen=True)
class Loop:
    """`body` for every value of `index`, in falling order when `descending`."""

    index: Index
    descending: bool
    body: tuple[Write, ...]


Write = Assign | Zeros | Scatter | Put | Allocate
Statement = Write | Loop | Invoke | Turns
