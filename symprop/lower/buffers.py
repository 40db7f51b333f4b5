"""Where each operation of a function writes its result.

In: the statements of a function, the arrays that outlive it. Out: a `Plan`: its operations
(`stepwise.py`) with a `Place` each, and the buffers that they need.

    over      in the memory of a result that nothing reads any more: np.tanh(Z, out=Z)
    buffer    in a buffer, which a workspace keeps; without one NumPy makes an array
    saved     in the memory of a saved array that the caller has given up, else in a buffer
    entry     in V[t], in the step of a loop that makes it
    new       in an array that NumPy makes, or nowhere: a look at another array, a number

Memory is a whole array that an operation has made; what looks at a part of it is a reader of it.
Inputs, constants, what lemmas are handed, what is saved and what is returned is not written over.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from symprop.algebra.canonical import normal
from symprop.algebra.expr import Expr, free_indices
from symprop.lower import ir
from symprop.lower.dtypes import BOOL, FLOAT
from symprop.lower.invoke import Invoke, Turns
from symprop.lower.ir import Node
from symprop.lower.liveness import Life, Value, life_of, read_by
from symprop.lower.stepwise import (
    ELEMENTWISE,
    LOOK,
    OTHER,
    Step,
    Steps,
    makes,
    stepwise,
    whole_array,
)
from symprop.lower.ufuncs import FIRST_ALONE, Elementwise

Key = tuple[tuple[str, ...], str]  # sizes, and what it holds


LAID = "laid 1"  # the label of memory in whose order of axes an array is not


def order_of(made: ir.Allocate | ir.Zeros) -> tuple[int, ...]:
    """The order in which the axes of an array lie, if it is not their own."""
    return made.order if isinstance(made, ir.Zeros) else ()


@dataclass(frozen=True)
class Buffer:
    """An array that a workspace keeps."""

    number: int
    shape: tuple[Expr, ...]
    holds: str

    @property
    def key(self) -> Key:
        """What must agree for an array to lie in it."""
        return _key(self.shape, self.holds)


@dataclass(frozen=True)
class Place:
    """Where a result is written: in the memory of the value `over`, or in `buffer`.

    rowwise: the memory lies row by row for certain, as np.dot wants the place of its result to do.
    """

    kind: str = "new"
    over: Value | None = None
    buffer: Buffer | None = None
    rowwise: bool = False


@dataclass(frozen=True)
class Placed(Steps):
    """Steps with their places.

    called: what shares a name, as it shares memory: pairs of labels; dropped: the values whose
    names go after the statement; start: where an array begins that later statements fill.
    """

    places: tuple[Place, ...] = ()
    called: tuple[tuple[str, str], ...] = ()
    dropped: tuple[Value, ...] = ()
    start: Place | None = None


@dataclass(frozen=True)
class Plan:
    """The statements of a function with places; the buffers that it uses.

    spare: the buffers that nothing needs when it returns; owned: the arrays that are in memory of
    their own, whole.
    """

    statements: tuple[ir.Statement, ...]
    buffers: tuple[Buffer, ...]
    spare: tuple[Buffer, ...]
    owned: frozenset[str]


@dataclass(eq=False)
class _Memory:
    """The array that a value has made; `block` is the same where another one lies in its memory."""

    key: Key
    root: Value
    block: int
    buffer: Buffer | None
    saved: bool = False  # free only where the caller has given it up
    lent: bool = False  # it may be in the memory of forward: no gradient may lie in it
    rowwise: bool = False  # made by a product: what NumPy makes entry by entry lies as operands do
    seen: list[Value] = field(default_factory=list)  # the root, and what looks at it
    taken: bool = False


def planned(
    statements: Sequence[ir.Statement], kept: Iterable[str], *, spare: Sequence[Buffer] = (),
    first: int = 1, given_up: Mapping[str, tuple[Expr, ...]] | None = None,
    gradients: Iterable[str] = (), others: Mapping[str, str] | None = None,
) -> Plan:
    """Places for all operations of a function.

    kept: what it returns; spare: buffers that are free; first: the number of the next one.
    given_up: the shapes of saved arrays that may be written over on request, but not by
    `gradients`, which outlive them. others: what arrays hold that are no floats.
    """
    flat = stepwise(statements)
    planner = _Planner(
        life_of(flat, kept), list(spare), first, frozenset(gradients), others or {})
    for name, shape in (given_up or {}).items():
        planner.hold((name, ""), planner.memory(_key(shape, FLOAT), (name, ""), None, saved=True))
    found = planner.with_drops([planner.statement(s) for s in flat])
    alive = {m.buffer for m in planner.all if planner.death(m) == planner.life.last}
    used = tuple(dict.fromkeys(planner.used))
    return Plan(found, used, (*planner.spare, *(b for b in used if b not in alive)), frozenset(
        m.root[0] for m in planner.all if not m.root[1] and m.key[1] == FLOAT and not m.saved))


def _key(shape: Iterable[Expr], holds: str) -> Key:
    return tuple(normal(s).key for s in shape), holds


class _Planner:
    """Goes through the statements of a function in their order."""

    def __init__(
        self, life: Life, spare: list[Buffer], first: int, gradients: frozenset[str],
        others: Mapping[str, str],
    ) -> None:
        self.life, self.spare, self.first, self.gradients = life, spare, first, gradients
        self.others = others
        self.next = first
        self.ending: dict[int, list[Value]] = {}
        for value, end in life.ends.items():
            self.ending.setdefault(end, []).append(value)
        self.seen: dict[Value, tuple[_Memory, ...]] = {}
        self.all: list[_Memory] = []
        self.free: list[_Memory] = []
        self.used: list[Buffer] = []
        self.passing: set[Value] = set()  # what a loop makes at each turn, if it has one

    # ---- statements -------------------------------------------------------------------------

    def statement(self, item: ir.Statement | Steps) -> ir.Statement:
        """A statement with places; what the body of a loop makes lives for one turn."""
        if isinstance(item, ir.Loop):
            self.passing |= {(s.array, step.label) for s in item.body if isinstance(s, Steps)
                             for step in s.steps}
            before, self.free = self.free, []
            first = len(self.all)
            body = tuple(self.steps(s) for s in item.body if isinstance(s, Steps))
            self.free = before
            for memory in self.all[first:]:  # there is none where the loop has no turns
                memory.taken = True
            self.release(self.life.position[id(item)])
            return replace(item, body=body)  # type: ignore[arg-type]
        if isinstance(item, Invoke | Turns):
            return item
        assert isinstance(item, Steps)
        return self.steps(item)  # type: ignore[return-value]

    def steps(self, item: Steps) -> Placed:
        """Places for the steps of one statement."""
        entries = self.entries(item)
        places: list[Place] = []
        dropped: list[Value] = []
        for k, step in enumerate(item.steps):
            place = Place("entry") if k in entries else self.place(item, step, dropped)
            places.append(place)
            self.release(self.life.position[id(step)])
        start = None
        if item.last is not None:
            if isinstance(item.last, ir.Allocate | ir.Zeros) and item.at is None and (
                    item.last.shape):
                start = self.started(item.array, item.last, dropped)
            self.release(self.life.position[id(item)])
        blocks = {s.label: m[0].block for s in item.steps
                  if (m := self.seen.get((item.array, s.label))) and m[0].root[1] == s.label}
        names: dict[int, str] = {blocks[""]: ""} if "" in blocks else {}
        called = tuple((label, names.setdefault(block, label)) for label, block in blocks.items())
        own = {item.array: {label for label, name in called}}
        return Placed(item.array, item.number, item.at, item.steps, item.last, item.quiet,
                      tuple(places), called,
                      tuple(v for v in dict.fromkeys(dropped)
                            if v not in self.passing and v[1] not in own.get(v[0], ())),
                      start)

    def started(
        self, array: str, made: ir.Allocate | ir.Zeros, dropped: list[Value]
    ) -> Place:
        """Where an array begins; one that lies in another order is a look at its memory."""
        order = order_of(made)
        shape = tuple(made.shape[k] for k in order) or made.shape
        key = _key(shape, self.others.get(array, FLOAT))
        free = self.freed(key, array in self.gradients)
        value = (array, LAID if order else "")
        if free is None and key[1] != FLOAT:  # NumPy makes what holds integers
            self.hold(value, self.memory(key, value, None))
            place = Place()
        else:
            place = self.into(value, key, shape, free, dropped, True)
        if order:
            self.seen[array, ""] = self.seen[value]
            for memory in self.seen[value]:
                memory.seen.append((array, ""))
        return place

    def entries(self, item: Steps) -> set[int]:
        """The steps that write into V[t]: the last one, and those whose result it writes over."""
        last = item.last
        if not isinstance(last, ir.Assign) or not isinstance(last.node, ir.Local) or (
                last.at is None):
            return set()
        by_label = {s.label: k for k, s in enumerate(item.steps)}
        found: set[int] = set()
        label: str | None = last.node.label
        while label is not None:
            step = item.steps[by_label[label]]
            if step.kind in (LOOK, OTHER) or step.holds != FLOAT:
                break
            found.add(by_label[label])
            label = None
            if step.kind == ELEMENTWISE and isinstance(step.node, Elementwise):
                now = self.life.position[id(step)]
                label = next((
                    o.label for o in _candidates(step.node) if isinstance(o, ir.Local)
                    and o.axes == step.node.axes and o.flavour == FLOAT
                    and self.life.end((item.array, o.label)) == now), None)
        return found

    # ---- places -----------------------------------------------------------------------------

    def place(self, item: Steps, step: Step, dropped: list[Value]) -> Place:
        """Where a step writes."""
        value, node = (item.array, step.label), step.node
        shape = tuple(a.size for a in node.axes)
        key = _key(shape, step.holds)
        owns = bool(shape) and step.holds in (FLOAT, BOOL)
        if not shape:  # a number sees no array
            return Place()
        if step.kind == LOOK or (step.kind == OTHER and not (owns and makes(node))):
            self.look(value, node, item.array)
            return Place()
        if step.kind == OTHER or any(map(free_indices, shape)):  # of another size at every turn
            self.hold(value, self.memory(key, value, None))
            return Place()
        if not owns:
            return Place()
        lasting = item.array in self.gradients
        taken = self.over(item.array, step, key, lasting) or self.freed(key, lasting)
        return self.into(value, key, shape, taken, dropped, isinstance(node, ir.MatMul))

    def into(
        self, value: Value, key: Key, shape: tuple[Expr, ...], taken: _Memory | None,
        dropped: list[Value], rowwise: bool,
    ) -> Place:
        """A value in the memory of another one, or in a buffer, which lies row by row if new."""
        if taken is None or taken.saved:
            buffer = self.buffer(shape, key, value[0] in self.gradients)
            found = self.memory(key, value, buffer)
            self.hold(value, found)
            found.lent = taken is not None or buffer.number < self.first
            if taken is None:
                found.rowwise = rowwise
                return Place("buffer", buffer=buffer, rowwise=True)
            taken.taken = True
            return Place("saved", taken.root, buffer)
        taken.taken = True
        dropped += taken.seen
        found = self.memory(key, value, taken.buffer, block=taken.block)
        self.hold(value, found)
        found.lent, found.rowwise = taken.lent, taken.rowwise
        return Place("over", taken.root, rowwise=taken.rowwise)

    def look(self, value: Value, node: Node, array: str) -> None:
        """A value may lie in the memory of all that its node reads."""
        found = {m: None for v in read_by(node, array) for m in self.seen.get(v, ())}
        self.seen[value] = tuple(found)
        for memory in found:
            memory.seen.append(value)

    def memory(
        self, key: Key, root: Value, buffer: Buffer | None, *, saved: bool = False,
        block: int | None = None,
    ) -> _Memory:
        """One more array."""
        place = len(self.all) if block is None else block
        self.all.append(_Memory(key, root, place, buffer, saved, lent=saved))
        return self.all[-1]

    def hold(self, value: Value, memory: _Memory) -> None:
        """A value is this array."""
        self.seen[value] = (memory,)
        memory.seen.append(value)

    # ---- what is free -----------------------------------------------------------------------

    def over(self, array: str, step: Step, key: Key, lasting: bool) -> _Memory | None:
        """The memory of an operand that dies here and that the operation can write over."""
        if step.kind != ELEMENTWISE or not isinstance(step.node, Elementwise):
            return None
        now = self.life.position[id(step)]
        found = None
        for operand in _candidates(step.node):
            if operand.axes != step.node.axes or not whole_array(operand):
                continue
            value = next(read_by(operand, array))
            for memory in self.seen.get(value, ()):
                if memory.root == value and memory.key == key and self.death(memory) == now and (
                        not memory.taken and not (memory.lent and lasting)):
                    if not memory.saved:
                        return memory
                    found = memory
        return found

    def freed(self, key: Key, lasting: bool) -> _Memory | None:
        """Memory that nothing reads any more: first what is the function's own."""
        found = [m for m in self.free if m.key == key and not (m.lent and lasting)]
        best = next((m for m in reversed(found) if not m.saved), found[-1] if found else None)
        self.free = [m for m in self.free if m is not best]
        return best

    def death(self, memory: _Memory) -> int:
        """The last position at which something reads an array or looks at it."""
        return max(map(self.life.end, memory.seen))

    def release(self, now: int) -> None:
        """What dies here is free."""
        for value in self.ending.get(now, ()):
            for memory in self.seen.get(value, ()):
                if not memory.taken and memory not in self.free and self.death(memory) == now:
                    self.free.append(memory)

    def buffer(self, shape: tuple[Expr, ...], key: Key, lasting: bool) -> Buffer:
        """A spare buffer of this shape, or one more."""
        found = None if lasting else next((b for b in self.spare if b.key == key), None)
        if found is None:
            found = Buffer(self.next, shape, key[1])
            self.next += 1
        else:
            self.spare.remove(found)
        self.used.append(found)
        return found

    # ---- names that go ----------------------------------------------------------------------

    def with_drops(self, statements: Sequence[Any]) -> tuple[Any, ...]:
        """Large arrays that nothing reads any more lose their names while others are to be made."""
        making = [k for k, s in enumerate(statements) if isinstance(s, Placed) and any(
            p is not None and p.buffer is not None for p in (*s.places, s.start))]
        gone: dict[int, list[Value]] = {}
        for memory in self.all:
            death = self.death(memory)
            if memory.taken or memory.saved or len(memory.key[0]) < 2 or not (
                    0 <= death < self.life.last):
                continue
            place = bisect_left(self.life.stops, death)
            if place < max(making, default=0) and isinstance(statements[place], Placed):
                gone.setdefault(place, []).extend(
                    v for v in memory.seen if v not in self.passing)
        return tuple(
            replace(s, dropped=tuple(dict.fromkeys((*s.dropped, *gone[k]))))
            if k in gone and isinstance(s, Placed) else s for k, s in enumerate(statements))


def _candidates(node: Elementwise) -> tuple[Node, ...]:
    """The operands that an operation may be written over."""
    return node.args[:1] if node.name in FIRST_ALONE else node.args
