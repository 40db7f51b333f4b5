"""Statements as lines of Python with their equation numbers in the margin.

In: the statements of a Program and its equations. Out: lines of at most 88 columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from symprop.algebra.build import add, idx, mul, number, sub
from symprop.algebra.canonical import normal
from symprop.algebra.expr import Access, Expr, Index
from symprop.emit.letters import equation_letters
from symprop.emit.numpy_guard import Guards
from symprop.emit.numpy_layout import BODY, INDENT, Line, laid_out
from symprop.emit.numpy_names import Names
from symprop.emit.numpy_nodes import NumpyPrinter
from symprop.emit.numpy_split import Named, split
from symprop.emit.numpy_views import bracketed, span
from symprop.emit.printer import Printer
from symprop.emit.text_notation import TextNotation
from symprop.lower import ir
from symprop.names import unused
from symprop.system import Adjoint, Equation, System, sides

_QUIET = 'with np.errstate(all="ignore"):  # only finite entries are used'


class Lines:
    """Writes the statements of one function."""

    def __init__(
        self, printer: NumpyPrinter, names: Names, guards: Guards,
        equations: Sequence[Equation | Adjoint],
        margins: Mapping[str, Equation | Adjoint],
    ) -> None:
        self.printer, self.names, self.guards = printer, names, guards
        self.system: System = printer.system
        self.margins = margins
        self.by_array = {e.array: e for e in equations} | dict(margins)
        self.locals: dict[tuple[str, str, int], str] = {}
        self.loop: tuple[Index, str] | None = None
        self.letters: dict[str, Mapping[int, str]] = {}
        self.noted = ""  # the equation whose note stands already
        sizes = {n for n in printer.sizes.values() if n in printer.names.values()}
        self.notation = TextNotation(room=200, names=printer.names, clashing=sizes)

    def lines(self, statements: Sequence[ir.Statement], arguments: bool = True) -> list[str]:
        """All statements, margins aligned, wrapped to the width.

        arguments: whether the function has the user's arguments, which may hide names.
        """
        rows: list[Line] = []
        self.noted = ""
        for statement in statements:
            rows.extend(self._loop(statement) if isinstance(statement, ir.Loop)
                        else self._write(statement, BODY))
        rows = _joined(rows)
        if arguments:
            rows = [replace(r, code=self.names.seen(r.code)) for r in rows]
        return laid_out(rows)

    # ---- loops ----------------------------------------------------------------------------

    def _loop(self, loop: ir.Loop) -> list[Line]:
        first = self.by_array[loop.body[0].array]
        shown = self._shown(first)
        letter = self._letter(shown.get(first.indices[0].uid, loop.index.letter))
        self.loop = (loop.index, letter)
        count = self.printer.size(loop.index.size)[0]
        steps = f"reversed(range({count}))" if loop.descending else f"range({count})"
        rows = [Line(f"for {letter} in {steps}:")]
        for statement in loop.body:
            rows += [Line(INDENT + r.code, r.note)
                     for r in self._write(statement, BODY - len(INDENT))]
        self.loop = None
        return rows

    def _letter(self, wish: str, *others: str) -> str:
        """A name for a loop's index that nothing else has."""
        return unused(wish, {*self.names.taken, *others})

    # ---- statements -----------------------------------------------------------------------

    def _write(self, statement: ir.Write, room: int) -> list[Line]:
        equation = self.by_array[statement.array]
        if isinstance(statement, ir.Allocate):
            return self._allocate(statement, equation)
        self._prepare(equation)
        target = self._target(statement.array, statement.at)
        if isinstance(statement, ir.Zeros):
            zeros = self.printer.zeros(self.printer.shape(statement.shape))
            code = f"{target} = {zeros}" if statement.at is None else f"{target} = 0"
            self.noted = statement.array
            return [Line(code, self._note(equation))]
        node = statement.node if isinstance(statement, ir.Assign) else statement.value
        quiet = self.guards.risky(statement, node)
        room -= len(INDENT) if quiet else 0
        parts, node = self._parts(node, equation, room - len(target) - 3)
        rows = [Line(f"{name} = {self.printer.text(part)}") for name, part in parts]
        if isinstance(statement, ir.Assign):
            rows.append(Line(f"{target} = {self.printer.text(node)}"))
        elif isinstance(statement, ir.Scatter):
            rows.append(Line(self._scatter(statement, node)))
        else:
            rows += self._put(statement, node, equation)
        if quiet:
            rows = [Line(_QUIET), *(Line(INDENT + r.code) for r in rows)]
        if statement.array != self.noted:
            rows[0] = replace(rows[0], note=self._note(equation))
        self.noted = statement.array
        return rows

    def _allocate(self, statement: ir.Allocate, equation: Equation | Adjoint) -> list[Line]:
        self.printer.holds = self._dtype(statement.array)
        shape = self.printer.shape(statement.shape)
        code = f"{self.printer.name(statement.array)} = {self.printer.zeros(shape, 'empty')}"
        self.noted = statement.array
        return [Line(code, self._note(equation) if statement.number else "")]

    def _prepare(self, equation: Equation | Adjoint) -> None:
        letters = dict(self._shown(equation))
        if self.loop is not None:
            letters[self.loop[0].uid] = self.loop[1]
        self.printer.letters = letters
        self.printer.holds = self._dtype(equation.array)

    def _shown(self, equation: Equation | Adjoint) -> Mapping[int, str]:
        """The letters of an equation: its code and its margin have the same."""
        if equation.array not in self.letters:
            self.letters[equation.array] = equation_letters(self.system, _bare(equation))
        return self.letters[equation.array]

    def _dtype(self, array: str) -> str:
        known = self.system.arrays.get(array)
        return "float" if known is None else known.dtype

    def _target(self, array: str, at: Expr | None) -> str:
        name = self.printer.name(array)
        return name if at is None or self.loop is None else f"{name}[{self.loop[1]}]"

    def _parts(
        self, node: ir.Node, equation: Equation | Adjoint, room: int
    ) -> tuple[list[Named], ir.Node]:
        counts: dict[str, int] = {}

        def name(role: str) -> str:
            counts[role] = counts.get(role, 0) + 1
            return self._local(equation, role, counts[role])

        return split(node, self.printer.text, name, max(room, 40))

    def _local(self, equation: Equation | Adjoint, role: str, count: int = 1) -> str:
        """A name made of the equation's array and a role; the same wherever it is printed."""
        key = (equation.array, role, count)
        if key not in self.locals:
            stem = self.printer.name(equation.array)[:40]
            self.locals[key] = unused(f"{stem}_{role}", self.names.taken)
            self.names.taken.add(self.locals[key])
        return self.locals[key]

    # ---- values put into an array -------------------------------------------------------------

    def _shape(self, array: str, parts: int) -> tuple[Expr, ...]:
        shape = self.printer.shape_of(array)
        return shape[len(shape) - parts:]

    def _put(self, put: ir.Put, node: ir.Node, equation: Equation | Adjoint) -> list[Line]:
        shape = put.shape or self._shape(put.array, len(put.subscripts))
        sign = {0: "=", 1: "+=", -1: "-="}[put.sign]
        windows = [s for s in put.subscripts if isinstance(s, ir.Window)]
        if not windows:
            parts = self.printer.parts(put.subscripts, shape, put.grid)
            value = self.printer.spread(node, put.axes)
            return [Line(f"{self._entry(put, parts)} {sign} {value}")]
        taken = (equation.number, "windows", 1) in self.locals
        name = self._local(equation, "added" if taken else "windows")
        inner = {w.inner for w in windows}
        outer = tuple(a for a in put.axes if a not in inner)
        wanted = put.axes if inner & set(node.axes) else outer  # else the same at every place
        if node.axes != wanted:
            node = ir.Fill(wanted, node)
        rows = [Line(f"{name} = {self.printer.text(node)}")]
        letters: dict[Index, str] = {}
        for depth, window in enumerate(windows):
            wish = self.printer.letters.get(window.inner.uid, window.inner.letter)
            letters[window.inner] = self._letter(wish, *letters.values(), *self._loop_letters())
            count = self.printer.size(window.inner.size)[0]
            rows.append(Line(INDENT * depth + f"for {letters[window.inner]} in range({count}):"))
        self.printer.letters = {
            **self.printer.letters, **{i.uid: letter for i, letter in letters.items()}}
        parts = [self._window(s, size) if isinstance(s, ir.Window)
                 else self.printer.subscript(s, size, ())
                 for s, size in zip(put.subscripts, shape, strict=True)]
        value = f"{name}[..., {', '.join(letters.values())}]" if wanted == put.axes else name
        code = f"{self._entry(put, parts)} {sign} {value}"
        return [*rows, Line(INDENT * len(windows) + code)]

    def _loop_letters(self) -> tuple[str, ...]:
        return () if self.loop is None else (self.loop[1],)

    def _entry(self, put: ir.Put, parts: list[str]) -> str:
        name = self.printer.name(put.array)
        if put.at is not None and self.loop is not None:
            parts = [self.loop[1], *parts]
        return name + (bracketed(parts) or "[...]")

    def _window(self, item: ir.Window, size: Expr) -> str:
        """p:p + Y:2, the positions that one place in the window goes to."""
        place = mul(number(item.dilation), idx(item.inner))
        if item.dilation < 0:
            place = add(place, mul(number(-item.dilation), item.inner.size), number(item.dilation))
        start = normal(add(item.start, place))
        reach = span(item.outer.size, item.step)
        if self.printer.fits(item, size):  # the same positions, and fewer sizes to read
            taken = add(self.printer.width(item), item.start)
            reach = add(sub(size, taken), number(1))
        stop = normal(add(start, reach))
        step = f":{item.step}" if item.step != 1 else ""
        return f"{self.printer.size(start)[0]}:{self.printer.size(stop)[0]}{step}"

    def _scatter(self, statement: ir.Scatter, node: ir.Node) -> str:
        shape = self._shape(statement.array, len(statement.subscripts))
        parts = ["slice(None)" if p == ":" else p
                 for p in self.printer.parts(statement.subscripts, shape, statement.grid)]
        last = parts[-1] != "slice(None)"
        while len(parts) > 1 and parts[-1] == "slice(None)":
            parts.pop()
        if last and len(parts) > 2 and set(parts[:-1]) == {"slice(None)"}:
            parts = ["...", parts[-1]]
        where = parts[0] if len(parts) == 1 else f"({', '.join(parts)})"
        call = "np.add.at" if statement.sign > 0 else "np.subtract.at"
        value = self.printer.spread(node, statement.axes)
        return f"{call}({self._target(statement.array, statement.at)}, {where}, {value})"

    # ---- margins --------------------------------------------------------------------------

    def _note(self, equation: Equation | Adjoint) -> str:
        """(B4)  dZ[n,h] = ...  (N, H)  from (F2)."""
        printer = Printer(self.notation, self._shown(equation))
        left = printer.atom(Access(equation.array, tuple(
            idx(i) for i in equation.indices if i.size.number != 1))).text
        right = equation.rhs
        solved = sides(equation)
        if solved is not None:
            left, right = printer.expr(solved[0]).text, solved[1]
        shape = self.printer.shape(tuple(i.size for i in equation.indices))
        whole = equation.array in self.margins
        label = f"({equation.number})" if whole else f"({equation.number}) for all steps:"
        parts = [label, f"{left} = {printer.expr(right).text}"]
        if equation.indices:
            parts.append(shape)
        if isinstance(equation, Adjoint):
            parts.append(origin(equation))
        return "  ".join(p for p in parts if p)


def _joined(rows: Sequence[Line]) -> list[Line]:
    """Empty arrays of one shape, made in one line."""
    result: list[Line] = []
    group: dict[str, list[str]] = {}
    for row in [*rows, Line("")]:
        name, _, value = row.code.partition(" = ")
        if value.startswith("np.empty(") and not row.note:
            group.setdefault(value, []).append(name)
            continue
        for made, names in group.items():
            several = f"({made} for _ in range({len(names)}))" if len(names) > 1 else made
            result.append(Line(f"{', '.join(names)} = {several}"))
        group = {}
        result.append(row)
    return result[:-1]


def _bare(equation: Equation | Adjoint) -> Equation | Adjoint:
    """Without its steps: their indices do not stand in the margin."""
    return replace(equation, steps=()) if isinstance(equation, Adjoint) else equation


def origin(adjoint: Adjoint) -> str:
    """Where an adjoint equation comes from: from (F3), with (B1), (B2)."""
    text = "from " + ", ".join(f"({n})" for n in adjoint.sources) if adjoint.sources else ""
    if adjoint.absorbed:
        text += " with " + ", ".join(f"({n})" for n in adjoint.absorbed)
    rules = dict.fromkeys(s.rule for s in adjoint.steps if s.departs)
    return f"{text}; not the gradient: {', '.join(rules)}" if rules else text
