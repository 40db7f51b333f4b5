"""The record of one trace: arrays, equations in the order of their making, and conditions.

In: right-hand sides, from the operations. Out: traced arrays that stand for them, and a list of
drafts, one for each operation, in which no subexpression stands twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from symprop.algebra import integers
from symprop.algebra.build import ONE, ZERO, access, add, idx, make_term, mul, neg, sub
from symprop.algebra.canonical import canonical, normal, same
from symprop.algebra.expr import (
    Access,
    Apply,
    Atom,
    Expr,
    Extremum,
    Index,
    Iverson,
    arrays_of,
    atoms,
    free_indices,
)
from symprop.errors import IndexRangeError, SympropError, TraceError
from symprop.system import Array, Call, Condition, IndexRange, Note
from symprop.trace.context import located, source_line
from symprop.trace.text import size_text
from symprop.trace.turns import LoopRefusal, Turn, Turns

PROVISIONAL = "%"  # begins the name of an array that has no name yet
_INLINE_TERMS = 8
MOST_TIMES = 1000  # equations of one operation on one line: what a Python loop may unroll to


Limits = tuple[Expr | None, Expr | None]  # the least and the largest value, where known


@dataclass(eq=False)
class Draft:
    """An equation in the making. `name` is the user's; `local` a helper's own name for it."""

    array: str
    indices: tuple[Index, ...]
    rhs: Expr
    kind: str
    op: str
    source: str
    name: str | None = None
    local: str | None = None
    depth: int = 0
    helper: str | None = None  # `local`, but what a function of symprop.nn was handed
    library: bool = False  # whether that is a variable of symprop.nn
    argument: str | None = None  # what a helper calls it that was handed it
    hint: str | None = None  # the user's variable that holds it in another shape
    hint_depth: int = 0
    beside: str = ""  # an array that is kept for the gradient's sake (determinants.py)
    call: Call | None = None  # what made it
    variable: str | None = None  # what held it first there
    turn: Turn = ()  # of the loops over named axes

    @property
    def reads(self) -> tuple[str, ...]:
        """The arrays on the right-hand side."""
        return arrays_of(self.rhs)


Division = tuple[Expr, Expr]
Exact = Collection[Division] | None  # None: every one


class Tracer:
    """What one trace has found out so far."""

    def __init__(self, turns: Turns | None = None, exact: Exact = frozenset()) -> None:
        self.turns = turns  # where loops over named axes are followed turn by turn
        self.exact: Exact = exact  # divisions n // k of which an earlier run has found no rest
        self.floors: dict[Division, None] = {}  # the others, that may leave a rest
        self.needed: set[Division] = set()  # those of them that must leave none
        self.arrays: dict[str, Array] = {}
        self.drafts: dict[str, Draft] = {}
        self.conditions: list[Condition] = []
        self.index_ranges: list[IndexRange] = []
        self.limits: dict[str, Limits] = {}  # of the entries of integer equations
        self.constants: dict[str, np.ndarray[Any, Any]] = {}
        self.held: dict[str, np.ndarray[Any, Any]] = {}  # constants too long for a module's text
        self.numbers: dict[Fraction, None] = {}  # the floats that the author wrote, in order
        self.loops: list[Index] = []  # the time indices of the scans being traced
        self.size_names: list[str] = []
        self.written: list[str] = []  # the lines that write into an array in place
        self.notes: dict[Note, None] = {}  # in order, each once
        self.inverses: dict[Any, Any] = {}  # by matrix: one equation for each
        self.taken: set[str] = set()  # names of arrays that are given away
        self.finished = False
        self.refusal: SympropError | None = None  # the last one, for code that swallows it
        self.observer: Any = None  # naming.Observer
        self._table: dict[str, Draft] = {}
        self._times: Counter[tuple[str, str]] = Counter()  # equations by line and operation
        self._divisible: list[tuple[Expr, Expr]] = []

    # ---- equations

    def define(
        self, rhs: Expr, axes: Sequence[Index], kind: str, op: str, force: bool = False
    ) -> tuple[Expr, Draft | None]:
        """The body that stands for `rhs` over `axes`: `rhs` itself, or an access to an equation.

        Numbers, sizes, index arithmetic, brackets and pure copies need no equation of their own
        unless `force` asks for one.
        """
        self.check_running()
        free = free_indices(rhs)
        if free - {*self.loops, *axes}:
            raise located(TraceError, "an array of a step was used after its scan had ended: "
                                      "return it from the step as part of y")
        if not force and is_inline(rhs, kind):
            return rhs, None
        formals = tuple(
            [i for i in self.loops if i in free] + [a for a in axes if a.size != ONE]
        )
        key = f"{self.turn}{self._key(rhs, formals, kind)}"
        draft = self._table.get(key)
        if draft is None:
            name = f"{PROVISIONAL}{len(self.drafts) + 1}"
            draft = Draft(name, formals, rhs, kind, op, self._bounded(source_line(), op),
                          call=self.observer.call_here(), turn=self.turn)
            self._table[key] = self.drafts[name] = draft
        return access(draft.array, [idx(f) for f in formals]), draft

    def reserve(self, axes: Sequence[Index], kind: str, op: str) -> Draft:
        """An equation whose right-hand side is filled in later (a recurrence's)."""
        name = f"{PROVISIONAL}{len(self.drafts) + 1}"
        draft = Draft(name, tuple(axes), ZERO, kind, op, source_line(),
                      call=self.observer.call_here(), turn=self.turn)
        self.drafts[name] = draft
        return draft

    @property
    def turn(self) -> Turn:
        """The turns of loops over named axes that are running."""
        return () if self.turns is None else self.turns.here

    def turn_of(self, body: Expr) -> Turn:
        """The turns in which what an entry reads was made."""
        turns = [self.drafts[a].turn for a in body.arrays if a in self.drafts]
        return max(turns, default=())

    def _bounded(self, line: str, op: str) -> str:
        """The user's line, which may trace an operation so many times and no more."""
        self._times[line, op] += 1
        if line and self._times[line, op] > MOST_TIMES:
            raise (TraceError if self.turns is None else LoopRefusal)(
                f"{line}: this line was traced {MOST_TIMES:,} times, and {op} is another equation "
                "each time: write the Python loop as an expression of whole arrays or as "
                "symprop.scan")
        return line

    def _key(self, rhs: Expr, formals: Sequence[Index], kind: str) -> str:
        labels = {f: f"f{k}" for k, f in enumerate(formals)}
        sizes = ",".join(canonical(self.size_normal(f.size)) for f in formals)
        return f"{kind}({sizes}){canonical(rhs, labels)}"

    def check_running(self) -> None:
        """Raises TraceError when this trace is over."""
        if self.finished:
            raise located(TraceError, "a traced array was used after its trace had ended")

    def note(self, kind: str, text: str) -> None:
        """Notes what is traced at this line and may not be what was meant."""
        self.notes[Note(kind, text, source_line())] = None

    def inputs_of(self, expr: Expr) -> set[str]:
        """The inputs and constants that an expression reads through all equations."""
        found: set[str] = set()
        wanted = list(arrays_of(expr))
        while wanted:
            array = wanted.pop()
            if array not in found:
                found.add(array)
                wanted.extend(self.drafts[array].reads if array in self.drafts else ())
        return found - self.drafts.keys()

    def shape(self, array: str) -> tuple[Expr, ...]:
        """The sizes of the axes of an array."""
        draft = self.drafts.get(array)
        return self.arrays[array].shape if draft is None else tuple(
            i.size for i in draft.indices)

    # ---- sizes

    def divides(self, left: Expr, right: Expr) -> None:
        """Notes that `right` divides `left`: tested at the door of the module."""
        if not any(same(a, left) and same(b, right) for a, b in self._divisible):
            self._divisible.append((left, right))
            self.conditions.append(Condition("divides", left, right, source_line()))
            if (left, right) in self.floors:
                self.needed.add((left, right))

    def assume_divides(self, left: Expr, right: Expr) -> None:
        """The same for a division in a declared shape: the door tests those anyway."""
        self._divisible.append((left, right))

    def at_least(self, left: Expr, right: Expr) -> None:
        """Notes that left >= right must hold."""
        difference = self.size_normal(sub(left, right))
        if integers.nonnegative(difference) or self._counted(difference, left):
            return
        for item in _maxima(difference):  # taken off: both must hold; added: the first of the two
            taken_off = any(t.coef < 0 for t in difference.terms if item in dict(t.factors))
            for value in item.args if taken_off else item.args[:1]:
                self.at_least(_with(difference, item, value), ZERO)
            return
        left = Expr(tuple(t for t in difference.terms if t.coef > 0))
        right = neg(Expr(tuple(t for t in difference.terms if t.coef < 0)))
        right = normal(right)
        if not any(c.kind == "at_least" and same(c.left, left)
                   and integers.nonnegative(normal(sub(c.right, right)))
                   for c in self.conditions):
            self.conditions.append(Condition("at_least", left, right, source_line()))

    def _counted(self, difference: Expr, size: Expr) -> bool:
        """Whether a position within a turn is inside its axis, as it is at every length."""
        if not self.turn:
            return False
        assert self.turns is not None
        value = self.turns.value(difference)
        if value is not None and value < 0:
            axis = size_text(size)
            raise located(IndexRangeError, (
                f"a loop comes to a position that lies {-value} behind the last of an axis of size "
                f"{axis}: end it earlier, as in range({axis} - {-value})"))
        return value is not None

    def agreed(self, difference: Expr) -> bool:
        """Whether two sizes are equal where a maximum in one of them is its first argument.

        That it is becomes a condition: beside an axis N, max(N, 3) is N. So does a division that
        must leave no rest for that.
        """
        if self._without_rests(difference):
            return True
        for item in _maxima(difference):
            for own, other in (item.args, item.args[::-1]):
                if _with(difference, item, own).is_zero:
                    self.at_least(own, other)
                    return True
        return False

    def _without_rests(self, difference: Expr) -> bool:
        """Whether a difference is 0 if divisions in it leave no rest: then they must not."""
        inside = [a.args for a in atoms(difference) if isinstance(a, Apply)
                  and a.function == "floordiv" and (a.args[0], a.args[1]) in self.floors]
        before = len(self._divisible)
        self._divisible.extend((left, right) for left, right in inside)
        equal = bool(inside) and self.size_normal(difference).is_zero
        del self._divisible[before:]
        for left, right in inside if equal else ():
            self.divides(left, right)
        return equal

    def quotient(self, left: Expr, right: Expr) -> Expr:
        """left // right as the user writes it: rounded down, unless it must leave no rest."""
        division = _cancelled(self.size_normal(left), self.size_normal(right))
        if self.exact is None or division in self.exact or division[1].is_zero:
            return self.exact_quotient(left, right)
        found = self.size_normal(integers.floordiv(*division))
        if any(a.function == "floordiv" for a in atoms(found) if isinstance(a, Apply)):
            self.floors[division] = None
        return found

    def exact_quotient(self, left: Expr, right: Expr) -> Expr:
        """left // right, where the rest is tested to be 0."""
        left, right = self.size_normal(left), self.size_normal(right)
        if right.is_zero:
            raise located(TraceError, f"the size {size_text(left)} is divided by 0")
        left, right = _cancelled(left, right)
        if not (integers.exact(left, right) or integers.floordiv(left, right).number is not None):
            self.divides(left, right)
        return self.size_normal(integers.exact_quotient(left, right))

    def rest(self, left: Expr, right: Expr) -> Expr:
        """left % right."""
        left, right = self.size_normal(left), self.size_normal(right)
        if any(same(a, left) and same(b, right) for a, b in self._divisible):
            return ZERO
        return integers.mod(left, right)

    def size_normal(self, expr: Expr) -> Expr:
        """The normal form of a size, in which (D // h) * h is D where h is known to divide D."""
        expr = self._settled(normal(expr))
        if not self._divisible or not any(isinstance(a, Apply) for a in atoms(expr)):
            return expr
        for position, term in enumerate(expr.terms):
            for a, e in term.factors:
                if e != 1 or not isinstance(a, Apply) or a.function != "floordiv":
                    continue
                whole, by = a.args
                if not any(same(w, whole) and same(b, by) for w, b in self._divisible):
                    continue
                others = tuple((b, x) for b, x in term.factors if b is not a)
                rest = Expr((type(term)(term.coef, others),))
                if integers.exact(rest, by):
                    new = mul(integers.quotient(rest, by), whole)
                    terms = (*expr.terms[:position], *new.terms, *expr.terms[position + 1:])
                    return self.size_normal(Expr(terms))
        return expr

    def _settled(self, expr: Expr) -> Expr:
        """Maxima that the conditions decide as what they are."""
        maxima = _maxima(expr)
        if not maxima:
            return expr
        least = (sub(c.left, c.right) for c in self.conditions if c.kind == "at_least")
        facts = integers.Facts(tuple(least))
        for item in maxima:
            known = integers.larger(item.args[0], item.args[1], facts)
            expr = expr if known is None else _with(expr, item, known)
        return expr

    # ---- inputs

    def index_range(
        self, read: Sequence[Access], size: Expr, start: Expr | None = ZERO,
        ignored: int | None = None,
    ) -> None:
        """Notes that these entries of an integer array point into an axis of that size."""
        at = {tuple(n if n is None else int(n) for n in (p.number for p in a.indices))
              for a in read} if self.turns is None else set()  # else the turn's: rows are alike
        same_column = at.pop() if len(at) == 1 else ()
        column = same_column if any(n is not None for n in same_column) else ()
        found = IndexRange(read[0].array, size, start, ignored, column)
        if found not in self.index_ranges:
            self.index_ranges.append(found)


def _maxima(expr: Expr) -> list[Apply]:
    """The larger of two sizes, wherever one stands as a factor."""
    return list(dict.fromkeys(
        a for a in expr.atoms if isinstance(a, Apply) and a.function == "maximum"))


def _with(expr: Expr, item: Atom, value: Expr) -> Expr:
    """A sum with another value for one of its factors."""
    return normal(add(*(
        mul(make_term(t.coef, {a: e for a, e in t.factors if a != item}), *(
            value for a, e in t.factors if a == item for _ in range(int(e))))
        for t in expr.terms)))


def _cancelled(left: Expr, right: Expr) -> tuple[Expr, Expr]:
    """Two sizes to be divided, without the factors that both have."""
    if len(left.terms) != 1 or len(right.terms) != 1:
        return left, right
    above, below = dict(left.terms[0].factors), dict(right.terms[0].factors)
    for item in [a for a in above if a in below]:
        common = min(above[item], below[item])
        above[item] -= common
        below[item] -= common
    return make_term(left.terms[0].coef, above), make_term(right.terms[0].coef, below)


def is_inline(rhs: Expr, kind: str) -> bool:
    """Whether an expression is so simple that it needs no equation."""
    if isinstance(rhs.single_atom, Access):
        return True
    if len(rhs.terms) > _INLINE_TERMS or any(t.bound for t in rhs.terms):
        return False
    inside = list(atoms(rhs))
    if any(isinstance(a, Extremum) for a in inside):
        return False
    if kind != "float":
        return True
    if any(_reads(a) for t in rhs.terms for a, _ in t.factors):
        return False
    if not free_indices(rhs):
        return True
    return all(a.function in ("floordiv", "mod", "inf") for a in inside if isinstance(a, Apply))


def _reads(item: Atom) -> bool:
    """Whether an atom reads an array outside a bracket: a mask is no arithmetic."""
    if isinstance(item, Access):
        return True
    if isinstance(item, Iverson):
        return False
    return any(_reads(a) for child in item.children for t in child.terms for a, _ in t.factors)
