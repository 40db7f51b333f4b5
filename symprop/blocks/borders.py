"""Which borders are opened: where they cost, or what is handed across is infinite for no reason.

In: a block and the derivations of those that it uses. Out: calls that are better written in place.
An adjoint is pulled across a border where that saves two passes over a tensor or more (saving.py).
With p = softmax(z) in one helper and -log p[y] in another, the adjoint of p is -[m = y]/(N p), not
finite where p has underflowed, although z̄ = (p - [m = y])/N is. So where an adjoint divides by the
very result that it is of, its maker and its reader are derived in one. And with r = log(x) in one
helper and np.where(c, r, 0) in another, x̄ = r̄/x is 0/0 where x is 0 and c does not hold: only who
sees both knows that x̄ is nothing there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from symprop.algebra.build import idx
from symprop.algebra.expr import Access, Expr, Index, arrays_of
from symprop.algebra.sympy_bridge import local_derivative
from symprop.blocks.block import Block, Use
from symprop.blocks.saving import may_save, passes_saved
from symprop.derive.derivation import Derivation
from symprop.derive.memo import Memo
from symprop.derive.regions import Branches
from symprop.system import Adjoint, Call, Equation, System

PASSES = 2.0  # over a tensor: what a border may cost


def opened(
    block: Block, derivations: Mapping[int, Derivation], memo: Memo
) -> frozenset[Call]:
    """The calls on both sides of such borders, within one block.

    Not for what it saves alone where a side is a turn of a run: one turn would differ from others.
    """
    found: set[Call] = set()
    own = _adjoints(derivations[id(block)])
    turns = {id(use) for run in block.runs for use in run.uses}
    for use in block.uses:
        for mine, its in zip(use.results, use.block.results, strict=True):
            given = own.get(mine)
            if given is not None and (divides(given.rhs, mine) or (
                    id(use) not in turns and _costs(use, its, given, block.system, memo))):
                found.add(use.call)
            for reader, port in _readers(block, mine) if mine else ():
                handed = _adjoints(derivations[id(reader.block)]).get(port)
                if handed is not None and (divides(handed.rhs, port) or (
                        not {id(use), id(reader)} & turns
                        and _costs(use, its, handed, reader.block.system, memo))):
                    found.update((use.call, reader.call))
    made = {e.array for e in block.system.equations if not isinstance(e.rhs.single_atom, Access)}
    for array in made:
        for reader, port in _readers(block, array):
            handed = _adjoints(derivations[id(reader.block)]).get(port)
            if handed is not None and divides(handed.rhs, port):
                found.add(reader.call)
    return frozenset(found)


def _costs(use: Use, result: str, handed: Adjoint, reader: System, memo: Memo) -> bool:
    """Whether two passes or more are lost at a border."""
    return (result in use.block.system.given and may_save(handed.rhs)
            and passes_saved(use.block, result, handed, reader, memo) >= PASSES)


def guarded(system: System) -> frozenset[Call]:
    """The calls at borders of the flat system that branches reach across, for which it matters.

    An array counts that is read only where some brackets hold: where something that may be
    infinite, or have such a derivative, is read through it.
    """
    read = {system.loss, *(array for _, array in system.outputs)}
    branches = Branches(system.equations, system, read)
    partial = {e.array for e in system.equations if branches.regions[e.array].is_partial}
    found: set[Call] = set()
    across: set[str] = set()
    for equation in system.equations:
        for array in partial.intersection(equation.reads):
            sides = _calls(equation) ^ _calls(system.equation(array))
            found |= sides
            across |= {array} if sides else set()
    for equation in reversed(system.equations) if across else ():
        if equation.array in across:
            across.update(partial.intersection(equation.reads))
    may = (e for e in system.equations if e.array in across and _may_blow(e, system, branches))
    return frozenset(found) if next(may, None) is not None else frozenset()


def _calls(equation: Equation | None) -> frozenset[Call]:
    return frozenset(equation.call.chain) if equation and equation.call else frozenset()


def _may_blow(equation: Equation, system: System, branches: Branches) -> bool:
    """Whether an equation, or a derivative of it, may be infinite where what it reads is not."""
    if branches.may_blow(equation.rhs):
        return True
    floats = [a for a in equation.reads if system.arrays[a].dtype == "float"]
    return any(branches.may_blow(local_derivative(equation.rhs, Access(a, tuple(
        idx(Index("i", s)) for s in system.arrays[a].shape)))) for a in floats)


def divides(expr: Expr, array: str) -> bool:
    """Whether an array stands below the line."""
    for term in expr.terms:
        for item, exponent in term.factors:
            if exponent < 0 and array in arrays_of(Expr((type(term)(term.coef, ((item, 1),)),))):
                return True
            if not isinstance(item, Access) and any(divides(c, array) for c in item.children):
                return True
    return False


def _adjoints(derivation: Derivation) -> dict[str, Adjoint]:
    return {a.primal: a for a in derivation.adjoints}


def _readers(block: Block, result: str) -> Iterator[tuple[Use, str]]:
    """The uses that are handed a result, or a view of it, each with its port."""
    views = {result} | {e.array for e in block.system.equations
                        if e.array in block.system.given and result in e.reads}
    for use in block.uses:
        for argument, port in zip(use.arguments, use.block.ports, strict=True):
            if argument in views:
                yield use, port
