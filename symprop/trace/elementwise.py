"""One operation on every entry: the single place where elementwise equations are made.

In: operands of any kind and a builder of the entry. Out: the traced result, broadcast.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symprop.algebra import rows
from symprop.algebra.build import apply
from symprop.algebra.expr import Access, Expr, Index, atoms
from symprop.errors import InputError, TraceError, UnsupportedError
from symprop.trace.coerce import as_traced
from symprop.trace.context import located
from symprop.trace.pairs import expect_no_pairs
from symprop.trace.running import current
from symprop.trace.shapes_of import broadcast
from symprop.trace.tensor import Traced


def defined(rhs: Expr, axes: Sequence[Index], kind: str, op: str) -> Traced:
    """The traced array whose entry over `axes` is `rhs`: an equation, where it needs one."""
    tracer = current()
    body, _ = tracer.define(rhs, axes, kind, op)
    return Traced(tracer, axes, body, kind)


def named(array: Traced, op: str = "copy") -> Traced:
    """The same array as an equation of its own, whatever it is made of."""
    body, _ = array.tracer.define(array.body, array.axes, array.kind, op, force=True)
    return Traced(array.tracer, array.axes, body, array.kind)


def atomic(array: Traced) -> Traced:
    """The same array with at most one access as its entry: guarded pieces get an equation."""
    if isinstance(array.body.single_atom, Access):
        return array
    reads = any(isinstance(a, Access) for a in atoms(array.body))
    return named(array) if reads and array.kind == "float" else array


def pointwise(
    operands: Sequence[Any], build: Callable[..., Expr], kind: str, op: str
) -> Traced:
    """The elementwise result of `build` on the operands' entries."""
    arrays = [as_traced(o) for o in operands]
    axes = broadcast(arrays, op)
    expect_no_pairs(arrays, op)
    return defined(build(*(a.aligned(axes) for a in arrays)), axes, kind, op)


def row(name: str, *operands: Any) -> Traced:
    """The scalar function of row `name` on every entry."""
    try:
        found = rows.get(name)
    except InputError as error:
        raise located(UnsupportedError, str(error)) from error
    if len(operands) != found.arity:
        raise located(UnsupportedError, (
            f"{name} takes {found.arity} arguments, not {len(operands)}"))
    arrays = [atomic(as_traced(o)) for o in operands]
    whole = found.whole and result_kind(arrays) == "int" and any(a.axes for a in arrays)
    result = pointwise(
        arrays, lambda *entries: apply(name, *entries), "int" if whole else "float", name)
    return named(result, name) if whole else result


def result_kind(arrays: Sequence[Traced]) -> str:
    """The kind of number of an arithmetic result."""
    kinds = {a.kind for a in arrays}
    return "float" if "float" in kinds else "int" if "int" in kinds else "bool"


def checked(options: dict[str, Any]) -> None:
    """Raises TraceError for options of a ufunc that a trace cannot follow."""
    for key, value in options.items():
        if value is None or key in ("casting", "order", "subok"):
            continue
        if key == "dtype" and np.dtype(value).kind == "f":
            continue
        if key == "where" and value is True:
            continue
        raise located(TraceError, f"the option {key}= of a NumPy function cannot be traced")
