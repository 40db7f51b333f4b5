"""Sums that another adjoint equation has worked out already.

In: the drafts of the sweep, absorbed. Out: the same drafts, in which an adjoint or a sum that
is the whole of an earlier adjoint has its name: in batch norm Σ_n ȳ h is the gradient of the gain.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from symprop.algebra.build import access, idx, make_term, mul, paren, power
from symprop.algebra.canonical import canonical
from symprop.algebra.expr import Access, Expr, Paren, Term
from symprop.derive.definitions import Definitions
from symprop.derive.fold import Moved, fold_sums
from symprop.derive.knowledge import Rule
from symprop.derive.present import arranged
from symprop.derive.sweep import Draft
from symprop.system import Equation


def share(drafts: list[Draft], barred: frozenset[str], known: Definitions) -> None:
    """Folds the sums of each adjoint that is computed into those before it."""
    filed: dict[str, list[Rule]] = {}  # by one of the arrays that the sum reads

    def named(arrays: frozenset[str]) -> list[Rule]:
        return [r for a in sorted(arrays) for r in filed.get(a, ()) if r.arrays <= arrays]

    found: dict[str, Draft] = {}  # by the right-hand side
    for draft in drafts:
        if draft.inlined or draft.array in barred:
            continue
        trail, before = draft.trail, len(draft.trail.steps)
        trail.move("fold", lambda e: _everywhere(e, lambda x: fold_sums(x, known, named)))
        if len(trail.steps) > before:
            trail.present(arranged)
        _same(draft, found)
        terms = draft.rhs.terms
        if len(terms) == 1 and terms[0].bound:
            for rule in known.sum_rules(
                    Equation(draft.number, draft.array, draft.indices, draft.rhs)):
                if rule.arrays:  # a sum of numbers alone needs no name
                    filed.setdefault(min(rule.arrays), []).append(rule)


def _same(draft: Draft, found: dict[str, Draft]) -> None:
    """An adjoint that equals an earlier one is called by its name."""
    labels = {i: f"f{k}" for k, i in enumerate(draft.indices)}
    sizes = ",".join(canonical(i.size) for i in draft.indices)
    first = found.setdefault(f"{sizes}:{canonical(draft.rhs, labels)}", draft)
    trivial = draft.rhs.number is not None or isinstance(draft.rhs.single_atom, Access)
    if first is not draft and not trivial:
        name = access(first.array, [idx(i) for i in draft.indices])
        draft.trail.move("fold", lambda _: (name, (first.number,)))


def _everywhere(expr: Expr, move: Callable[[Expr], Moved]) -> Moved:
    """A move on a sum and on the sums in its parentheses."""
    expr, because = move(expr)
    reasons = dict.fromkeys(because)
    terms: list[Term] = []
    for term in expr.terms:
        product = make_term(term.coef, {}, term.bound)
        for item, exponent in term.factors:
            factor = make_term(Fraction(1), {item: exponent})
            if isinstance(item, Paren):
                body, more = _everywhere(item.body, move)
                reasons.update(dict.fromkeys(more))
                factor = power(paren(body), exponent) if more else factor
            product = mul(product, factor)
        terms.extend(product.terms)
    return Expr(tuple(terms)), tuple(reasons)
