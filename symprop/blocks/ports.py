"""What a call reads from outside, as inputs of its own.

In: the equations of a call, the arrays around it. Out: a `Cut`: ports, each the view of an outer
array that the call reads, and the equations, which read the ports:

    s[n,t] = Σ_e qkv[n,t,e] qkv[n,t,E+e]     ->  q[n,t,e] = qkv[n,t,e],  k[n,t,e] = qkv[n,t,E+e],
                                                s[n,t] = Σ_e q[n,t,e] k[n,t,e]

So heads that are slices of one array, steps that read X[0], X[1], ..., and a block that is handed
E[tok] are equal to others. A position that is more than that, such as a window's, is no view: the
port holds the whole axis.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from symprop.algebra.build import ONE, access, idx, map_accesses, sub, substitute
from symprop.algebra.canonical import canonical, normal, same
from symprop.algebra.expr import Access, Expr, Idx, Index, arrays_of, atoms, free_indices
from symprop.algebra.integers import nonnegative
from symprop.names import unused
from symprop.system import Array, Call, Equation, System

_THROUGH = "through "


@dataclass(frozen=True)
class Port:
    """`name[axes] = of[at]`; `kept` are the axes of the outer array that the port has whole.

    wish: what the helper calls it, which may be the name of another array around; "p.w" for what
    lies in a container.
    """

    name: str
    of: str
    dtype: str
    axes: tuple[Index, ...]
    at: tuple[Expr, ...]
    kept: tuple[int, ...]
    wish: str = ""

    @property
    def array(self) -> Array:
        """The port as an input."""
        return Array(self.name, self.dtype, tuple(i.size for i in self.axes), "input")

    @property
    def reads(self) -> tuple[str, ...]:
        """The arrays around that it shows, and shows them through."""
        return arrays_of(access(self.of, self.at))

    @property
    def is_whole(self) -> bool:
        """Whether the port is the outer array as it stands."""
        return len(self.kept) == len(self.at)

    def equation(self, number: str, name: str, source: str) -> Equation:
        """What the caller hands over, under a name of the caller's."""
        return Equation(number, name, self.axes, access(self.of, self.at), source)


@dataclass(frozen=True)
class Cut:
    """A call by itself: equations that read ports and each other."""

    call: Call
    ports: tuple[Port, ...]
    equations: tuple[Equation, ...]


def cut(
    call: Call, equations: Sequence[Equation], around: System, here: Mapping[str, str]
) -> Cut:
    """The equations of a call with ports in place of the arrays of the system around it.

    here: how the system around it calls the arrays that were traced.
    """
    cutter = _Cutter(call, frozenset(e.array for e in equations), around, here)
    new = tuple(renewed(e, cutter.read) for e in equations)
    read = {a for e in new for a in e.reads}  # not positions alone of what a port is seen through
    return Cut(call, tuple(p for p in cutter.ports.values() if p.name in read), new)


def renewed(
    equation: Equation, change: Callable[[Access], Access], array: str | None = None
) -> Equation:
    """An equation, with what its author wrote, that reads other entries; or is of another name."""
    written = None if equation.written is None else map_accesses(equation.written, change)
    return replace(equation, array=array or equation.array,
                   rhs=map_accesses(equation.rhs, change), written=written, remark=None)


class _Cutter:
    """Finds the ports, in the order in which they are read."""

    def __init__(
        self, call: Call, own: frozenset[str], around: System, here: Mapping[str, str]
    ) -> None:
        self.own, self.around = own, around.arrays
        self.ranges = [r for r in around.index_ranges if r.inside and r.array not in own]
        self.ports: dict[str, Port] = {}
        self.names = set(own)
        self.handed: dict[str, str] = {}  # what the helper calls a view, and an array handed once
        for name, item in call.parameters:
            array = self.around.get(here.get(item.array, ""))
            if array is not None and len(array.shape) == len(item.indices):
                self.handed.setdefault(_key(array, self._views(array, item.indices)), name)
        often = Counter(item.array for _, item in call.parameters)
        self.handed |= {here[item.array]: name for name, item in call.parameters
                        if often[item.array] == 1 and item.array in here}

    def read(self, item: Access) -> Access:
        """An access, to a port where it left the call."""
        array = self.around.get(item.array)
        if item.array in self.own or array is None or array.kind == "constant":
            return item
        outer = Access(item.array, tuple(map(self._outer, item.indices)))
        views = self._views(array, outer.indices)
        key = _key(array, views)
        if key not in self.ports:
            self.ports[key] = self._port(outer, array, views, key)
        inside = ((p,) if v.text == "" else v.inside
                  for p, v in zip(item.indices, views, strict=True))
        return Access(self.ports[key].name, tuple(p for ps in inside for p in ps))

    def _outer(self, position: Expr) -> Expr:
        """A position that is an entry of a port, as the caller has it."""
        item = position.single_atom
        if not isinstance(item, Access):
            return position
        port = next((p for p in self.ports.values() if p.name == item.array), None)
        if port is None:
            return position
        new = dict(zip(port.axes, item.indices, strict=True))
        return access(port.of, tuple(substitute(p, new) for p in port.at))

    def _views(self, array: Array, indices: Sequence[Expr]) -> list[_View]:
        """How every axis of an array is seen.

        Through an array of positions only where the call is handed that, they are on the axis
        whatever else is so, and no other axis has their indices.
        """
        often = Counter(i for p in indices for i in free_indices(p))
        found = []
        for position, size in zip(indices, array.shape, strict=True):
            view, item = _view(position, size), position.single_atom
            if view.text.startswith(_THROUGH) and isinstance(item, Access) and not (
                    all(often[i] == 1 for i in free_indices(position)) and any(
                        r.array == item.array and same(r.size, size) for r in self.ranges)):
                view = _View("", (position,))
            found.append(view)
        return found

    def _port(self, item: Access, array: Array, views: Sequence[_View], key: str) -> Port:
        wish = self.handed.get(key) or self.handed.get(item.array, item.array)
        plain = wish.replace(".", "_")
        name = unused(plain, self.names) if plain in self.names else plain
        self.names.add(name)
        axes: list[Index] = []
        at: list[Expr] = []
        for position, size, view in zip(item.indices, array.shape, views, strict=True):
            if view.text == "":
                axes.append(Index(_letter(position), size))
                at.append(idx(axes[-1]))
                continue
            seen = [i for p in view.inside if (i := p.single_index) is not None]
            new = {i: idx(Index(i.letter, i.size)) for i in seen}
            axes += [i for n in new.values() if (i := n.single_index) is not None]
            at.append(substitute(normal(position), new))
        kept = tuple(k for k, view in enumerate(views) if view.text == "")
        return Port(name, item.array, array.dtype, tuple(axes), tuple(at), kept, wish)


@dataclass(frozen=True)
class _View:
    """How an axis is seen, as a text ("" whole), and the positions in the port's own axes."""

    text: str
    inside: tuple[Expr, ...]


def _key(array: Array, views: Sequence[_View]) -> str:
    """The text of a view."""
    return f"{array.name}[{';'.join(v.text for v in views)}]"


def _view(position: Expr, size: Expr) -> _View:
    """How an axis is seen: whole, one entry, a slice, or through an array of positions."""
    whole = _View("", (position,))
    index = position.single_index
    if index is not None and same(index.size, size):
        return whole
    position = normal(position)
    item = position.single_atom
    if isinstance(item, Access):
        through = [p.single_index for p in item.indices]
        if None in through or len(set(through)) < len(through):
            return whole
        sizes = ",".join(canonical(normal(i.size)) for i in through if i is not None)
        return _View(f"{_THROUGH}{item.array}({sizes})", item.indices)
    if any(isinstance(a, Access) for a in atoms(position)):
        return whole
    if not free_indices(position):
        return _View(f"at {canonical(position)}", ()) if _fits(position, size) else whole
    index = _only_index(position)
    if index is None:
        return whole
    start = normal(sub(position, idx(index)))
    if nonnegative(start) and nonnegative(sub(sub(size, index.size), start)):
        return _View(f"from {canonical(start)} of {canonical(normal(index.size))}", (idx(index),))
    return whole


def _fits(position: Expr, size: Expr) -> bool:
    return nonnegative(position) and nonnegative(sub(sub(size, position), ONE))


def _only_index(position: Expr) -> Index | None:
    """The index of a position that is an index and an offset."""
    found: list[Index] = []
    for term in position.terms:
        if not free_indices(Expr((term,))):
            continue
        if term.coef != 1 or term.bound or len(term.factors) != 1:
            return None
        item, exponent = term.factors[0]
        if not isinstance(item, Idx) or exponent != 1:
            return None
        found.append(item.index)
    plain = not any(isinstance(a, Access) for a in atoms(position))
    return found[0] if len(found) == 1 and plain else None


def _letter(position: Expr) -> str:
    index = position.single_index
    return index.letter if index is not None else "i"
