"""Lines at which the module runs a lemma, by itself or in a loop.

In: statements of lower/invoke.py, names in code. Out: rows for the layout.

    h, saved_h = layer_norm(x, g1, b1)                # (F7)  Lemma 1

    saved_x = []
    for block in blocks_read:                         # (F2)  Lemma 3
        x, saved = gpt_block(x, *block)
        saved_x.append(saved)
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from symprop.emit.targets.numpy.layout import Row, opened
from symprop.emit.targets.numpy.names import Names
from symprop.emit.targets.numpy.nodes import NumpyPrinter
from symprop.emit.targets.numpy.stacks import StackCode
from symprop.lower.invoke import Invoke, Turns
from symprop.lower.ir import Statement
from symprop.lower.wanted import wishes
from symprop.names import unused
from symprop.syntax.tree import literal, packed, quote, state, tree


@dataclass(frozen=True)
class Callee:
    """The functions of a block for those that call them.

    forward takes, after its arguments, the `sizes` that they do not show, and the dtype.
    """

    forward: str
    backward: str
    sizes: tuple[str, ...]
    dtype: bool
    has_backward: bool
    workspace: bool = False  # whether both take one, last
    gradients: tuple[str, ...] = ()
    flags: Mapping[str, str] = field(default_factory=dict)  # gradient that may be left out -> name


@dataclass(frozen=True)
class Asked:
    """What is asked of the function at hand: what its arrays are needed for, and its own flags."""

    of: Mapping[str, frozenset[str]]
    flags: Mapping[str, str]

    def test(self, reach: frozenset[str]) -> ast.expr:
        """Whether one of the gradients is asked for."""
        return quote(" or ".join(self.flags[g] for g in sorted(reach)))


class Calls:
    """Writes the calls of one function and of what belongs to it."""

    def __init__(
        self, printer: NumpyPrinter, names: Names, callees: Mapping[int, Callee],
        stacks: Mapping[str, StackCode], forward: Sequence[Statement], asked: Asked | None = None,
    ) -> None:
        self.printer, self.names = printer, names
        self.callees, self.stacks = callees, stacks
        self.saved: dict[str, str] = {}
        self.asked = asked or Asked({}, {})
        self.workspace = ""  # its name in the function at hand, if it has one
        for statement in forward:
            self._save(statement)

    def kept(self, use: str) -> str:
        """The name of what a call has saved, or of the list of what turns have."""
        return self.saved[use]

    def _save(self, statement: Statement) -> None:
        """What a call saves is named after its first result: saved_h."""
        if isinstance(statement, Invoke | Turns) and statement.kept:
            last = statement.lines[-1] if isinstance(statement, Turns) else statement
            result = next((t for t in last.targets if t), "")
            wish = f"saved_{self.names.arrays[result]}" if result else f"saved_{last.use}"
            name = unused(wish, self.names.taken) if wish in self.names.taken else wish
            self.names.taken.add(name)
            self.saved[statement.use] = name

    def rows(self, statement: Invoke | Turns) -> list[Row]:
        """One line, or a loop over stacks or over what was kept of one."""
        if isinstance(statement, Invoke):
            return [self._invoke(statement)]
        return self._back(statement) if statement.lines[0].backward else self._forth(statement)

    def _invoke(self, line: Invoke) -> Row:
        callee = self.callees[line.lemma]
        spell = self.printer.target.spell
        arguments = [tree(self.printer.name(a)) if isinstance(a, str) else
                     spell("zeros", shape=self.printer.shape(a), dtype=self.printer.dtype)
                     for a in line.arguments]
        targets = [self.printer.name(t) if t else "_" for t in line.targets]
        flags = self._flags(line, "") if line.backward else []
        if line.backward:
            arguments.insert(0, tree(self.kept(line.use)))
        elif callee.has_backward:
            targets.append(self.kept(line.use) if line.kept else "_")
        return Row(self._called(line, arguments, targets, flags), _margin(line))

    def _flags(self, statement: Invoke | Turns, turn: str) -> list[ast.keyword]:
        """What a backward pass need not do: need_dx=False. turn: the index of the loop."""
        callee = self.callees[statement.lemma]
        told = wishes(statement, self.asked.of, callee.gradients, frozenset(self.asked.flags))
        found = []
        for gradient, flag in callee.flags.items():
            wish = told[gradient]
            if wish.kind == "never":
                found.append(ast.keyword(flag, literal(False)))
            elif wish.kind == "later":
                found.append(ast.keyword(flag, quote("{l} > 0", l=turn)))
            elif wish.kind == "if":
                found.append(ast.keyword(flag, self.asked.test(wish.of)))
        return found

    def _called(
        self, line: Invoke, arguments: Sequence[ast.expr], targets: Sequence[ast.expr | str],
        flags: Sequence[ast.keyword] = (),
    ) -> ast.stmt:
        """The call; forward it takes what its arguments do not show."""
        callee, sizes = self.callees[line.lemma], dict(line.sizes)
        more = [] if line.backward else [
            *(tree(self.names.sizes[sizes[s]]) for s in callee.sizes),
            *[tree(self.printer.dtype)] * callee.dtype]
        if callee.workspace and self.workspace:
            more.append(tree(self.workspace))
        call = quote("{f}({x})", f=callee.backward if line.backward else callee.forward,
                     x=[*arguments, *more])
        if flags and isinstance(call, ast.Call):
            call = ast.Call(call.func, call.args, [*call.keywords, *flags])
        return state("{y} = {x}", y=packed(targets) if len(targets) > 1 else targets[0], x=call)

    # ---- turns of a loop --------------------------------------------------------------------

    def _forth(self, turns: Turns) -> list[Row]:
        first, last = turns.lines[0], turns.lines[-1]
        name = self.printer.name
        begins, arguments = [], [tree(name(a)) for a in first.arrays]
        for a, t in turns.carried:
            begins.append((name(last.targets[t]), name(first.arrays[a])))
            arguments[a] = tree(name(last.targets[t]))
        whole: list[ast.expr] = []
        for k, argument in enumerate(arguments):
            place = next(((s, c) for at, s, c in turns.listed if at == k), None)
            if place is None:
                whole.append(argument)
                continue
            code, column = self.stacks[place[0].name], place[1]
            if code.is_single:
                whole.append(tree(code.entry))
            elif _is_spread(turns, code):
                whole += [ast.Starred(tree(code.entry), ast.Load())] * (column == 0)
            else:
                whole.append(quote("{x}[{k}]", x=code.entry, k=column))
        targets = [name(t) if t else "_" for t in last.targets]
        saved = self.names.own["saved"]
        if self.callees[first.lemma].has_backward:
            targets.append(saved if first.kept else "_")
        body = [self._called(first, whole, targets)]
        if first.kept:
            body.append(state("{all}.append({x})", all=self.kept(turns.use), x=saved))
        codes = [self.stacks[s.name] for s in turns.stacks]
        over = quote("zip({x})", x=[c.rows for c in codes]) if len(codes) > 1 else \
            tree(codes[0].rows) if codes else quote("range({n})", n=len(turns.lines))
        entries = packed(c.entry for c in codes) if len(codes) > 1 else \
            tree(codes[0].entry) if codes else tree("_")
        rows = [Row(state("{y} = {x}", y=y, x=x)) for y, x in begins if y != x]
        rows += [Row(state("{x} = []", x=self.kept(turns.use)))] * first.kept
        head = opened(state("for {x} in {all}: pass", x=entries, all=over))
        return [*rows, Row(head, _margin(first)), *(Row(s, depth=1) for s in body)]

    def _back(self, turns: Turns) -> list[Row]:
        """From the last turn to the first."""
        first, last = turns.lines[0], turns.lines[-1]
        name = self.printer.name
        carried = {t: name(last.targets[t] or first.targets[t]) for _, t in turns.carried}
        arguments = [tree(carried[t]) for a, t in sorted(turns.carried)]
        begins = [(carried[t], name(first.arrays[a])) for a, t in turns.carried]
        codes = [self.stacks[s.name] for s in turns.stacks]
        targets: list[ast.expr | str] = []
        for k in range(len(first.targets)):
            place = next(((s, c) for at, s, c in turns.listed if at == k), None)
            if place is None:
                targets.append(carried.get(k, "_"))
                continue
            code, column = self.stacks[place[0].name], place[1]
            if code.is_single:
                targets.append(code.entry_adjoint)
            elif len(codes) == 1 and _is_spread(turns, code):
                targets += [ast.Starred(tree(code.entry_adjoint), ast.Load())] * (column == 0)
            else:
                targets.append(f"d{code.leaves[column]}")
        kept = self.names.own["saved"]
        turn = unused("l", self.names.taken)
        flags = self._flags(turns, turn)
        later = any(isinstance(f.value, ast.Compare) for f in flags)
        body = [self._called(first, [tree(kept), *arguments], targets, flags)]
        for code in codes:
            entry: ast.expr = tree(code.entry_adjoint)
            if not code.is_single and not (len(codes) == 1 and _is_spread(turns, code)):
                entry = packed(f"d{leaf}" for leaf in code.leaves)
            body.append(state("{all}.insert(0, {x})", all=code.adjoints, x=entry))
        rows = [Row(state("{y} = {x}", y=y, x=x)) for y, x in begins if y != x]
        rows += [Row(state("{x} = []", x=code.adjoints)) for code in codes]
        head = opened(state(
            "for {l}, {x} in reversed([*enumerate({all})]): pass" if later else
            "for {x} in reversed({all}): pass", l=turn, x=kept, all=self.kept(turns.use)))
        return [*rows, Row(head, _margin(first)), *(Row(s, depth=1) for s in body)]


def _margin(line: Invoke) -> str:
    return f"({line.number})  Lemma {line.lemma}"


def _is_spread(turns: Turns, code: StackCode) -> bool:
    """Whether an entry's arrays stand one after the other, in its order and all of them."""
    places = sorted((k, c) for k, s, c in turns.listed if s is code.stack)
    start, count = places[0][0], len(code.stack.columns)
    return places == [(start + c, c) for c in range(count)]
