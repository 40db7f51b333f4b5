"""Conditions: sums of disjoint products of brackets, each a strong zero where it is false.

In: traced arrays of any kind. Out: boolean traced arrays, and `where`.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from symprop.algebra.build import ONE, ZERO, add, atom, iverson, mul, negation, number
from symprop.algebra.expr import Expr, Iverson, Term
from symprop.errors import TraceError
from symprop.trace.coerce import as_traced
from symprop.trace.context import located
from symprop.trace.elementwise import checked, defined, named, pointwise, result_kind
from symprop.trace.pairs import expect_no_pairs
from symprop.trace.registry import function, ufunc
from symprop.trace.shapes_of import broadcast
from symprop.trace.tensor import Traced

_MOST_TERMS = 6
_RELATIONS = {"equal": "==", "not_equal": "!=", "less": "<", "less_equal": "<=",
              "greater": ">", "greater_equal": ">="}


def as_condition(value: Any) -> Traced:
    """Any array as a boolean one: `x != 0`."""
    array = as_traced(value)
    if array.kind == "bool":
        return array if _is_guarded(array.body) else _compared("!=", named(array), number(0))
    return pointwise((array, 0), lambda x, y: iverson("!=", x, y), "bool", "condition")


def is_mask(part: Any) -> bool:
    """Whether a part of a key is an array of truth values."""
    if isinstance(part, Traced):
        return part.kind == "bool" and part.ndim > 0
    plain = isinstance(part, np.ndarray) or (isinstance(part, list) and bool(part) and all(
        isinstance(p, bool | np.bool_) for p in part))
    return plain and np.asarray(part).dtype.kind == "b" and np.ndim(part) > 0


def _compared(relation: str, array: Traced, other: Expr) -> Traced:
    return Traced(array.tracer, array.axes, iverson(relation, array.body, other), "bool")


def _is_guarded(body: Expr) -> bool:
    """Whether a body is a sum of products of brackets (numbers 0 and 1 are)."""
    return len(body.terms) <= _MOST_TERMS and all(
        t.coef == 1 and not t.bound and all(isinstance(a, Iverson) for a, _ in t.factors)
        for t in body.terms)


def conjunction(left: Expr, right: Expr) -> Expr:
    """Both hold: every product of a case of each that can hold together."""
    both = add(*(mul(Expr((a,)), Expr((b,))) for a in left.terms for b in right.terms))
    return Expr(tuple(t for t in both.terms if _possible(t)))


def _possible(term: Term) -> bool:
    """Whether no bracket of a case is the opposite of another."""
    held = {a for a, _ in term.factors}
    return not any(isinstance(a, Iverson) and negation(a).single_atom in held for a in held)


def opposite(body: Expr) -> Expr:
    """Neither case holds, as disjoint cases."""
    return reduce(conjunction, (_opposite_of_case(t) for t in body.terms), ONE)


def _opposite_of_case(term: Term) -> Expr:
    cases: list[Expr] = []
    held = ONE
    for bracket, _ in term.factors:
        assert isinstance(bracket, Iverson)
        cases.append(mul(held, negation(bracket)))
        held = mul(held, atom(bracket))
    return add(*cases) if cases else ZERO


def disjunction(left: Expr, right: Expr) -> Expr:
    """At least one holds: the left, or the right where the left does not."""
    return add(left, conjunction(opposite(left), right))


def guarded(condition: Expr, value: Expr) -> Expr:
    """`value` where the condition holds and a strong 0 elsewhere."""
    return add(*(mul(Expr((case,)), value) for case in condition.terms))


def choice(condition: Expr, yes: Expr, no: Expr) -> Expr:
    """`yes` where the condition holds, else `no`."""
    return add(guarded(condition, yes), guarded(opposite(condition), no))


def _relation_handler(relation: str) -> Any:
    def compare(left: Any, right: Any, **options: Any) -> Traced:
        checked(options)
        return pointwise(
            (left, right), lambda x, y: iverson(relation, x, y), "bool", "comparison")

    compare.__doc__ = f"The bracket [x {relation} y]."
    return compare


for _name, _relation in _RELATIONS.items():
    ufunc(_name)(_relation_handler(_relation))
less, less_equal = _relation_handler("<"), _relation_handler("<=")


def _logical(left: Any, right: Any, build: Any) -> Traced:
    a, b = as_condition(left), as_condition(right)
    axes = broadcast((a, b), "logical operation")
    return defined(build(a.aligned(axes), b.aligned(axes)), axes, "bool", "condition")


@ufunc("logical_and")
def logical_and(left: Any, right: Any, **options: Any) -> Traced:
    """a and b."""
    checked(options)
    return _logical(left, right, conjunction)


@ufunc("logical_or")
def logical_or(left: Any, right: Any, **options: Any) -> Traced:
    """a or b."""
    checked(options)
    return _logical(left, right, disjunction)


@ufunc("logical_xor")
def logical_xor(left: Any, right: Any, **options: Any) -> Traced:
    """Exactly one of a and b."""
    checked(options)
    return _logical(left, right, lambda a, b: add(
        conjunction(a, opposite(b)), conjunction(opposite(a), b)))


@ufunc("logical_not")
def logical_not(value: Any, **options: Any) -> Traced:
    """Not a."""
    checked(options)
    array = as_condition(value)
    return defined(opposite(array.body), array.axes, "bool", "condition")


def _bitwise(name: str, handler: Any) -> Any:
    def apply(*operands: Any, **options: Any) -> Traced:
        if result_kind([as_traced(o) for o in operands]) != "bool":
            raise located(TraceError, f"np.{name} is traced for boolean arrays only")
        return handler(*operands, **options)  # type: ignore[no-any-return]

    apply.__doc__ = f"{handler.__doc__} Of truth values only."
    return apply


for _name, _handler in (("bitwise_and", logical_and), ("bitwise_or", logical_or),
                        ("bitwise_xor", logical_xor), ("invert", logical_not)):
    ufunc(_name)(_bitwise(_name, _handler))


@function("where")
def where(condition: Any, *branches: Any) -> Traced:
    """x where the condition holds, else y; nothing is read of the branch not taken."""
    if len(branches) != 2:
        raise located(TraceError, (
            "np.where with the condition alone gives places that depend on the numbers: it "
            "needs two branches, np.where(condition, x, y)"))
    mask = as_condition(condition)
    yes, no = (as_traced(b) for b in branches)
    axes = broadcast((mask, yes, no), "where")
    expect_no_pairs((mask, yes, no), "where")
    entries = (mask.aligned(axes), yes.aligned(axes), no.aligned(axes))
    return defined(choice(*entries), axes, result_kind((yes, no)), "where")
