"""Statements as Python statements with their equation numbers in the margin.

In: the statements of a Program and its equations. Out: rows for the layout.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby

from symprop.algebra import integers_slices as slices
from symprop.algebra.build import idx
from symprop.algebra.expr import Access, Expr, Index
from symprop.emit.letters import equation_letters
from symprop.emit.printer import Printer
from symprop.emit.targets.numpy.calls import Calls
from symprop.emit.targets.numpy.layout import Row, opened
from symprop.emit.targets.numpy.names import Names
from symprop.emit.targets.numpy.nodes import NumpyPrinter
from symprop.emit.targets.numpy.parts import shortened
from symprop.emit.targets.numpy.views import is_whole, trimmed
from symprop.emit.text_notation import TextNotation
from symprop.lower import ir
from symprop.lower.hoist import MADE
from symprop.lower.invoke import Invoke, Turns
from symprop.lower.shares import Sharing
from symprop.lower.slides import COLUMNS
from symprop.names import counted, unused
from symprop.syntax.document import INDENT
from symprop.syntax.layout import BODY, flat, width
from symprop.syntax.tree import packed, quote, state, tree
from symprop.system import Adjoint, Equation, System, sides

_SIGNS = {0: "set", 1: "add", -1: "subtract"}


class Lines:
    """Writes the statements of one function."""

    by_number = False  # whether values go to scattered entries by the helper of the fast style

    def __init__(
        self, printer: NumpyPrinter, names: Names, equations: Sequence[Equation | Adjoint],
        margins: Mapping[str, Equation | Adjoint], calls: Calls | None = None,
    ) -> None:
        self.printer, self.names = printer, names
        self.calls = calls or Calls(printer, names, {}, {}, ())
        self.system: System = printer.system
        self.margins = margins
        self.by_array = {e.array: e for e in equations} | dict(margins)
        self.locals: dict[tuple[str, str], str] = {}
        self.loop: tuple[Index, str] | None = None
        self.letters: dict[str, Mapping[int, str]] = {}
        self.noted = ""  # the equation whose note stands already
        self.stepped: set[str] = set()  # the equations that a loop computes
        sizes = {n for n in printer.sizes.values() if n in printer.names.values()}
        self.notation = TextNotation(
            room=200, names=printer.names, clashing=sizes, constants=self.system.numbers)

    def both(
        self, forward: Sequence[ir.Statement], backward: Sequence[ir.Statement]
    ) -> tuple[list[Row], list[Row]]:
        """The rows of forward and of backward, which may have a workspace."""
        return self.rows(forward), self.rows(backward)

    def rows(self, statements: Sequence[ir.Statement]) -> list[Row]:
        """All statements, with the numbers of their equations in the margin."""
        self.noted = ""
        self.stepped = {w.number for s in statements if isinstance(s, ir.Loop) for w in s.body}
        rows: list[Row] = []
        for several, group in groupby(statements, _fresh):
            if several:
                rows += self._empty(group)
            else:
                rows += [row for s in group for row in self._rows(s)]
        return rows

    def _rows(self, statement: ir.Statement) -> list[Row]:
        if isinstance(statement, ir.Loop):
            return self._loop(statement)
        if isinstance(statement, Invoke | Turns):
            return self.calls.rows(statement)
        return self._write(statement, 0)

    # ---- loops ----------------------------------------------------------------------------

    def _loop(self, loop: ir.Loop) -> list[Row]:
        first = self.by_array[loop.body[0].array]
        shown = self._shown(first)
        letter = self._letter(shown.get(first.indices[0].uid, loop.index.letter))
        self.loop = (loop.index, letter)
        steps = "reversed(range({count}))" if loop.descending else "range({count})"
        head = state(f"for {{t}} in {steps}: pass", t=letter,
                     count=self.printer.size(loop.index.size))
        rows = [Row(opened(head)), *(row for s in loop.body for row in self._write(s, 1))]
        self.loop = None
        return rows

    def _letter(self, wish: str, *others: str) -> str:
        """A name for a loop's index that nothing else has."""
        return unused(wish, {*self.names.taken, *others})

    # ---- statements -----------------------------------------------------------------------

    def _write(self, statement: ir.Write, depth: int) -> list[Row]:
        equation = self.by_array[statement.array]
        self._prepare(equation)
        at = None if isinstance(statement, ir.Allocate) else statement.at
        target = self._target(statement.array, at)
        if isinstance(statement, ir.Allocate | ir.Zeros):
            kind = "empty" if isinstance(statement, ir.Allocate) else "zeros"
            value = tree(0) if at is not None else self._made(statement, kind)
            rows = [Row(self._assigned(statement.array, at, value), depth=depth)]
        else:
            rows = self._computed(statement, equation, target, depth)
        if statement.array != self.noted:
            rows[0] = replace(rows[0], note=self._note(equation))
        self.noted = statement.array
        return rows

    def _made(self, statement: ir.Allocate | ir.Zeros, kind: str) -> ast.expr:
        """A new array, its axes in memory as the statement has them."""
        order = () if isinstance(statement, ir.Allocate) else statement.order
        if not order:
            return self.printer.zeros(statement.shape, kind)
        made = self.printer.zeros(tuple(statement.shape[k] for k in order), kind)
        return self.printer.target.spell("transpose", x=made, order=[
            tree(order.index(k)) for k in range(len(order))])

    def _computed(
        self, statement: ir.Assign | ir.Scatter | ir.Put, equation: Equation | Adjoint,
        target: ast.expr, depth: int,
    ) -> list[Row]:
        """The shares of a statement, and what it does with its value."""
        quiet = statement.quiet and "quiet" in self.printer.target.table
        deeper = depth + quiet
        room = max(BODY - len(INDENT) * deeper - width(target) - 3, 40)
        value = statement.node if isinstance(statement, ir.Assign) else statement.value
        self.printer.locals = _Locals(partial(self._local, equation))
        sharing = Sharing(value, list(statement.shares),
                          Counter(s.label.split()[0] for s in statement.shares))
        shares = shortened(sharing, self.printer.tree, room)
        found = [state("{y} = {x}", y=self.printer.locals[s.label], x=self.printer.tree(s.node))
                 for s in shares]
        if isinstance(statement, ir.Assign):
            found.append(self._assigned(statement.array, statement.at,
                                        self.printer.tree(sharing.node)))
        elif isinstance(statement, ir.Scatter):
            found.append(self._scatter(statement, sharing.node, target))
        else:
            found += self._put(statement, sharing.node, equation)
        rows = [Row(s, depth=deeper) for s in found]
        if not quiet:
            return rows
        head = opened(self.printer.target.do("quiet"))
        return [Row(head, depth=depth, remark="only finite entries are used"), *rows]

    def _empty(self, statements: Iterable[ir.Statement]) -> list[Row]:
        """Empty arrays that a loop fills; those of one shape are made in one line."""
        groups: dict[tuple[str, str], tuple[list[str], ast.expr]] = {}
        for statement in statements:
            assert isinstance(statement, ir.Allocate)
            self._prepare(self.by_array[statement.array])
            made = self.printer.zeros(statement.shape, "empty")
            groups.setdefault((ast.dump(made), ""), ([], made))[0].append(
                self.printer.name(statement.array))
        several = "{names} = ({made} for _ in range({count}))"
        return [Row(state(several, names=packed(names), made=made, count=len(names))
                    if len(names) > 1 else state("{y} = {made}", y=names[0], made=made))
                for names, made in groups.values()]

    def _prepare(self, equation: Equation | Adjoint) -> None:
        letters = dict(self._shown(equation))
        if self.loop is not None:
            letters[self.loop[0].uid] = self.loop[1]
        self.printer.letters = letters
        known = self.system.arrays.get(equation.array)
        self.printer.holds = "float" if known is None else known.dtype

    def _shown(self, equation: Equation | Adjoint) -> Mapping[int, str]:
        """The letters of an equation: its code and its margin have the same."""
        if equation.array not in self.letters:
            self.letters[equation.array] = equation_letters(self.system, _bare(equation))
        return self.letters[equation.array]

    def _assigned(self, array: str, at: Expr | None, value: ast.expr) -> ast.stmt:
        """The whole of an array, or its entry at the loop's position, as a value."""
        name = self.printer.name(array)
        if at is None or self.loop is None:
            return state("{y} = {x}", y=name, x=value)
        return self.printer.target.do("set", array=name, at=[self.loop[1]], value=value)

    def _target(self, array: str, at: Expr | None) -> ast.expr:
        name = tree(self.printer.name(array))
        if at is None or self.loop is None:
            return name
        return quote("{x}[{t}]", x=name, t=self.loop[1])

    def _local(self, equation: Equation | Adjoint, label: str) -> str:
        """A name made of the equation's array and a role; the same wherever it is printed."""
        key = (equation.array, label)
        if key not in self.locals:
            stem = self.printer.name(equation.array)[:40]
            self.locals[key] = counted(f"{stem}_{label.split()[0]}", self.names.taken)
            self.names.taken.add(self.locals[key])
        return self.locals[key]

    # ---- values put into an array -------------------------------------------------------------

    def _shape(self, array: str, parts: int) -> tuple[Expr, ...]:
        shape = self.printer.shape_of(array)
        return shape[len(shape) - parts:]

    def _put(
        self, put: ir.Put, node: ir.Node, equation: Equation | Adjoint
    ) -> list[ast.stmt]:
        shape = put.shape or self._shape(put.array, len(put.subscripts))
        windows = [s for s in put.subscripts if isinstance(s, ir.Window)]
        if not windows:
            parts = self.printer.parts(put.subscripts, shape, put.grid)
            return [self._into(put, parts, self.printer.spread(node, put.axes))]
        name = self._local(equation, "windows 1")
        inner = {w.inner for w in windows}
        outer = tuple(a for a in put.axes if a not in inner)
        wanted = put.axes if inner & set(node.axes) else outer  # else the same at every place
        if node.axes != wanted:
            node = ir.Fill(wanted, node)
        made = state("{y} = {x}", y=name, x=self.printer.tree(node))
        letters: dict[Index, str] = {}
        for window in windows:
            wish = self.printer.letters.get(window.inner.uid, window.inner.letter)
            around = () if self.loop is None else (self.loop[1],)
            letters[window.inner] = self._letter(wish, *letters.values(), *around)
        self.printer.letters = {
            **self.printer.letters, **{i.uid: letter for i, letter in letters.items()}}
        parts = [self._window(s, size) if isinstance(s, ir.Window)
                 else self.printer.subscript(s, size, ())
                 for s, size in zip(put.subscripts, shape, strict=True)]
        value = quote("{x}[..., {places}]", x=name, places=[*letters.values()]) \
            if wanted == put.axes else tree(name)
        found = self._into(put, parts, value)
        for index, letter in reversed(letters.items()):
            found = opened(state("for {t} in range({count}): pass", t=letter,
                                 count=self.printer.size(index.size)), found)
        return [made, found]

    def _into(self, put: ir.Put, parts: list[ast.expr], value: ast.expr) -> ast.stmt:
        """The statement that sets entries, or adds to them."""
        if put.at is not None and self.loop is not None:
            parts = [tree(self.loop[1]), *parts]
        return self.printer.target.do(
            _SIGNS[put.sign], array=self.printer.name(put.array),
            at=trimmed(parts) or [ast.Constant(...)], value=value)

    def _window(self, item: ir.Window, size: Expr) -> ast.expr:
        """p:p + Y:2, the positions that one place in the window goes to."""
        ends = slices.place_ends(item.start, item.outer.size, item.step, item.inner.size,
                                 item.dilation, idx(item.inner), size)
        return self.printer.slice(ends, item.step)

    def _scatter(self, statement: ir.Scatter, node: ir.Node, target: ast.expr) -> ast.stmt:
        shape = self._shape(statement.array, len(statement.subscripts))
        found = self.printer.parts(statement.subscripts, shape, statement.grid)
        kept = trimmed(found) or found[:1]
        parts = [quote("slice(None)") if is_whole(p) else p for p in kept]
        if len(kept) == len(found) > 2 and all(map(is_whole, kept[:-1])) and not self.by_number:
            parts = [ast.Constant(...), parts[-1]]
        step = [] if statement.at is None or self.loop is None else [tree(self.loop[1])]
        how = "add by number" if self.by_number else "add at"
        added = self.printer.target.do(
            how if statement.sign > 0 else how.replace("add", "subtract"), entry=target,
            where=parts[0] if len(parts) == 1 and not self.by_number else packed(parts),
            array=self.printer.name(statement.array), at=[*step, *parts],
            value=self.printer.spread(node, statement.axes))
        if not statement.empty:
            return added
        return opened(state("if {x}: pass", x=self.printer.target.spell("entries", x=target)),
                      added)

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
        shape = flat(self.printer.shape(tuple(i.size for i in equation.indices)))
        made = isinstance(equation, Equation) and equation.role in (COLUMNS, MADE)
        whole = equation.array in self.margins and not made
        when = "for all steps" if equation.number in self.stepped else "first"
        label = f"({equation.number})" if whole else f"({equation.number}) {when}:"
        parts = [label, f"{left} = {printer.expr(right).text}"]
        if equation.indices:
            parts.append(shape)
        if isinstance(equation, Adjoint):
            parts.append(origin(equation))
        return "  ".join(p for p in parts if p)


class _Locals(dict[str, str]):
    """Names of shares, made when they are first asked for."""

    def __init__(self, make: Callable[[str], str]) -> None:
        super().__init__()
        self.make = make

    def __missing__(self, label: str) -> str:
        return self.make(label)


def _fresh(statement: ir.Statement) -> bool:
    """Whether a statement makes an empty array that a loop fills."""
    return isinstance(statement, ir.Allocate) and not statement.number


def _bare(equation: Equation | Adjoint) -> Equation | Adjoint:
    """Without its steps: their indices do not stand in the margin."""
    return replace(equation, steps=()) if isinstance(equation, Adjoint) else equation


def origin(adjoint: Adjoint) -> str:
    """Where an adjoint equation comes from: from (F3), with (B1), (B2)."""
    text = "from " + ", ".join(f"({n})" for n in dict.fromkeys(adjoint.sources)) \
        if adjoint.sources else ""
    if adjoint.absorbed:
        text += " with " + ", ".join(f"({n})" for n in adjoint.absorbed)
    rules = dict.fromkeys(s.rule for s in adjoint.steps if s.departs)
    return f"{text}; not the gradient: {', '.join(rules)}" if rules else text
