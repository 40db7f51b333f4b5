"""Piecewise expressions as sums of guarded branches.

In: a SymPy Piecewise. Out: its branches, each with a conjunction of relations, disjoint, so
that the sum of expr * [relations] is the Piecewise. A set of relations between the same two
sides is held as a subset of {<, ==, >}; intersecting subsets simplifies conjunctions exactly.
"""

from __future__ import annotations

import sympy
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Boolean, Not, Or

from symprop.errors import UnsupportedError

Pair = tuple[sympy.Expr, sympy.Expr]
Context = dict[Pair, int]  # what is known: for each pair of sides, which of <, ==, > may hold
Branch = tuple[sympy.Expr, tuple[Relational, ...]]

LESS, EQUAL, GREATER = 1, 2, 4
_ALL = LESS | EQUAL | GREATER
_RELATIONS = {
    LESS: sympy.StrictLessThan,
    LESS | EQUAL: sympy.LessThan,
    EQUAL: sympy.Equality,
    LESS | GREATER: sympy.Unequality,
    EQUAL | GREATER: sympy.GreaterThan,
    GREATER: sympy.StrictGreaterThan,
}
_MASKS = {relation: mask for mask, relation in _RELATIONS.items()}
_MIRROR = {1: 4, 4: 1, 3: 6, 6: 3, 2: 2, 5: 5}


def guards(piecewise: sympy.Piecewise) -> tuple[Branch, ...]:
    """The nonzero branches with their guards, disjoint and in order.

    Each guard is a conjunction of <, <=, ==, !=, >, >= (the empty one is true). Branches that
    are zero are left out. Raises UnsupportedError for any other kind of condition.

    >>> x = sympy.Symbol("x", real=True)
    >>> guards(sympy.Piecewise((x, x > 0), (-x, x < 0), (0, True)))
    ((x, (x > 0,)), (-x, (x < 0,)))
    """
    branches: list[Branch] = []
    remaining: list[Context] = [{}]
    for expr, condition in piecewise.args:
        later: list[Context] = []
        for context in remaining:
            inside, outside = _split(condition, context)
            later.extend(outside)
            if expr != 0:
                branches.extend((expr, _relations(found)) for found in inside)
        remaining = later
    return tuple(branches)


def _split(condition: Boolean, context: Context) -> tuple[list[Context], list[Context]]:
    """The disjoint parts of `context` in which `condition` holds and does not hold."""
    if condition in (sympy.true, True):
        return [context], []
    if condition in (sympy.false, False):
        return [], [context]
    if isinstance(condition, Not):
        inside, outside = _split(condition.args[0], context)
        return outside, inside
    if isinstance(condition, And | Or):
        return _split_many(condition, context)
    if not isinstance(condition, Relational):
        raise UnsupportedError(f"a Piecewise has the condition {condition}: only relations can be")
    pair, mask = _pair_and_mask(condition)
    parts = (_narrowed(context, pair, m) for m in (mask, _ALL ^ mask))
    inside_outside = [[part] if part is not None else [] for part in parts]
    return inside_outside[0], inside_outside[1]


def _split_many(condition: And | Or, context: Context) -> tuple[list[Context], list[Context]]:
    """`_split` for a conjunction, and by de Morgan for a disjunction."""
    going, done = [context], []
    for part in sorted(condition.args, key=sympy.default_sort_key):
        still: list[Context] = []
        for current in going:
            inside, outside = _split(part, current)
            if isinstance(condition, Or):
                inside, outside = outside, inside
            still.extend(inside)
            done.extend(outside)
        going = still
    return (done, going) if isinstance(condition, Or) else (going, done)


def _pair_and_mask(relation: Relational) -> tuple[Pair, int]:
    """The two sides in a fixed order, numbers right, and the allowed subset of {<, ==, >}."""
    left, right, mask = relation.lhs, relation.rhs, _MASKS[type(relation)]
    turned = left.is_number if left.is_number != right.is_number else (
        sympy.default_sort_key(left) > sympy.default_sort_key(right))
    return ((right, left), _MIRROR[mask]) if turned else ((left, right), mask)


def _narrowed(context: Context, pair: Pair, mask: int) -> Context | None:
    """The context with one more relation; None when that is impossible."""
    mask &= context.get(pair, _ALL)
    for (side, bound), known in context.items():
        if side == pair[0] and bound != pair[1] and bound.is_Rational and pair[1].is_Rational:
            mask &= _consequence(known, less=bool(bound < pair[1]))
    return {**context, pair: mask} if mask else None


def _consequence(known: int, less: bool) -> int:
    """What `side known bound` says of side against a larger (`less`) or smaller number."""
    if less:
        return _ALL if known & GREATER else LESS
    return _ALL if known & LESS else GREATER


def _relations(context: Context) -> tuple[Relational, ...]:
    """The context as relations, without those that the others imply."""
    kept = []
    for pair, mask in context.items():
        others = {p: m for p, m in context.items() if p != pair}
        implied = _ALL
        for (side, bound), known in others.items():
            if side == pair[0] and bound.is_Rational and pair[1].is_Rational:
                implied &= _consequence(known, less=bool(bound < pair[1]))
        if implied & ~mask:
            kept.append(_RELATIONS[mask](*pair, evaluate=False))
    return tuple(kept)
