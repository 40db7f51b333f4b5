"""The context of templates/module.py.jinja.

In: a `Program`. Out: the parts of the generated module as lines of text.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from symprop.algebra import rows
from symprop.algebra.expansion_numpy import helper_source
from symprop.algebra.expr import Apply, Expr, Extremum, Iverson, Size, adjoint, atoms
from symprop.check.selfcheck import selfcheck_context
from symprop.emit.targets.numpy.calls import Callee, Calls
from symprop.emit.targets.numpy.departure import departure_context, feedback_of, owns_a_loss
from symprop.emit.targets.numpy.door import door, fact_tests, fixed, leaves_of, readers, unpacking
from symprop.emit.targets.numpy.fast import EXTRA, begun, kinds, lines_of, one_dtype, resumed
from symprop.emit.targets.numpy.layout import Row, laid_out, opened
from symprop.emit.targets.numpy.names import Names
from symprop.emit.targets.numpy.naming import ModuleNames, module_names
from symprop.emit.targets.numpy.nodes import NumpyPrinter
from symprop.emit.targets.numpy.pairs import PairWriter
from symprop.emit.targets.numpy.quick import at_once
from symprop.emit.targets.numpy.shown import size_rows
from symprop.emit.targets.numpy.stacks import StackCode, in_place, stack_codes
from symprop.emit.targets.numpy.steps import StepLines, StepPrinter
from symprop.emit.targets.numpy.table import ADD_AT, NUMPY
from symprop.emit.targets.numpy.text import (
    constant,
    docstring,
    entries,
    facts_data,
    signature,
    table,
)
from symprop.emit.targets.numpy.views import WHOLE
from symprop.emit.targets.numpy.zero import zero_gradients
from symprop.emit.targets.target import Target
from symprop.lower import ir
from symprop.lower.fast import Fast, fast
from symprop.lower.finish import finished
from symprop.lower.program import Program
from symprop.lower.ufuncs import MASKED
from symprop.lower.walk import children, everything, writes
from symprop.syntax.layout import BODY, lines
from symprop.syntax.tree import literal, packed, quote, reads, renamed, state, tree
from symprop.system import Adjoint, Argument, Array, Condition, Equation, System


def module_context(program: Program, target: Target = NUMPY) -> dict[str, Any]:
    """Everything that the template prints."""
    program = finished(program)
    plans = fast(program) if program.style == "fast" else None
    program = plans.program if plans else program
    system = program.system
    named = module_names(program)
    names, zero = named.main, zero_gradients(program)
    printer = printer_of(system, names, target, program.style)
    lemmas = _lemmas(program, named, target, plans)
    writer = _Writer(program, names, printer, {k: w.callee for k, w in lemmas.items()}, plans)
    bodies = [*writer.bodies, *(rows for w in lemmas.values() for rows in w.rows)]
    read = reads(r.statement for rows in bodies for r in rows)
    return {
        "docstring": docstring(
            system, printer, [p.block.name for p in program.lemmas], program.stacks,
            plans is not None),
        "wrt": table(system.wrt_keys or system.wrt),
        "facts": entries(facts_data(system, printer)),
        "zero": table(zero) if zero else "",
        "outputs": table([n for n, _ in system.outputs]) if system.outputs else "",
        "held": table(list(system.held)) if system.held else "",
        "complex_safe": all(map(complex_safe, program.parts)),
        **departure_context(program),
        "constants": [
            *(line for code in writer.stacks.values() for line in code.constant()),
            *(constant(names.arrays[n], a) for n, a in system.constants.items())],
        "helpers": [helper_source(h, names.helpers[h]).rstrip() for h in names.helpers
                    if names.helpers[h] in read],
        "functions": [*readers(writer.stacks, system, names, printer),
                      *(f for w in lemmas.values() for f in w.functions())],
        "fast": plans is not None,
        "masked": MASKED in read,
        "scattered": ADD_AT in read,
        "consume": names.own["consume"],
        "forward_signature": signature(
            "forward", system.arguments, names, True, writer.stacks, writer.fast),
        "forward_body": writer.forward(),
        "backward_body": writer.backward(),
        "both_signature": signature(
            "value_and_grad", system.arguments, names, True, writer.stacks, writer.fast),
        "both_body": both(system, names, writer.fast),
        "predict_signature": signature(
            "predict", writer.predict_arguments(), names, False, writer.stacks),
        "predict_body": writer.predict(),
        "hidden": [f"{other} = {name}" for name, other in names.hidden.items()
                   if name not in ("forward", "backward")],
        "hidden_functions": [f"{other} = {name}" for name, other in names.hidden.items()
                             if name in ("forward", "backward")],
        "saved_name": names.own["saved"],
        "saved_parts": writer.saved(),
        "saved_names": writer.saved_names(),
        "dL": names.own["dL"],
        "selfcheck": {**selfcheck(program, printer, zero, writer.stacks),
                      "validate": names.own["validate"]},
    }


def printer_of(system: System, names: Names, target: Target, style: str) -> NumpyPrinter:
    """What prints the nodes of a system under some names."""
    kind = StepPrinter if style == "fast" else NumpyPrinter
    return kind(system, names.arrays, names.sizes, dtype=names.own["dtype"],
                helper_names=names.helpers, target=target)


def _lemmas(
    program: Program, named: ModuleNames, target: Target, plans: Fast | None
) -> dict[int, PairWriter]:
    """The writers of all lemmas, by number."""
    found: dict[int, PairWriter] = {}
    for pair in program.lemmas:
        names = named.inside[pair.number]
        found[pair.number] = PairWriter(
            pair, named.functions[pair.number], names,
            printer_of(pair.program.system, names, target, program.style),
            {k: w.callee for k, w in found.items()}, program.skips.get(pair.number, frozenset()),
            plans.lemmas[pair.number] if plans else None)
    return found


class _Writer:
    """Writes the bodies of forward, backward and predict."""

    def __init__(
        self, program: Program, names: Names, printer: NumpyPrinter,
        callees: Mapping[int, Callee], plans: Fast | None = None,
    ) -> None:
        self.program, self.names, self.printer = program, names, printer
        self.fast = plans is not None
        self.system: System = program.system
        equations: list[Equation | Adjoint] = [*self.system.equations, *program.adjoints]
        self.stacks = stack_codes(program.stacks, self.system, names)
        calls = Calls(printer, names, callees, self.stacks, program.forward)
        lines = lines_of(printer, names, equations, program.margins, calls)
        self.listed = frozenset(a for s in program.stacks for a in s.arrays)
        forward, backward = lines.both(program.forward, program.backward)
        self.bodies = [forward, backward, lines.rows(program.predict)]
        self.buffers: list[list[Row]] = [[], []]
        if plans is not None and isinstance(lines, StepLines):
            self.buffers = lines.buffer_rows(plans)
        read = reads(r.statement for r in (*self.buffers[1], *backward))
        self.saves_dtype = printer.dtype in read or self.fast
        self.kept = [*map(calls.kept, program.kept)]
        self.kinds = [c.dtypes for c in self.stacks.values() if c.stack.wanted]
        self.size_rows, self.saved_sizes = size_rows(
            program.saved, [s for s in self.system.sizes if names.sizes[s] in read],
            self.system, names)

    def _seen(self, statements: Iterable[ast.stmt]) -> list[Row]:
        """Statements that call hidden things by their other names."""
        return [Row(renamed(s, self.names.hidden)) for s in statements]

    def _body(self, rows: Iterable[Row]) -> list[str]:
        """Rows of a function that has the user's arguments, which may hide names."""
        return laid_out([replace(r, statement=renamed(r.statement, self.names.hidden))
                         for r in rows])

    def _door(self, inputs: Sequence[str], arguments: Sequence[Argument],
              validate: bool) -> list[Row]:
        arrays = [self.system.arrays[n] for n in inputs]
        found = door(arrays, self.system, self.names, self.printer, self.stacks)
        facts = fact_tests(self.system, inputs, self.names, self.printer) if validate else []
        tests = [opened(state("if {v}: pass", v=self.names.own["validate"]), *facts)] \
            if facts else []
        tests += [fixed(a) for a in arguments if a.tree is None]
        if self.fast and validate:
            return self._quick_door(arrays, arguments, found, tests)
        begin = self._begin() if validate else []
        return [*map(Row, unpacking(arguments, self.names, self.stacks)),
                *self._seen([*found, *tests, *begin])]

    def _quick_door(self, arrays: Sequence[Array], arguments: Sequence[Argument],
                    reading: Sequence[ast.stmt], tests: Sequence[ast.stmt]) -> list[Row]:
        """As there; what fits is taken at one look."""
        reading = [*reading, *self._begin()]
        found = [] if self.stacks else at_once(
            arrays, self.system.wrt, self.names, self.printer, reading)
        return [*map(Row, unpacking(arguments, self.names, self.stacks)),
                *self._seen([*(found or reading), *tests, *begun(self.names)])]

    def _dtype(self, inputs: Sequence[str]) -> ast.stmt:
        """The dtype that floats are computed in."""
        plain = [n for n in inputs if n not in self.listed]
        floats = [tree(self.names.arrays[n]) for n in plain
                  if self.system.arrays[n].dtype == "float"]
        floats += [c.flat() for c in self.stacks.values() if not c.stack.arrays.isdisjoint(inputs)]
        spell = self.printer.target.spell
        found = spell("common dtype", x=floats) if floats else spell("default dtype")
        return state("{dtype} = {found}", dtype=self.printer.dtype, found=found)

    def _inputs(self) -> list[str]:
        return [n for n, a in self.system.arrays.items() if a.kind == "input"]

    def _kinds(self) -> ast.stmt:
        """The dtypes of the parameters."""
        plain = self._plain_wrt()
        if self.fast:
            return kinds(plain, self.system, self.names)
        wrt = packed(self.names.arrays[w] for w in plain)
        return state("{y} = {x}", y=self.names.own["dtypes"],
                     x=self.printer.target.spell("dtypes", x=wrt))

    def _begin(self) -> list[ast.stmt]:
        """What forward computes in, before its first equation."""
        if not self.fast:
            return [self._dtype(self._inputs())]
        plain = [n for n in self._inputs() if n not in self.listed]
        listed = [c.flat() for c in self.stacks.values()]
        return [self._kinds(), *one_dtype(plain, listed, self.system, self.names)]

    def forward(self) -> list[str]:
        """The body of forward."""
        own = self.names.own
        rows = [
            *([] if self.fast else [self._kinds()]),
            *(c.kinds() for c in self.stacks.values() if c.stack.wanted),
            state("{y} = {values}", y=own["saved"], values=packed(self.saved())),
            state("return {loss}, {saved}", loss=self.printer.target.spell(
                "scalar", dtype=self.printer.dtype, x=self.names.arrays[self.system.loss]),
                saved=self.printer.target.spell("saved", x=own["saved"])),
        ]
        return [*laid_out(self._door(self._inputs(), self.system.arguments, validate=True)),
                *self._body([*self.buffers[0], *self.bodies[0]]), *laid_out(self._seen(rows))]

    def _plain_wrt(self) -> list[str]:
        """The parameters that are in no stack."""
        return [w for w in self.system.wrt if w not in self.listed]

    def saved_names(self) -> list[str]:
        """The names of the parts of what is saved, as the class says them."""
        found = state("names = {names}", names=packed(map(literal, self.saved())))
        return lines(found, BODY)

    def saved(self) -> list[str]:
        """The parts of what is saved, by their names."""
        arrays = [self.names.arrays[n] for n in self.program.saved
                  if n not in self.system.constants]
        sizes = [self.names.sizes[s] for s in self.saved_sizes]
        return [*arrays, *self.kept, *self.kinds, *sizes, *[self.printer.dtype] * self.saves_dtype,
                self.names.own["dtypes"], *[self.names.own[n] for n in EXTRA] * self.fast]

    def backward(self) -> list[str]:
        """The body of backward."""
        own = self.names.own
        wrt = self._plain_wrt()
        found = ast.Dict([*map(literal, wrt)],
                         [tree(self.names.arrays[adjoint(w)]) for w in wrt])
        call = quote("like_parameters({grads}, {dtypes})", grads=own["grads"],
                     dtypes=own["dtypes"])
        result = structured(self.system, tree(own["grads"]), self.stacks)
        end = [state("return {call}", call=call)] if result is None else [
            state("{grads} = {call}", grads=own["grads"], call=call),
            state("return {result}", result=result)]
        unpacked = state("{names} = {saved}", names=packed(self.saved()), saved=own["saved"])
        again = resumed(self.names, self.printer) if self.fast else []
        return [*laid_out([*map(Row, (unpacked, *again, *self.size_rows)), *self.buffers[1]]),
                *laid_out(self.bodies[1]),
                *laid_out([Row(s) for s in (state("{y} = {x}", y=own["grads"], x=found), *end)])]

    def predict_arguments(self) -> tuple[Argument, ...]:
        """The arguments that the outputs depend on, be it for a size alone."""
        inputs = set(self.program.predict_inputs)
        given = {s for n in inputs for s in self._shown_sizes(n)}
        read = reads(r.statement for r in self.bodies[2])
        for name in self._inputs():
            new = [s for s in self._shown_sizes(name) if s not in given
                   and self.names.sizes[s] in read]
            if new:
                inputs.add(name)
                given.update(self._shown_sizes(name))
        return tuple(
            a for a in self.system.arguments
            if a.tree is not None and any(n in inputs for n, _ in leaves_of(a.tree, a.name))
        )

    def _shown_sizes(self, array: str) -> list[str]:
        """The axes whose sizes an array shows."""
        shape = self.system.arrays[array].shape
        return [a.name for s in shape for a in atoms(s) if isinstance(a, Size)]

    def predict(self) -> list[str]:
        """The body of predict."""
        if not self.system.outputs:
            return []
        arguments = self.predict_arguments()
        inputs = [n for a in arguments for n, _ in leaves_of(a.tree, a.name)]
        rows = self._door(inputs, arguments, validate=False)
        if self.printer.dtype in reads(r.statement for r in self.bodies[2]):
            rows += self._seen([self._dtype(inputs)])
        outputs = zip(self.system.outputs, self.system.output_shapes, strict=True)
        entries = {n: self._output(a, shape) for (n, a), shape in outputs}
        end = state("return {x}", x=ast.Dict([*map(literal, entries)], [*entries.values()]))
        return [*laid_out(rows), *self._body(self.bodies[2]), *laid_out(self._seen([end]))]

    def _output(self, array: str, shape: Sequence[Expr]) -> ast.expr:
        """An output with the axes of size 1 that the user's function gives it."""
        name = tree(self.names.arrays[array])
        if len(self.system.arrays[array].shape) == len(shape):
            return name
        marks = [tree(None) if s.number == 1 else WHOLE for s in shape]
        if WHOLE in marks:
            return quote("{x}[{marks}]", x=name, marks=marks)
        return self.printer.target.spell("unit", x=name, shape=literal((1,) * len(shape)))


def both(system: System, names: Names, fast: bool) -> list[str]:
    """The body of value_and_grad."""
    forward, backward = (names.hidden.get(n, n) for n in ("forward", "backward"))
    loss, saved = names.arrays[system.loss], names.own["saved"]
    call = quote("{f}({x})", f=forward,
                 x=[*(a.name for a in system.arguments), names.own["validate"],
                    *[names.own["workspace"]] * fast])
    given_up = f", {names.own['consume']}=True" * fast
    return laid_out([
        Row(state("{loss}, {saved} = {call}", loss=loss, saved=saved, call=call)),
        Row(state(f"return {{loss}}, {{f}}({{saved}}{given_up})", loss=loss, f=backward,
                  saved=saved))])


def structured(
    system: System, gradients: ast.expr, stacks: Mapping[str, StackCode]
) -> ast.expr | None:
    """The gradients in the structure of the arguments, if they have one."""
    by_argument = {a.name: a for a in system.arguments}
    keys = system.wrt_keys or system.wrt
    if tuple(keys) == tuple(system.wrt):
        return None
    trees = {k: by_argument[k].tree if k in by_argument else k for k in keys}


    def entry(leaf: str) -> ast.expr:
        return quote("{x}[{key}]", x=gradients, key=literal(leaf))

    return ast.Dict([*map(literal, keys)], [
        in_place(t, stacks, StackCode.structured, entry, k) for k, t in trees.items()])


def complex_safe(program: Program) -> bool:
    """Whether a complex step may be taken through forward."""
    table = rows.registry().rows
    needed = {s.number for s in writes(program.forward)}
    for equation in program.system.equations:
        if equation.number not in needed:
            continue
        for atom in atoms(equation.rhs):
            if isinstance(atom, Apply) and (
                atom.function not in table or not table[atom.function].complex_safe
            ):
                return False
            if isinstance(atom, Extremum | Iverson):
                return False
    return not any(isinstance(n, ir.Vdot) for s in writes(program.forward)
                   for top in children(s) for n in everything(top))


def selfcheck(
    program: Program, printer: NumpyPrinter, zero: Sequence[str], stacks: Mapping[str, StackCode]
) -> dict[str, Any]:
    """The context of the self-check block."""
    system = program.system
    arguments = {a.name: a.annotation for a in system.arguments if a.tree is not None}
    facts = facts_data(system, printer)
    return selfcheck_context(arguments, system.wrt_keys or system.wrt, facts,
                             zero, whole=_whole(system.conditions, printer),
                             rule=system.departure.rule if system.departure else "",
                             equal=feedback_of(system), own_loss=owns_a_loss(program),
                             stacked={n: code.keys if code.stack.kind == "dict" else ""
                                      for n, code in stacks.items()})


def _whole(conditions: Sequence[Condition], printer: NumpyPrinter) -> list[str]:
    """Axis expressions that must come out whole and positive for the sizes to fit."""
    texts = []
    for condition in conditions:
        left, right = (printer.shown(e).replace(" ", "")
                       for e in (condition.left, condition.right))
        if condition.kind == "divides":
            texts.append(f"({left})//({right})")
        elif condition.kind == "at_least":
            texts.append(f"({left})-({right})+1")
    return texts
