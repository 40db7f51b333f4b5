"""A whole program: which equations run, in which order, in which loops, and what is saved.

In: a system and its adjoint equations. Out: a `Program`: the statements of forward,
backward and predict, and the arrays that backward reads.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TypeVar

from symprop.algebra.build import access, idx, make_term, mul, sub, substitute
from symprop.algebra.canonical import normal
from symprop.algebra.expr import (
    ADJOINT,
    Access,
    Expr,
    Index,
    Iverson,
    Paren,
    Term,
    adjoint,
    arrays_of,
)
from symprop.blocks.block import Block
from symprop.errors import UnsupportedError
from symprop.lower.hoist import MADE, hoisted
from symprop.lower.invoke import Stack
from symprop.lower.ir import Allocate, Loop, Statement, Write
from symprop.lower.layout import laid_out
from symprop.lower.once import once
from symprop.lower.scope import Scope, without_first
from symprop.lower.slides import COLUMNS, slid
from symprop.lower.statements import lower_equation
from symprop.system import Adjoint, Equation, System, cycles, departing, itself

Either = Equation | Adjoint
Kind = TypeVar("Kind", Equation, Adjoint)


@dataclass(frozen=True)
class Program:
    """What the generated module does."""

    system: System
    adjoints: tuple[Either, ...]  # those that are computed, with the loss's adjoint as factor
    margins: Mapping[str, Either]  # array -> the equation of the derivation, for the margin
    forward: tuple[Statement, ...]
    backward: tuple[Statement, ...]
    predict: tuple[Statement, ...]
    saved: tuple[str, ...]  # arrays that backward reads
    predict_inputs: tuple[str, ...]
    departing: Mapping[str, str]  # see `symprop.system.departing`
    lemmas: tuple[Pair, ...] = ()  # the blocks that it uses, each after those that it uses itself
    kept: tuple[str, ...] = ()  # the uses of blocks whose backward is called
    results: tuple[str, ...] = ()  # of a block: what forward returns
    stacks: tuple[Stack, ...] = ()  # arguments that loops alone read
    whole: Mapping[str, str] = field(default_factory=dict)  # arrays that are others as they stand
    skips: Mapping[int, frozenset[str]] = field(default_factory=dict)  # see lower/wanted.py
    style: str = "readable"  # or "fast": see lower/fast.py
    rename: Mapping[str, str] = field(default_factory=dict)  # other names in code

    @property
    def parts(self) -> tuple[Program, ...]:
        """The programs of the lemmas, and this one."""
        return (*(pair.program for pair in self.lemmas), self)


@dataclass(frozen=True)
class Pair:
    """A lemma as two functions: `program` has their statements."""

    number: int
    block: Block
    program: Program

    @property
    def seeds(self) -> tuple[str, ...]:
        """The results whose adjoints backward takes, by their names in the derivation."""
        return tuple(r for r in self.block.results if r in self.block.system.given)


def lower(system: System, adjoints: Sequence[Adjoint]) -> Program:
    """The program of a system and its adjoint equations."""
    added = {a.array for a in adjoints if a.role != "adjoint"}
    live: tuple[Adjoint, ...] = live_of(
        [seeded(a, system, added) for a in adjoints if not a.inlined and not is_given(a, system)],
        [adjoint(w) for w in system.wrt])
    margins: dict[str, Either] = {e.array: e for e in system.equations}
    margins.update((a.array, a) for a in live)
    system, equations, after = slid(system, system.equations, live)
    ends = (system.loss, *(a for _, a in system.outputs), *map(adjoint, system.wrt))
    system, equations, after, changed = once(system, equations, after, ends, margins)
    margins.update(changed)
    margins.update((e.array, e) for e in equations if e.role in (COLUMNS, MADE))
    saved = read_of(after)
    system, equations = hoisted(system, equations)
    system, backward = hoisted(replace(system, equations=equations), after)
    forward = live_of(equations, [system.loss, *saved])
    outputs = live_of(equations, [array for _, array in system.outputs])
    return Program(
        system=system,
        adjoints=backward,
        margins=margins,
        forward=statements(forward, system, {system.loss, *saved}),
        backward=statements(backward, system, {adjoint(w) for w in system.wrt}),
        predict=statements(outputs, system, {array for _, array in system.outputs}),
        saved=saved,
        predict_inputs=tuple(
            n for n, a in system.arrays.items() if a.kind == "input"
            and (any(n in e.reads for e in outputs) or n in [a for _, a in system.outputs])
        ),
        departing=departing(system, adjoints),
    )


def is_given(equation: Adjoint, system: System) -> bool:
    """Whether this is the loss's own adjoint, 1: `backward` is handed what stands for it."""
    return (equation.array == adjoint(system.loss) and equation.rhs.number == 1
            and system.loss not in system.wrt)


def seeded(equation: Adjoint, system: System, added: Container[str] = ()) -> Adjoint:
    """The adjoint times the loss's own adjoint, wherever no other adjoint carries it.

    The equations that a learning rule has `added` carry it without being linear in it.
    """
    if equation.array in added or any(a in added for a in equation.reads):
        return equation
    loss = adjoint(system.loss)
    rhs = equation.rhs if equation.array == loss else _seed(equation.rhs, loss)
    return replace(equation, rhs=rhs)


def _seed(expr: Expr, loss: str) -> Expr:
    terms: list[Term] = []
    for term in expr.terms:
        alone = Expr((term,))
        if not _has_adjoint(alone):
            terms.extend(mul(alone, access(loss)).terms)
            continue
        factors = {
            Paren(_seed(a.body, loss)) if isinstance(a, Paren) and _has_adjoint(a.body) else a: e
            for a, e in term.factors
        }
        product = make_term(term.coef, factors, term.bound)
        terms.extend(product.terms)
    return Expr(tuple(terms))


def _has_adjoint(expr: Expr) -> bool:
    return any(a.startswith(ADJOINT) for a in arrays_of(expr))


def live_of(equations: Iterable[Kind], roots: Iterable[str]) -> tuple[Kind, ...]:
    """The equations that the roots depend on, in order."""
    table = {e.array: e for e in equations}
    needed: set[str] = set()
    todo = list(roots)
    while todo:
        name = todo.pop()
        if name in table and name not in needed:
            needed.add(name)
            todo.extend(table[name].reads)
    return tuple(e for e in table.values() if e.array in needed)


def read_of(adjoints: Iterable[Either]) -> tuple[str, ...]:
    """The arrays of the forward pass that adjoint equations read, in order of first use."""
    own = {e.array for e in adjoints}
    found = dict.fromkeys(
        a for e in adjoints for a in e.reads if not a.startswith(ADJOINT) and a not in own)
    return tuple(found)


# ---- order and loops ------------------------------------------------------------------------


def statements(
    equations: Sequence[Either], system: System, kept: AbstractSet[str]
) -> tuple[Statement, ...]:
    """The statements of equations; those of a recurrence stand together in a loop.

    kept: the arrays that are wanted whole.
    """
    groups = cycles(equations)
    ends = (system.loss, *map(adjoint, system.wrt), *(a for _, a in system.outputs))
    laid = laid_out(equations, system, ends)
    result: list[Statement] = []
    for group in _ordered(equations, groups):
        if group[0].array in groups and (len(group) > 1 or itself(group[0]) is None):
            result.extend(_loop(group, system, _passing(group, equations, kept)))
        else:
            result.extend(lower_equation(group[0], Scope(system, laid=laid)))
    return tuple(result)


def _ordered(equations: Sequence[Either], groups: Mapping[str, int]) -> list[list[Either]]:
    """Groups of equations, each after all that it reads, otherwise in the given order."""
    by_key: dict[str, list[Either]] = {}
    key_of = {e.array: f"loop {groups[e.array]}" if e.array in groups else e.array
              for e in equations}
    for equation in equations:
        by_key.setdefault(key_of[equation.array], []).append(equation)
    done: dict[str, None] = {}

    def visit(key: str) -> None:
        if key in done:
            return
        for member in by_key[key]:
            for array in member.reads:
                if array in key_of and key_of[array] != key:
                    visit(key_of[array])
        done[key] = None

    for key in by_key:
        visit(key)
    return [by_key[key] for key in done]


def _passing(
    group: Sequence[Either], equations: Sequence[Either], kept: AbstractSet[str]
) -> frozenset[str]:
    """The arrays of a loop that are read in the step that makes them, and nowhere else."""
    members = {e.array for e in group}
    outside = {a for e in equations if e.array not in members for a in e.reads} | kept
    shifted = {a for e in group for a, shifts in _offsets(e, members).items() if any(shifts)}
    return frozenset(members - outside - shifted)


def _loop(group: Sequence[Either], system: System, passing: frozenset[str]) -> list[Statement]:
    """Allocations and one loop over axis 0 of the arrays of a recurrence."""
    members = {e.array for e in group}
    shared = group[0].indices[0]
    descending = _descends(group, members)
    body: list[Write] = []
    for equation in _in_step(group, members):
        turned = _renamed(equation, shared)
        turned = replace(turned, rhs=without_first(turned.rhs, passing))
        body.extend(lower_equation(turned, Scope(system, shared, passing)))
    allocations = [Allocate(e.array, tuple(i.size for i in e.indices)) for e in group
                   if e.array not in passing]
    return [*allocations, Loop(shared, descending, tuple(body))]


def _offsets(equation: Either, members: set[str]) -> dict[str, list[int]]:
    """How far each access to the recurrence lies from this equation's own position.

    What a bracket keeps before it, or behind it, is as the next: [j < n] L[j] is made before L[n].
    """
    own = equation.indices[0]
    found: dict[str, list[int]] = {}
    for read, brackets in _guarded(equation.rhs, ()):
        if read.array not in members:
            continue
        shift = normal(sub(read.indices[0], idx(own))).number
        if shift is None:
            shift = next((Fraction(way) for b in brackets for way in (-1, 1)
                          if b.relation == "<" and {
                              -1: (b.lhs, b.rhs), 1: (b.rhs, b.lhs)}[way] == (
                              read.indices[0], idx(own))), None)
        if shift is None or shift.denominator != 1:
            raise UnsupportedError(
                f"({equation.number}): {equation.array} reads {read.array} of its own recurrence "
                "at a position that is not its index plus a constant"
            )
        found.setdefault(read.array, []).append(int(shift))
    return found


def _guarded(
    expr: Expr, outer: tuple[Iverson, ...]
) -> Iterator[tuple[Access, tuple[Iverson, ...]]]:
    """Every access with the brackets that it is multiplied by."""
    for term in expr.terms:
        brackets = (*outer, *(a for a, _ in term.factors if isinstance(a, Iverson)))
        for atom, _ in term.factors:
            if isinstance(atom, Access):
                yield atom, brackets
            for part in atom.children:
                yield from _guarded(part, brackets)


def _descends(group: Sequence[Either], members: set[str]) -> bool:
    shifts = [s for e in group for several in _offsets(e, members).values() for s in several]
    if any(s > 0 for s in shifts) and any(s < 0 for s in shifts):
        raise UnsupportedError(
            f"({group[0].number}): the recurrence of {group[0].array} runs in both directions"
        )
    return any(s > 0 for s in shifts)


def _in_step(group: Sequence[Either], members: set[str]) -> list[Either]:
    """The equations in the order in which one step computes them."""
    table = {e.array: e for e in group}
    done: dict[str, Either] = {}

    def visit(array: str) -> None:
        if array in done:
            return
        for other, shifts in _offsets(table[array], members).items():
            if 0 in shifts and other != array:
                visit(other)
        done[array] = table[array]

    for array in table:
        visit(array)
    return list(done.values())


def _renamed(equation: Either, shared: Index) -> Either:
    """The equation with the loop's index as its first."""
    own = equation.indices[0]
    if own is shared:
        return equation
    from_own = {own: idx(shared)}
    return replace(equation, indices=(shared, *equation.indices[1:]),
                   rhs=substitute(equation.rhs, from_own))
