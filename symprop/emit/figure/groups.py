"""Which equations share a box: a call of a helper, a recurrence, equal calls one after the other.

In: a system. Out: for every computed array the `Group` it belongs to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from symprop.algebra.expr import Expr
from symprop.blocks.repeated import repeated
from symprop.system import Call, Equation, System, cycles

LEAST = 3  # equations of a call that has a box of its own
MOST = 0.7  # of all equations: what holds more is the network itself


@dataclass(frozen=True)
class Group:
    """Arrays in one box.

    function: what was called; count: how often; loop: how many steps, of a recurrence.
    """

    key: str
    arrays: tuple[str, ...]
    function: str = ""
    count: int = 1
    loop: Expr | None = None


def live(system: System) -> tuple[Equation, ...]:
    """The equations that the loss and the outputs need."""
    needed: set[str] = set()
    todo = [system.loss, *(array for _, array in system.outputs)]
    while todo:
        array = todo.pop()
        equation = system.equation(array)
        if equation is not None and array not in needed:
            needed.add(array)
            todo += equation.reads
    return tuple(e for e in system.equations if e.array in needed)


def groups(system: System) -> dict[str, Group]:
    """The group of every array that the loss needs; alone, an array is a group of its own.

    Groups never read each other in a circle: calls that would are left open.
    """
    equations = live(system)
    component = {a: f"loop {n}" for a, n in cycles(equations).items()}
    calls, texts = _calls(system, equations)
    opened: set[str] = set()
    while True:
        own = {e.array: _key(e.array, component, calls, opened) for e in equations}
        joined = _joined(own, equations, texts)
        around = _circle(joined, equations) & {k for k in joined.values() if k.startswith("call")}
        if not around:
            return _made(joined, own, equations, component, calls)
        opened |= around


def _calls(
    system: System, equations: Iterable[Equation]
) -> tuple[dict[str, Call], dict[str, str]]:
    """The call that an array belongs to, and the texts of calls that are equal to others."""
    equal = {call: found.text for call, found in repeated(system).items()}
    outer = {c for call in equal for c in call.chain[:-1]}
    count = Counter(c for e in equations if e.call is not None for c in e.call.chain)
    total = sum(1 for _ in equations)
    found: dict[str, Call] = {}
    for equation in equations:
        for call in equation.call.chain if equation.call is not None else ():
            alone = call not in outer and not call.iteration and (
                LEAST <= count[call] <= MOST * total)
            if call in equal or alone:
                found[equation.array] = call
                break
    return found, {f"call {c.number}": text for c, text in equal.items()}


def _key(
    array: str, component: Mapping[str, str], calls: Mapping[str, Call], opened: set[str]
) -> str:
    """One name for all arrays of a recurrence, one for those of a call, else its own."""
    if array in component:
        return component[array]
    key = f"call {calls[array].number}" if array in calls else array
    return array if key in opened else key


def _joined(
    own: Mapping[str, str], equations: Iterable[Equation], texts: Mapping[str, str]
) -> dict[str, str]:
    """Equal calls as one, where nothing then reads itself by way of others."""
    result = dict(own)
    for text in dict.fromkeys(texts.values()):
        several = {k for k, t in texts.items() if t == text} & set(own.values())
        if len(several) > 1:
            first = min(several, key=lambda k: int(k.split()[1]))
            attempt = {a: first if k in several else k for a, k in result.items()}
            if first not in _circle(attempt, equations):
                result = attempt
    return result


def _circle(own: Mapping[str, str], equations: Iterable[Equation]) -> set[str]:
    """The groups that read each other in a circle."""
    reads: dict[str, set[str]] = {key: set() for key in own.values()}
    for equation in equations:
        reads[own[equation.array]] |= {own[a] for a in equation.reads if a in own}
    for key, behind in reads.items():
        behind.discard(key)
    done: set[str] = set()
    while ready := {k for k, behind in reads.items() if k not in done and behind <= done}:
        done |= ready
    left = set(reads) - done
    while last := {k for k in left if not any(k in reads[o] for o in left if o != k)}:
        left -= last
    return left


def _made(
    joined: Mapping[str, str], own: Mapping[str, str], equations: Iterable[Equation],
    component: Mapping[str, str], calls: Mapping[str, Call],
) -> dict[str, Group]:
    members: dict[str, list[str]] = {}
    for equation in equations:
        members.setdefault(joined[equation.array], []).append(equation.array)
    steps = {e.array: e.indices[0].size for e in equations if e.indices}
    made = {}
    for key, arrays in members.items():
        names = ["turn of a loop" if calls[a].iteration else calls[a].function
                 for a in arrays if a in calls]
        made[key] = Group(
            key=key, arrays=tuple(arrays),
            function=names[0] if names and key.startswith(("call", "loop")) else "",
            count=len({own[a] for a in arrays}),
            loop=next((steps[a] for a in arrays if a in component), None))
    return {array: made[key] for array, key in joined.items()}
