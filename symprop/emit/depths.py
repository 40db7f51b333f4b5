"""How much of a derivation is printed: brief, normal or full.

In: a derivation, a `Style`, a depth. Out: its `Sheet`. Full is every step (`SheetPrinter`).
Normal is what a person writes on the board: the chain rule, a line where something happens, the
matrix form; what is of a kind already worked is "likewise". Brief is the box with a reason a
line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from symprop.algebra.build import ONE
from symprop.algebra.expr import UNIT, Expr, Term
from symprop.derive.cases import two_cases, without_ends
from symprop.derive.centred import RULE
from symprop.derive.matrix_nodes import MatrixForm
from symprop.derive.primed import Primed, primed, slopes_last
from symprop.derive.retold import Telling, kind, told
from symprop.emit.letters import Stepped
from symprop.emit.matrix_printer import MatrixPrinter
from symprop.emit.page import Block, Derived, Row, Sheet, Style
from symprop.emit.pieces import SUM, Piece, join
from symprop.emit.printer import Printer
from symprop.emit.remarks import at_sight
from symprop.emit.sheet import SheetPrinter
from symprop.emit.transposes import with_transposes
from symprop.errors import InputError
from symprop.system import Adjoint, Equation, Step, sides


def sheet(
    derived: Derived, style: Style, only: Sequence[str] | None = None,
    detail: str | None = None, equation: str | None = None,
) -> Sheet:
    """The printed derivation; one equation has all its steps unless a depth is asked for."""
    printer = PRINTERS[known(depth(detail, equation))]
    return printer(derived, style, only, equation).sheet()


def depth(detail: str | None, equation: str | None) -> str:
    """How much is printed if nothing is said: one equation in full."""
    return detail or ("normal" if equation is None else "full")


def known(detail: str) -> str:
    """The depth, or an InputError that names those that there are."""
    if detail not in PRINTERS:
        raise InputError(f"there is no detail {detail!r}; there are {', '.join(PRINTERS)}")
    return detail


class _Shorter(SheetPrinter):
    """What brief and normal have in common."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        backward = tuple(map(self._ended, self.chosen.backward))
        if backward != self.chosen.backward:
            self.seen.kinds.add("ends")
        self.chosen = replace(self.chosen, backward=backward)

    def _ended(self, adjoint: Adjoint) -> Adjoint:
        """An adjoint without brackets that say no more than that others are 0 beyond their ends."""

        def ended(expr: Expr) -> Expr:
            return expr if two_cases(expr) else without_ends(expr, self.system.arrays)

        return replace(adjoint, rhs=ended(adjoint.rhs), steps=tuple(
            replace(s, before=ended(s.before), after=ended(s.after)) for s in adjoint.steps))

    def _listed_arrays(self) -> Sequence[str]:
        """None: the first sentence tells the shapes, and equations introduce the rest."""
        return self.chosen.arrays if self.alone else ()

    def _shown(self, adjoint: Adjoint) -> tuple[Step, ...]:
        return tuple(s for s in adjoint.steps if s.departs or s.conditions)


    def _numbered(self, numbers: Sequence[str]) -> str:
        """(F1), (F2)."""
        return self.words.several(f"({n})" for n in numbers)


class BriefPrinter(_Shorter):
    """The box with one reason a line."""

    detail = "brief"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._slopes: dict[str, Primed] = {}
        self.chosen = replace(
            self.chosen, backward=tuple(map(self._with_slope, self.chosen.backward)))

    def _with_slope(self, adjoint: Adjoint) -> Adjoint:
        """An adjoint with σ'(z) by its name, where the page can write that."""
        found = primed(adjoint, self.system, *_ends(self.derived))
        if found is None or self.to.template(found.name.function) is None:
            return adjoint
        self._slopes.setdefault(found.name.function, found)
        return found.adjoint

    def sheet(self) -> Sheet:
        """Everything, printed, and what the derivatives are that have a name."""
        sheet, slopes = super().sheet(), self.words.beside(*self._told_of())
        said = (self.words("page.slopes", slopes=slopes),) if slopes else ()
        return replace(sheet, conventions=(*sheet.conventions, *said))

    def _form(self, equation: Equation | Adjoint) -> tuple[int, MatrixForm | None]:
        """With σ'(z) last in its product, as books have it."""
        fixed, form = super()._form(equation)
        return fixed, form and slopes_last(form)

    def _told_of(self) -> Iterator[str]:
        """What the derivatives are that have a name: σ'(z) = a ⊙ (1 - a)."""
        for found in self._slopes.values():
            printer, adjoint = self.printer(found.adjoint), found.adjoint
            forms = [self._form(replace(adjoint, rhs=e))[1] for e in (
                Expr((Term(UNIT, ((found.name, 1),)),)), found.value)]
            known = [f for f in forms if f is not None]
            sides_ = [MatrixPrinter(self.to, printer.letters).form(f) for f in known] if len(
                known) == len(forms) else [printer.atom(found.name), printer.expr(found.value)]
            yield self.style.math(join([sides_[0], self.to.sign("=="), sides_[1]], SUM).text)

    def _forward(self, equation: Equation) -> Block:
        row = self._matrix_row(equation) or self.index_row(equation, self.printer(equation))
        return Block(equation.number, self._name(equation.array),
                     (replace(row, number=equation.number),))

    def _told(self) -> Sequence[Adjoint]:
        """Only where a learning rule departs, and where a line holds in fewer places."""
        return [a for a in self.chosen.backward if self._shown(a) or self.alone]

    def _backward(self, adjoint: Adjoint) -> Block:
        return self._block(adjoint, [
            *self._steps(adjoint, self.printer(adjoint)), *self._boxed(adjoint).rows])

    def _noted(self, adjoint: Adjoint) -> str:
        through = self._numbered(self._through(adjoint))
        shape = super()._noted(adjoint)
        return self.words.beside(
            shape, self.style.say("reason.from", numbers=through) if through else "")

    def _through(self, adjoint: Adjoint) -> Sequence[str]:
        """The forward equations that are differentiated on the way to an adjoint."""
        found = dict.fromkeys(adjoint.sources)
        for number in adjoint.absorbed:
            found |= dict.fromkeys(self._through(self._by_number[number]))
        order = {e.number: k for k, e in enumerate(self.system.equations)}
        return sorted(found, key=lambda n: order.get(n, 0))

    @cached_property
    def _by_number(self) -> dict[str, Adjoint]:
        return {a.number: a for a in self.derived.adjoints}


class NormalPrinter(_Shorter):
    """What a person writes on the board."""

    detail = "normal"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._tellings = {a.number: told(a, *_ends(self.derived)) for a in self.chosen.backward
                          if sides(a) is None}
        self._first = _likewise(self.chosen.backward, self._tellings)
        self._left_out = _left_out(self.chosen.backward, self._first) if not self.alone else set()
        if self._left_out:
            self.seen.kinds.add("likewise")

    def _forward(self, equation: Equation) -> Block:
        step = self._recognised.get(equation.number)
        printer = self.printer(equation if step is None else Stepped(
            equation.indices, equation.rhs, (step,)))
        row = self.index_row(equation, printer, number=equation.number)
        if step is not None:
            both = self._chained(printer, [step.before, step.after])
            row = replace(row, lines=self._cut(both, self._left(equation, printer)),
                          label=self.style.plain(self._beside_name(step)))
        alone = self.to.called.notation == "matrix"
        matrix = self._matrix_row(equation) if alone or _contracts(equation.rhs) else None
        rows = self._both([row], matrix)
        rows = self._beside_each_other(*rows) if len(rows) == 2 else rows
        return Block(equation.number, self._name(equation.array), rows)

    def _beside_each_other(self, row: Row, matrix: Row) -> tuple[Row, ...]:
        """Index and matrix notation in one line where there is room."""
        if len(row.lines) > 1 or len(matrix.lines) > 1:
            return row, matrix
        parts = [self.to.piece(t) for t in (row.left, row.lines[0], matrix.left, matrix.lines[0])]
        gap = self.to.sign("apart")
        equal = self.to.sign("==")
        used = sum(p.width for p in parts) + 2 * equal.width + gap.width
        if used > self.to.room - self.to.margin:
            return row, matrix
        whole = join([parts[1], gap, parts[2], equal, parts[3]], SUM)
        return (replace(row, lines=(whole.text,)),)

    def _backward(self, adjoint: Adjoint) -> Block:
        telling = self._tellings.get(adjoint.number)
        printer = self.printer(adjoint)
        rows: list[Row] = []
        if telling is None:
            rows = self._plainly(adjoint, printer)
        elif self.alone:
            rows = self._worked(adjoint, telling, printer)
        elif adjoint.inlined:
            if adjoint.number not in self._left_out:
                rows = self._in_passing(adjoint, telling, printer)
        elif self._first[adjoint.number] != adjoint.number:
            rows = [self._likewise(adjoint, self._first[adjoint.number], printer)]
        else:
            rows = self._worked(adjoint, telling, printer)
        return self._block(adjoint, rows)

    def _shown(self, adjoint: Adjoint) -> tuple[Step, ...]:
        """The chain rule too, before what departs; all steps of what a rule adds."""
        told_one_by_one = super()._shown(adjoint)
        if adjoint.role != "adjoint":
            return adjoint.steps
        return told_one_by_one and tuple(
            s for s in adjoint.steps if s.rule == "chain rule" or s in told_one_by_one)

    def _plainly(self, adjoint: Adjoint, printer: Printer) -> list[Row]:
        """The chain rule, every step that departs or asks for something, and the end."""
        rows = self._steps(adjoint, printer)
        rows.append(self._matrix_row(adjoint) or self.index_row(adjoint, printer))
        return [*rows[:-1], replace(rows[-1], number=adjoint.number)]

    def _likewise(self, adjoint: Adjoint, first: str, printer: Printer) -> Row:
        row = self._matrix_row(adjoint) or self.index_row(adjoint, printer)
        label = self.style.say("reason.likewise", number=first)
        return replace(row, label=label, number=adjoint.number)

    def _in_passing(self, adjoint: Adjoint, telling: Telling, printer: Printer) -> list[Row]:
        """What is put in elsewhere: its own chain rule, and what that comes to if it is short."""
        left = self._left(adjoint, printer)
        source = self._from(adjoint, telling)
        only = self._matrix_row(adjoint) if self.to.called.notation == "matrix" else None
        if only is not None:
            return [replace(only, label=source, number=adjoint.number)]
        first = self._said(printer, telling.local, left)
        second = printer.expr(telling.result)
        seen = [at_sight(s, self.system, printer, self.style) for s in adjoint.steps
                if s.rule == RULE]
        if seen:
            reason = self.style.words("reason.as", sums=seen[0])
            whole = self._equal(printer, left, [telling.local, telling.result])
            if whole is not None:
                return [Row(left.text, (whole.text,), self.style.words.beside(source, reason),
                            adjoint.number)]
            return [Row(left.text, self._cut(first, left), source),
                    Row("", self._cut(second, left), reason, adjoint.number)]
        if second.width > first.width or second.text == first.text:
            return [Row(left.text, self._cut(first, left), source, adjoint.number)]
        self.seen.expr(telling.result)
        whole = self._equal(printer, left, [telling.local, telling.result])
        if whole is not None:
            return [Row(left.text, (whole.text,), source, adjoint.number)]
        return [Row(left.text, self._cut(first, left), source),
                Row("", self._cut(second, left), number=adjoint.number)]

    def _worked(self, adjoint: Adjoint, telling: Telling, printer: Printer) -> list[Row]:
        """The chain rule, what it comes to, and the result, in index and matrix notation."""
        left = self._left(adjoint, printer)
        source = self._from(adjoint, telling, because=False)
        only = self._matrix_row(adjoint) if self.to.called.notation == "matrix" else None
        if only is not None:
            return [replace(only, label=source, number=adjoint.number)]
        both = self._equal(printer, left, [telling.chain, telling.local])
        if both is not None:
            rows = [Row(left.text, (both.text,), source)]
        else:
            rows = [Row(left.text, self._cut(self._said(printer, side, left), left), source)
                    for side in (telling.chain, telling.local)]
            rows[1] = Row("", rows[1].lines)
        matrix = self._in_matrices(adjoint, printer) if _contracts(adjoint.rhs) else []
        same = printer.expr(telling.local).text == printer.expr(telling.result).text
        if not same:
            label = self.style.plain(self._by(telling))
            matrix = matrix or [self._result(adjoint, telling, printer)]
            matrix[0] = replace(matrix[0], label=label)
        if matrix and not matrix[0].label and matrix[0].lines == rows[-1].lines and (
                not matrix[0].left):
            matrix = matrix[1:]  # it is said already
        rows += matrix
        return [*rows[:-1], replace(rows[-1], number=adjoint.number)]

    def _result(self, adjoint: Adjoint, telling: Telling, printer: Printer) -> Row:
        """What is left once other equations are put in."""
        left = self._left(adjoint, printer)
        return Row("", self._cut(self._said(printer, telling.result, left), left))

    def _in_matrices(self, adjoint: Adjoint, printer: Printer) -> list[Row]:
        """The matrix form, after the step that explains a transpose."""
        row = self._matrix_row(adjoint)
        if row is None:
            return []
        _, form = self._form(adjoint)
        step = with_transposes(adjoint.rhs, form, printer) if form is not None else None
        if step is None:
            return [row]
        return [Row("", self._cut(step, self._left(adjoint, printer))), row]

    def _from(self, adjoint: Adjoint, telling: Telling, because: bool = True) -> str:
        """Which equations are differentiated, and why a path is left out."""
        gone = self._numbered(telling.vanishing)
        return self.style.plain(self.words.beside(
            self.words("reason.from", numbers=self._numbered(adjoint.sources)),
            self.words("reason.vanishing", len(telling.vanishing), numbers=gone) if gone else "",
            self._by(telling) if because and telling.result.is_zero else ""))

    def _by(self, telling: Telling) -> str:
        """By which equations and facts the result follows."""
        by = self.words.several(map(self._reason, telling.because))
        return self.words("reason.by", numbers=by) if by else ""

    def _equal(self, printer: Printer, left: Piece, sides_: Sequence[Expr]) -> Piece | None:
        """a = b in one line, a alone where both are the same; None where there is no room."""
        whole = self._chained(printer, sides_)
        room = self.to.room - left.width - self.to.sign("==").width - self.to.margin
        return whole if whole.width <= room else None

    def _chained(self, printer: Printer, sides_: Sequence[Expr]) -> Piece:
        """a = b = c; what is the same is said once."""
        parts: list[Piece] = []
        said = ""
        for printed in (self._said(printer, s, self.to.piece("")) for s in sides_):
            if printed.text == said:
                continue
            parts += [join([self.to.sign("=="), printed], SUM).fused().opening(-1)
                      if parts else printed]
            said = printed.text
        return join(parts, SUM)


def _ends(derived: Derived) -> tuple[dict[str, str], str]:
    """The adjoints that are 0, each with its number, and the array whose adjoint is 1."""
    zeros = {a.array: a.number for a in derived.adjoints if a.rhs.is_zero}
    return zeros, next((a.primal for a in derived.adjoints if a.rhs == ONE), "")


def _likewise(
    adjoints: Sequence[Adjoint], tellings: Mapping[str, Telling | None]
) -> dict[str, str]:
    """Of every adjoint the number of the first of its kind; its own where it is that."""
    found: dict[str, str] = {}
    kinds: dict[tuple[bool, str], str] = {}
    for adjoint in adjoints:
        telling = tellings.get(adjoint.number)
        if telling is not None:
            sort = adjoint.inlined, kind(adjoint, telling)
            found[adjoint.number] = kinds.setdefault(sort, adjoint.number)
    return found


def _left_out(adjoints: Sequence[Adjoint], first: Mapping[str, str]) -> set[str]:
    """What is of a kind already worked, and put only into such."""
    readers: dict[str, list[str]] = {}
    for adjoint in adjoints:
        for number in adjoint.absorbed:
            readers.setdefault(number, []).append(adjoint.number)
    done: set[str] = set()
    for adjoint in reversed(adjoints):
        number = adjoint.number
        known = first.get(number, number) != number
        if adjoint.inlined and known and all(
                r in done or first.get(r, r) != r for r in readers.get(number, ())):
            done.add(number)
    return {a.number for a in adjoints if a.inlined and a.number in done}


def _contracts(expr: Expr) -> bool:
    """Whether a sum runs over two factors or more."""
    return any(t.bound for t in expr.terms)


PRINTERS: dict[str, type[SheetPrinter]] = {
    "brief": BriefPrinter, "normal": NormalPrinter, "full": SheetPrinter}
