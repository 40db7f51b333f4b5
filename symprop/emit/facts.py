"""Declared facts, ranges and conditions, printed.

In: a system, a notation. Out: one formula for each, and for the facts the label by which a
step refers to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cached_property

from symprop.algebra.build import access, idx, mul, number, sum_over
from symprop.algebra.expr import Access, Expr, Index, Iverson
from symprop.derive.simplify import bound_indices
from symprop.emit.letters import axis_letters, letters, taken_by
from symprop.emit.page import Style
from symprop.emit.pieces import SUM, Piece, join
from symprop.emit.printer import Printer
from symprop.system import Equation, Fact, IndexRange, Step, System


class Facts:
    """What the system assumes of its inputs: `printed` formulas, `labels` of the facts."""

    def __init__(self, system: System, style: Style) -> None:
        self.system = system
        self.style, self.words = style, style.words
        self.to = style.to
        self.plain = Printer(style.to, {})
        facts = [self._fact(f).text for f in system.facts]
        stated = [r for r in system.index_ranges if system.arrays[r.array].kind == "input"]
        self.places = {r.array: k for k, r in enumerate(stated, start=len(facts) + 1) if r.inside}
        ranges = [self._range(r).text for r in stated]
        conditions = [self._condition(c.kind, c.left, c.right) for c in system.conditions]
        self.printed = (*facts, *ranges, *conditions)

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """The text by which a step names a fact -> its place in the list."""
        found = {}
        for place, fact in enumerate(self.system.facts, start=1):
            arguments = [fact.array, *map(str, fact.args)]
            found[f"{fact.kind}({', '.join(arguments)})"] = place
            if fact.kind == "sums_to_one":
                found[f"sums_to_one({fact.array}, axis={fact.args[0]})"] = place
        return found

    def label(self, place: int) -> str:
        """fact 1."""
        return self.words("reason.fact", number=place)

    def ranges_used(self, step: Step) -> tuple[str, ...]:
        """The facts by which a delta of labels is sifted: Σ_c [y[n] = c] is 1 as y[n] is a c."""
        if step.rule != "sifting":
            return ()
        found: dict[str, None] = {}
        summed = set(bound_indices(step.before)) - set(bound_indices(step.after))
        for atom in step.before.atoms:
            if isinstance(atom, Iverson) and atom.relation == "==" and atom not in step.after.atoms:
                for side, other in ((atom.lhs, atom.rhs), (atom.rhs, atom.lhs)):
                    read = side.single_atom
                    if isinstance(read, Access) and read.array in self.places and (
                            other.single_index in summed):
                        found[self.label(self.places[read.array])] = None
        return tuple(found)

    def _fact(self, fact: Fact) -> Piece:
        entry, printer, indices = self._entry(fact.array)
        if fact.kind == "sums_to_one":
            left = printer.expr(sum_over(entry, [indices[fact.args[0]]]))
            return self._line(left, "==", self.to.piece("1"))
        if fact.kind == "positive":
            return self._line(self.to.piece("0"), "<", printer.expr(entry))
        if fact.kind == "positive_definite":
            *rest, row, column = indices
            v = [access("v", [idx(i)]) for i in (row, column)]
            form = sum_over(mul(v[0], entry, v[1]), [row, column])
            return self._line(self.to.piece("0"), "<", printer.expr(form))
        if fact.kind == "symmetric":
            *rest, row, column = indices
            turned = access(fact.array, [idx(i) for i in (*rest, column, row)])
            return self._line(printer.expr(entry), "==", printer.expr(turned))
        if fact.kind == "in_range":
            low, high = (self._value(v) for v in fact.args)
            return self._line(self._line(low, "<=", printer.expr(entry)), "<=", high)
        values = [self._value(v) for v in fact.args]
        inside = [p for v in values for p in (self.to.sign("comma"), v)][1:]
        chosen = self.to.enclosed(join(inside, SUM), "{}")
        return self._line(printer.expr(entry), "in", chosen)

    def _range(self, found: IndexRange) -> Piece:
        entry, printer, _ = self._entry(found.array, found.at)
        low = printer.expr(entry) if found.start is None else self._line(
            self.plain.expr(found.start), "<=", printer.expr(entry))
        line = self._line(low, "<", self.plain.expr(found.size))
        if found.ignored is None:
            return line
        other = self._line(printer.expr(entry), "==", self._value(found.ignored))
        return join([line, self.to.sign("comma"), self._word("or"), other], SUM)

    def _condition(self, kind: str, left: Expr, right: Expr) -> str:
        if kind == "equal":
            return self._line(self.plain.expr(left), "==", self.plain.expr(right)).text
        if kind == "at_least":
            return self._line(self.plain.expr(right), "<=", self.plain.expr(left)).text
        sign = self.to.sign("divides") if self.style.flavour == "latex" else self._word("divides")
        return join([self.plain.expr(right), sign, self.plain.expr(left)], SUM).text

    def _word(self, key: str) -> Piece:
        """A word between two formulas."""
        said = self.words(f"fact.{key}")
        return self.to.piece(rf"\text{{{said}}}" if self.style.flavour == "latex" else said)

    def _entry(
        self, array: str, at: Sequence[int | None] = ()
    ) -> tuple[Expr, Printer, tuple[Index, ...]]:
        """An entry of an array, a printer with letters for it, and its indices.

        at: the positions that are the same for all entries that are meant; None for the others.
        """
        indices = tuple(Index("i", s) for s in self.system.arrays[array].shape)
        entry = access(array, [idx(i) if n is None else number(n) for i, n in zip(
            indices, at or [None] * len(indices), strict=True)])
        taken = taken_by(self.system) | self.to.called.letters
        axes = axis_letters(self.system.sizes, taken)
        shown = letters(Equation("", array, indices, entry), taken, axes)
        return entry, Printer(self.to, shown), indices

    def _value(self, value: object) -> Piece:
        """A number of a fact."""
        if not isinstance(value, (int, float, Fraction)):
            return self.to.piece(str(value))
        if value in (float("inf"), float("-inf")):
            infinity = self.to.word("infinity")
            return infinity if value > 0 else join([self.to.sign("negative"), infinity], SUM)
        return self.plain.expr(number(value))

    def _line(self, left: Piece, relation: str, right: Piece) -> Piece:
        return join([left, self.to.sign(relation), right], SUM)
