"""The two functions of a lemma as Python.

In: a `Pair`, names in code. Out: their lines, and what those that call them must know.

    def layer_norm(x, g, b):
        ...
        return y, (h, s, g)

    def layer_norm_backward(saved, dy):
        h, s, g = saved
        ...
        return dx, dg, db
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from symprop.algebra.expr import adjoint
from symprop.emit.targets.numpy.calls import Asked, Callee, Calls
from symprop.emit.targets.numpy.fast import lines_of
from symprop.emit.targets.numpy.layout import Row, laid_out, opened
from symprop.emit.targets.numpy.lines import Lines
from symprop.emit.targets.numpy.names import Names
from symprop.emit.targets.numpy.nodes import NumpyPrinter
from symprop.emit.targets.numpy.shown import size_rows
from symprop.emit.targets.numpy.steps import StepLines
from symprop.lower.buffers import Plan
from symprop.lower.program import Pair
from symprop.lower.wanted import guards, made_by, needed_for
from symprop.names import unused
from symprop.syntax.document import INDENT
from symprop.syntax.layout import WIDTH, heading, lines, parameter
from symprop.syntax.tree import packed, reads, state, tree
from symprop.system import Adjoint, Equation


class PairWriter:
    """Writes the two functions of a lemma; `callee` is how they are called."""

    def __init__(
        self, pair: Pair, functions: tuple[str, str], names: Names, printer: NumpyPrinter,
        callees: Mapping[int, Callee], optional: frozenset[str],
        plans: tuple[Plan, Plan] | None = None,
    ) -> None:
        self.pair, self.names, self.printer = pair, names, printer
        gradients = pair.block.gradients
        self.flags = {g: unused(f"need_{names.arrays[adjoint(g)]}", names.taken)
                      for g in gradients if g in optional}
        names.taken.update(self.flags.values())
        self.workspace = [names.own["workspace"]] * (plans is not None)
        program = pair.program
        equations: list[Equation | Adjoint] = [*program.system.equations, *program.adjoints]
        self.asked = Asked(needed_for(program, gradients), self.flags)
        calls = Calls(printer, names, callees, {}, program.forward, self.asked)
        lines = lines_of(printer, names, equations, program.margins, calls)
        self.rows = [*lines.both(program.forward, program.backward)]
        if self.flags:
            self.rows[1] = self._asked_for(lines)
        if plans is not None and isinstance(lines, StepLines):
            made = zip(lines.call_rows(functions, plans), self.rows, strict=True)
            self.rows = [[*buffers, *rows] for buffers, rows in made]
        sizes = [s for s in program.system.sizes if names.sizes[s] in self._read(1)]
        self.back_sizes, saved_sizes = size_rows(program.saved, sizes, program.system, names)
        dtype = printer.dtype
        self.saved = [
            *(names.arrays[n] for n in program.saved if n not in program.system.constants),
            *map(calls.kept, program.kept), *(names.sizes[s] for s in saved_sizes),
            *[dtype] * (dtype in self._read(1))]
        needed = [s for s in program.system.sizes
                  if names.sizes[s] in self._read(0) or s in saved_sizes]
        self.front_sizes, told = size_rows(pair.block.ports, needed, program.system, names)
        self.callee = Callee(*functions, told, dtype in self._read(0) or dtype in self.saved,
                             bool(gradients), plans is not None, gradients, self.flags)

    def _asked_for(self, lines: Lines) -> list[Row]:
        """Backward, with what is needed for some gradients alone in the branch that asks."""
        program, own = self.pair.program, frozenset(self.flags)
        needed = guards(program, self.pair.block.gradients, own)
        unset = {w for s, r in zip(program.backward, needed, strict=True) if r for w in made_by(s)}
        rows = [Row(state("{x} = None", x=self.names.arrays[adjoint(g)])) for g in self.flags
                if adjoint(g) in unset]
        for reach, group in groupby(zip(program.backward, needed, strict=True), lambda p: p[1]):
            inside = lines.rows([s for s, _ in group])
            if reach:
                rows.append(Row(opened(state("if {test}: pass", test=self.asked.test(reach)))))
                inside = [replace(r, depth=r.depth + 1) for r in inside]
            rows += inside
        return rows

    def _read(self, which: int) -> set[str]:
        return reads(r.statement for r in self.rows[which])

    def functions(self) -> list[list[str]]:
        """Forward, and backward where it has one."""
        found = [self._forward()]
        return [*found, self._backward()] if self.callee.has_backward else found

    def _forward(self) -> list[str]:
        parameters = [
            *(self.names.arrays[p] for p in self.pair.block.ports),
            *(self.names.sizes[s] for s in self.callee.sizes),
            *[self.printer.dtype] * self.callee.dtype]
        results = [tree(self.names.arrays[r]) for r in self.pair.program.results]
        what = "what it returns"
        kept = packed(self.saved)
        ends = [state("return {x}", x=packed(results) if len(results) > 1 else results[0])]
        if self.callee.has_backward:
            what += ", and what its backward needs"
            ends = [state("return {x}", x=packed([*results, kept]))]
            if len(lines(ends[0])) > 1:
                saved = self.names.own["saved"]
                ends = [state("{y} = {x}", y=saved, x=kept),
                        state("return {x}", x=packed([*results, tree(saved)]))]
        return self._function(self.callee.forward, parameters, [], f"{what}.", [
            *laid_out([Row(s) for s in self.front_sizes]),
            *laid_out([*self.rows[0], *map(Row, ends)])])

    def _backward(self) -> list[str]:
        saved = self.names.own["saved"]
        seeds = [self.names.arrays[adjoint(r)] for r in self.pair.seeds]
        found = [tree(self.names.arrays[adjoint(w)]) for w in self.pair.block.gradients]
        end = state("return {x}", x=packed(found) if len(found) > 1 else found[0])
        unpacked = [state("{names} = {saved}", names=packed(self.saved), saved=saved)] \
            if self.saved else []
        return self._function(
            self.callee.backward, [saved, *seeds], [*self.flags.values()],
            "from the adjoints of what it returns, those of what it takes.", [
                *laid_out([Row(s) for s in (*unpacked, *self.back_sizes)]),
                *laid_out([*self.rows[1], Row(end)])])

    def _function(
        self, name: str, parameters: Sequence[str], flags: Sequence[str], what: str,
        body: Sequence[str],
    ) -> list[str]:
        said = f'"""Lemma {self.pair.number}: {what}"""'
        defaults = dict.fromkeys(self.workspace) | dict.fromkeys(flags, True)
        optional = [parameter(w, default=tree(value)) for w, value in defaults.items()]
        head = heading(name, [*map(parameter, parameters), *optional])
        if len(head) > 1:
            head = [head[0], *textwrap.wrap(", ".join((*parameters, *(
                f"{w}={value}" for w, value in defaults.items()))), WIDTH, initial_indent=INDENT,
                                            subsequent_indent=INDENT), "):"]
        return [*head, *(INDENT + line for line in (said, *body))]
