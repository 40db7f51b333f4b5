"""The data that travels: a traced System, and the Derivation that `derive` adds to it.

In: nothing; these are plain frozen records. Out: what the tracer builds and every later
stage reads. Index positions, sizes and right-hand sides are `algebra.Expr`.

Conventions
    A computed array keeps no axis of size 1 (keepdims and None are the tracer's views); a
    declared axis given as the number 1 is read at position 0.
    A recurrence is an ordinary equation that reads an array of its own cycle at a shifted
    position: `h_prev[t] = [t = 0] h0 + [1 <= t] h[t-1]`. Axis 0 of every array of the
    cycle is the recurrence's index.
    An implicit equation reads its own array at its own position: `X = X + B - A X` gives the X
    with A X = B (see `itself`). The adjoint of array V is the array named `adjoint("V")`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from symprop.algebra.build import ZERO
from symprop.algebra.expr import Access, Expr, Index, Term, arrays_of
from symprop.algebra.graphs import components
from symprop.algebra.integers import nonnegative
from symprop.files.load import part


def _in_notebook(printer: str) -> Callable[[Any], str]:
    """What a notebook shows; it is printed on a higher floor, when it is asked for."""
    return lambda item: str(part("symprop.emit.notebook", printer)(item))


@dataclass(frozen=True)
class Array:
    """A named tensor: dtype is "float", "int" or "bool"; kind "input", "constant", "computed"."""

    name: str
    dtype: str
    shape: tuple[Expr, ...]
    kind: str


@dataclass(frozen=True)
class Fact:
    """What may be assumed of an input.

    kind: "sums_to_one", "positive", "in_range", "one_of", "symmetric" or "positive_definite".

    args: ("sums_to_one": axis as a non-negative int), ("in_range": low, high), ("one_of": values).
    The last two are about the matrices over the last two axes.
    """

    kind: str
    array: str
    args: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Condition:
    """A test of sizes at the door of the module.

    kind: "equal" (left == right), "divides" (right divides left), "at_least" (left >= right).
    """

    kind: str
    left: Expr
    right: Expr
    source: str


@dataclass(frozen=True)
class IndexRange:
    """The integer array `array` is used as a position: its values lie in start <= value < size.

    start: None where any negative value will do; ignored: a value that may stand there as well;
    at: where the entries lie, None for all of an axis.
    """

    array: str
    size: Expr
    start: Expr | None = ZERO
    ignored: int | None = None
    at: tuple[int | None, ...] = ()

    @property
    def inside(self) -> bool:
        """Whether all values are positions on an axis of that size as they stand."""
        any_entry = not self.at and self.ignored is None
        return any_entry and self.start is not None and nonnegative(self.start)


@dataclass(frozen=True)
class Note:
    """What is traced as it stands and may not be what was meant: `text` says so, and the way out.

    kind: "wrt" (left out, with data among the parameters), "constant" (an array from outside),
    "integers" (no parameter), "type" (in the place of a shape), "unread" (a parameter), "softmax"
    (over all axes, or of what is one already), "pairs" (a broadcast to all pairs of an axis) or
    "corner" (of a spelling, which the function that it is has not).
    source: the user's line, "file.py:12", or "".
    """

    kind: str
    text: str
    source: str = ""

    def __str__(self) -> str:
        return f"{self.source}: {self.text}" if self.source else self.text


@dataclass(frozen=True)
class Argument:
    """An argument of the user's function.

    tree: a leaf name, or a dict / list / tuple of trees (a dataclass counts as a dict with
    `container` its class). annotation: the same structure with shape strings. static: the
    value of a constant of the trace (then tree is None).
    """

    name: str
    tree: Any
    annotation: Any
    static: Any = None
    default: Any = None
    container: type | None = None


@dataclass(frozen=True)
class Call:
    """A call of a helper or of a function of `symprop.nn` that made equations, `number` in turn.

    place: where the function is defined; site: the line that calls it, both "file.py:12".
    parent: the call in which that line stands; None for the traced function itself.
    parameters: what it was handed of arrays, each with its name there; "p.w" in a container.
    iteration: it is one turn of a `for` loop, whose line `place` and `site` are.
    spot: the instruction that calls it, which tells calls of one line apart.
    """

    number: int
    function: str
    place: str
    site: str
    parent: Call | None = None
    parameters: tuple[tuple[str, Access], ...] = field(default=(), compare=False)
    iteration: bool = False
    spot: int = 0

    @property
    def within(self) -> Call | None:
        """The call of a function in which this is an iteration, or itself."""
        return self if not self.iteration else self.parent and self.parent.within

    @property
    def chain(self) -> tuple[Call, ...]:
        """The calls that were running, the outermost first."""
        return (*(self.parent.chain if self.parent is not None else ()), self)


@dataclass(frozen=True)
class Equation:
    """`array[indices] = rhs`, numbered (F1), (F2), ...

    source: the user's line, "file.py:12", or "". call: what made it; None for the function itself.
    variable: what held it first there, or ""; named: whether a variable of the author's holds it.
    numbered: the array without the number that symprop gave it; role: its row of docs/names.md.
    written: what its author wrote, where the right-hand side is the function that this is, but for
    its `corners`. remark: the function that the right-hand side is, and what that is called.
    """

    number: str
    array: str
    indices: tuple[Index, ...]
    rhs: Expr
    source: str = ""
    call: Call | None = None
    variable: str = ""
    named: bool = False
    numbered: str = ""
    role: str = ""
    written: Expr | None = None
    corners: tuple[str, ...] = ()
    remark: tuple[Expr, tuple[str, ...]] | None = None

    def __repr__(self) -> str:
        return f"<Equation ({self.number}): {self.array} from {', '.join(self.reads) or 'numbers'}>"

    _repr_latex_ = _in_notebook("equation_latex")

    @property
    def reads(self) -> tuple[str, ...]:
        """The arrays on the right-hand side, in order of appearance."""
        return arrays_of(self.rhs)


LEARNING_RULES = {"fa": "feedback alignment", "dfa": "direct feedback alignment",
                  "dtp": "difference target propagation"}  # by their short names


@dataclass(frozen=True)
class Departure:
    """A learning rule whose adjoint equations depart from the gradient (symprop/rules).

    `statement` says where, if symprop/emit/languages does not. `feedback`: fixed arrays among the
    inputs, each with the array whose place it takes ("" if none). `losses`: scalars minimised
    beside the loss. `detached`: pairs (reader, array) between which no adjoint flows.
    """

    rule: str
    statement: str = ""
    feedback: tuple[tuple[str, str], ...] = ()
    losses: tuple[str, ...] = ()
    detached: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class System:
    """The primal program: declared inputs and equations in an order in which they can run.

    Equations that nothing needs are kept (a gradient may read them). held: inputs of known numbers.
    """

    name: str
    module: str
    arguments: tuple[Argument, ...]
    arrays: Mapping[str, Array]
    equations: tuple[Equation, ...]
    loss: str
    outputs: tuple[tuple[str, str], ...] = ()
    wrt: tuple[str, ...] = ()
    wrt_keys: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    index_ranges: tuple[IndexRange, ...] = ()
    conditions: tuple[Condition, ...] = ()
    constants: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)
    held: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)
    sizes: tuple[str, ...] = ()
    output_shapes: tuple[tuple[Expr, ...], ...] = ()  # with the axes of size 1
    numbers: tuple[Fraction, ...] = ()  # the floats that the author wrote
    written: tuple[str, ...] = ()  # the lines of the user's that write into an array in place
    loops: tuple[str, ...] = ()  # the axes over which the function runs loops of Python
    departure: Departure | None = None  # None: the adjoint equations are those of the gradient
    notes: tuple[Note, ...] = ()  # what may not be what was meant
    given: tuple[str, ...] = ()  # arrays whose adjoints come from outside (symprop/blocks)

    def __repr__(self) -> str:
        return f"<System {self.name}: {len(self.equations)} equations, loss {self.loss}>"

    _repr_markdown_ = _in_notebook("system_markdown")

    def equation(self, array: str) -> Equation | None:
        """The equation that defines an array; None for inputs and constants."""
        return self._by_array.get(array)

    @property
    def recognised(self) -> tuple[Step, ...]:
        """What was written and the function that it is, and remarks, as steps."""
        steps = []
        for e in self.equations:
            if e.written is not None:
                steps.append(Step(e.number, "recognise", e.written, e.rhs, e.corners))
            elif e.remark is not None:
                steps.append(Step(e.number, "name", e.rhs, *e.remark))
        return tuple(steps)

    @cached_property
    def _by_array(self) -> dict[str, Equation]:
        return {e.array: e for e in self.equations}


@dataclass(frozen=True)
class Requirement:
    """Where a line is defined: `of` is "nonzero", "nonnegative" or "positive" (its `kind`)."""

    kind: str
    of: Expr


@dataclass(frozen=True)
class Step:
    """One line of a derivation: `before` equals `after` by `rule`.

    `because` names what the step leans on: equation numbers ("F3", "B2") and facts. Where a
    learning rule `departs` from the gradient, `after` takes the place of `before` unequal.
    `conditions`: what `after` requires where `before`, and what it reads, does not.
    """

    equation: str
    rule: str
    before: Expr
    after: Expr
    because: tuple[str, ...] = ()
    departs: bool = False
    conditions: tuple[Requirement, ...] = ()

    def __repr__(self) -> str:
        return f"<Step of ({self.equation}): {self.reason}>"

    _repr_latex_ = _in_notebook("step_latex")

    @property
    def reason(self) -> str:
        """The rule and what it leans on, in one line: "fold, F7"."""
        return ", ".join((self.rule, *self.because))


@dataclass(frozen=True)
class Adjoint:
    """(Bk): the adjoint equation of `primal`; `inlined` when every user has absorbed it.

    `role` says what stands in the place of an adjoint, where a learning rule adds an equation.
    """

    number: str
    array: str
    primal: str
    indices: tuple[Index, ...]
    rhs: Expr
    steps: tuple[Step, ...]
    inlined: bool = False
    sources: tuple[str, ...] = ()  # forward equations differentiated, "F3"
    absorbed: tuple[str, ...] = ()  # adjoint equations inserted, "B2"
    role: str = "adjoint"

    def __repr__(self) -> str:
        return f"<Adjoint ({self.number}): of {self.primal}, {len(self.steps)} steps>"

    _repr_latex_ = _in_notebook("equation_latex")

    @property
    def reads(self) -> tuple[str, ...]:
        """The arrays on the right-hand side, in order of appearance."""
        return arrays_of(self.rhs)


def departing(system: System, adjoints: Iterable[Adjoint]) -> dict[str, str]:
    """The wrt arrays whose adjoint is not that of the loss.

    Each with the loss of its own that it is the gradient of, or "" where it departs.
    """
    if system.departure is None:
        return {}
    adjoints = tuple(adjoints)
    by_number = {a.number: a.array for a in adjoints}
    found: dict[str, str] = {}
    before: dict[str, str] | None = None
    while before != found:  # a recurrence reads what comes after it
        before = dict(found)
        for adjoint in adjoints:
            reads = [*adjoint.reads, *(by_number[n] for n in adjoint.absorbed)]
            own = {found[a] for a in reads if a in found}
            if any(s.departs for s in adjoint.steps) or "" in own:
                found[adjoint.array] = ""
            elif own:
                found[adjoint.array] = min(own)
            elif adjoint.primal in system.departure.losses:
                found[adjoint.array] = adjoint.primal
    by_primal = {a.primal: a.array for a in adjoints if a.role == "adjoint"}
    return {w: found[by_primal[w]] for w in system.wrt if by_primal[w] in found}


def itself(equation: Equation | Adjoint) -> Term | None:
    """The term of a right-hand side that is the left-hand side; None if there is none.

    Such an equation is implicit: the entries of its array are what solves it.
    """
    own = tuple(i.uid for i in equation.indices if i.size.number != 1)
    for term in equation.rhs.terms:
        if term.coef == 1 and not term.bound and len(term.factors) == 1:
            item, exponent = term.factors[0]
            if exponent == 1 and isinstance(item, Access) and item.array == equation.array:
                at = [p.single_index for p in item.indices]
                if tuple(i.uid for i in at if i is not None) == own:
                    return term
    return None


def sides(equation: Equation | Adjoint) -> tuple[Expr, Expr] | None:
    """Both sides of an implicit equation, its own array on the left: A X and B; else None."""
    own = itself(equation)
    if own is None:
        return None
    left = tuple(Term(-t.coef, t.factors, t.bound) for t in equation.rhs.terms
                 if t is not own and equation.array in arrays_of(Expr((t,))))
    return Expr(left), Expr(tuple(
        t for t in equation.rhs.terms if equation.array not in arrays_of(Expr((t,)))))


def cycles(equations: Iterable[Equation | Adjoint]) -> dict[str, int]:
    """Numbers the strongly connected components that hold a recurrence: array -> component."""
    graph = {e.array: e.reads for e in equations}
    found: dict[str, int] = {}
    for number, component in enumerate(components(graph)):
        if len(component) > 1 or component[0] in graph[component[0]]:
            found |= dict.fromkeys(component, number)
    return found
