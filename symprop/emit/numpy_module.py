"""The context of templates/module.py.jinja.

In: a `Program`. Out: the parts of the generated module as lines of text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from symprop.algebra import rows
from symprop.algebra.expr import Apply, Expr, Index, Size, adjoint, atoms
from symprop.check.selfcheck import selfcheck_context
from symprop.emit.numpy_departure import departure_context, feedback_of, owns_a_loss
from symprop.emit.numpy_door import door, fact_lines, leaves_of, unpacking
from symprop.emit.numpy_guard import Guards
from symprop.emit.numpy_layout import wrapped
from symprop.emit.numpy_lines import Lines
from symprop.emit.numpy_names import Names, code_names
from symprop.emit.numpy_nodes import NumpyPrinter
from symprop.emit.numpy_text import (
    constant,
    docstring,
    facts_data,
    facts_lines,
    signature,
    tuple_text,
    unpacked,
)
from symprop.lower import ir
from symprop.lower.program import Program
from symprop.system import Adjoint, Argument, Condition, Equation, System

_REAL = (ir.Vdot,)


def module_context(program: Program) -> dict[str, Any]:
    """Everything that the template prints."""
    system = program.system
    helpers = helpers_of(program)
    names = code_names(system, helpers)
    printer = NumpyPrinter(system, names.arrays, names.sizes, dtype=names.own["dtype"],
                           helper_names=names.helpers)
    writer = _Writer(program, names, printer)
    forward, backward, predict = writer.forward(), writer.backward(), writer.predict()
    used = [h for h in helpers if h in printer.helpers]
    return {
        "docstring": docstring(system, printer),
        "wrt": tuple_text(system.wrt_keys or system.wrt),
        "facts": facts_lines(facts_data(system, printer)),
        "zero": tuple_text(zero_gradients(program)) if zero_gradients(program) else "",
        "outputs": tuple_text([n for n, _ in system.outputs]) if system.outputs else "",
        "complex_safe": complex_safe(program),
        **departure_context(program),
        "constants": [constant(names.arrays[n], a) for n, a in system.constants.items()],
        "helpers": [rows.helper_source(h, names.helpers[h]).rstrip() for h in used],
        "forward_signature": signature("forward", system.arguments, names, validate=True),
        "forward_body": forward,
        "backward_body": backward,
        "both_signature": signature("value_and_grad", system.arguments, names, validate=True),
        "both_body": both(system, names),
        "predict_signature": signature("predict", writer.predict_arguments(), names, False),
        "predict_body": predict,
        "hidden": [f"{other} = {name}" for name, other in names.hidden.items()
                   if name not in ("forward", "backward")],
        "hidden_functions": [f"{other} = {name}" for name, other in names.hidden.items()
                             if name in ("forward", "backward")],
        "saved_name": names.own["saved"],
        "dL": names.own["dL"],
        "selfcheck": {**selfcheck(program, printer), "validate": names.own["validate"]},
    }


class _Writer:
    """Writes the bodies of forward, backward and predict."""

    def __init__(self, program: Program, names: Names, printer: NumpyPrinter) -> None:
        self.program, self.names, self.printer = program, names, printer
        self.system: System = program.system
        equations: list[Equation | Adjoint] = [*self.system.equations, *program.adjoints]
        live = {s.number for s in _flat((*program.forward, *program.predict))}
        live_equations = (e for e in equations if isinstance(e, Adjoint) or e.number in live)
        guards = Guards(live_equations, self.system)
        self.lines = Lines(printer, names, guards, equations, program.margins)
        self.saves_dtype = False
        self.saved_sizes: tuple[str, ...] = ()
        self.backward_lines = self._backward_lines()
        self.size_lines, self.saved_sizes = self._sizes()
        self.predict_lines, self.predict_uses_dtype = self._body(program.predict)

    def _body(
        self, statements: Sequence[ir.Statement], arguments: bool = True
    ) -> tuple[list[str], bool]:
        self.printer.uses_dtype = False
        lines = self.lines.lines(statements, arguments)
        return lines, self.printer.uses_dtype

    def _door(self, inputs: Sequence[str], arguments: Sequence[Argument],
              validate: bool) -> list[str]:
        arrays = [self.system.arrays[n] for n in inputs]
        first = unpacking(arguments, self.names)
        lines = door(arrays, self.system, self.names, self.printer)
        facts = fact_lines(self.system, inputs, self.names, self.printer) if validate else []
        if facts:
            lines += [f"if {self.names.own['validate']}:", *("    " + f for f in facts)]
        for argument in arguments:
            if argument.tree is None and argument.name in {a.name for a in arguments}:
                lines += _fixed(argument)
        return [w for line in [*first, *map(self.names.seen, lines)] for w in wrapped(line)]

    def _dtype_lines(self, inputs: Sequence[str]) -> list[str]:
        """The dtype that floats are computed in."""
        floats = [self.names.arrays[n] for n in inputs if self.system.arrays[n].dtype == "float"]
        found = f"np.result_type({', '.join(floats)})" if floats else "np.dtype(float)"
        return wrapped(self.names.seen(f"{self.printer.dtype} = {found}"))

    def _inputs(self) -> list[str]:
        return [n for n, a in self.system.arrays.items() if a.kind == "input"]

    def forward(self) -> list[str]:
        """The body of forward."""
        body, _ = self._body(self.program.forward)
        lines = self._door(self._inputs(), self.system.arguments, validate=True)
        lines += self._dtype_lines(self._inputs())
        lines += body
        wrt = ", ".join(self.names.arrays[w] for w in self.system.wrt)
        comma = "," if len(self.system.wrt) == 1 else ""
        lines += wrapped(self.names.seen(
            f"{self.names.own['dtypes']} = [np.result_type(p) for p in ({wrt}{comma})]"))
        saved = ", ".join(self._saved())
        comma = "," if len(self._saved()) == 1 else ""
        lines += wrapped(f"{self.names.own['saved']} = ({saved}{comma})")
        loss = self.names.arrays[self.system.loss]
        return [*lines, f"return {self.printer.dtype}.type({loss}), {self.names.own['saved']}"]

    def _saved(self) -> list[str]:
        arrays = [self.names.arrays[n] for n in self.program.saved
                  if n not in self.system.constants]
        sizes = [self.names.sizes[s] for s in self.saved_sizes]
        dtype = [self.printer.dtype] if self.saves_dtype else []
        return [*arrays, *sizes, *dtype, self.names.own["dtypes"]]

    def _backward_lines(self) -> list[str]:
        lines, self.saves_dtype = self._body(self.program.backward, arguments=False)
        return lines

    def backward(self) -> list[str]:
        """The body of backward."""
        saved = self._saved()
        lines = unpacked(saved, self.names.own["saved"])
        grads = self.names.own["grads"]
        entries = [f'"{w}": {self.names.arrays[adjoint(w)]}' for w in self.system.wrt]
        lines += self.size_lines + self.backward_lines
        lines += wrapped(f"{grads} = {{{', '.join(entries)}}}")
        call = f"like_parameters({grads}, {self.names.own['dtypes']})"
        if structured(self.system, grads) == grads:
            return [*lines, f"return {call}"]
        lines.append(f"{grads} = {call}")
        return [*lines, *wrapped(f"return {structured(self.system, grads)}")]

    def _sizes(self) -> tuple[list[str], tuple[str, ...]]:
        """Lines that read sizes from what is saved, and the sizes that nothing saved shows."""
        text = "\n".join(line.split("#")[0] for line in self.backward_lines)
        needed = [s for s in self.system.sizes if _mentions(text, self.names.sizes[s])]
        lines: list[str] = []
        found: set[str] = set()
        for name in self.program.saved:
            if name in self.system.constants:
                continue
            axes = [_size_name(s) for s in self.system.arrays[name].shape]
            if len(set(axes)) == len(axes) and not found & set(axes) and len(axes) > 1 and (
                set(axes) <= set(needed)
            ):
                found.update(axes)
                targets = ", ".join(self.names.sizes[s] for s in axes)
                lines += wrapped(f"{targets} = {self.names.arrays[name]}.shape")
                continue
            for axis, size in enumerate(axes):
                if size in needed and size not in found:
                    found.add(size)
                    code = f"{self.names.sizes[size]} = {self.names.arrays[name]}.shape[{axis}]"
                    lines += wrapped(code)
        return lines, tuple(s for s in needed if s not in found)

    def predict_arguments(self) -> tuple[Argument, ...]:
        """The arguments that the outputs depend on, be it for a size alone."""
        read = set(self.program.predict_inputs)
        given = {s for n in read for s in self._shown_sizes(n)}
        text = "\n".join(line.split("#")[0] for line in self.predict_lines)
        for name in self._inputs():
            new = [s for s in self._shown_sizes(name) if s not in given
                   and _mentions(text, self.names.sizes[s])]
            if new:
                read.add(name)
                given.update(self._shown_sizes(name))
        return tuple(
            a for a in self.system.arguments
            if a.tree is not None and any(n in read for n, _ in leaves_of(a.tree, a.name))
        )

    def _shown_sizes(self, array: str) -> list[str]:
        """The axes whose sizes an array shows."""
        shape = self.system.arrays[array].shape
        return [a.name for s in shape for a in atoms(s) if isinstance(a, Size)]

    def predict(self) -> list[str]:
        """The body of predict."""
        if not self.system.outputs:
            return []
        body, uses = self.predict_lines, self.predict_uses_dtype
        arguments = self.predict_arguments()
        inputs = [n for a in arguments for n, _ in leaves_of(a.tree, a.name)]
        lines = self._door(inputs, arguments, validate=False)
        if uses:
            lines += self._dtype_lines(inputs)
        entries = ", ".join(f'"{n}": {self._output(a, shape)}' for (n, a), shape in zip(
            self.system.outputs, self.system.output_shapes, strict=True))
        return [*lines, *body, *wrapped(self.names.seen(f"return {{{entries}}}"))]

    def _output(self, array: str, shape: Sequence[Expr]) -> str:
        """An output with the axes of size 1 that the user's function gives it."""
        name = self.names.arrays[array]
        if len(self.system.arrays[array].shape) == len(shape):
            return name
        marks = ", ".join("None" if s.number == 1 else ":" for s in shape)
        return f"{name}[{marks}]" if ":" in marks else f"np.reshape({name}, {(1,) * len(shape)})"


def _mentions(text: str, name: str) -> bool:
    """Whether a name is read: X.T does not read T."""
    return re.search(rf"(?<![\w.]){name}(?!\w)", text) is not None


def _size_name(size: Expr) -> str:
    atom = size.single_atom
    return atom.name if isinstance(atom, Size) else ""


def _fixed(argument: Argument) -> list[str]:
    """The test that a constant of the trace is what it was."""
    return [f"if {argument.name} != {argument.static!r}:",
            f'    raise ValueError("{argument.name} is fixed at {argument.static!r}")']


def both(system: System, names: Names) -> list[str]:
    """The body of value_and_grad."""
    call = ", ".join([*(a.name for a in system.arguments), names.own["validate"]])
    loss, saved = names.arrays[system.loss], names.own["saved"]
    functions = {n: names.hidden.get(n, n) for n in ("forward", "backward")}
    return [*wrapped(f"{loss}, {saved} = {functions['forward']}({call})"),
            f"return {loss}, {functions['backward']}({saved})"]


def structured(system: System, gradients: str) -> str:
    """The gradients, in the structure of the arguments."""
    by_argument = {a.name: a for a in system.arguments}
    keys = system.wrt_keys or system.wrt
    if tuple(keys) == tuple(system.wrt):
        return gradients
    parts = []
    for key in keys:
        tree = by_argument[key].tree if key in by_argument else key
        parts.append(f'"{key}": {_rebuilt(tree, gradients)}')
    return "{" + ", ".join(parts) + "}"


def _rebuilt(tree: Any, gradients: str) -> str:
    if isinstance(tree, str):
        return f'{gradients}["{tree}"]'
    if isinstance(tree, dict):
        return "{" + ", ".join(f'"{k}": {_rebuilt(v, gradients)}' for k, v in tree.items()) + "}"
    inside = ", ".join(_rebuilt(v, gradients) for v in tree)
    if isinstance(tree, list):
        return f"[{inside}]"
    return f"({inside},)" if len(tree) == 1 else f"({inside})"


def zero_gradients(program: Program) -> list[str]:
    """The wrt arrays whose gradient is exactly zero."""
    return [a.primal for a in program.adjoints if isinstance(a, Adjoint)
            and a.primal in program.system.wrt and a.rhs.is_zero]


def helpers_of(program: Program) -> tuple[str, ...]:
    """The helper functions that the spellings of the program's functions call."""
    found: dict[str, None] = {}
    both: list[Equation | Adjoint] = [*program.system.equations, *program.adjoints]
    for equation in both:
        for atom in atoms(equation.rhs):
            if isinstance(atom, Apply) and atom.function in rows.registry().rows:
                template = rows.numpy_template(atom.function)[0]
                found.update(dict.fromkeys(rows.helpers_in(template)))
    return tuple(found)


def complex_safe(program: Program) -> bool:
    """Whether a complex step may be taken through forward."""
    table = rows.registry().rows
    needed = {s.number for s in _flat(program.forward)}
    for equation in program.system.equations:
        if equation.number not in needed:
            continue
        for atom in atoms(equation.rhs):
            if isinstance(atom, Apply) and (
                atom.function not in table or not table[atom.function].complex_safe
            ):
                return False
            if type(atom).__name__ in ("Extremum", "Iverson"):
                return False
    return not any(_holds(s, _REAL) for s in _flat(program.forward))


def _flat(statements: Sequence[ir.Statement]) -> list[ir.Write]:
    flat: list[ir.Write] = []
    for statement in statements:
        flat.extend(statement.body if isinstance(statement, ir.Loop) else [statement])
    return flat


def _holds(item: object, kinds: tuple[type, ...]) -> bool:
    if isinstance(item, kinds):
        return True
    if isinstance(item, tuple):
        return any(_holds(i, kinds) for i in item)
    if isinstance(item, (ir.Node, ir.Assign, ir.Scatter, ir.Put)):
        return any(_holds(v, kinds) for v in vars(item).values()
                   if isinstance(v, (ir.Node, tuple)) and not isinstance(v, Index))
    return False


def selfcheck(program: Program, printer: NumpyPrinter) -> dict[str, Any]:
    """The context of the self-check block."""
    system = program.system
    arguments = {a.name: a.annotation for a in system.arguments if a.tree is not None}
    facts = facts_data(system, printer)
    return selfcheck_context(arguments, system.wrt_keys or system.wrt, facts,
                             zero_gradients(program), whole=_whole(system.conditions, printer),
                             rule=system.departure.rule if system.departure else "",
                             equal=feedback_of(system), own_loss=owns_a_loss(program))


def _whole(conditions: Sequence[Condition], printer: NumpyPrinter) -> list[str]:
    """Axis expressions that must come out whole and positive for the sizes to fit."""
    texts = []
    for condition in conditions:
        left, right = (printer.size(e)[0].replace(" ", "")
                       for e in (condition.left, condition.right))
        if condition.kind == "divides":
            texts.append(f"({left})//({right})")
        elif condition.kind == "at_least":
            texts.append(f"({left})-({right})+1")
    return texts
