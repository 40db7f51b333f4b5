"""Equations lowered, printed and executed, beside what the interpreter makes of them.

In: an equation `out[indices] = rhs`, arrays. Out: both values.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from symprop.algebra import rows
from symprop.algebra.expr import Expr, Index
from symprop.emit.targets.numpy.layout import laid_out
from symprop.emit.targets.numpy.lines import Lines
from symprop.emit.targets.numpy.names import code_names
from symprop.emit.targets.numpy.naming import helpers_of
from symprop.emit.targets.numpy.nodes import NumpyPrinter
from symprop.files.load import load_text
from symprop.interpret.evaluate import evaluate, extent
from symprop.lower.finish import finished
from symprop.lower.program import Program, statements
from symprop.system import Array, Equation, System

Values = Mapping[str, Any]


KINDS = {"f": "float", "i": "int", "u": "int", "b": "bool"}
Shapes = tuple[tuple[str, str, tuple[Expr, ...]], ...]  # name, dtype and shape of each input


def system_of(
    rhs: Expr, indices: tuple[Index, ...], inputs: Shapes, sizes: tuple[str, ...]
) -> System:
    """A system of one equation."""
    declared = {name: Array(name, kind, shape, "input") for name, kind, shape in inputs}
    declared["out"] = Array("out", "float", tuple(i.size for i in indices), "computed")
    return System(name="case", module="case", arguments=(), arrays=declared, loss="out",
                  equations=(Equation("F1", "out", indices, rhs),), sizes=sizes)


def source(system: System) -> str:
    """The text of a function `run` of all inputs, sizes and the dtype."""
    program = finished(Program(
        system, (), {}, statements(system.equations, system, {"out"}), (), (), (), (), {}))
    helpers = helpers_of(program)
    names = code_names(system, helpers)
    printer = NumpyPrinter(system, names.arrays, names.sizes, dtype=names.own["dtype"],
                           helper_names=names.helpers)
    lines = Lines(printer, names, system.equations, {e.array: e for e in system.equations})
    body = laid_out(lines.rows(program.forward))
    inputs = [names.arrays[n] for n, a in system.arrays.items() if a.kind == "input"]
    arguments = ", ".join([*inputs, *names.sizes.values(), names.own["dtype"]])
    helper_texts = [rows.helper_source(h, names.helpers[h]) for h in helpers]
    text = "\n".join(["import numpy as np", "", *helper_texts, f"def run({arguments}):",
                      *("    " + line for line in body), "    return out", ""])
    assert max(map(len, text.splitlines()[-len(body):])) <= 88, text
    return text


@lru_cache(maxsize=4)
def compiled(
    rhs: Expr, indices: tuple[Index, ...], inputs: Shapes, sizes: tuple[str, ...]
) -> tuple[Any, str]:
    """(the function `run`, its text): the same at all sizes and in all dtypes."""
    text = source(system_of(rhs, indices, inputs, sizes))
    return load_text(text, "case").run, text


def both(
    rhs: Expr, indices: Sequence[Index], shapes: Mapping[str, Sequence[Expr]], arrays: Values,
    sizes: Mapping[str, int], dtype: Any = np.float64,
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], str]:
    """(what the code gives, what the interpreter gives, the code)."""
    inputs = tuple((n, KINDS[np.asarray(arrays[n]).dtype.kind], tuple(s))
                   for n, s in shapes.items())
    run, text = compiled(rhs, tuple(indices), inputs, tuple(sizes))
    given = {n: np.asarray(a).astype(dtype) if np.asarray(a).dtype.kind == "f" else a
             for n, a in arrays.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found = run(*given.values(), *sizes.values(), np.dtype(dtype))
        except Exception as error:
            raise AssertionError(f"{error!r}\n{rhs}\n{text}") from error
    wanted = evaluate(rhs, dict(arrays), sizes, indices)
    return np.asarray(found), wanted, text


def assert_equal(
    rhs: Expr, indices: Sequence[Index], shapes: Mapping[str, Sequence[Expr]], arrays: Values,
    sizes: Mapping[str, int],
) -> str:
    """The code computes what the equation says, in float64 and in float32; returns the code."""
    for dtype, tolerance in ((np.float64, 1e-12), (np.float32, 2e-4)):
        found, wanted, text = both(rhs, indices, shapes, arrays, sizes, dtype)
        expected = tuple(extent(i.size, sizes) for i in indices)
        assert found.shape == expected, f"{found.shape} {expected}\n{text}"
        scale = 1 + np.abs(wanted[np.isfinite(wanted)]).max(initial=0)
        np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance * scale,
                                   err_msg=f"{rhs}\n{text}")
        if indices and dtype == np.float32:
            assert found.dtype == np.float32, f"{found.dtype}\n{text}"
    return text
