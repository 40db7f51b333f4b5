"""What a sum does not run over stands outside of it, and the sum has a name.

In: the drafts of a trace, merged. Out: the same drafts, with one more for every sum that was
multiplied by something free of its indices which has a gradient:

    L = Σ_n g x[n]                      ->  L_sum = Σ_n x[n],         L = g L_sum
    z[n] = Σ_k a b X[n,k] w[k]          ->  z_dot = Σ_k X[n,k] w[k],  z = a b z_dot

The gradients of g, a and b need the sum without them; it could be had from L only by a division
by what may be zero. Whoever writes g * np.sum(x) gets the same equations. A bracket under the sum
goes on guarding what may be infinite: Σ_n [c[n]] x[n]/g stays whole, of Σ_n [g ≠ 0] x[n]/g the
bracket stands outside too.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from fractions import Fraction

from symprop.algebra.build import access, idx, substitute_term
from symprop.algebra.expr import (
    Access,
    Atom,
    Exponent,
    Expr,
    Index,
    Iverson,
    Size,
    Term,
    arrays_of,
    free_indices,
    indices_of,
)
from symprop.system import Equation, cycles
from symprop.trace.related import contracts
from symprop.trace.tracer import PROVISIONAL, Draft, Tracer


def name_sums(drafts: Sequence[Draft], tracer: Tracer, wrt: Set[str]) -> list[Draft]:
    """The drafts with a new one before each in which a factor stood under a sum not its own."""
    inside = cycles([Equation("", d.array, d.indices, d.rhs) for d in drafts])
    moving = set(wrt)  # what has a gradient
    result: list[Draft] = []
    for draft in drafts:
        if draft.kind == "float" and draft.array not in inside:
            terms = []
            for term in draft.rhs.terms:
                name = _named(term, draft, tracer, moving)
                if name is not None:
                    result.append(name[0])
                terms.append(term if name is None else name[1])
            draft.rhs = Expr(tuple(terms))
        if draft.array in inside or not moving.isdisjoint(draft.reads):
            moving.add(draft.array)
        result.append(draft)
    return result


def _named(
    term: Term, reader: Draft, tracer: Tracer, moving: Set[str]
) -> tuple[Draft, Term] | None:
    """A draft for the sum of a term, and the term that reads it; None where it is one already."""
    bound = frozenset(term.bound)
    guards = [a for a, _ in term.factors
              if isinstance(a, Iverson) and any(map(arrays_of, a.children))]
    inside = any(indices_of(a) & bound for a in guards)
    outer = [(a, e) for a, e in term.factors
             if not indices_of(a) & bound and not isinstance(a, Iverson)
             and not (inside and _is_sharp(a, e))]
    inner = [(a, e) for a, e in term.factors if (a, e) not in outer]
    if not bound or not inner or not any(_has_gradient(a, moving) for a, _ in outer):
        return None
    whole = Term(Fraction(1), tuple(inner), term.bound)
    free = free_indices(Expr((whole,)))
    indices = [i for i in reader.indices if i in free]
    if len(indices) < len(free) or not any(_has_gradient(a, None) for a, _ in inner):
        return None
    fresh = {i: Index(i.letter, i.size) for i in indices}
    rhs = substitute_term(whole, {i: idx(f) for i, f in fresh.items()})
    array = f"{PROVISIONAL}{len(tracer.drafts) + 1}"
    op = "matmul" if contracts(whole) else "sum"
    draft = Draft(array, tuple(fresh.values()), rhs, "float", op, reader.source,
                  call=reader.call)
    tracer.drafts[array] = draft
    name = access(array, [idx(i) for i in indices]).terms[0].factors
    kept = [(a, 1) for a in guards] if any(_is_sharp(a, e) for a, e in outer) else []
    return draft, Term(term.coef, (*kept, *outer, *name))


def _is_sharp(item: Atom, exponent: Exponent) -> bool:
    """Whether a factor may be infinite, or no number, where what it reads is finite."""
    if isinstance(item, Size):
        return False
    return not isinstance(item, Access) or not isinstance(exponent, int) or exponent < 0


def _has_gradient(item: Atom, moving: Set[str] | None) -> bool:
    """Whether a factor reads an array, one that has a gradient where these are told."""
    if isinstance(item, Size | Iverson):
        return False
    read = arrays_of(Expr((Term(Fraction(1), ((item, 1),)),)))
    return bool(read) if moving is None else not moving.isdisjoint(read)
