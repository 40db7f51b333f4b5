"""The reverse sweep: one adjoint equation for every array between the loss and the wrt.

In: a System. Out: draft adjoints in sweep order, each with its chain rule, the local
derivatives by SymPy, and its first simplification.

    V̄[p] = Σ over equations U that read V, Σ_u  Ū[u] ∂U[u]/∂V[p]

Where a branch of the program that is not taken is all that reads U[u], the derivative may be
infinite or nan: a bracket says that those entries are no part of the sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from symprop.algebra.build import (
    ONE,
    ZERO,
    add,
    as_monomial,
    atom,
    idx,
    instantiate,
    mul,
    sum_over,
)
from symprop.algebra.expr import Access, Expr, Index, Partial, Size, adjoint
from symprop.algebra.sympy_bridge import local_derivative
from symprop.derive.definitions import Definitions
from symprop.derive.fold import fold_functions
from symprop.derive.regions import Branches
from symprop.derive.sift import sift
from symprop.derive.simplify import Trail, lightened, shortened
from symprop.system import Array, Equation, System, itself


@dataclass
class Draft:
    """An adjoint in the making."""

    number: str
    primal: str
    indices: tuple[Index, ...]
    trail: Trail
    sources: tuple[str, ...]
    absorbed: list[str] = field(default_factory=list)
    inlined: bool = False
    role: str = "adjoint"
    name: str = ""  # of an equation that a learning rule adds
    fixed: bool = False  # not linear in adjoints: it is not absorbed

    @property
    def array(self) -> str:
        """The adjoint's array name."""
        return self.name or adjoint(self.primal)

    @property
    def rhs(self) -> Expr:
        """The right-hand side as it stands."""
        return self.trail.expr


class LearningRule(Protocol):
    """Where adjoint equations depart from the gradient; symprop/rules holds those there are."""

    def added(self, primal: str, number: int) -> Iterable[Draft]:
        """The equations to put before the adjoint of `primal`, numbered from `number`."""

    def depart(self, draft: Draft) -> None:
        """Changes the adjoint where the rule says so, with a recorded step."""


def needed(system: System) -> list[str]:
    """The arrays between a wrt array and a loss, in the order of the sweep.

    An array comes after every equation that reads it; a wrt array at once after the last.
    """
    order = dict.fromkeys(_needed_for(system, {system.loss, *system.given}))
    for loss in system.departure.losses if system.departure else ():
        order |= dict.fromkeys(_needed_for(system, {loss}))
    return [*(a for a in order if a not in system.given),
            *(w for w in system.wrt if w not in order and w not in system.given)]


def differentiated(system: System, equation: Equation) -> tuple[str, ...]:
    """The arrays to which an equation passes its adjoint on."""
    if system.departure is None:
        return equation.reads
    detached = system.departure.detached
    return tuple(a for a in equation.reads if (equation.array, a) not in detached)


def _needed_for(system: System, ends: set[str]) -> list[str]:
    """`needed` for some ends, wrt arrays that do not reach them left out."""
    reads = {e.array: differentiated(system, e) for e in system.equations}
    depends = _closure(system.equations, reads, set(system.wrt), forward=True)
    reaches = _closure(tuple(reversed(system.equations)), reads, set(ends), forward=False)
    live = [e for e in system.equations if e.array in depends and e.array in reaches]
    first_reader: dict[str, str] = {}
    for equation in live:
        for array in reads[equation.array]:
            first_reader.setdefault(array, equation.array)
    read_first: dict[str, list[str]] = {}
    for w in system.wrt:
        if w in first_reader:
            read_first.setdefault(first_reader[w], []).append(w)
    order = []
    for equation in reversed(live):
        order += [equation.array, *read_first.get(equation.array, ())]
    return order


def _closure(
    equations: tuple[Equation, ...], reads: Mapping[str, tuple[str, ...]], names: set[str],
    forward: bool,
) -> set[str]:
    """The arrays that depend on `names`, or on which they depend; recurrences included."""
    size = -1
    while size != len(names):
        size = len(names)
        for equation in equations:
            if forward and any(a in names for a in reads[equation.array]):
                names.add(equation.array)
            elif not forward and equation.array in names:
                names.update(reads[equation.array])
    return names


def sweep(system: System, known: Definitions, rule: LearningRule | None = None) -> list[Draft]:
    """The adjoint of every needed array, the loss first."""
    order = needed(system)
    wanted = frozenset((*order, *system.given))
    readers: dict[str, list[Equation]] = {}
    for equation in system.equations:
        for array in differentiated(system, equation):
            if array in wanted and equation.array in wanted and array not in known.integers:
                readers.setdefault(array, []).append(equation)
    live = [e for e in system.equations if e.array in wanted]
    branches = Branches(live, system, [
        e.array for e in live if is_loss(system, e.array) or e.array in system.given])
    drafts: list[Draft] = []
    for primal in order:
        if rule is not None:
            drafts += rule.added(primal, len(drafts) + 1)
        number = f"B{len(drafts) + 1}"
        draft = _adjoint_of(system, number, primal, readers.get(primal, []), branches)
        if rule is not None:
            draft.trail.move("kept value", lambda e: fold_functions(e, known))
            draft.trail.move("sifting", lambda e: sift(e, known.inside))
            rule.depart(draft)
        if not is_loss(system, primal):
            own = system.equation(primal)
            draft.trail.implicit = own is not None and itself(own) is not None
            work = lightened if draft.trail.implicit else shortened
            draft.trail = known.memo.apply(work, draft.trail, known)
        known.derived(Equation(number, draft.array, draft.indices, draft.rhs))
        drafts.append(draft)
    return drafts


def is_loss(system: System, array: str) -> bool:
    """Whether an array is what is minimised: its adjoint is 1."""
    own = system.departure.losses if system.departure else ()
    return array == system.loss or array in own


def _adjoint_of(
    system: System, number: str, primal: str, readers: list[Equation], branches: Branches
) -> Draft:
    indices = _indices(system, primal)
    if is_loss(system, primal):
        return Draft(number, primal, indices, Trail(number, ONE), ())
    position = tuple(idx(i) for i in indices)
    chain, worked = [], []
    for equation in reversed(readers):
        u = tuple(Index(i.letter, i.size) for i in equation.indices)
        at = tuple(idx(i) for i in u)
        above = atom(Access(adjoint(equation.array), at))
        partial = Partial(Access(equation.array, at), Access(primal, position))
        rhs = instantiate(equation.indices, equation.rhs, at)
        derivative = local_derivative(rhs, Access(primal, position))
        above = mul(above, branches.guard(equation.array, derivative, at))
        chain.append(sum_over(mul(above, atom(partial)), u))
        worked.append(_contract(above, derivative, u))
    trail = Trail(number, Expr((as_monomial(atom(Access(adjoint(primal), position))),)))
    trail.move("chain rule", lambda _: add(*chain))
    trail.move("local derivative", lambda _: add(*worked))
    return Draft(number, primal, indices, trail, tuple(e.number for e in reversed(readers)))


def _contract(above: Expr, derivative: Expr, bound: tuple[Index, ...]) -> Expr:
    """Σ_u Ū[u] (t1 + t2 + ...) with one sum for each term, so that each can be sifted."""
    if derivative.is_zero:
        return ZERO
    pieces = []
    for term in derivative.terms:
        renamed = tuple(Index(b.letter, b.size) for b in bound)
        product = instantiate(bound, mul(above, Expr((term,))), [idx(i) for i in renamed])
        pieces.append(sum_over(product, renamed))
    return add(*pieces)


def _indices(system: System, primal: str) -> tuple[Index, ...]:
    equation = system.equation(primal)
    if equation is not None:
        return tuple(Index(i.letter, i.size) for i in equation.indices)
    array: Array = system.arrays[primal]
    return tuple(Index(letter(s), s) for s in array.shape)


def letter(size: Expr) -> str:
    """The letter that an axis gives to its index: the lowercase initial of its name."""
    for term in size.terms:
        for item, _ in term.factors:
            if isinstance(item, Size):
                return item.name[0].lower()
    return "i"
