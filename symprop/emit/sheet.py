"""The contents of a printed derivation, in any notation.

In: a derivation and a `Style`. Out: a `Sheet`: lists of printed rows, for a template to lay
out. No mathematics happens here: what is printed are the recorded steps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from symprop.algebra.expr import ADJOINT, Expr
from symprop.derive.closed import closed_form
from symprop.derive.matrix import matrix_form
from symprop.derive.notes import notes
from symprop.emit.conventions import Seen
from symprop.emit.equation_rows import EquationRows
from symprop.emit.facts import Facts
from symprop.emit.given_and_sought import given_and_sought
from symprop.emit.letters import Stepped, axis_letters, taken_by
from symprop.emit.matrix_printer import MatrixPrinter
from symprop.emit.page import Block, Derived, Row, Sheet, Style, SymbolRow
from symprop.emit.pieces import SUM
from symprop.emit.printer import Printer
from symprop.emit.profile.legend import legend
from symprop.emit.profile.turned import on_page
from symprop.emit.remarks import remarks
from symprop.emit.rules import rule, statement
from symprop.emit.selection import Selection, select, select_equation
from symprop.errors import InputError
from symprop.system import Adjoint, Array, Equation, Step

_NUMBER = re.compile(r"(?:[0-9]+\.)?[FB][0-9]+")


class SheetPrinter(EquationRows):
    """Prints one derivation in one style."""

    detail = "full"

    def __init__(
        self, derived: Derived, style: Style, only: Sequence[str] | None = None,
        equation: str | None = None,
    ) -> None:
        if only is not None and equation is not None:
            raise InputError("only= and equation= exclude each other")
        self.derived = derived
        self.system = derived.system
        self.style = style
        self.to = style.to
        self.words = style.words
        self.chosen: Selection = select(derived.system, derived.adjoints, only) if (
            equation is None) else select_equation(derived.system, derived.adjoints, equation)
        self.alone = equation is not None
        self.seen = Seen(told=() if self.alone else ("adjoint",), loss=(
            self.system.loss if self.to.called.mark == "partial" else ""))
        self.facts = Facts(self.system, style)

    def sheet(self) -> Sheet:
        """Everything, printed."""
        system = self.system
        forward = tuple(self._forward(e) for e in self.chosen.forward)
        backward = tuple(self._backward(a) for a in self._told())
        box = () if self.alone else tuple(self._boxed(a) for a in self.chosen.backward
                                          if not a.inlined)
        gradients = tuple(self._gradients())
        used = dict.fromkeys(s.rule for a in self._told() for s in self._shown(a) if (
            self.detail == "full" or s.departs or a.role != "adjoint"))  # on a board, what departs
        if self.detail == "full":
            used |= dict.fromkeys(self._recognised[e.number].rule for e in self.chosen.forward
                                  if e.number in self._recognised)
        explained = [rule(name, self.words) for name in used]
        departure = system.departure
        letters = axis_letters(system.sizes, taken_by(system) | self.to.called.letters)
        return Sheet(
            words=self.words,
            name=self.style.plain(system.name),
            loss=self.style.math(self.to.array(system.loss).text),
            sizes=tuple((self.style.math(self.to.size(n).text), self.style.math(letters[n]))
                        for n in self.chosen.sizes),
            symbols=tuple(self._symbol(system.arrays[n]) for n in self._listed_arrays()),
            conventions=self.seen.sentences(self.words, self.style.flavour),
            facts=tuple(self.style.math(f) for f in self.facts.printed),
            notes=tuple(self._notes()),
            forward=forward,
            backward=backward,
            gradients=gradients,
            rules=tuple((r.label, self.style.plain(r.sentence)) for r in explained if r.sentence),
            departure=self.style.plain(rule(departure.rule, self.words).label)
            if departure else "",
            statement=self.style.plain(statement(departure, self.words)) if departure else "",
            detail=self.detail,
            sought="" if self.alone else self._sought(),
            box=box,
        )

    def _told(self) -> Sequence[Adjoint]:
        """The adjoints that are derived on the page."""
        return self.chosen.backward

    def _listed_arrays(self) -> Sequence[str]:
        """The arrays in the table of symbols."""
        return self.chosen.arrays

    def _sought(self) -> str:
        """What the network computes, and what is wanted."""
        arrays = self.system.arrays
        inputs = [n for n in self.chosen.arrays
                  if arrays[n].kind == "input" and n not in self._fixed]
        told = given_and_sought(self.system, inputs, self.chosen.gradients, self.style,
                                None if self._listed_arrays() else self._shape_told)
        return self.words("mark.after").join((told, *legend(self.style, self.chosen.arrays)))

    def _shape_told(self, array: str) -> str:
        """A shape, and what kind of numbers, in words."""
        return self.words.beside(
            self._shape_of(array), self._kind(self.system.arrays[array]))

    def _kind(self, array: Array) -> str:
        """What numbers it holds, where these are no floats."""
        return "" if array.dtype == "float" else self.words(f"role.{array.dtype}")

    @cached_property
    def _adjoint_of(self) -> Mapping[str, Adjoint]:
        return {a.primal: a for a in self.derived.adjoints if a.role == "adjoint"}

    @cached_property
    def _absorbed_by(self) -> Mapping[str, tuple[str, ...]]:
        readers: dict[str, tuple[str, ...]] = {}
        for adjoint in self.chosen.backward:
            for number in adjoint.absorbed:
                readers[number] = (*readers.get(number, ()), f"({adjoint.number})")
        return readers

    @cached_property
    def _fixed(self) -> frozenset[str]:
        departure = self.system.departure
        return frozenset(b for b, _ in departure.feedback) if departure else frozenset()

    @cached_property
    def _numbers(self) -> Mapping[str, str]:
        """What a learning rule computes beside adjoints, and in which equation."""
        return {a.array: a.number for a in self.derived.adjoints if a.role != "adjoint"}

    def _notes(self) -> Iterator[str]:
        """Which facts, not stated, would make a printed equation shorter."""
        for note in notes(self.system, self.chosen.backward):
            yield self.style.say("note.sums_to_one", number=note.number, array=note.array,
                                 axis=note.axis)

    # ---- rows ----------------------------------------------------------------------------

    def _forward(self, equation: Equation) -> Block:
        step = self._recognised.get(equation.number)
        printer = self.printer(equation if step is None else Stepped(
            equation.indices, equation.rhs, (step,)))
        row = self.index_row(equation, printer, number=equation.number)
        rows = [row]
        if step is not None:
            left = self._left(equation, printer)
            label = self.words.beside(rule(step.rule, self.words).label, self._beside_name(step))
            rows = [replace(row, lines=self._cut(printer.expr(step.before), left)),
                    Row("", self._cut(printer.expr(step.after), left), self.style.plain(label))]
        matrix = self._matrix_row(equation)
        return Block(equation.number, self._name(equation.array), self._both(rows, matrix))

    def _both(self, rows: Sequence[Row], matrix: Row | None) -> tuple[Row, ...]:
        """Index and matrix notation, or that alone which is asked for."""
        if matrix is None:
            return tuple(rows)
        if self.to.called.notation == "matrix":
            return (replace(matrix, number=rows[0].number, label=rows[0].label),)
        return (*rows, matrix)

    def _beside_name(self, step: Step) -> str:
        """Of a function that is recognised: which corners it has not, or by which equations."""
        if step.rule == "name":
            return self.words.beside(*step.because)
        return self.words.beside(*(self.words("reason.corner", place=c) for c in step.because))

    @cached_property
    def _recognised(self) -> Mapping[str, Step]:
        """What was written in the place of a function, by the number of its equation."""
        return {s.equation: s for s in self.system.recognised}

    def _backward(self, adjoint: Adjoint) -> Block:
        printer = self.printer(adjoint)
        rows = self._steps(adjoint, printer)
        matrix = self._matrix_row(adjoint, number=adjoint.number)
        rows.append(matrix or self.index_row(adjoint, printer, number=adjoint.number))
        return self._block(adjoint, rows)

    def _block(self, adjoint: Adjoint, rows: Sequence[Row]) -> Block:
        return Block(
            number=adjoint.number,
            heading=self._name(adjoint.primal),
            rows=tuple(rows),
            sources=tuple(f"({s})" for s in adjoint.sources),
            absorbed=tuple(f"({s})" for s in adjoint.absorbed),
            absorbed_by=self._absorbed_by.get(adjoint.number, ()) if adjoint.inlined else (),
            zero=adjoint.rhs.is_zero,
            role=adjoint.role,
        )

    def _shown(self, adjoint: Adjoint) -> tuple[Step, ...]:
        """The steps that are printed in a line each."""
        return adjoint.steps

    def _steps(self, adjoint: Adjoint, printer: Printer) -> list[Row]:
        left = self._left(adjoint, printer)
        rows: list[Row] = []
        shown = self._shown(adjoint)
        for step in shown:
            self.seen.expr(step.after)
            reasons = step.because or (adjoint.sources if step.rule == "chain rule" else ())
            label = self.words.beside(rule(step.rule, self.words).label, *map(
                self._reason, reasons), *self.facts.ranges_used(step))
            cut = self._cut(printer.expr(step.after), left)
            beside = self.style.plain(label) + remarks(
                step, self.system, printer, self.style)
            rows.append(Row("" if rows else left.text, cut, beside, departs=step.departs))
        if shown and shown[-1] is adjoint.steps[-1] and shown[-1].after != adjoint.rhs:
            rows.append(Row("", self._cut(printer.expr(adjoint.rhs), left)))
        return rows

    def _boxed(self, adjoint: Adjoint) -> Block:
        """An adjoint in the box: in matrix notation where it has one, with its shape."""
        row = self._matrix_row(adjoint) or self.index_row(adjoint, self.printer(adjoint))
        return self._block(adjoint, [
            replace(row, label=self._noted(adjoint), number=adjoint.number)])

    def _noted(self, adjoint: Adjoint) -> str:
        return self._shape_of(adjoint.primal)

    def _gradient(self, adjoint: Adjoint) -> Block:
        """A result, in index and matrix notation."""
        rows = [self.index_row(adjoint, self.printer(adjoint), number=adjoint.number)]
        matrix = self._matrix_row(adjoint)
        return self._block(adjoint, self._both(rows, matrix))

    def _gradients(self) -> Iterator[Block]:
        """The gradients closed over inputs and forward values, where that fits a line."""
        for name in self.chosen.gradients:
            adjoint = self._adjoint_of[name]
            row = self._closed(adjoint)
            if row is not None:
                yield Block(adjoint.number, self._name(name), (row,))

    def _closed(self, adjoint: Adjoint) -> Row | None:
        """A gradient over inputs alone, else over forward values; None if that is no news."""
        left, arrays = self.to.array(adjoint.array), self.system.arrays
        room = self.to.room - left.width - self.to.sign("==").width - self.to.margin
        if self.to.called.notation == "index":
            return None
        printer = MatrixPrinter(self.to)
        short = matrix_form(adjoint, arrays)
        for inside in (self._computed, self._above):
            form = closed_form(adjoint, self._equations, arrays, inside)
            if form is None or form == short:
                continue
            form = on_page(self.to.called, adjoint.array, form)
            if form is None:
                continue
            printed = printer.form(form)
            if printed.width <= room:
                self.seen.form(form)
                return Row(left.text, (printed.text,), number=adjoint.number)
        return None

    @cached_property
    def _equations(self) -> Mapping[str, Equation | Adjoint]:
        every: tuple[Equation | Adjoint, ...] = (*self.system.equations, *self.derived.adjoints)
        return {e.array: e for e in every}

    def _computed(self, array: str) -> bool:
        return array in self._equations

    def _above(self, array: str) -> bool:
        return array in self._equations and array.startswith(ADJOINT)

    def _reason(self, reason: str) -> str:
        """A number in parentheses, a fact by its place in the list, anything else as it is."""
        if _NUMBER.fullmatch(reason):
            return f"({reason})"
        place = self.facts.numbers.get(reason)
        return reason if place is None else self.facts.label(place)

    # ---- names and shapes ----------------------------------------------------------------

    def _name(self, array: str) -> str:
        return self.style.math(self.to.array(array).text)

    def _symbol(self, array: Array) -> SymbolRow:
        equation = self.system.equation(array.name)
        if array.name in self.system.wrt:
            role = self.words("role.parameter")
        elif equation is not None:
            role = f"({equation.number})"
        elif array.name in self._fixed:
            role = self.words("role.fixed")
        elif array.name in self._numbers:
            role = f"({self._numbers[array.name]})"
        else:
            role = self.words.beside(self.words(f"role.{array.kind}"), self._kind(array))
        code = self.style.plain(array.name)
        return SymbolRow(self._name(array.name), code, self._shape_of(array.name), role)

    def _shape_of(self, array: str) -> str:
        """The shape of an array as the page shows it."""
        shape = self.system.arrays[array].shape
        if self.to.called.shown(array):
            shape = (*shape[:-2], shape[-1], shape[-2])
        return self._shape(shape)

    def _shape(self, shape: Sequence[Expr]) -> str:
        if not shape:
            return self.words("role.scalar")
        printer = Printer(self.to, {})
        sizes = [printer.expr(s) for s in shape]
        texts = [(self.to.enclosed(s) if s.binds == SUM else s).text for s in sizes]
        return self.style.math(self.style.times().join(texts))

