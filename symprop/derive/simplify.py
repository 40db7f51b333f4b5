"""Simplification of one adjoint: two candidates, the cheaper one stays.

In: an expression, the `Knowledge` of its system. Out: an equal expression that costs no
more, with every move as a recorded line.

    light   sift, settle, fold functions to kept values, fold sums, collect
    heavy   multiply out, expand monomials to their basis, fold sums, cancel,
            try definitions of several terms, fold monomials, factor, fold sums of terms
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import combinations

from symprop.algebra.canonical import collect, same
from symprop.algebra.expr import Expr, Index, Iverson, Paren, arrays_of, indices_of
from symprop.derive.adjugate import fold_cofactors
from symprop.derive.cost import cost
from symprop.derive.fold import (
    Moved,
    fold_functions,
    fold_monomials,
    fold_several,
    fold_sums,
    inline_definition,
    opened,
)
from symprop.derive.gather import fold_groups, merge_cases
from symprop.derive.knowledge import Knowledge
from symprop.derive.present import factor
from symprop.derive.relations import divided, mirrored, multiplied_out, turned
from symprop.derive.sift import sift
from symprop.derive.symmetry import symmetrised
from symprop.system import Equation, Step

_TERM_LIMIT = 24
_FACTOR_LIMIT = 48  # of a term: a product of so many entries has a name
_TOGETHER = 3


@dataclass
class Trail:
    """The expression as it stands and the steps that led to it."""

    equation: str
    expr: Expr
    steps: list[Step] = field(default_factory=list)
    implicit: bool = False  # the left-hand side is one of the terms, and must stay there

    def move(self, rule: str, move: Callable[[Expr], Expr | Moved]) -> bool:
        """Applies a move; records a step when it changed something."""
        result = move(self.expr)
        after, because = result if isinstance(result, tuple) else (result, ())
        if after.key == self.expr.key:
            return False
        if set(after.arrays) == set(self.expr.arrays) and same(after, self.expr):
            self.expr = after  # only the order or a position's form is another
            return False
        if rule == "sifting" and _counts(self.expr, after):
            rule = "constant summand"
        self.steps.append(Step(self.equation, rule, self.expr, after, because))
        self.expr = after
        return True

    def depart(self, rule: str, after: Expr) -> None:
        """Records where a learning rule leaves the gradient: what follows is not equal."""
        self.steps.append(Step(self.equation, rule, self.expr, after, departs=True))
        self.expr = after

    def present(self, order: Callable[[Expr], Expr]) -> None:
        """Puts the last line into reading order: an order of factors is not a step."""
        self.expr = order(self.expr)
        if self.steps:
            last = self.steps[-1]
            self.steps[-1] = replace(last, after=self.expr)

    def copy(self) -> Trail:
        """An independent trail that starts where this one stands."""
        return Trail(self.equation, self.expr, list(self.steps), self.implicit)


def _counts(before: Expr, after: Expr) -> bool:
    """Whether no delta was there, and a sum over nothing that depends on its index is gone."""
    delta = any(isinstance(a, Iverson) and a.relation == "==" for a in before.atoms)
    return not delta and len(bound_indices(after)) < len(bound_indices(before))


def bound_indices(expr: Expr) -> list[Index]:
    """The indices that sums run over, those inside of parentheses included."""
    terms = [*expr.terms, *(t for a in expr.atoms if isinstance(a, Paren) for t in a.body.terms)]
    return [b for t in terms for b in t.bound]


def shortened(trail: Trail, known: Knowledge) -> Trail:
    """The trail continued to the cheapest form found."""
    light(trail, known)
    if known.inert(trail.expr) and not _sums_a_sum(trail.expr) and (
            mirrored(trail.expr) is trail.expr):
        return trail
    other = heavy(trail.copy(), known)
    return other if cost(other.expr) < cost(trail.expr) else trail


def lightened(trail: Trail, known: Knowledge) -> Trail:
    """The trail continued by the moves that take no definition apart.

    In X̄ = G + X̄ - Aᵀ X̄, with A = I + K opened, nothing would be left to solve for X̄.
    """
    light(trail, known)
    return trail


def settled(trail: Trail, known: Knowledge) -> Trail:
    """The last touch, once nothing is inserted any more."""
    trail.move("factor", factor)
    trail.move("fold", lambda e: fold_several(e, known))
    return trail


def _sums_a_sum(expr: Expr) -> bool:
    """Whether Σ (a - b) stands somewhere: one of its parts may have a name, or collapse."""
    return any(
        isinstance(a, Paren) and indices_of(a) & frozenset(t.bound)
        for t in expr.terms if t.bound for a, _ in t.factors)


def light(trail: Trail, known: Knowledge) -> None:
    """The moves that never make anything larger."""
    trail.move("cofactors", lambda e: fold_cofactors(e, known))
    trail.move("kept value", lambda e: fold_functions(e, known))
    trail.move("sifting", lambda e: sift(e, known.inside))
    trail.move("fold", lambda e: fold_sums(e, known))
    trail.move("fold", lambda e: fold_several(e, known))
    # Σ_n 1/N, once what depended on n has a name
    trail.move("sifting", lambda e: sift(e, known.inside))
    trail.move("symmetry", lambda e: symmetrised(e, known))
    trail.move("collect", collect)
    trail.move("cases", merge_cases)


def heavy(trail: Trail, known: Knowledge) -> Trail:
    """Expand everything, cancel, fold back."""
    trail.move("mirror", mirrored)
    trail.move("multiply out", multiplied_out)
    if len(trail.expr.terms) > _TERM_LIMIT:
        return trail
    trail.move("sifting", lambda e: sift(e, known.inside))
    trail.move("expand", lambda e: _to_basis(e, known))
    if any(len(t.factors) > _FACTOR_LIMIT for t in trail.expr.terms):
        return trail
    trail.move("sifting", lambda e: sift(e, known.inside))
    trail.move("fold", lambda e: fold_sums(e, known))
    trail.move("expand", lambda e: _to_basis(e, known))
    trail.move("cancel", collect)
    _try_definitions(trail, known)
    if _try_relations(trail, known):
        trail.move("fold", lambda e: fold_groups(e, known))
        _try_definitions(trail, known, pairs=True)
    trail.move("fold", lambda e: fold_groups(e, known))
    trail.move("fold", lambda e: fold_monomials(e, known))
    trail.move("collect", collect)
    trail.move("fold", lambda e: fold_sums(e, known))
    trail.move("sifting", lambda e: sift(e, known.inside))
    trail.move("collect", collect)
    trail.move("factor", factor)
    trail.move("fold", lambda e: fold_several(e, known))
    return trail


def _to_basis(expr: Expr, known: Knowledge) -> Moved:
    return known.to_basis(expr), known.leads(expr)


def _try_definitions(trail: Trail, known: Knowledge, pairs: bool = False) -> None:
    """Definitions of several terms, opened one at a time where that makes the whole cheaper.

    A few are tried all together too, and with `pairs` every two of them.
    """
    found = [d for a in arrays_of(trail.expr) if (d := known.opens(a)) is not None]
    groups: list[tuple[Equation, ...]] = [(d,) for d in found]
    if 1 < len(found) <= _TOGETHER:
        groups += [*(combinations(found, 2) if pairs else ()), tuple(found)]
    least = _settled_cost(trail.expr, known) if groups else 0.0
    for group in groups:
        tried = trail.copy()
        for equation in group:
            tried.move("expand", lambda e, d=equation: (  # type: ignore[misc]
                inline_definition(e, d, known), (d.number,)))
        if len(tried.expr.terms) > _TERM_LIMIT:
            continue
        tried.move("expand", lambda e: _to_basis(e, known))
        tried.move("fold", lambda e: fold_sums(e, known))
        tried.move("cancel", lambda e: opened(e, known))
        settled_cost = _settled_cost(tried.expr, known)
        if settled_cost < least:
            least, trail.expr, trail.steps = settled_cost, tried.expr, tried.steps
    _open_sums(trail, known)


def _try_relations(trail: Trail, known: Knowledge) -> bool:
    """Definitions read the other way round, as long as that makes the whole cheaper."""
    changed = False
    while len(trail.expr.terms) <= _TERM_LIMIT:
        least, best = _settled_cost(trail.expr, known), None
        for rule, move in (("divide", divided), ("turn round", turned)):
            for value, because in move(trail.expr, known):
                based = known.to_basis(value) if rule == "turn round" else value
                cheaper = min(_settled_cost(value, known), _settled_cost(collect(based), known))
                if cheaper < least:
                    least, best = cheaper, (rule, value, because)
        if best is None:
            return changed
        rule, value, because = best
        trail.move(rule, lambda _, v=value, b=because: (v, b))  # type: ignore[misc]
        trail.move("expand", lambda e: _to_basis(e, known))
        trail.move("cancel", collect)
        changed = True
    return changed


def _settled_cost(expr: Expr, known: Knowledge) -> float:
    """The cost after folding: what an expansion is judged by."""
    grouped, _ = fold_groups(expr, known)
    folded, _ = fold_monomials(grouped, known)
    return cost(factor(collect(folded)))


def _open_sums(trail: Trail, known: Knowledge) -> None:
    """Inside one term: Σ c with c = x - μ becomes Σ x - Σ μ, which may be nothing."""
    for term in trail.expr.terms:
        if not term.bound or len(trail.expr.terms) > _TERM_LIMIT:
            continue
        alone = Expr((term,))
        for array in arrays_of(alone):
            equation = known.opens(array)
            if equation is None:
                continue
            value = inline_definition(alone, equation, known)
            based, because = _to_basis(value, known)
            value, folded = fold_sums(based, known)
            value = opened(value, known)
            if _settled_cost(value, known) >= _settled_cost(alone, known):
                continue
            reasons = tuple(dict.fromkeys((equation.number, *because, *folded)))
            trail.move("expand", lambda e, t=term, v=value, b=reasons: (  # type: ignore[misc]
                Expr(tuple(x for y in e.terms for x in (v.terms if y is t else (y,)))), b))
            break
