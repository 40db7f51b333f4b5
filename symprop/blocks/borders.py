"""Which borders are opened: where what is handed across could be infinite for no reason.

In: a block and the derivations of those that it uses. Out: calls that are better written in place.
With p = softmax(z) in one helper and -log p[y] in another, the adjoint of p is -[m = y]/(N p), not
finite where p has underflowed, although z̄ = (p - [m = y])/N is. So where an adjoint divides by the
very result that it is of, its maker and its reader are derived in one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from symprop.algebra.expr import Access, Expr, arrays_of
from symprop.blocks.block import Block, Use
from symprop.derive.derivation import Derivation
from symprop.system import Adjoint, Call


def opened(block: Block, derivations: Mapping[int, Derivation]) -> frozenset[Call]:
    """The calls on both sides of such borders, within one block."""
    found: set[Call] = set()
    own = _adjoints(derivations[id(block)])
    for use in block.uses:
        for result in filter(None, use.results):
            if result in own and divides(own[result].rhs, result):
                found.add(use.call)
            for reader, port in _readers(block, result):
                handed = _adjoints(derivations[id(reader.block)]).get(port)
                if handed is not None and divides(handed.rhs, port):
                    found.update((use.call, reader.call))
    return frozenset(found)


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
