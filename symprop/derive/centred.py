"""What has its mean taken off adds up to nothing: Σ_n x̂[n] = 0, in place of the way through x.

In: the steps of an adjoint, which leave a centred array for what it was made of, and cancel. Out:
the same from one line to a later one, with the reason that a reader knows. Only lines that were
reached anyway are joined; each is verified as any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from symprop.algebra.build import instantiate, mul, sum_over
from symprop.algebra.canonical import collect, expand, same
from symprop.algebra.expr import Access, Expr, Index, Term, indices_of
from symprop.system import Equation, Step, System

RULE = "centred sum"


@dataclass(frozen=True)
class Centred:
    """An array that adds up to 0 over these axes together, and the equations that say so."""

    axes: tuple[int, ...]
    because: tuple[str, ...]


def centred(system: System) -> Mapping[str, Centred]:
    """The arrays whose sum over some axes is 0 by what the equations say."""
    known = system.__dict__.get("_centred")
    if known is None:
        known = system.__dict__["_centred"] = _centred(system)
    return known


def _centred(system: System) -> dict[str, Centred]:
    found: dict[str, Centred] = {}
    for equation in system.equations:
        own = _scaled(equation, found) or _without_its_mean(equation, system)
        if own is not None:
            found[equation.array] = own
    return found


def _without_its_mean(equation: Equation, system: System) -> Centred | None:
    """c = x - μ, where μ is the mean of x over the axes that it lacks."""
    terms = equation.rhs.terms
    lacking = [[i for i in equation.indices if i not in t.indices - {*t.bound}] for t in terms]
    means = [k for k, t in enumerate(terms) if lacking[k] and t.coef < 0]
    if len(terms) != 2 or len(means) != 1 or lacking[1 - means[0]]:
        return None
    mean, over = terms[means[0]], lacking[means[0]]
    sizes = [i.size for i in over]
    rest = sum_over(Expr((terms[1 - means[0]],)), over)
    axes = tuple(k for k, i in enumerate(equation.indices) if i in over)
    for opened, because in _readings(mean, system):
        total = expand(mul(*sizes, opened))
        if collect(Expr((*rest.terms, *total.terms))).is_zero:
            return Centred(axes, (*because, equation.number))
    return None


def _readings(mean: Term, system: System) -> Iterator[tuple[Expr, tuple[str, ...]]]:
    """A term, and what it is once a name in it is replaced by its definition."""
    yield Expr((mean,)), ()
    read = mean.factors[0][0] if _is_read(mean) else None
    named = system.equation(read.array) if isinstance(read, Access) else None
    if isinstance(read, Access) and named is not None:
        opened = instantiate(named.indices, named.rhs, read.indices)
        yield mul(Expr((Term(mean.coef),)), opened), (named.number,)


def _is_read(term: Term) -> bool:
    return len(term.factors) == 1 and isinstance(term.factors[0][0], Access) and (
        term.factors[0][1] == 1)


def _scaled(equation: Equation, found: Mapping[str, Centred]) -> Centred | None:
    """x̂ = c/s: what is centred, times what does not depend on the axes of the mean."""
    if len(equation.rhs.terms) != 1 or equation.rhs.terms[0].bound:
        return None
    for atom, exponent in equation.rhs.terms[0].factors:
        inner = found.get(atom.array) if isinstance(atom, Access) and exponent == 1 else None
        if inner is None or not isinstance(atom, Access):
            continue
        at = [p.single_index for p in atom.indices]
        over = {at[k] for k in inner.axes}
        others = [a for a, _ in equation.rhs.terms[0].factors if a is not atom]
        if None in at or len(set(at)) < len(at) or any(indices_of(a) & over for a in others):
            continue
        axes = tuple(k for k, i in enumerate(equation.indices) if i in over)
        return Centred(axes, (*inner.because, equation.number)) if len(axes) == len(over) else None
    return None


def nothing(
    term: Term, arrays: Mapping[str, Centred]
) -> tuple[Access, tuple[Index, ...]] | None:
    """The factor of a term whose sum over its own bound indices is 0, and these; else None."""
    for atom, exponent in term.factors:
        if not isinstance(atom, Access) or exponent != 1 or atom.array not in arrays:
            continue
        over = [atom.indices[k].single_index for k in arrays[atom.array].axes]
        bound = tuple(i for i in over if i is not None and i in term.bound)
        others = [a for a, _ in term.factors if a is not atom]
        inside = [p for k, p in enumerate(atom.indices) if k not in arrays[atom.array].axes]
        if len({*bound}) == len(over) and not any(
                indices_of(a) & {*bound} for a in others) and not any(
                p.free & {*bound} for p in inside):
            return atom, bound
    return None


def shortcut(steps: Sequence[Step], system: System) -> tuple[Step, ...]:
    """The steps, with the way around through what was centred left out."""
    arrays = centred(system)
    if not arrays:
        return tuple(steps)
    found: list[Step] = []
    left = list(steps)
    while left:
        step = left.pop(0)
        found.append(step)
        gone = [t for t in step.after.terms if nothing(t, arrays) is not None]
        if not gone or step.departs:
            continue
        rest = Expr(tuple(t for t in step.after.terms if t not in gone))
        later = [k for k, s in enumerate(left) if same(s.after, rest)]
        if later and not any(s.departs or s.conditions for s in left[:later[-1] + 1]):
            reads = [nothing(t, arrays) for t in gone]
            because = dict.fromkeys(b for r in reads if r for b in arrays[r[0].array].because)
            end = left[later[-1]].after
            found.append(replace(step, rule=RULE, before=step.after, after=end,
                                 because=tuple(because)))
            left = left[later[-1] + 1:]
    return tuple(found)
