"""Sums of products that several equations have, worked out once.

In: the equations of forward or of backward, in order. Out: the same, where a sum that is an
entry of another equation's array is read from there, and one that several have is an array.

    dL[d,i] = Σ_n dz[n,d] c[n,i]
    de[d] = Σ_n dz[n,d] c[n,d]            de[d] = dL[d,d]

    da[k] = Σ_n p[n,k] - N q[k]           da_sum[k] = Σ_n p[n,k], and
    db[k] = e[k] Σ_n p[n,k]               da[k] = da_sum[k] - N q[k], db[k] = e[k] da_sum[k]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TypeVar

from symprop.algebra.build import access, idx
from symprop.algebra.expr import Access, Expr, Index, Term
from symprop.lower.hoist import MADE, Hoist, are_floats
from symprop.lower.sums import Part, alone, every_part, matched, with_parts
from symprop.system import Adjoint, Equation, cycles

Kind = TypeVar("Kind", bound=Equation | Adjoint)
Either = Equation | Adjoint


def shared_sums(equations: Sequence[Kind], hoist: Hoist) -> tuple[Equation | Kind, ...]:
    """The equations, each sum worked out once."""
    groups = cycles(equations)
    found: list[Equation | Kind] = list(equations)
    known = {e.array: part for e in equations if e.array not in groups
             and are_floats(hoist, (e.array, *e.reads))
            and (part := alone(e.rhs.terms)) is not None and _fills(e, part)}
    own = {e.array: e for e in equations}
    for k, equation in enumerate(equations):
        if equation.array in groups:
            continue

        def read(part: Part, equation: Kind = equation) -> Access | None:
            for array, pattern in known.items():
                at = None if array == equation.array else matched(pattern, part)
                if at is not None and not _needs(array, equation.array, own):
                    return _entry(own[array].indices, array, at)
            return None

        rhs = with_parts(equation.rhs, read)
        if rhs is not equation.rhs:
            found[k] = own[equation.array] = replace(equation, rhs=rhs)
            known.pop(equation.array, None)
    return _made_once(found, {*groups}, hoist)


def _fills(equation: Either, part: Part) -> bool:
    """Whether the part has all indices of its equation, but for those of axes of size 1."""
    return {i for i in equation.indices if i.size.number != 1} == set(part.free)


def _needs(array: str, other: str, own: Mapping[str, Either]) -> bool:
    """Whether an array is worked out from another one."""
    seen, todo = set(), [array]
    while todo:
        name = todo.pop()
        if name == other:
            return True
        if name in own and name not in seen:
            seen.add(name)
            todo += own[name].reads
    return False


def _entry(indices: Sequence[Index], array: str, at: Mapping[Index, Index]) -> Access:
    read = access(array, [idx(at[i]) if i in at else idx(i) for i in indices]).single_atom
    assert isinstance(read, Access)
    return read


def _alike(one: Part, other: Part) -> bool:
    """Whether two sums are the same, index for index."""
    at = matched(one, other)
    return at is not None and len({at[i] for i in one.free}) == len(one.free)


def _whole(part: Part) -> Expr:
    return Expr((Term(Fraction(1), part.factors, part.bound),))


def _made_once(
    equations: Sequence[Equation | Kind], groups: set[str], hoist: Hoist
) -> tuple[Equation | Kind, ...]:
    """Sums that several equations have, as arrays before the first of them."""
    first: list[tuple[Part, str]] = []
    often: list[Part] = []
    for equation in equations:
        for part in every_part(equation.rhs) if equation.array not in groups else ():
            if alone(equation.rhs.terms) == part or not are_floats(
                    hoist, (a.array for a, _ in part.factors)):
                continue
            earlier = next((p for p, array in first if array != equation.array
                            and _alike(p, part)), None)
            if earlier is None:
                first.append((part, equation.array))
            elif earlier not in often:
                often.append(earlier)
    arrays: dict[int, str] = {}
    found: list[Equation | Kind] = []
    for equation in equations:

        def read(part: Part, equation: Equation | Kind = equation) -> Access | None:
            for k, pattern in enumerate(often):
                at = matched(pattern, part) if _alike(pattern, part) else None
                if at is None:
                    continue
                if k not in arrays:
                    arrays[k] = hoist.array(equation, "sum", pattern.free)
                    hoist.new.append(Equation(
                        equation.number, arrays[k], pattern.free, _whole(pattern), role=MADE))
                return _entry(pattern.free, arrays[k], at)
            return None

        if equation.array not in groups:
            rhs = with_parts(equation.rhs, read)
            equation = equation if rhs is equation.rhs else replace(equation, rhs=rhs)
        found += [*hoist.new, equation]
        hoist.new.clear()
    return tuple(found)
