"""Symmetric matrices: S[i,j] is S[j,i], where that makes two terms the same.

In: an expression, the `Knowledge` of its system. Out: the same value, with reads of symmetric
arrays turned so that `collect` merges terms: Σ_j H[k,j] x[j] + Σ_i H[i,k] x[i] is
2 Σ_j H[k,j] x[j].
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator

from symprop.algebra.build import idx, instantiate, map_accesses, merge_factors
from symprop.algebra.canonical import same, term_key
from symprop.algebra.expr import Access, Atom, Exponent, Expr, Term, arrays_of
from symprop.derive.fold import Moved
from symprop.derive.knowledge import Knowledge
from symprop.system import Equation


def symmetrised(expr: Expr, known: Knowledge) -> Moved:
    """Terms that read one symmetric array the other way round than an earlier one, turned."""
    if len(expr.terms) < 2:
        return expr, ()
    terms: list[Term] = []
    because: list[str] = []
    seen: set[str] = set()
    for term in expr.terms:
        found = term
        if term_key(term) not in seen:
            for item, other in turned(term):
                rule = known.symmetric(item.array) if term_key(other) in seen else None
                if rule is not None:
                    found = other
                    because += rule.because
                    break
        terms.append(found)
        seen.add(term_key(found))
    return Expr(tuple(terms)), tuple(dict.fromkeys(because))


def turned(term: Term) -> Iterator[tuple[Access, Term]]:
    """The term with one factor's last two positions exchanged, for each factor that has two."""
    for item, _ in term.factors:
        if isinstance(item, Access) and len(item.indices) > 1:
            *rest, row, column = item.indices
            new = Access(item.array, (*rest, column, row))
            factors: dict[Atom, Exponent] = {}
            merge_factors(factors, ((new if a is item else a, e) for a, e in term.factors))
            yield item, Term(term.coef, tuple(factors.items()), term.bound)


def evident(equation: Equation, symmetric: Callable[[str], bool]) -> bool:
    """Whether an array is symmetric in its last two axes by its own definition.

    symmetric: which of the arrays that it reads are.
    """
    if len(equation.indices) < 2:
        return False
    *rest, row, column = equation.indices
    if row.size != column.size:
        return False
    there = equation.rhs
    back = instantiate(equation.indices, there, [idx(i) for i in (*rest, column, row)])
    if same(back, there):
        return True
    found = {a for a in arrays_of(there) if a != equation.array and symmetric(a)}
    return bool(found) and same(_ordered(back, found), _ordered(there, found))


def _ordered(expr: Expr, symmetric: Container[str]) -> Expr:
    """The expression with the last two positions of symmetric arrays in one order."""
    def change(item: Access) -> Access:
        if item.array not in symmetric:
            return item
        *rest, row, column = item.indices
        first, second = sorted((row, column), key=lambda e: e.key)
        return Access(item.array, (*rest, first, second))

    return map_accesses(expr, change)
