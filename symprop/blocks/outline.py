"""From a flat System to the tree of its blocks.

In: a System whose equations know their calls. Out: the program as a `Block`: a system with its own
equations, and the lines at which it uses other blocks. A call is a block where the program has at
least two that are equal and neither is short, lies in a recurrence, holds the loss or an output,
or reads again what others have made of its results.

In a block's system, what a use returns is an input; what it is handed, and what the block itself
returns, are arrays whose adjoints are given (`System.given`). So the algebra of a block sees ports
and given adjoints, and nothing past them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from symprop.algebra.build import access, idx
from symprop.algebra.expr import Access, Expr, Index
from symprop.blocks.block import Block, Use
from symprop.blocks.equal import conditions, facts, key, ranges, sizes_of
from symprop.blocks.live import Reading, live
from symprop.blocks.ports import Cut, Port, cut, renewed
from symprop.blocks.repeated import repeated, with_tables_outside
from symprop.blocks.runs import with_runs
from symprop.names import counted, unused
from symprop.recognise.remarks import with_remarks
from symprop.system import Array, Call, Equation, System, cycles

LONG = 8  # of one that is used once, within a block that is used again


def outline(system: System, apart: Set[Call] = frozenset()) -> Block:
    """The program as blocks; one without uses where no two calls are equal.

    apart: calls that are written in place.

    >>> import numpy as np, symprop
    >>> def layer(x, W):
    ...     z = x @ W
    ...     a = np.tanh(z)
    ...     return a / np.sqrt(1 + a * a)
    >>> def loss(x: "N", V: "N N", W: "N N"):
    ...     return (layer(layer(x, V), W) ** 2).sum()
    >>> program = outline(symprop.trace(loss))
    >>> [(use.block.name, use.arguments, use.results) for use in program.uses]
    [('layer', ('layer_x', 'layer_W'), ('L_pow_ratio',)), ('layer', ('layer_x_2', ...
    """
    system = with_tables_outside(system)
    keys = {call: text for call, text in repeated(system).items() if call not in apart}
    ordered: list[_Scope] = []
    short: set[str] | None = None
    while short is None or short:
        program = _Scope(system.name, system, (), {name: name for name in system.arrays})
        program.open(0, frozenset(keys), {})
        ordered = _callers_first(program)
        short = _in_place(ordered, keys)
        keys = {call: text for call, text in keys.items() if text not in short}
    for scope in ordered:
        scope.settle()
    done: dict[int, Block] = {}
    for scope in reversed(ordered):
        done[id(scope)] = scope.frozen(done)
    return done[id(program)]


# ---- scopes ---------------------------------------------------------------------------------


@dataclass
class _Use:
    """A use in the making: the cut of this call, and the scope that it equals."""

    cut: Cut
    scope: _Scope
    sizes: tuple[str, ...]
    handed: tuple[str, ...] = ()  # of the caller's arrays, those that are read elsewhere
    live: frozenset[str] = frozenset()  # those of them that have an adjoint
    wanted: frozenset[int] = frozenset()  # the ports whose adjoint is wanted here

    @property
    def arrays(self) -> list[str]:
        """The caller's names of all that the call makes."""
        return [e.array for e in self.cut.equations]

    @property
    def reads(self) -> tuple[str, ...]:
        """The caller's arrays that the call reads."""
        return tuple(dict.fromkeys(a for p in self.cut.ports for a in p.reads))


class _Scope:
    """A block in the making."""

    def __init__(
        self, name: str, system: System, ports: Sequence[Port], traced: Mapping[str, str],
        sizes: tuple[str, ...] = (),
    ) -> None:
        self.name, self.system, self.ports, self.traced = name, system, tuple(ports), traced
        self.sizes = sizes  # in the order of their numbers
        self.lines: list[Equation | _Use] = []
        self.results: dict[int, None] = {}  # equations that some caller reads, by position
        self.given: set[int] = set()  # those whose adjoint some caller has
        self.wanted: set[int] = set()  # ports whose adjoint some caller wants

    def open(self, depth: int, chosen: frozenset[Call], scopes: dict[str, _Scope]) -> None:
        """Finds the lines: own equations and uses, each after what it reads."""
        groups: dict[Call | str, list[Equation]] = {}
        for equation in self.system.equations:
            chain = equation.call.chain[depth:] if equation.call is not None else ()
            owner = next((c for c in chain if c in chosen), None)
            groups.setdefault(owner or equation.array, []).append(equation)
        nodes = [m[0] if isinstance(o, str) else self._use(o, m, chosen, scopes)
                 for o, m in groups.items()]
        self.lines = _runnable(nodes, cycles(self.system.equations))

    def _use(
        self, call: Call, equations: Sequence[Equation], chosen: frozenset[Call],
        scopes: dict[str, _Scope],
    ) -> _Use:
        found = cut(call, equations, self.system, self.traced)
        text, sizes = key(found, self.system)
        if text not in scopes:
            scopes[text] = _inside(found, self.system, self.traced, sizes)
            scopes[text].open(len(call.chain), chosen, scopes)
        return _Use(found, scopes[text], sizes)

    @property
    def uses(self) -> list[_Use]:
        """The lines that are uses."""
        return [line for line in self.lines if isinstance(line, _Use)]

    # ---- what is read and what has a gradient -----------------------------------------------

    def settle(self) -> None:
        """Tells the scopes below what is read of them, and which adjoints are given and wanted.

        The callers of this scope have told it before.
        """
        names = [e.array for e in self.system.equations]
        returned = {names[k] for k in self.results}
        ends = {self.system.loss, *(names[k] for k in self.given)}
        begins = {self.ports[k].name for k in self.wanted} or set(self.system.wrt)
        read = {a for line in self.lines for a in line.reads} | returned
        for use in self.uses:
            use.handed = tuple(a for a in use.arrays if a in read)
        lines = [Reading(tuple(use.handed), use.reads) if isinstance(use, _Use)
                 else Reading((use.array,), use.reads) for use in self.lines]
        floats = {n for n, a in self.system.arrays.items() if a.dtype == "float"}
        moving, both = live(lines, begins & floats, ends, floats)
        for use in self.uses:
            place = {a: k for k, a in enumerate(use.arrays)}
            use.scope.results |= {place[a]: None for a in use.handed}
            use.live = frozenset(use.handed) & both
            if use.live:
                use.wanted = frozenset(
                    k for k, p in enumerate(use.cut.ports) if p.of in moving)
            use.scope.given |= {place[a] for a in use.live}
            use.scope.wanted |= use.wanted

    # ---- the system -------------------------------------------------------------------------

    def frozen(self, done: Mapping[int, Block]) -> Block:
        """The block; those that it uses are done."""
        made = _Made(self)
        for line in self.lines:
            if isinstance(line, _Use):
                made.use(line, done[id(line.scope)])
            else:
                made.equation(line)
        return made.block()


class _Made:
    """The equations, the arrays and the uses of a block, as they are made."""

    def __init__(self, scope: _Scope) -> None:
        self.scope, self.count = scope, 0
        own = {e.array for e in scope.system.equations}
        self.arrays = {n: a for n, a in scope.system.arrays.items() if n not in own}
        self.names = {*scope.system.arrays, *scope.system.sizes}
        self.equations: list[Equation] = []
        self.uses: list[Use] = []
        self.given: list[str] = []
        self.seeking: list[str] = []  # results of uses that need an adjoint
        names = [e.array for e in scope.system.equations]
        self.readers = Counter(names[k] for k in scope.given)
        for line in scope.lines:
            self.readers.update(
                [a for p in line.cut.ports for a in p.reads] if isinstance(line, _Use)
                else line.reads)

    def _number(self) -> str:
        self.count += 1
        return f"F{self.count}"

    def equation(self, equation: Equation) -> None:
        """An equation of the block's own."""
        self.arrays[equation.array] = self.scope.system.arrays[equation.array]
        self.equations.append(replace(equation, number=self._number()))

    def use(self, use: _Use, block: Block) -> None:
        """Ports as equations of the same number; results as inputs."""
        number, arguments = self._number(), []
        for k, port in enumerate(use.cut.ports):
            if k in use.wanted and self.only_reader(port):
                arguments.append(port.of)
                self.given.append(port.of)
                continue
            if port.is_whole and k not in use.wanted:
                arguments.append(port.of)
                continue
            name = self._copy(f"{use.scope.name}_{use.scope.ports[k].name}", port.axes,
                              access(port.of, port.at), number, port.dtype)
            arguments.append(name)
            if k in use.wanted:
                self.given.append(name)
        made = [use.arrays[k] for k in use.scope.results]
        for name in use.handed:
            self.arrays[name] = replace(self.scope.system.arrays[name], kind="input")
        self.seeking += [name for name in made if name in use.live]
        self.uses.append(Use(
            number, use.cut.call, block, tuple(arguments),
            tuple(name if name in use.handed else "" for name in made),
            tuple(zip(use.scope.sizes, use.sizes, strict=True))))

    def only_reader(self, port: Port) -> bool:
        """Whether an array is read by this port alone: its adjoint is that of the port."""
        return port.is_whole and self.readers[port.of] == 1

    def _copy(
        self, wish: str, axes: Sequence[Index], rhs: Expr, number: str, dtype: str
    ) -> str:
        name = unused(wish, self.names) if wish in self.names else wish
        self.names.add(name)
        self.arrays[name] = Array(name, dtype, tuple(i.size for i in axes), "computed")
        self.equations.append(Equation(number, name, tuple(axes), rhs))
        return name

    def block(self) -> Block:
        """All of it."""
        scope, system = self.scope, self.scope.system
        read = {a for e in self.equations for a in e.reads}
        results = []
        for k in scope.results:
            array = system.equations[k].array
            if k in scope.given and (array in read or array in self.seeking):
                axes = tuple(Index(i.letter, i.size) for i in system.equations[k].indices)
                rhs = access(array, [idx(i) for i in axes])
                array = self._copy(f"{array}_out", axes, rhs, self._number(), "float")
            results.append(array)
            if k in scope.given:
                self.given.append(array)
        wanted = tuple(scope.ports[k].name for k in sorted(scope.wanted)) or system.wrt
        equations, uses, runs = with_runs(self.equations, self.uses)
        made = replace(
            system, name=scope.name, arrays=self.arrays, equations=equations,
            wrt=tuple(w for w in dict.fromkeys((*wanted, *self.seeking))
                      if w not in self.given),
            given=tuple(self.given))
        made = with_remarks(made)
        return Block(scope.name, made, tuple(p.name for p in scope.ports), tuple(results),
                     uses, wanted, runs)


def _inside(
    found: Cut, system: System, traced: Mapping[str, str], numbered: tuple[str, ...]
) -> _Scope:
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
        known = equation.numbered or equation.array
        wish = own or equation.variable or (known if equation.array in read else "out")
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
        facts=tuple(f for p in ports for f in facts(p, system)),
        index_ranges=(*(r for p in ports for r in ranges(p, system)), *(
            replace(r, array=names[r.array]) for r in system.index_ranges if r.array in names)),
        conditions=conditions(system, sizes),
        constants={n: c for n, c in system.constants.items() if n in arrays},
        sizes=tuple(s for s in system.sizes if s in sizes))
    outer = {p.name: traced[p.of] for p in ports}
    outer |= {names[e.array]: traced[e.array] for e in found.equations}
    outer |= {n: n for n in inner.constants}
    return _Scope(found.call.function, inner, ports, outer, numbered)


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


def _in_place(scopes: Sequence[_Scope], keys: Mapping[Call, str]) -> set[str]:
    """The texts of short blocks that are used once: they stand where they are used."""
    often = Counter(id(use.scope) for scope in scopes for use in scope.uses)
    return {keys[use.cut.call] for scope in scopes for use in scope.uses
            if often[id(use.scope)] == 1 and len(use.cut.equations) < LONG}


def _callers_first(program: _Scope) -> list[_Scope]:
    """Every scope after all that use it."""
    done: dict[int, _Scope] = {}

    def visit(scope: _Scope) -> None:
        if id(scope) not in done:
            for use in scope.uses:
                visit(use.scope)
            done[id(scope)] = scope

    visit(program)
    return [*reversed(done.values())]


def _runnable(
    nodes: Sequence[Equation | _Use], cyclic: Mapping[str, int]
) -> list[Equation | _Use]:
    """Each node after what it reads, otherwise in the given order; a recurrence as it stands."""
    makes = {a: k for k, n in enumerate(nodes)
             for a in (n.arrays if isinstance(n, _Use) else [n.array])}
    done: dict[int, None] = {}

    def visit(k: int) -> None:
        if k in done:
            return
        node = nodes[k]
        for array in node.reads:
            if array in makes and not (isinstance(node, Equation) and array in cyclic
                                       and cyclic.get(node.array) == cyclic[array]):
                visit(makes[array])
        done[k] = None

    for k in range(len(nodes)):
        visit(k)
    return [nodes[k] for k in done]
