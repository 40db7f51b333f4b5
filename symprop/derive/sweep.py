"""The reverse sweep: one adjoint equation for every array between the loss and the wrt.

In: a System. Out: draft adjoints in sweep order, each with its chain rule, the local
derivatives by SymPy, and its first simplification.

    V̄[p] = Σ over equations U that read V, Σ_u  Ū[u] ∂U[u]/∂V[p]
"""

from __future__ import annotations

from dataclasses import dataclass, field

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
from symprop.derive.simplify import Trail, shortened
from symprop.system import Array, Equation, System


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

    @property
    def array(self) -> str:
        """The adjoint's array name."""
        return adjoint(self.primal)

    @property
    def rhs(self) -> Expr:
        """The right-hand side as it stands."""
        return self.trail.expr


def needed(system: System) -> list[str]:
    """The arrays between a wrt array and the loss, in the order of the sweep.

    An array comes after every equation that reads it; a wrt array at once after the last.
    """
    depends = _closure(system.equations, set(system.wrt), forward=True)
    reaches = _closure(tuple(reversed(system.equations)), {system.loss}, forward=False)
    live = [e for e in system.equations if e.array in depends and e.array in reaches]
    first_reader: dict[str, str] = {}
    for equation in live:
        for array in equation.reads:
            first_reader.setdefault(array, equation.array)
    order = []
    for equation in reversed(live):
        order.append(equation.array)
        order.extend(w for w in system.wrt if first_reader.get(w) == equation.array)
    return [*order, *(w for w in system.wrt if w not in first_reader)]


def _closure(equations: tuple[Equation, ...], names: set[str], forward: bool) -> set[str]:
    """The arrays that depend on `names`, or on which they depend; recurrences included."""
    size = -1
    while size != len(names):
        size = len(names)
        for equation in equations:
            if forward and any(a in names for a in equation.reads):
                names.add(equation.array)
            elif not forward and equation.array in names:
                names.update(equation.reads)
    return names


def sweep(system: System, known: Definitions) -> list[Draft]:
    """The adjoint of every needed array, the loss first."""
    order = needed(system)
    wanted = frozenset(order)
    readers: dict[str, list[Equation]] = {}
    for equation in system.equations:
        for array in equation.reads:
            if array in wanted and equation.array in wanted and array not in known.integers:
                readers.setdefault(array, []).append(equation)
    drafts = []
    for k, primal in enumerate(order):
        draft = _adjoint_of(system, f"B{k + 1}", primal, readers.get(primal, []))
        if primal != system.loss:
            draft.trail = shortened(draft.trail, known)
        drafts.append(draft)
    return drafts


def _adjoint_of(system: System, number: str, primal: str, readers: list[Equation]) -> Draft:
    indices = _indices(system, primal)
    if primal == system.loss:
        return Draft(number, primal, indices, Trail(number, ONE), ())
    position = tuple(idx(i) for i in indices)
    chain, worked = [], []
    for equation in reversed(readers):
        u = tuple(Index(i.letter, i.size) for i in equation.indices)
        at = tuple(idx(i) for i in u)
        above = atom(Access(adjoint(equation.array), at))
        partial = Partial(Access(equation.array, at), Access(primal, position))
        chain.append(sum_over(mul(above, atom(partial)), u))
        rhs = instantiate(equation.indices, equation.rhs, at)
        derivative = local_derivative(rhs, Access(primal, position))
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
