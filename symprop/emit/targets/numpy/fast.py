"""What the functions of a module of the fast style have beside their equations.

In: a system, names in code. Out: statements that say which workspace, dtype and generation a call
has, and the writer of its lines.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from symprop.emit.targets.numpy.calls import Calls
from symprop.emit.targets.numpy.lines import Lines
from symprop.emit.targets.numpy.names import Names
from symprop.emit.targets.numpy.nodes import NumpyPrinter
from symprop.emit.targets.numpy.steps import StepLines, StepPrinter
from symprop.syntax.tree import packed, quote, state, tree
from symprop.system import Adjoint, Equation, System

EXTRA = ("workspace", "generation", "given_up")  # parts of what is saved


def lines_of(
    printer: NumpyPrinter, names: Names, equations: Sequence[Equation | Adjoint],
    margins: Mapping[str, Equation | Adjoint], calls: Calls,
) -> Lines:
    """What writes the statements of a function, in the style of the printer."""
    kind = StepLines if isinstance(printer, StepPrinter) else Lines
    return kind(printer, names, equations, margins, calls)


def one_dtype(
    inputs: Sequence[str], listed: Sequence[ast.expr], system: System, names: Names
) -> list[ast.stmt]:
    """All floats in the dtype that they have in common: what is written over must be of one."""
    floats = [n for n in inputs if system.arrays[n].dtype == "float"]
    arrays = [names.arrays[n] for n in floats if system.arrays[n].shape]
    numbers: list[ast.expr] = [tree(names.arrays[n]) for n in floats if not system.arrays[n].shape]
    numbers += listed
    return [state("{y} = in_one_dtype({x})", y=packed([names.own["dtype"], *arrays]),
                  x=[packed(arrays), *([packed(numbers)] if numbers else [])])]


def kinds(wrt: Sequence[str], system: System, names: Names) -> ast.stmt:
    """The dtypes of the parameters; a number may be Python's."""
    spelled = [quote("{x}.dtype" if system.arrays[w].shape else "np.result_type({x})",
                     x=names.arrays[w]) for w in wrt]
    return state("{y} = {x}", y=names.own["dtypes"], x=ast.List(spelled, ast.Load()))


def begun(names: Names) -> list[ast.stmt]:
    """The generation of what is saved, and the list that says whether it is given up."""
    own = names.own
    return [state("{y} = None if {w} is None else {w}.begin()", y=own["generation"],
                  w=own["workspace"]),
            state("{y} = []", y=own["given_up"])]


def resumed(names: Names, printer: NumpyPrinter) -> list[ast.stmt]:
    """Backward goes on only with what is still there, in the dtype of forward."""
    own = names.own
    return [state("{x} = resume({x}, {given})", x=own["dL"], given=[
        printer.dtype, *(own[n] for n in EXTRA), own["consume"]])]
