"""From one operation an equation to equations as a textbook writes them.

In: the drafts of a trace. Out: fewer drafts. What has no name and is read once goes into its
reader, where that reader is linear in it and no work is repeated:

    P[n,h] = Σ_k X[n,k] W[k,h]         Z[n,h] = P[n,h] + b[h]     ->  Z = Σ_k X W + b
    S = Σ_n r[n]²                      L = S / N                  ->  L = Σ_n r² / N
    D = Σ_k A[n,k] W[k,h] - Y[n,h]     E = 2 D                    ->  E = 2 (Σ_k A W - Y)

Nothing goes across the border of a call but numbers and signs: what a helper takes and what it
returns stays an equation, whoever calls it. So gelu's product is not worked out again in every
gradient of the matrix product that reads it, and equal calls keep equal equations.

Products of three matrices stay two equations, extrema and functions whose derivative reads
their value (exp, tanh, roots) stay by themselves, and nothing that does not depend on a
recurrence goes into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from symprop.algebra.build import (
    ONE,
    add,
    as_monomial,
    instantiate,
    make_term,
    mul,
    paren,
    power,
    rebuild,
)
from symprop.algebra.expr import (
    Access,
    Apply,
    Atom,
    Exponent,
    Expr,
    Extremum,
    Index,
    Iverson,
    Paren,
    Size,
    Term,
    accesses,
    atoms_of,
    indices_of,
)
from symprop.system import Call, Equation, cycles
from symprop.trace.naming import CARRY
from symprop.trace.related import contracts
from symprop.trace.tracer import Draft

_CHEAP = ("log", "log1p", "abs", "sign", "floordiv", "mod", "inf")  # derivative without value


def merge(drafts: Sequence[Draft], keep: Iterable[str]) -> list[Draft]:
    """The drafts that are left; their right-hand sides are changed in place."""
    kept = set(keep)
    left = {d.array: d for d in drafts}
    component = cycles([Equation("", d.array, d.indices, d.rhs) for d in drafts])
    readers: dict[str, list[str]] = {d.array: [] for d in drafts}
    for draft in drafts:
        _note_reader(readers, draft)
    for draft in drafts:
        if draft.kind != "float" or draft.op == CARRY or draft.array in kept:
            continue
        if draft.name or draft.local or len(readers[draft.array]) != 1:
            continue
        reader = left[readers[draft.array][0]]
        if within(draft) is not within(reader) and not _is_scaled_copy(draft.rhs):
            continue
        inside = component.get(reader.array)
        if reader is draft or (inside is not None and component.get(draft.array) != inside):
            continue
        merged = _merged(draft, reader)
        if merged is not None:
            _forget_reader(readers, draft)
            _forget_reader(readers, reader)
            reader.rhs = merged
            _note_reader(readers, reader)
            del left[draft.array]
    return list(left.values())


def within(draft: Draft) -> Call | None:
    """The call of a function that made a draft: an iteration of a loop has no border."""
    return None if draft.call is None else draft.call.within


def _note_reader(readers: dict[str, list[str]], draft: Draft) -> None:
    """Lists a draft once for every time that it reads an array."""
    for access in accesses(draft.rhs):
        if access.array in readers:
            readers[access.array].append(draft.array)


def _forget_reader(readers: dict[str, list[str]], draft: Draft) -> None:
    for access in accesses(draft.rhs):
        if access.array in readers:
            readers[access.array].remove(draft.array)


def _merged(draft: Draft, reader: Draft) -> Expr | None:
    """The reader's right-hand side with the draft's in it; None where it is better named."""
    if _is_scaled_copy(draft.rhs):
        return _everywhere(reader.rhs, draft)
    terms: list[Expr] = []
    done = False
    for term in reader.rhs.terms:
        place = _place(term, draft.array)
        if place is None:
            terms.append(Expr((term,)))
            continue
        new = _into(term, place, draft, alone=len(reader.rhs.terms) == 1)
        if new is None:
            return None
        terms.append(new)
        done = True
    return add(*terms) if done else None


def _place(term: Term, array: str) -> tuple[Access, Exponent] | None:
    """The factor of a term that is an access to `array`, with its exponent."""
    for atom, exponent in term.factors:
        if isinstance(atom, Access) and atom.array == array:
            return atom, exponent
    return None


def _into(
    term: Term, place: tuple[Access, Exponent], draft: Draft, alone: bool
) -> Expr | None:
    """A term of the reader with the draft in place of the factor `place`."""
    access, exponent = place
    rhs = draft.rhs
    others = tuple((a, e) for a, e in term.factors if a is not access)
    bare = all(_only_sizes(a) for a, _ in others)
    positions = [p.single_index for p in access.indices]
    if any(p is None for p in positions):
        return None
    if len(rhs.terms) == 1:
        fits = _single_fits(rhs.terms[0], term, exponent, bare, alone) and not (
            contracts(term) and _is_product(
                instantiate(draft.indices, rhs, access.indices), term.bound))
    else:
        bound = any(t.bound for t in rhs.terms)
        guards = any(isinstance(a, Iverson) for t in rhs.terms for a, _ in t.factors)
        fits = exponent == 1 and bare and not (guards and term.bound) and not (
            bound and term.bound)
    if not fits:
        return None
    value = instantiate(draft.indices, rhs, access.indices)
    return _product(term, others, value, exponent, access)


def _single_fits(
    inner: Term, term: Term, exponent: Exponent, bare: bool, alone: bool
) -> bool:
    """Whether a definition of one term may stand as a factor of `term`."""
    kept = [a for a, _ in inner.factors if _is_kept(a)]
    if kept:
        return False
    if inner.bound:
        return exponent == 1 and bare
    rooted = any(not isinstance(e, int) for _, e in inner.factors)
    if rooted and not (bare and not term.bound and alone):
        return False
    if exponent == 1:
        return True
    return isinstance(exponent, int) and not any(
        isinstance(a, Iverson | Apply) for a, _ in inner.factors)


def _is_product(value: Expr, bound: Sequence[Index]) -> bool:
    """Whether a definition multiplies arrays that a contraction runs over.

    Each of their gradients needs the one of the product: it is worked out once, under a name.
    """
    over = frozenset(bound)
    return sum(isinstance(a, Access) and bool(indices_of(a) & over)
               for t in value.terms for a, _ in t.factors) > 1


def _is_kept(atom: Atom) -> bool:
    """Whether a factor's value is better kept under a name of its own."""
    if isinstance(atom, Extremum):
        return True
    return any(
        isinstance(a, Extremum) or (isinstance(a, Apply) and a.function not in _CHEAP)
        for a in atoms_of(atom) if not isinstance(a, Iverson))


def _only_sizes(atom: Atom) -> bool:
    return all(
        isinstance(a, Size | Paren)
        or (isinstance(a, Apply) and a.function in ("floordiv", "mod", "inf"))
        for a in atoms_of(atom))


def _product(
    term: Term, others: tuple[tuple[Atom, Exponent], ...], value: Expr, exponent: Exponent,
    access: Access,
) -> Expr:
    """The term with `value` where the access stood; several added terms stay flat."""
    if len(value.terms) > 1 and not others and not term.bound and abs(term.coef) == 1:
        return Expr(tuple(Term(t.coef * term.coef, t.factors, t.bound) for t in value.terms))
    inserted = as_monomial(power(value, exponent))
    factors: dict[Atom, Exponent] = {}
    for atom, e in term.factors:
        pairs = inserted.factors if atom is access else ((atom, e),)
        for a, x in pairs:
            total = 1 if isinstance(a, Iverson) else factors.get(a, 0) + x
            factors[a] = int(total) if total == int(total) else total
    return make_term(term.coef * inserted.coef, factors, (*term.bound, *inserted.bound))


# ---- copies with a factor -----------------------------------------------------------------


def _is_scaled_copy(rhs: Expr) -> bool:
    """Whether a definition is a number times sizes times one entry of one array."""
    if len(rhs.terms) != 1 or rhs.terms[0].bound:
        return False
    reads = [e for a, e in rhs.terms[0].factors if isinstance(a, Access)]
    rest = [a for a, _ in rhs.terms[0].factors if not isinstance(a, Access)]
    return reads == [1] and all(_only_sizes(a) for a in rest)


def _everywhere(expr: Expr, draft: Draft) -> Expr | None:
    """The definition put in place of every access to it, within functions too."""
    terms: list[Expr] = []
    for term in expr.terms:
        new = _in_term(term, draft)
        if new is None:
            return None
        terms.append(new)
    return add(*terms)


def _in_term(term: Term, draft: Draft) -> Expr | None:
    result: Expr = make_term(term.coef, {}, term.bound)
    for atom, exponent in term.factors:
        new = _in_atom(atom, draft)
        if new is None or (new.single_atom is not atom and not _may_scale(atom, exponent)):
            return None
        if new.single_atom is atom:
            result = mul(result, make_term(Fraction(1), {atom: exponent}))
        else:
            result = mul(result, power(new, exponent))
    return result


def _may_scale(atom: Atom, exponent: Exponent) -> bool:
    """Whether a factor may get a number: not under a root, not within an extremum."""
    return isinstance(exponent, int) and not isinstance(atom, Extremum)


def _in_atom(atom: Atom, draft: Draft) -> Expr | None:
    if isinstance(atom, Access) and atom.array == draft.array:
        return instantiate(draft.indices, draft.rhs, atom.indices)
    if not any(isinstance(a, Access) and a.array == draft.array for a in atoms_of(atom)):
        return make_term(Fraction(1), {atom: 1})
    children = [_everywhere(c, draft) for c in atom.children]
    if any(c is None for c in children):
        return None
    if isinstance(atom, Paren):
        return paren(children[0] or ONE)
    return rebuild(atom, tuple(c for c in children if c is not None))


def renamed(expr: Expr, names: dict[str, str]) -> Expr:
    """The expression with its arrays under their final names."""
    return Expr(tuple(
        Term(t.coef, tuple((_renamed_atom(a, names), e) for a, e in t.factors), t.bound)
        for t in expr.terms))


def _renamed_atom(atom: Atom, names: dict[str, str]) -> Atom:
    if isinstance(atom, Access):
        positions = tuple(renamed(i, names) for i in atom.indices)
        return Access(names.get(atom.array, atom.array), positions)
    if not atom.children:
        return atom
    new = rebuild(atom, tuple(renamed(c, names) for c in atom.children))
    return new.single_atom or atom

