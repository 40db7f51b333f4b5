"""Which calls are the same block.

In: a call by itself. Out: a text; two calls are equal up to the names of arrays, indices and sizes
where their texts are. It holds the equations in the order in which they were traced, the dtype of
every port and where it points, and the entries of constants. What else is known of ports and sizes
makes no difference, but where an adjoint leans on it (`derive.py` finds that out).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

from symprop.algebra.expr import Expr, Size, arrays_of, atoms
from symprop.algebra.renaming import Numbering
from symprop.blocks.ports import Cut, Port
from symprop.system import Condition, Fact, IndexRange, System

Known = tuple[Any, ...]  # a fact of a port, or a condition on sizes, whatever they are called


@dataclass(frozen=True)
class Seen:
    """A call by itself, its text, the sizes in it in the order of their numbers, what is known."""

    cut: Cut
    text: str
    sizes: tuple[str, ...]
    known: Mapping[Known, Fact | Condition]


def seen(cut: Cut, system: System, told: Set[str] = frozenset()) -> Seen:
    """The text of a call, and what is known of its ports and sizes.

    told: texts to which what is known of the ports belongs.
    """
    numbers, lines = _numbered(cut, system)
    text, sizes = "\n".join(lines), tuple(numbers.sizes)
    known = _known(cut, system, numbers)
    if text in told:
        text = "\n".join([*lines, *sorted(map(str, known))])
    return Seen(cut, text, sizes, known)


def _known(cut: Cut, system: System, numbers: Numbering) -> dict[Known, Fact | Condition]:
    found: dict[Known, Fact | Condition] = {
        ("fact", k, f.kind, f.args): f
        for k, port in enumerate(cut.ports) for f in facts(port, system)}
    return found | {
        ("condition", c.kind, numbers.expr(c.left), numbers.expr(c.right)): c
        for c in conditions(system, frozenset(numbers.sizes))}


def _numbered(cut: Cut, system: System) -> tuple[Numbering, list[str]]:
    numbers = Numbering()
    lines = [_port(p, numbers, system) for p in cut.ports]
    for equation in cut.equations:
        left = ",".join(numbers.index(i) for i in equation.indices)
        dtype = system.arrays[equation.array].dtype
        lines.append(f"{numbers.array(equation.array)}[{left}] {dtype} = "
                     f"{numbers.expr(equation.rhs)}")
        lines += [_constant(system, name) for name in arrays_of(equation.rhs)
                  if name in system.constants]
    return numbers, lines


def facts(port: Port, system: System) -> tuple[Fact, ...]:
    """The facts of an outer array that hold of a port."""
    found = []
    for fact in system.facts:
        if fact.array != port.of:
            continue
        if fact.kind == "sums_to_one":
            if fact.args[0] in port.kept:
                axis = sum(len(p.free) for p in port.at[:fact.args[0]])
                found.append(Fact(fact.kind, port.name, (axis, *fact.args[1:])))
        elif fact.kind in ("symmetric", "positive_definite"):
            last = len(port.at)
            if {last - 1, last - 2} <= set(port.kept):
                found.append(Fact(fact.kind, port.name, fact.args))
        else:
            found.append(Fact(fact.kind, port.name, fact.args))
    return tuple(found)


def ranges(port: Port, system: System) -> tuple[IndexRange, ...]:
    """Into which axes a port of integers points."""
    return tuple(IndexRange(port.name, r.size, r.start) for r in system.index_ranges
                 if r.array == port.of)


def conditions(system: System, sizes: frozenset[str]) -> tuple[Condition, ...]:
    """The conditions that are about these sizes alone."""
    return tuple(c for c in system.conditions
                 if sizes_of((c.left, c.right)) <= sizes and sizes_of((c.left, c.right)))


def sizes_of(exprs: Iterable[Expr]) -> frozenset[str]:
    """The named axes in some expressions."""
    return frozenset(a.name for e in exprs for a in atoms(e) if isinstance(a, Size))


def _port(port: Port, numbers: Numbering, system: System) -> str:
    shape = ",".join(numbers.expr(i.size) for i in port.axes)
    told = [f"{numbers.expr(r.size)} {'' if r.start is None else numbers.expr(r.start)}"
             for r in ranges(port, system)]
    return f"{numbers.array(port.name)} {port.dtype} ({shape}) {' '.join(told)}"


def _constant(system: System, name: str) -> str:
    values = system.constants[name]
    return f"{values.dtype} {values.shape} {hashlib.sha256(values.tobytes()).hexdigest()}"
