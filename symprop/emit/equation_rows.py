"""One equation as rows: in index notation, in matrix notation, in two cases.

In: an equation, and a `Style`. Out: a `Row` each, cut where a line ends. What notation they use is
noted, so that it is explained.
"""

from __future__ import annotations

from dataclasses import replace

from symprop.algebra.build import access, idx
from symprop.algebra.expr import Expr
from symprop.derive.cases import two_cases
from symprop.derive.matrix import form_at, matrix_form, slice_form
from symprop.derive.matrix_nodes import MatrixForm
from symprop.emit.conventions import Seen
from symprop.emit.letters import EquationLike, equation_letters
from symprop.emit.matrix_printer import MatrixPrinter
from symprop.emit.notation import Notation
from symprop.emit.page import Row, Style
from symprop.emit.pieces import Piece, lines
from symprop.emit.printer import Printer
from symprop.emit.profile.turned import on_page
from symprop.system import Adjoint, Equation, System, sides


class EquationRows:
    """Rows of the equations of one system, in one style."""

    system: System
    style: Style
    to: Notation
    seen: Seen

    def index_row(
        self, equation: Equation | Adjoint, printer: Printer, number: str = ""
    ) -> Row:
        """An equation in index notation."""
        solved = sides(equation)
        if solved is None:
            left, right = self._left(equation, printer), equation.rhs
        else:
            self.seen.kinds.add("system")
            left, right = printer.expr(solved[0]), solved[1]
        return Row(left.text, self._cut(self._said(printer, right, left), left), number=number)

    def _said(self, printer: Printer, expr: Expr, left: Piece) -> Piece:
        """A right-hand side: two cases where it has such and there is room, else as it is."""
        cases = two_cases(expr) or ()
        piece = printer.cases(cases) if cases else None
        if piece is None or not self._fits(piece, left):
            self.seen.expr(expr)
            return printer.expr(expr)
        for case in cases:
            self.seen.expr(case.rhs)
        return piece

    def _fits(self, piece: Piece, left: Piece) -> bool:
        """Whether nothing of a piece is wider than a line."""
        room = self.to.room - self.to.margin - left.width - self.to.sign("==").width
        return max(c.width for c in piece.chunks) <= room

    def _matrix_row(self, equation: Equation | Adjoint, number: str = "") -> Row | None:
        printer = self.printer(equation)
        solved = sides(equation)
        if solved is not None:
            return self._matrix_sides(equation, solved, number)
        fixed, form = self._form(equation)
        cased = self._cased_form(equation, printer)
        if form is None and cased is None:
            return None
        fixed = cased[0] if cased is not None else fixed
        at = [printer.position(idx(i)) for i in equation.indices[:fixed]]
        left = self.to.entry(equation.array, at) if at else self.to.array(equation.array)
        above = self._left(equation, printer)  # their equal signs are aligned
        if cased is not None:
            return Row(left.text, self._cut(cased[1], above), number=number)
        assert form is not None
        self.seen.form(form)
        printed = MatrixPrinter(self.to, printer.letters).form(form)
        return Row(left.text, self._cut(printed, above), number=number)

    def _cased_form(
        self, equation: Equation | Adjoint, printer: Printer
    ) -> tuple[int, Piece] | None:
        """Two cases, each in matrix notation with so many axes fixed; None where there are none."""
        cases = two_cases(equation.rhs) or ()
        for count in range(len(equation.indices)) if cases else ():
            found = [self._at(replace(equation, rhs=c.rhs), count) for c in cases]
            forms = [form for form in found if form is not None]
            if len(forms) == len(found):
                break
        else:
            return None
        to_form = MatrixPrinter(self.to, printer.letters).form
        piece = printer.braced(cases, [to_form(f) for f in forms])
        if not self._fits(piece, self._left(equation, printer)):
            return None
        for form in forms:
            self.seen.form(form)
        return count, piece

    def _at(self, equation: Equation | Adjoint, count: int) -> MatrixForm | None:
        """The form of an equation with so many axes fixed, over what the page shows."""
        form = form_at(equation, self.system.arrays, count)
        if form is None or self.to.called.notation == "index" or len(equation.indices) - count > 2:
            return None
        return on_page(self.to.called, equation.array, form, count)

    def _form(self, equation: Equation | Adjoint) -> tuple[int, MatrixForm | None]:
        """(how many first axes are fixed, the form of the rest), over what the page shows."""
        form, fixed = matrix_form(equation, self.system.arrays), 0
        found = slice_form(equation, self.system.arrays) if form is None else None
        if found is not None:
            fixed, form = found
        if form is None or self.to.called.notation == "index":
            return 0, None
        return fixed, on_page(self.to.called, equation.array, form, fixed)

    def _matrix_sides(
        self, equation: Equation | Adjoint, solved: tuple[Expr, Expr], number: str
    ) -> Row | None:
        """A X = B, in matrix notation."""
        forms = [matrix_form(replace(equation, rhs=e), self.system.arrays) for e in solved]
        shown = [on_page(self.to.called, equation.array, f) for f in forms if f is not None]
        known = [f for f in shown if f is not None]
        if len(known) < len(forms) or self.to.called.notation == "index":
            return None
        for form in known:
            self.seen.form(form)
        printer = MatrixPrinter(self.to, self.printer(equation).letters)
        left, right = (printer.form(f) for f in known)
        return Row(left.text, self._cut(right, left), number=number)

    def _left(self, equation: Equation | Adjoint, printer: Printer) -> Piece:
        at = [idx(i) for i in equation.indices]
        return printer.expr(access(equation.array, at))

    def _cut(self, printed: Piece, left: Piece) -> tuple[str, ...]:
        first = self.to.room - left.width - self.to.sign("==").width
        return tuple(lines(printed, first, first - self.style.continuation))

    def printer(self, equation: EquationLike) -> Printer:
        """A printer with the letters of an equation."""
        return Printer(self.to, equation_letters(self.system, equation, self.to.called.letters))
