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
from symprop.algebra.expr import Expr, Index
from symprop.blocks.block import Block, Use
from symprop.blocks.equal import Known, Seen, seen
from symprop.blocks.inside import inside
from symprop.blocks.live import Reading, live
from symprop.blocks.ports import Cut, Port, cut
from symprop.blocks.repeated import repeated, with_tables_outside
from symprop.blocks.runs import with_runs
from symprop.names import unused
from symprop.recognise.remarks import with_remarks
from symprop.system import Array, Call, Equation, Fact, System, cycles

LONG = 8  # of one that is used once, within a block that is used again


def outline(
    system: System, apart: Set[Call] = frozenset(), told: Set[str] = frozenset()
) -> Block:
    """The program as blocks; one without uses where no two calls are equal.

    apart: calls that are written in place. told: texts of calls that differ by what is known of
    their ports as well (`equal.key`); all others know what all of their uses do.

    >>> import numpy as np, symprop
    >>> def layer(x, W):
    ...     z = x @ W
    ...     a = np.tanh(z)
    ...     return a / np.sqrt(1 + a * a)
    >>> def loss(x: "N", V: "N N", W: "N N"):
    ...     return (layer(layer(x, V), W) ** 2).sum()
    >>> program = outline(symprop.trace(loss))
    >>> [(use.block.name, use.arguments, use.results) for use in program.uses]
    [('layer', ('x', 'V'), ('x1',)), ('layer', ('x1', 'W'), ('u5',))]
    """
    system = with_tables_outside(system)
    whole = {call: found for call, found in repeated(system, told).items()
             if call not in apart}
    keys = {call: found.text for call, found in whole.items()}
    limits: dict[str, frozenset[Known]] = {}
    again = True
    while again:
        program = _Scope(system.name, system, (), {name: name for name in system.arrays})
        program.open(0, frozenset(keys), _Found(told, limits, whole, {}))
        ordered = _callers_first(program)
        short = _in_place(ordered, keys)
        keys = {call: text for call, text in keys.items() if text not in short}
        less = {scope.text: scope.common for scope in ordered if not scope.knows <= scope.common}
        limits |= less
        again = bool(short or less)
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


@dataclass
class _Found:
    """The scopes by their texts, and what may be known in them.

    whole: calls as they are seen from the program.
    """

    told: Set[str]
    limits: dict[str, frozenset[Known]]
    whole: Mapping[Call, Seen]
    scopes: dict[str, _Scope]


class _Scope:
    """A block in the making; `common` is what is known at every use of it."""

    def __init__(
        self, name: str, system: System, ports: Sequence[Port], traced: Mapping[str, str],
        sizes: tuple[str, ...] = (),
    ) -> None:
        self.name, self.system, self.ports, self.traced = name, system, tuple(ports), traced
        self.here = {t: name for name, t in traced.items()}
        self.sizes = sizes  # in the order of their numbers
        self.order: Sequence[int] = range(len(self.ports))  # of ports, as the helper has them
        self.text = ""
        self.knows: frozenset[Known] = frozenset()
        self.variants: list[frozenset[Known]] = []
        self.lines: list[Equation | _Use] = []
        self.results: dict[int, None] = {}  # equations that some caller reads, by position
        self.given: set[int] = set()  # those whose adjoint some caller has
        self.wanted: set[int] = set()  # ports whose adjoint some caller wants

    @property
    def common(self) -> frozenset[Known]:
        """What is known at every use."""
        return self.knows.intersection(*self.variants)

    def open(self, depth: int, chosen: frozenset[Call], scopes: _Found) -> None:
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
        self, call: Call, equations: Sequence[Equation], chosen: frozenset[Call], found: _Found
    ) -> _Use:
        own = found.whole[call] if not self.text else seen(
            cut(call, equations, self.system, self.here), self.system, found.told)
        here, text, sizes, facts_ = own.cut, own.text, own.sizes, own.known
        scope = found.scopes.get(text)
        if scope is None:
            kept = {k: f for k, f in facts_.items() if k in found.limits.get(text, facts_)}
            alone = inside(here, self.system, self.traced, kept)
            scope = found.scopes[text] = _Scope(
                call.function, alone.system, alone.ports, alone.traced, sizes)
            scope.text, scope.knows = text, frozenset(kept)
            scope.order = _as_declared(call, here.ports)
            scope.open(len(call.chain), chosen, found)
        scope.variants.append(frozenset(facts_))
        return _Use(here, scope, sizes)

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

    def more_facts(self) -> tuple[tuple[Fact, ...], ...]:
        """What some use knows of the ports that others do not, each with all that it knows."""
        found = {frozenset(k for k in variant if k[0] == "fact") for variant in self.variants}
        own = frozenset(k for k in self.knows if k[0] == "fact")
        return tuple(
            tuple(Fact(kind, self.ports[port].name, args)
                  for _, port, kind, args in sorted(more, key=str))
            for more in sorted(found, key=str) if more > own)

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
            wish = f"{port.of}_{use.scope.name}" if port.is_whole else \
                f"{use.scope.name}_{use.scope.ports[k].name}"
            name = self._copy(wish, port.axes, access(port.of, port.at), number, port.dtype)
            arguments.append(name)
            if k in use.wanted:
                self.given.append(name)
        made = [use.arrays[k] for k in use.scope.results]
        for name in use.handed:
            self.arrays[name] = replace(self.scope.system.arrays[name], kind="input")
        self.seeking += [name for name in made if name in use.live]
        self.uses.append(Use(
            number, use.cut.call, block, tuple(arguments[k] for k in use.scope.order),
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
        ports = tuple(scope.ports[k].name for k in scope.order)
        wanted = tuple(scope.ports[k].name for k in scope.order if k in scope.wanted) or system.wrt
        equations, uses, runs = with_runs(self.equations, self.uses)
        made = replace(
            system, name=scope.name, arrays=self.arrays, equations=equations,
            wrt=tuple(w for w in dict.fromkeys((*wanted, *self.seeking))
                      if w not in self.given),
            given=tuple(self.given))
        made = with_remarks(made)
        return Block(scope.name, made, ports, tuple(results),
                     uses, wanted, runs, scope.text, scope.more_facts())


def _as_declared(call: Call, ports: Sequence[Port]) -> list[int]:
    """The ports in the order of the helper's parameters, those that it was not handed last."""
    place = {name: k for k, (name, _) in enumerate(call.parameters)}
    if call.iteration:
        return [*range(len(ports))]
    return sorted(range(len(ports)), key=lambda k: place.get(ports[k].wish, len(place)))


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
