"""Statements as lines of Python with their equation numbers in the margin.

In: the statements of a Program and its equations. Out: lines of at most 88 columns.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from symprop.algebra.build import idx
from symprop.algebra.expr import Access
from symprop.emit.letters import equation_letters
from symprop.emit.numpy_nodes import LOOSE, NumpyPrinter
from symprop.emit.printer import Printer
from symprop.emit.text_notation import TextNotation
from symprop.lower import ir
from symprop.system import Adjoint, Equation, System

WIDTH = 88
_INDENT = "    "
_OPENING, _CLOSING = "([{", ")]}"


@dataclass(frozen=True)
class Line:
    """Code and what stands in its margin."""

    code: str
    note: str = ""


class Lines:
    """Writes the statements of one function."""

    def __init__(self, printer: NumpyPrinter, equations: Sequence[Equation | Adjoint]) -> None:
        self.printer = printer
        self.system: System = printer.system
        self.by_number = {e.number: e for e in equations}
        sizes = {n for n in printer.sizes.values() if n in printer.names.values()}
        self.notation = TextNotation(room=200, names=printer.names, clashing=sizes)

    def lines(self, statements: Sequence[ir.Statement]) -> list[str]:
        """All statements, margins aligned, wrapped to the width."""
        rows: list[Line] = []
        for statement in statements:
            rows.extend(self._statement(statement))
        return laid_out(rows)

    def _statement(self, statement: ir.Statement) -> list[Line]:
        if isinstance(statement, ir.Allocate):
            self.printer.uses_dtype = True
            shape = self.printer.shape(statement.shape)
            name = self.printer.name(statement.array)
            return [Line(f"{name} = np.empty({shape}, {self.printer.dtype})")]
        if isinstance(statement, ir.Loop):
            return self._loop(statement)
        equation = self.by_number[statement.number]
        self.printer.letters = self._letters(equation)
        if isinstance(statement, ir.Scatter):
            return [Line(self._scatter(statement))]
        target = self._target(statement.array, statement.at)
        if isinstance(statement, ir.Zeros):
            self.printer.uses_dtype = True
            shape = self.printer.shape(statement.shape)
            zeros = f"np.zeros({shape}, {self.printer.dtype})"
            code = f"{target} = {zeros}" if statement.at is None else f"{target} = 0"
        else:
            code = f"{target} = {self.printer.within(statement.node, LOOSE)}"
        return [Line(code, self._note(equation))]

    def _letters(self, equation: Equation | Adjoint) -> Mapping[int, str]:
        return equation_letters(self.system, replace(equation, steps=())
                                if isinstance(equation, Adjoint) else equation)

    def _target(self, array: str, at: object) -> str:
        name = self.printer.name(array)
        return name if at is None else f"{name}[{self.loop_letter}]"

    def _loop(self, loop: ir.Loop) -> list[Line]:
        self.loop_letter = self._loop_letter(loop)
        count = self.printer.size(loop.index.size)[0]
        steps = f"reversed(range({count}))" if loop.descending else f"range({count})"
        rows = [Line(f"for {self.loop_letter} in {steps}:")]
        for statement in loop.body:
            for row in self._statement(statement):
                rows.append(Line(_INDENT + row.code, row.note))
        return rows

    def _loop_letter(self, loop: ir.Loop) -> str:
        first = self.by_number[loop.body[0].number]
        shown = self._letters(first)
        return shown.get(first.indices[0].uid, first.indices[0].letter)

    def _scatter(self, statement: ir.Scatter) -> str:
        inside = [self.printer._subscript(s, None, statement.grid)  # type: ignore[arg-type]
                  for s in statement.subscripts]
        parts = ["slice(None)" if p == ":" else p for p in inside]
        while len(parts) > 1 and parts[-1] == "slice(None)":
            parts.pop()
        if len(parts) > 2 and set(parts[:-1]) == {"slice(None)"}:
            parts = ["...", parts[-1]]
        where = parts[0] if len(parts) == 1 else f"({', '.join(parts)})"
        call = "np.add.at" if statement.sign > 0 else "np.subtract.at"
        value = self.printer.spread(statement.value, statement.axes)
        return f"{call}({self._target(statement.array, statement.at)}, {where}, {value})"

    def _note(self, equation: Equation | Adjoint) -> str:
        """(B4)  dZ[n,h] = ...  (N, H)  from (F2)."""
        printer = Printer(self.notation, self._letters(equation))
        left = printer.atom(Access(equation.array, tuple(
            idx(i) for i in equation.indices if i.size.number != 1))).text
        shape = self.printer.shape(tuple(i.size for i in equation.indices))
        parts = [f"({equation.number})", f"{left} = {printer.expr(equation.rhs).text}"]
        if equation.indices:
            parts.append(shape)
        if isinstance(equation, Adjoint):
            parts.append(origin(equation))
        return "  ".join(p for p in parts if p)


def origin(adjoint: Adjoint) -> str:
    """Where an adjoint equation comes from: from (F3), with (B1), (B2)."""
    text = "from " + ", ".join(f"({n})" for n in adjoint.sources) if adjoint.sources else ""
    if adjoint.absorbed:
        text += " with " + ", ".join(f"({n})" for n in adjoint.absorbed)
    return text


def laid_out(rows: Sequence[Line]) -> list[str]:
    """Notes in one column where they fit, else on lines of their own above the code."""
    fitting = [len(r.code) for r in rows if r.note and len(r.code) + 4 + len(r.note) <= WIDTH - 4]
    column = max(fitting, default=0) + 2
    result: list[str] = []
    for row in rows:
        indent = row.code[: len(row.code) - len(row.code.lstrip())]
        one = f"{row.code:<{column}}# {row.note}" if row.note else row.code
        if row.note and len(row.code) < column and len(one) <= WIDTH - 4:
            result.append(one)
            continue
        if row.note:
            width = WIDTH - 4 - len(indent)
            result += [indent + t for t in textwrap.wrap(
                "# " + row.note, width, subsequent_indent="#       ",
                break_long_words=False, break_on_hyphens=False)]
        result.extend(wrapped(row.code))
    return result


def wrapped(code: str, width: int = WIDTH - 4) -> list[str]:
    """A statement on several lines: broken at operators and commas, in parentheses."""
    if len(code) <= width:
        return [code]
    indent = code[: len(code) - len(code.lstrip())]
    body = code.strip()
    match = re.match(r"(\w+(?:\[\w+\])? = )(.*)", body)
    if match and not _bracketed(match[2]):
        head, rest, tail = indent + match[1] + "(", match[2], ")"
    else:
        cut = _first_opening(body)
        head, rest, tail = indent + body[:cut], body[cut:-1], body[-1]
    lines, current = [head], indent + _INDENT
    for piece in _pieces(rest):
        if len(current) + len(piece.rstrip()) > width and current.strip():
            lines.append(current.rstrip())
            current = indent + _INDENT + piece.lstrip()
        else:
            current += piece
    return [*lines, current.rstrip(), indent + tail]


def _bracketed(text: str) -> bool:
    """Whether a text is one call or bracket from end to end."""
    start = _first_opening(text)
    if not start or text[-1] not in _CLOSING:
        return False
    depth = 0
    for place, character in enumerate(text):
        depth += (character in _OPENING) - (character in _CLOSING)
        if place >= start and depth == 0:
            return place == len(text) - 1
    return False


def _first_opening(text: str) -> int:
    return next((k + 1 for k, c in enumerate(text) if c in _OPENING), 0)


def _pieces(text: str) -> list[str]:
    """The text cut before operators with blanks around them and after commas, not in quotes."""
    pieces, current, quoted = [], "", False
    for place, character in enumerate(text):
        quoted ^= character == '"'
        if not quoted and character == " " and re.match(r" ([-+*/@&]|if|else) ", text[place:]):
            pieces.append(current)
            current = ""
        current += character
        if not quoted and text[place - 1: place + 1] == ", ":
            pieces.append(current)
            current = ""
    return [*pieces, current]
