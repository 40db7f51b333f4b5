"""A call by itself as a system.

In: a cut, the system around it. Out: a system whose inputs are the ports; its arrays have the names
that they have in the helper, what lies in a container the shortest that tells it from others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from symprop.algebra.expr import Access
from symprop.blocks.equal import Known, ranges, sizes_of
from symprop.blocks.ports import Cut, Port, renewed
from symprop.names import counted, unused
from symprop.system import Call, Condition, Equation, Fact, System


@dataclass(frozen=True)
class Inside:
    """The system of a call, its ports, and for its arrays the names they were traced under."""

    system: System
    ports: tuple[Port, ...]
    traced: Mapping[str, str]


def inside(
    found: Cut, system: System, traced: Mapping[str, str], told: Mapping[Known, Fact | Condition]
) -> Inside:
    """A call by itself: its ports are inputs, its arrays have their names in the helper."""
    taken = {*system.sizes, *system.constants}
    names: dict[str, str] = {}
    local = {e.variable for e in found.equations if e.call == found.call}
    for port, wish in zip(found.ports, _shortest([p.wish for p in found.ports], local),
                          strict=True):
        names[port.name] = unused(wish, taken) if wish in taken else wish
        taken.add(names[port.name])
    ports = tuple(replace(p, name=names[p.name]) for p in found.ports)
    read = {a for e in found.equations for a in e.reads}
    kept = {own for e in found.equations if (own := _own_name(e, found.call))}
    for equation in found.equations:
        own = _own_name(equation, found.call)
        called = equation.numbered or equation.array
        wish = own or equation.variable or (called if equation.array in read else "out")
        others = taken if own else taken | kept
        names[equation.array] = counted(wish, others)
        taken.add(names[equation.array])
    equations = tuple(_renamed(e, names) for e in found.equations)
    arrays = {p.name: p.array for p in ports}
    arrays |= {n: a for n, a in system.arrays.items() if a.kind == "constant" and any(
        n in e.reads for e in equations)}
    arrays |= {names[e.array]: replace(system.arrays[e.array], name=names[e.array])
               for e in found.equations}
    sizes = sizes_of([s for a in arrays.values() for s in a.shape]) | sizes_of(
        [e.rhs for e in equations])
    inner = replace(
        system, name=found.call.function, arguments=(), arrays=arrays, equations=equations,
        loss="", outputs=(), output_shapes=(), wrt=(), wrt_keys=(),
        facts=tuple(replace(f, array=names[f.array]) for f in told.values()
                    if isinstance(f, Fact)),
        index_ranges=(*(r for p in ports for r in ranges(p, system)), *(
            replace(r, array=names[r.array]) for r in system.index_ranges if r.array in names)),
        conditions=tuple(c for c in told.values() if isinstance(c, Condition)),
        constants={n: c for n, c in system.constants.items() if n in arrays},
        sizes=tuple(s for s in system.sizes if s in sizes))
    outer = {p.name: traced[p.of] for p in ports}
    outer |= {names[e.array]: traced[e.array] for e in found.equations}
    outer |= {n: n for n in inner.constants}
    return Inside(inner, ports, outer)


def _own_name(equation: Equation, call: Call) -> str:
    """What the helper itself calls it, not one that it calls."""
    return equation.variable if equation.call == call else ""


def _shortest(wishes: Sequence[str], local: Set[str]) -> list[str]:
    """Names for "block.attn.w" and the like: the shortest tail that nothing else is called by."""
    tails = [[".".join(parts[k:]).replace(".", "_") for k in range(len(parts))]
             for parts in (w.split(".") for w in wishes)]
    often = Counter(t for row in tails for t in row)
    return [next((t for t in reversed(row) if often[t] == 1 and t not in local
                  and t.isidentifier()), row[0]) for row in tails]


def _renamed(equation: Equation, names: Mapping[str, str]) -> Equation:
    def rename(item: Access) -> Access:
        return Access(names.get(item.array, item.array), item.indices)

    return replace(renewed(equation, rename, names[equation.array]), numbered="")
