"""The layers of a network, found by its structure: z = W x + b, a = f(z), one after the other.

In: a system. Out: its layers in order where they are one chain from the data to the loss; none
where they branch, as in attention. No name is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from symprop.algebra.expr import Access, Expr, Index, Term, arrays_of, atoms
from symprop.system import Equation, System


@dataclass(frozen=True)
class Layer:
    """The arrays of z = W x + b, a = f(z); bias and after are "" where there are none.

    stacked: one equation is all layers, and the first index of each is the layer's number.
    batch: the size of the axis of examples, or None. inputs_first: the axes of the weight are those
    of W[k,j], not of W[j,k]. examples_first: those of z are z[n,j].
    """

    weight: str
    given: str
    bias: str
    before: str
    after: str
    stacked: bool
    batch: Expr | None
    inputs_first: bool
    examples_first: bool


def layers(system: System) -> tuple[Layer, ...]:
    """The layers in order; none where they are no chain."""
    found = [layer for e in system.equations if (layer := _layer(system, e)) is not None]
    befores = {layer.before for layer in found}
    matrices = {n for n in system.wrt if len(system.arrays[n].shape) > 1}
    if len(found) > 1 and any(layer.stacked for layer in found):
        return ()
    weights = {layer.weight for layer in found}
    if len(befores) < len(found) or len(weights) < len(found):
        return ()
    if not matrices <= weights | {layer.bias for layer in found}:
        return ()  # what else is trained is no layer
    last = ""
    for layer in found:
        nearest = _nearest(system, layer.given, befores - {layer.before} if layer.stacked
                           else befores)
        if nearest != ({last} if last else set()):
            return ()
        last = layer.before
    return tuple(_with_after(system, layer, found[k + 1:k + 2]) for k, layer in enumerate(found))


def _layer(system: System, equation: Equation) -> Layer | None:
    """z[..,j] = Σ_k W[k,j] x[..,k] + b[j], read off its right-hand side."""
    products = [t for t in equation.rhs.terms if t.bound]
    others = [t for t in equation.rhs.terms if not t.bound]
    if len(products) != 1 or len(others) > 1:
        return None
    reads = _reads(products[0], 2)
    weights = [a for a in reads if a.array in system.wrt]
    if len(weights) != 1 or len(products[0].bound) != 1:
        return None
    weight, given = weights[0], next(a for a in reads if a is not weights[0])
    bias = _reads(others[0], 1) if others else []
    if others and not (bias and bias[0].array in system.wrt):
        return None
    return _oriented(equation, weight, given, bias[0].array if bias else "", products[0].bound[0])


def _reads(term: Term, count: int) -> list[Access]:
    """The factors where they are so many entries, each at indices; else none."""
    found = [a for a, e in term.factors if isinstance(a, Access) and e == 1]
    plain = all(p.single_index is not None or p.number == 0 for a in found for p in a.indices)
    return found if term.coef == 1 and plain and len(term.factors) == len(found) == count else []


def _oriented(
    equation: Equation, weight: Access, given: Access, bias: str, summed: Index
) -> Layer | None:
    at = [p.single_index for p in weight.indices]
    out = list(equation.indices)
    stacked = len(at) == 3 and len(out) > 1 and at[0] is out[0]
    if stacked:
        at, out = at[1:], out[1:]
    read = [p.single_index for p in given.indices]
    unit = next((i for i in at if i is not summed), None)  # None: there is one only
    if len(at) > 2 or summed not in at or summed not in read or len(out) > 2:
        return None
    if unit is not None and unit not in out:
        return None
    batch = next((i for i in out if i is not unit), None)
    if batch is not None and batch not in read:
        return None
    first = batch is not None and read.index(batch) < read.index(summed)
    return Layer(weight.array, given.array, bias, equation.array, "", stacked,
                 batch.size if batch is not None else None, at[0] is summed, first)


def _nearest(system: System, array: str, befores: set[str]) -> set[str]:
    """The layers that an array comes from without another in between."""
    found: set[str] = set()
    seen: set[str] = set()
    left = [array]
    while left:
        name = left.pop()
        if name in befores:
            found.add(name)
        elif name not in seen:
            seen.add(name)
            equation = system.equation(name)
            left += equation.reads if equation is not None else ()
    return found


def _with_after(system: System, layer: Layer, following: list[Layer]) -> Layer:
    """The layer with a = f(z): what reads z alone entry by entry, else what the next one takes."""
    own = next((e.array for e in system.equations if _entrywise(e, layer.before)
                and (following or not _added_up(system, e.array))), "")
    arrays: Mapping[str, object] = system.arrays
    after = own or (following[0].given if following else "")
    return Layer(**{**layer.__dict__, "after": after if after in arrays else ""})


def _entrywise(equation: Equation, array: str) -> bool:
    """Whether an equation reads nothing but this array, at its own indices."""
    if arrays_of(equation.rhs) != (array,):
        return False
    own = list(equation.indices)
    return all([p.single_index for p in read.indices] == own
               for read in _accesses(equation.rhs))


def _added_up(system: System, array: str) -> bool:
    """Whether the entries of an array are added up alone, as those of exp z in a softmax."""
    return any(t.bound and [a for a, _ in t.factors] == [*_accesses(Expr((t,)))]
               and arrays_of(Expr((t,))) == (array,) and [e for _, e in t.factors] == [1]
               for e in system.equations for t in e.rhs.terms if array in arrays_of(e.rhs))


def _accesses(expr: Expr) -> Iterator[Access]:
    return (a for a in atoms(expr) if isinstance(a, Access))
