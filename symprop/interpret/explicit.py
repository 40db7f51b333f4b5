"""A derivation written out: every entry of every array as a SymPy expression in scalar symbols.

In: a system, its adjoint equations, sizes. Out: an `Explicit`. Each entry is worked out from its
equation when it is first read, so a recurrence needs no loop; SymPy differentiates nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import sympy

from symprop.algebra.build import number
from symprop.errors import InputError
from symprop.interpret.evaluate import extent
from symprop.interpret.given import given_sizes
from symprop.interpret.scalars import Scalars
from symprop.names import unused
from symprop.system import Adjoint, Array, Equation, System

LARGEST = 4096  # entries of all inputs: beyond, nobody reads what comes out


@dataclass(frozen=True)
class Explicit:
    """The loss and its gradients in scalar symbols, for axes of the given sizes.

    symbols: the inputs, each a SymPy array of symbols (`symbols["W"][0, 1]`), or one symbol for a
    scalar. gradients: of the same shapes, by parameter. values: every array that the loss needs.
    Entries that a fact fixes are not symbols: where rows of Y sum to one, the last entry of each
    is 1 less the others; an array that is symmetric has one symbol for two entries, and a
    gradient for each.
    """

    sizes: Mapping[str, int]
    symbols: Mapping[str, Any]
    loss: sympy.Expr
    gradients: Mapping[str, Any]

    def __repr__(self) -> str:
        sizes = " ".join(f"{name}={size}" for name, size in self.sizes.items())
        return f"<Explicit: {sizes}, gradients of {', '.join(self.gradients)}>"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle L = {sympy.latex(self.loss)}$"


def explicit(
    system: System, adjoints: Sequence[Adjoint], sizes: Mapping[str, int]
) -> Explicit:
    """The loss and every gradient of a system, entry by entry."""
    known = given_sizes(system, sizes)
    taken = set(system.arrays)
    inputs = {name: _symbols(system, array, known, taken) for name, array in system.arrays.items()
              if array.kind == "input"}
    constants = {
        name: {at: _number(values[at]) for at in product(*map(range, values.shape))}
        for name, values in system.constants.items()}
    equations: list[Equation | Adjoint] = [*system.equations, *adjoints]
    walk = Scalars({e.array: e for e in equations}, known, {**inputs, **constants})
    bars = {a.primal: a.array for a in adjoints if a.role == "adjoint"}
    shapes = {name: _shape(system.arrays[name], known) for name in inputs}
    return Explicit(
        sizes=known,
        symbols={name: _array(shapes[name], entries) for name, entries in inputs.items()},
        loss=walk.entry(system.loss, ()),
        gradients={name: _array(shapes[name], {
            at: walk.entry(bars[name], at) for at in inputs[name]}) for name in system.wrt},
    )


def _shape(array: Array, sizes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(extent(size, sizes) for size in array.shape)


def _symbols(
    system: System, array: Array, sizes: Mapping[str, int], taken: set[str]
) -> dict[tuple[int, ...], sympy.Expr]:
    """The entries of an input: symbols W_0_1, but where a fact says what they are."""
    shape = _shape(array, sizes)
    count = 1
    for size in shape:
        count *= size
    if count > LARGEST:
        raise InputError(f"{array.name} has {count} entries at these sizes; explicit writes out "
                         f"at most {LARGEST}: choose smaller sizes")
    facts = [f for f in system.facts if f.array == array.name]
    symmetric = any(f.kind in ("symmetric", "positive_definite") for f in facts)
    kind = {"integer": True} if array.dtype != "float" else {"real": True}
    if any(f.kind == "positive" for f in facts):
        kind["positive"] = True
    if not shape:
        return {(): sympy.Symbol(array.name, **kind)}
    found: dict[tuple[int, ...], sympy.Expr] = {}
    for at in product(*map(range, shape)):
        mirrored = (*at[:-2], *at[:-3:-1])
        if symmetric and mirrored in found:
            found[at] = found[mirrored]
            continue
        name = unused("_".join(map(str, (array.name, *at))), taken)
        taken.add(name)
        found[at] = sympy.Symbol(name, **kind)
    for fact in facts:
        if fact.kind == "sums_to_one":
            found = _completed(found, shape, fact.args[0])
    return found


def _completed(
    entries: dict[tuple[int, ...], sympy.Expr], shape: tuple[int, ...], axis: int
) -> dict[tuple[int, ...], sympy.Expr]:
    """The last entry along an axis is what the others leave of one."""
    last = shape[axis] - 1
    return {
        at: entry if at[axis] != last else sympy.Add(1, *(
            -entries[(*at[:axis], k, *at[axis + 1:])] for k in range(last)))
        for at, entry in entries.items()}


def _number(value: Any) -> sympy.Expr:
    known = number(value.item()).number
    if known is None:  # an infinity
        return sympy.oo if value > 0 else -sympy.oo
    return sympy.Rational(known.numerator, known.denominator)


def _array(shape: tuple[int, ...], entries: Mapping[tuple[int, ...], sympy.Expr]) -> Any:
    if not shape:
        return entries[()]
    return sympy.ImmutableDenseNDimArray(list(entries.values()), shape)
