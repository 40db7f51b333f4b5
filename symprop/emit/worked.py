"""A worked example: the derivation with somebody's numbers beside its symbols.

In: a derivation, its evaluation before and after a step, a `Style`. Out: a `Worked`: rows for a
template, each a formula, the formula with numbers in it, and what it comes to.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symprop.algebra.expr import adjoint
from symprop.emit.page import Block, Derived, Row, Style
from symprop.emit.pieces import PRODUCT, SIGNED, SUM, Piece, join, lines
from symprop.emit.rules import rule
from symprop.emit.selection import select
from symprop.emit.sheet import SheetPrinter
from symprop.emit.substituted import Substituted, shown, signed
from symprop.emit.words import Words
from symprop.interpret.evaluation import Evaluation
from symprop.system import Adjoint, Equation

Array = np.ndarray[Any, Any]
WRITTEN_OUT = 4  # entries of an array that are calculated one by one
SHOWN = 24  # entries of an array that are shown


@dataclass(frozen=True)
class Worked:
    """All that a template lays out."""

    words: Words  # the language
    name: str
    departure: str
    step: str
    sizes: tuple[tuple[str, str], ...]
    given: tuple[Block, ...]
    forward: tuple[Block, ...]
    backward: tuple[Block, ...]
    updates: tuple[Block, ...]
    loss: Block

    @property
    def found(self) -> str:
        """What is derived: "gradients", or the "updates" of a learning rule."""
        return "updates" if self.departure else "gradients"

    def titled(self, name: str) -> str:
        """The title, with the name as it is given."""
        return self.words(f"title.worked_{self.found}", name=name, rule=self.departure)


class WorkedPrinter:
    """Prints one worked example in one style."""

    def __init__(
        self, derived: Derived, style: Style, before: Evaluation, after: Evaluation,
        step: float, precision: int,
    ) -> None:
        self.sheet = SheetPrinter(derived, style)
        self.derived, self.system, self.style = derived, derived.system, style
        self.to = style.to
        self.before, self.after, self.step, self.precision = before, after, step, precision
        self.numbers = Substituted(self.to, before.arrays, before.sizes, precision)

    def worked(self) -> Worked:
        """Everything, printed."""
        system, math = self.system, self.style.math
        chosen = select(system, self.derived.adjoints, system.wrt)
        inputs = [n for n in chosen.arrays if system.arrays[n].kind != "computed"]
        names = [(self.to.size(n).text, str(s)) for n, s in self.before.sizes.items()]
        return Worked(
            words=self.style.words,
            name=self.style.plain(system.name),
            departure=self.style.plain(rule(system.departure.rule, self.style.words).label)
            if system.departure else "",
            step=math(shown(self.step, self.precision)),
            sizes=tuple((math(n), s) for n, s in names),
            given=tuple(self._given(n) for n in inputs),
            forward=tuple(self._equation(e) for e in chosen.forward),
            backward=tuple(self._equation(a) for a in chosen.backward if not a.inlined),
            updates=tuple(self._update(n) for n in system.wrt),
            loss=self._loss(),
        )

    def _given(self, name: str) -> Block:
        left = self.to.array(name)
        return Block("", name, (self._whole(left, self.before.arrays[name]),))

    def _equation(self, equation: Equation | Adjoint) -> Block:
        """The formula, and its entries or the whole array in numbers."""
        printer = self.sheet.printer(equation)
        rows = [self.sheet.index_row(equation, printer, number=equation.number)]
        found = np.asarray(self.before.arrays[equation.array])
        places = list(itertools.product(*map(range, found.shape)))
        one_by_one = len(places) <= WRITTEN_OUT
        for place in places if one_by_one else places[:1]:
            row = self._entry(equation, place, float(found[place]))
            rows += [row] if row is not None else []
        if not one_by_one or len(rows) <= len(places):
            rows.append(self._whole(self.to.array(equation.array), found))
        return Block(equation.number, equation.array, tuple(rows))

    def _entry(
        self, equation: Equation | Adjoint, place: Sequence[int], value: float
    ) -> Row | None:
        """One entry: the right-hand side in numbers, and its value."""
        right = self.numbers.right(equation.rhs, equation.indices, place)
        if right is None:
            return None
        left = self.to.entry(equation.array, [self.to.piece(str(k)) for k in place])
        result = self.numbers.value(value)
        if right.text == result.text:
            return Row(left.text, (right.text,))
        whole = join([right, join([self.to.sign("=="), result], SUM).unbroken().opening(0)], SUM)
        return Row(left.text, self._cut(whole, left))

    def _whole(self, left: Piece, array: Any) -> Row:
        """An array in numbers, row by row in brackets; the first of many."""
        found = np.asarray(array)
        if not found.shape:
            return Row(left.text, (self._number(found[()]).text,))
        return Row(left.text, self._cut(self._nested(found, [SHOWN]), left))

    def _nested(self, array: Array, room: list[int]) -> Piece:
        if not array.shape:
            room[0] -= 1
            return self._number(array[()])
        parts: list[Piece] = []
        for item in array:
            if room[0] <= 0:
                parts.append(self.to.word("dots"))
                break
            parts.append(self._nested(item, room))
        separated = [p.opening(0) if k and array.ndim > 1 else p for k, p in enumerate(parts)]
        comma = self.to.sign("comma")
        pieces = [q for k, p in enumerate(separated) for q in ([comma, p] if k else [p])]
        return self.to.enclosed(join(pieces, SUM), "[]")

    def _number(self, value: Any) -> Piece:
        if isinstance(value, bool | np.bool_):
            return self.to.piece("1" if value else "0")
        if isinstance(value, int | np.integer):
            return signed(self.to, str(int(value)))
        return self.numbers.value(float(value))

    def _update(self, name: str) -> Block:
        """W⁺ = W - η W̄, entry by entry where there are few."""
        old, grad, new = (np.asarray(a) for a in (
            self.before.arrays[name], self.before.arrays[adjoint(name)], self.after.arrays[name]))
        step = self.numbers.value(self.step)
        rows: list[Row] = []
        places = list(itertools.product(*map(range, old.shape)))
        if len(places) <= WRITTEN_OUT:
            for place in places:
                at = [self.to.piece(str(k)) for k in place]
                left = self._updated(name, at)
                slope = self.numbers.value(float(grad[place]))
                slope = self.to.enclosed(slope) if slope.binds == SIGNED else slope
                moved = self.to.product([step, slope], by="dot").bound_as(PRODUCT)
                right = join([self._number(old[place]), self.to.sign("minus"), moved], SUM)
                whole = join([right, self.to.sign("=="), self._number(new[place])], SUM)
                rows.append(Row(left.text, self._cut(whole, left)))
        else:
            left = self._updated(name, [])
            moved = self.to.product([step, self.to.array(adjoint(name))])
            right = join([self.to.array(name), self.to.sign("minus"), moved], SUM)
            rows.append(Row(left.text, (right.text,)))
            rows.append(Row("", self._whole(left, new).lines))
        return Block("", name, tuple(rows))

    def _updated(self, name: str, at: Sequence[Piece]) -> Piece:
        return self.to.marked_new(name, at)

    def _loss(self) -> Block:
        name = self.system.loss
        before, after = (self.numbers.value(e.loss) for e in (self.before, self.after))
        return Block("", name, (Row(self.to.array(name).text, (before.text,)),
                                Row(self._updated(name, []).text, (after.text,))))

    def _cut(self, printed: Piece, left: Piece) -> tuple[str, ...]:
        first = self.to.room - left.width - self.to.sign("==").width
        return tuple(lines(printed, first, first - self.style.continuation))


def stepped(
    arrays: Mapping[str, Any], gradients: Mapping[str, Any], names: Iterable[str], step: float
) -> dict[str, Any]:
    """The inputs after one step against the gradients, all of which are worked out before."""
    moved = {n: np.asarray(arrays[n]) - step * np.asarray(gradients[n]) for n in names}
    return {**arrays, **moved}
