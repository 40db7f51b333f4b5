"""An adjoint equation put in the place of its name.

In: a user's trail, the draft to insert. Out: the trail continued, and simplified.
"""

from __future__ import annotations

from symprop.algebra.build import ONE, instantiate, make_term, mul, power
from symprop.algebra.expr import Access, Expr, arrays_of
from symprop.derive.definitions import Definitions
from symprop.derive.simplify import Trail, lightened, shortened
from symprop.derive.sweep import Draft


def insert(trail: Trail, draft: Draft, known: Definitions) -> Trail:
    """A user's trail with `draft` put in the place of its name, simplified."""
    result = trail.copy()
    result.move("insert", lambda e: (replace(e, draft), (draft.number,)))
    return known.memo.apply(lightened if trail.implicit else shortened, result, known)


def replace(expr: Expr, draft: Draft) -> Expr:
    """The adjoint's name replaced by its right-hand side; it is linear in every user."""
    terms = []
    for term in expr.terms:
        if draft.array not in arrays_of(Expr((term,))):
            terms.append(term)
            continue
        product = make_term(term.coef, {}, term.bound)
        for item, exponent in term.factors:
            if isinstance(item, Access) and item.array == draft.array:
                value = instantiate(draft.indices, draft.rhs, item.indices)
                product = mul(product, power(value, exponent))
            elif draft.array in arrays_of(make_term(ONE.terms[0].coef, {item: 1})):
                inner = replace(item.children[0], draft)
                product = mul(product, power(inner, exponent))
            else:
                product = mul(product, make_term(ONE.terms[0].coef, {item: exponent}))
        terms.extend(product.terms)
    return Expr(tuple(terms))
