"""The pass: what a function is of keeps the sign that its author gave it.

In: a system and the equations that were found to be rows. Out: the same, in which an unnamed
array that only such rows read is what they are of:

    z = -(w x),  a = σ(-z)     ->     z = w x,  a = σ(z)
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from symprop.algebra.build import atom, mul, number
from symprop.algebra.expr import Expr
from symprop.recognise.functions import Found
from symprop.recognise.pieces import X
from symprop.recognise.written import inserted, marks, scaled, within
from symprop.system import System


def keep_signs(system: System, found: tuple[Found, ...]) -> tuple[System, tuple[Found, ...]]:
    """The system with such arrays turned round, and what was found, of these."""
    by_array = {f.array: f for f in found}
    equations = {e.array: e for e in system.equations}
    readers: dict[str, list[str]] = {}
    for equation in system.equations:
        for array in equation.reads:
            readers.setdefault(array, []).append(equation.array)
    kept = {system.loss, *(a for _, a in system.outputs), *system.given,
            *(r.array for r in system.index_ranges)}
    for equation in system.equations:
        users = [by_array.get(r) for r in readers.get(equation.array, ())]
        scales = {f.hit.function.scale for f in users if f is not None}
        if None in users or len(scales) != 1 or equation.named or equation.array in kept:
            continue
        scale = scales.pop()
        if not _is_better(equation.rhs, scale) or any(
                within(equations[f.array].call) != within(equation.call)
                or f.entry.array != equation.array for f in users if f is not None):
            continue
        equations[equation.array] = replace(equation, rhs=_ordered(scaled(equation.rhs, scale)))
        for user in users:
            assert user is not None
            function = replace(user.hit.function, scale=Fraction(1))
            by_array[user.array] = replace(
                user, hit=replace(user.hit, function=function),
                written=inserted(user.written, {X: mul(number(1 / scale), atom(X))}))
            equations[user.array] = replace(
                equations[user.array], rhs=function.at(atom(user.entry)))
    return (replace(system, equations=tuple(equations[e.array] for e in system.equations)),
            tuple(by_array[f.array] for f in found))


def _is_better(rhs: Expr, scale: Fraction) -> bool:
    """Whether fewer signs and numbers stand there when the factor has gone into the array."""
    return scale != 1 and marks(scaled(rhs, scale)) <= marks(rhs) + 1


def _ordered(rhs: Expr) -> Expr:
    """A positive term first, where there is one."""
    first = next((t for t in rhs.terms if t.coef > 0), None)
    if first is None or first is rhs.terms[0]:
        return rhs
    return Expr((first, *(t for t in rhs.terms if t is not first)))

