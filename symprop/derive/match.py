"""Matching a pattern with free index variables against an expression.

In: a pattern (the right-hand side of a definition), a target. Out: the positions that the
pattern's indices take, so that a definition can be folded back wherever it occurs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symprop.algebra.build import atom, idx
from symprop.algebra.canonical import same
from symprop.algebra.expr import (
    Access,
    Apply,
    Atom,
    Exponent,
    Expr,
    Extremum,
    Idx,
    Index,
    Iverson,
    Paren,
    Term,
    free_indices,
)

Env = dict[Index, Expr]
Factors = Sequence[tuple[Atom, Exponent]]


def match_expr(pattern: Expr, target: Expr, env: Env, variables: frozenset[Index]) -> Iterator[Env]:
    """Every way in which `pattern`, its variables replaced, is `target`."""
    single = pattern.single_index
    if single is not None and single in variables:
        known = env.get(single)
        if known is None:
            yield {**env, single: target}
        elif same(known, target):
            yield env
        return
    if not free_indices(pattern) & variables and not any(t.bound for t in pattern.terms):
        if same(pattern, target):
            yield env
        return
    if len(pattern.terms) == len(target.terms):
        yield from _match_terms(pattern.terms, target.terms, env, variables)


def _match_terms(
    patterns: Sequence[Term], targets: Sequence[Term], env: Env, variables: frozenset[Index]
) -> Iterator[Env]:
    if not patterns:
        yield env
        return
    for k, target in enumerate(targets):
        rest = [*targets[:k], *targets[k + 1:]]
        for found in match_term(patterns[0], target, env, variables):
            yield from _match_terms(patterns[1:], rest, found, variables)


def match_term(pattern: Term, target: Term, env: Env, variables: frozenset[Index]) -> Iterator[Env]:
    """A whole term: same coefficient, same factors, sums over the same number of indices."""
    if pattern.coef != target.coef or len(pattern.bound) != len(target.bound):
        return
    if len(pattern.factors) != len(target.factors):
        return
    inner = variables | frozenset(pattern.bound)
    for found, rest in match_factors(pattern.factors, target.factors, env, inner):
        if not rest and _bound_fits(pattern.bound, target.bound, found):
            yield found


def _bound_fits(pattern: Sequence[Index], target: Sequence[Index], env: Env) -> bool:
    """Whether the bound indices of a pattern run over those of the target, as far as they do."""
    images = [env[b].single_index if b in env else None for b in pattern]
    return len(set(images)) == len(images) and all(
        i is not None and i in target and same(i.size, b.size)
        for i, b in zip(images, pattern, strict=True))


def match_factors(
    patterns: Factors, targets: Factors, env: Env, variables: frozenset[Index]
) -> Iterator[tuple[Env, Factors]]:
    """Every way to find the pattern's factors among the targets; yields what is left over."""
    if not patterns:
        yield env, targets
        return
    (pattern, exponent), *others = patterns
    for k, (target, power) in enumerate(targets):
        if power != exponent:
            continue
        rest = [*targets[:k], *targets[k + 1:]]
        for found in match_atom(pattern, target, env, variables):
            yield from match_factors(others, rest, found, variables)


def match_atom(pattern: Atom, target: Atom, env: Env, variables: frozenset[Index]) -> Iterator[Env]:
    """Every way in which an atom of the pattern is the target's."""
    if isinstance(pattern, Idx):
        yield from match_expr(idx(pattern.index), atom(target), env, variables)
        return
    if type(pattern) is not type(target):
        return
    if isinstance(pattern, Access) and isinstance(target, Access):
        agree = pattern.array == target.array
    elif isinstance(pattern, Apply) and isinstance(target, Apply):
        agree = pattern.function == target.function
    elif isinstance(pattern, Iverson) and isinstance(target, Iverson):
        agree = pattern.relation == target.relation
    elif isinstance(pattern, Extremum) and isinstance(target, Extremum):
        agree = pattern.kind == target.kind and len(pattern.bound) == len(target.bound)
        variables = variables | frozenset(pattern.bound)
    elif isinstance(pattern, Paren):
        agree = True
    else:
        agree = pattern.key == target.key
    if agree and len(pattern.children) == len(target.children):
        for found in _match_children(pattern.children, target.children, env, variables):
            if not isinstance(pattern, Extremum) or not isinstance(target, Extremum) or (
                _bound_fits(pattern.bound, target.bound, found)
            ):
                yield found


def _match_children(
    patterns: Sequence[Expr], targets: Sequence[Expr], env: Env, variables: frozenset[Index]
) -> Iterator[Env]:
    if not patterns:
        yield env
        return
    for found in match_expr(patterns[0], targets[0], env, variables):
        yield from _match_children(patterns[1:], targets[1:], found, variables)

