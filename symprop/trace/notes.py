"""What a trace accepts as it stands, and what may not have been meant.

In: the declared arguments, what is differentiated by, the equations. Out: notes, found by the
structure of the system. What an operation or a constant has to say of itself is noted where it is
traced (pairs.py, outer.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from symprop.algebra.expr import Access, Apply, Atom, Expr, Index, Iverson
from symprop.system import Equation, Note
from symprop.trace.arguments import Arguments
from symprop.trace.context import definition_line
from symprop.trace.finish import Result
from symprop.trace.text import shape_text

_BATCH = "N"  # the axis of examples
_DATA = {"x", "y", "data", "inputs", "input", "labels", "label", "targets", "target"}
_TYPE = "float"
_TYPES = {"ndarray", "array", "Array", "Tensor", "tensor", "scalar", "vector", "matrix", "number",
          "str", "list", "tuple", "dict", "object", "complex"}


def notes_of(
    found: Arguments, result: Result, wrt: Sequence[str], function: Callable[..., Any],
    every: bool,
) -> Iterator[Note]:
    """All notes on a traced function; `every`: its `wrt` was left out."""
    if every:
        yield from _of_arguments(found, result, wrt, function)
    yield from _of_shapes(found, function)
    yield from _of_equations(result, wrt, function)


def _of_arguments(
    found: Arguments, result: Result, wrt: Sequence[str], function: Callable[..., Any]
) -> Iterator[Note]:
    """Notes on parameters that nobody has named: for a trace whose `wrt` was left out."""
    line = definition_line(function)
    alone = _alone(found)
    data = [n for n in wrt if _is_data(n, alone)]
    rest = [n for n in wrt if n not in data]
    if data and rest:
        names = ", ".join(f'"{n}"' for n in rest) + "," * (len(rest) == 1)
        yield Note("wrt", (
            f"wrt was left out, so {_listed(wrt)} are all parameters, of which {_listed(data)} "
            f"{'looks' if len(data) == 1 else 'look'} like data: say --wrt {','.join(rest)}, or "
            f"wrt=({names})"), line)
    calculated = {name for e in result.equations if result.arrays[e.array].dtype == "float"
                  for name in _calculated_with(e.rhs)}
    for name, spec in found.leaves.items():
        if spec.dtype == "int" and name in calculated and not _is_data(name, alone):
            shape = str(spec).removeprefix("int").strip()
            yield Note("integers", (
                f'{name} is declared as "{spec}" and calculated with, but integers have no '
                f'gradient: declare it as "{shape}" if it is a parameter'), line)
    for argument in found.arguments:
        if argument.name in wrt and found.written.get(argument.name) == _TYPE:
            yield Note("type", (
                f'{argument.name}: "{_TYPE}" is the shape of a scalar parameter: a constant has a '
                f"default and no shape, as in {argument.name}=0.1"), line)


def _of_shapes(found: Arguments, function: Callable[..., Any]) -> Iterator[Note]:
    """Notes on axes that are called as a type is."""
    for name, written in found.written.items():
        if written in _TYPES:
            yield Note("type", (
                f'{name}: "{written}" declares an array of one axis, called {written}: a shape '
                f'names the axes, as in {name}: "N K", and that of a scalar is ""'),
                definition_line(function))


def _of_equations(
    result: Result, wrt: Sequence[str], function: Callable[..., Any]
) -> Iterator[Note]:
    """Notes on parameters that the loss does not read, and on softmaxes."""
    by_array = {e.array: e for e in result.equations}
    read: set[str] = set()
    wanted = [result.loss]
    while wanted:
        array = wanted.pop()
        if array not in read:
            read.add(array)
            wanted.extend(by_array[array].reads if array in by_array else ())
    for name in wrt:
        if name not in read:
            text = f"the loss does not read the parameter {name}, so its gradient is 0"
            yield Note("unread", text, definition_line(function))
    yield from _softmaxes(by_array)


def _softmaxes(by_array: Mapping[str, Equation]) -> Iterator[Note]:
    """exp(z) / Σ exp(z) over every axis of z, and Σ exp of what is such a quotient already."""
    summed = {e.array: total for e in by_array.values()
              if (total := _total(e, by_array)) is not None}
    shares = {}
    for equation in by_array.values():
        share = _share(equation, summed)
        if share is None:
            continue
        shares[equation.array] = share
        if len(share) == len(equation.indices) > 1:
            shape = shape_text(i.size for i in equation.indices)
            yield Note("softmax", (
                f"{equation.array} is a softmax over all axes of {shape} together: say along "
                "which it sums to 1, as in axis=1 with keepdims=True"), equation.source)
    for exponential, axes in summed.values():
        inner = by_array[exponential].rhs.single_atom
        for name in _terms(inner.args[0], by_array) if isinstance(inner, Apply) else ():
            if shares.get(name) == axes:
                yield Note("softmax", (
                    f"a softmax is taken of {name}, which is a softmax already: a cross-entropy "
                    "of logits wants what stands before it"), by_array[exponential].source)


def _total(
    equation: Equation, by_array: Mapping[str, Equation]
) -> tuple[str, frozenset[int]] | None:
    """(e, the axes summed) of s = Σ e with e = exp(...); else None."""
    factors = _one_term(equation.rhs)
    if factors is None or len(factors) != 1:
        return None
    (item, exponent), = factors
    bound = equation.rhs.terms[0].bound
    if not isinstance(item, Access) or exponent != 1 or item.array not in by_array or not bound:
        return None
    inner = by_array[item.array].rhs.single_atom
    if not isinstance(inner, Apply) or inner.function != "exp":
        return None
    return item.array, _places(item, bound)


def _share(
    equation: Equation, summed: Mapping[str, tuple[str, frozenset[int]]]
) -> frozenset[int] | None:
    """The axes along which e / s sums to 1; None of any other equation."""
    factors = _one_term(equation.rhs)
    if factors is None or len(factors) != 2 or equation.rhs.terms[0].bound:
        return None
    powers = {exponent: item for item, exponent in factors}
    above, below = powers.get(1), powers.get(-1)
    if not isinstance(above, Access) or not isinstance(below, Access):
        return None
    exponential, axes = summed.get(below.array, ("", frozenset()))
    own = [p.single_index for p in above.indices]
    is_whole = exponential == above.array and own == list(equation.indices)
    return axes if is_whole else None


def _one_term(expr: Expr) -> tuple[tuple[Atom, object], ...] | None:
    """The factors of an expression of one term with coefficient 1."""
    if len(expr.terms) != 1 or expr.terms[0].coef != 1:
        return None
    return expr.terms[0].factors


def _places(item: Access, bound: Sequence[Index]) -> frozenset[int]:
    return frozenset(k for k, p in enumerate(item.indices) if p.single_index in bound)


def _terms(
    expr: Expr, by_array: Mapping[str, Equation], depth: int = 3
) -> Iterator[str]:
    """The arrays that are added up to what an exponential is of: z in exp(z - max z)."""
    for term in expr.terms:
        item, exponent = term.factors[0] if len(term.factors) == 1 else (None, 0)
        if term.coef > 0 and exponent == 1 and isinstance(item, Access):
            yield item.array
            if item.array in by_array and depth:
                yield from _terms(by_array[item.array].rhs, by_array, depth - 1)


def _calculated_with(expr: Expr) -> Iterator[str]:
    """The arrays whose entries are numbers of a calculation: no positions, and not compared."""
    for term in expr.terms:
        for item, _ in term.factors:
            if isinstance(item, Access):
                yield item.array
            elif not isinstance(item, Iverson):
                for child in item.children:
                    yield from _calculated_with(child)


def _alone(found: Arguments) -> str:
    """The only argument with axis N; "" where there are several, or none."""
    names = [n for n, spec in found.leaves.items() if _BATCH in spec.names()]
    return names[0] if len(names) == 1 else ""


def _is_data(name: str, alone: str) -> bool:
    """Whether an argument looks like data: by its name, or as the only one with axis N."""
    return name.lower() in _DATA or name == alone


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
