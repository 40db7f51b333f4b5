"""Axes that are cut into several, and several that are one: where `reshape` comes from.

In: a term or a position. Out: the same with other indices, and how the old ones lie in the new.

    Σ_i Σ_e A[E i + e] B[E i + e]    is    Σ_d A[d] B[d]                  (joined: d is E i + e)
    k[h // g] q[h]                   is    k[a] q[g a + b]                (divided: h is g a + b)
    x[n, d // E, d % E]              is    x with its last two axes as one (merged)
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from symprop.algebra import integers
from symprop.algebra.build import ONE, ZERO, add, as_monomial, idx, mul, sub, substitute_term
from symprop.algebra.canonical import normal, same
from symprop.algebra.expr import (
    Access,
    Apply,
    Atom,
    Expr,
    Index,
    Term,
    atoms,
    free_indices,
    indices_of,
)
from symprop.derive.sift import tidy_term
from symprop.lower.ir import Axes, Part

Labels = dict[Any, Index]  # the indices made so far, by what they stand for


@dataclass(frozen=True)
class Cut:
    """The index `whole` counts the positions of the indices `parts`, row by row."""

    whole: Index
    parts: Axes

    @property
    def value(self) -> Expr:
        """The whole index in terms of its parts."""
        value, stride = ZERO, ONE
        for part in reversed(self.parts):
            value = add(mul(stride, idx(part)), value)
            stride = normal(mul(stride, part.size))
        return normal(value)


@dataclass(frozen=True)
class Digit:
    """The position start + index // stride % count."""

    index: Index
    stride: Expr
    count: Expr
    start: Expr = ZERO


# ---- one position ---------------------------------------------------------------------------


def joint(position: Expr, labels: Labels) -> tuple[Cut, Expr] | None:
    """The cut and the start of a position that counts several indices row by row."""
    indices = free_indices(position)
    if len(indices) < 2:
        return None
    steps: dict[Index, Expr] = {}
    start = position
    for index in sorted(indices, key=lambda i: i.uid):
        step = integers.coefficient(position, index)
        if step is None:
            return None
        steps[index] = step
        start = normal(sub(start, mul(step, idx(index))))
    parts = row_by_row(steps)
    if parts is None or free_indices(start):
        return None
    total = normal(mul(*(p.size for p in parts)))
    return Cut(labels.setdefault(parts, Part(parts[-1].letter, total)), parts), start


def row_by_row(steps: dict[Index, Expr]) -> Axes | None:
    """The indices in the order in which they count an axis, if they do."""
    left = dict(steps)
    stride: Expr = ONE
    parts: list[Index] = []
    while left:
        last = next((i for i, s in left.items() if same(s, stride)), None)
        if last is None:
            return None
        parts.insert(0, last)
        stride = normal(mul(left.pop(last), last.size))
    return tuple(parts)


def digit(position: Expr) -> Digit | None:
    """The digit of an index that a position is, up to a constant."""
    for term in position.terms:
        lone = term.factors[0][0] if len(term.factors) == 1 else None
        if term.coef != 1 or not isinstance(lone, Apply) or term.factors[0][1] != 1:
            continue
        found = _digit(lone)
        start = normal(sub(position, Expr((term,))))
        if found is not None and not free_indices(start):
            return Digit(found.index, found.stride, found.count, start)
    return None


def _digit(item: Apply) -> Digit | None:
    if item.function not in ("floordiv", "mod"):
        return None
    inside, by = item.args
    index, inner = inside.single_index, inside.single_atom
    if index is not None:
        found: Digit | None = Digit(index, ONE, index.size)
    else:
        found = _digit(inner) if isinstance(inner, Apply) else None
    if found is None or free_indices(by):
        return None
    if item.function == "mod":
        return Digit(found.index, found.stride, by) if integers.exact(found.count, by) else None
    if not integers.exact(found.count, by):
        return None
    return Digit(found.index, normal(mul(found.stride, by)),
                 normal(integers.quotient(found.count, by)))


# ---- an access ------------------------------------------------------------------------------


def merged(positions: Sequence[Expr], shape: Sequence[Expr]) -> dict[Index, list[int]]:
    """The indices of which an access reads all digits: index -> its axes, highest digit first."""
    groups: dict[Index, list[tuple[int, Digit]]] = {}
    for axis, position in enumerate(positions):
        found = digit(position)
        if found is not None and integers.within(position, shape[axis]):
            groups.setdefault(found.index, []).append((axis, found))
    result: dict[Index, list[int]] = {}
    for index, group in groups.items():
        ordered = _complete(index, group)
        elsewhere = sum(index in free_indices(p) for p in positions) != len(group)
        if ordered is not None and not elsewhere:
            result[index] = ordered
    return result


def _complete(index: Index, group: list[tuple[int, Digit]]) -> list[int] | None:
    """The axes of digits that together count an index, from the highest digit."""
    left = list(group)
    stride: Expr = ONE
    axes: list[int] = []
    while left:
        low = next((g for g in left if same(g[1].stride, stride)), None)
        if low is None:
            return None
        left.remove(low)
        axes.insert(0, low[0])
        stride = normal(mul(stride, low[1].count))
    return axes if same(stride, normal(index.size)) else None


# ---- a term ---------------------------------------------------------------------------------


def joined(term: Term, order: Axes, labels: Labels) -> tuple[Term, Axes, list[Cut]]:
    """The term with pairs of indices as one, where it reads them only as s i + j."""
    cuts: list[Cut] = []
    while (pair := _pair(term, order)) is not None:
        high, low = pair
        whole = labels.setdefault(pair, Part(low.letter, normal(mul(high.size, low.size))))
        inside = sub(idx(whole), mul(low.size, idx(high)))
        bound = tuple(whole if b is low else b for b in term.bound if b is not high)
        one = _exchanged(term, {low: inside}, bound)
        if one is None or any({high, low} & indices_of(a) for a, _ in one.factors):
            break
        if high not in term.bound:
            cuts.append(Cut(whole, pair))
            order = tuple(whole if i is low else i for i in order if i is not high)
        term = one
    return term, order, cuts


def _exchanged(term: Term, mapping: dict[Index, Expr], bound: Axes) -> Term | None:
    """The term with other positions and other bound indices."""
    moved = as_monomial(substitute_term(Term(term.coef, term.factors), mapping))
    tidied = tidy_term(Term(moved.coef, moved.factors, bound)).terms
    return tidied[0] if len(tidied) == 1 else None


def _pair(term: Term, order: Axes) -> tuple[Index, Index] | None:
    """Two indices, both bound or both free, that some position counts row by row."""
    bound = frozenset(term.bound)
    for item, _ in term.factors:
        for position in _positions(item):
            indices = free_indices(position)
            if len(indices) < 2:
                continue
            steps = {i: integers.coefficient(position, i) for i in indices}
            for high in sorted(indices, key=lambda i: i.uid):
                for low in sorted(indices - {high}, key=lambda i: i.uid):
                    kinds = {i in bound for i in (high, low)}
                    if kinds == {False} and not {high, low} <= set(order):
                        continue
                    up, down = steps[high], steps[low]
                    if len(kinds) == 1 and up and down and not down.is_zero and same(
                            up, normal(mul(down, low.size))):
                        return high, low
    return None


def turned(term: Term) -> Term:
    """Sums over windows that run backwards, forwards: the other factors are flipped instead."""
    for index in term.bound:
        steps = [(p, step.number) for a, _ in term.factors for p in _positions(a)
                 if (step := integers.coefficient(p, index)) is not None and step.number]
        if any(step < 0 and len(free_indices(p)) > 1 for p, step in steps) and not any(
            step > 0 and len(free_indices(p)) > 1 for p, step in steps
        ):
            flipped = normal(sub(sub(index.size, ONE), idx(index)))
            one = _exchanged(term, {index: flipped}, term.bound)
            term = term if one is None else one
    return term


def _positions(item: Atom) -> Iterator[Expr]:
    """Every position inside an atom."""
    if isinstance(item, Access):
        yield from item.indices
    for child in item.children:
        for term in child.terms:
            for inner, _ in term.factors:
                yield from _positions(inner)


def divided(term: Term, order: Axes, shapes: dict[str, tuple[Expr, ...]]) -> tuple[
        Term, Axes, list[Cut]]:
    """The term with an index as its digits, where it reads some digits without the others."""
    cuts: list[Cut] = []
    while (strides := _incomplete(term, order, shapes)) is not None:
        index, steps = strides
        cut = cut_at(index, steps)
        if cut is None or len(cut.parts) == 1:
            break
        bound = tuple(p for b in term.bound for p in (cut.parts if b is index else (b,)))
        one = _exchanged(term, {index: cut.value}, bound)
        if one is None:
            break
        if index not in term.bound:
            cuts.append(cut)
            order = tuple(p for i in order for p in (cut.parts if i is index else (i,)))
        term = one
    return term, order, cuts


def _incomplete(
    term: Term, order: Axes, shapes: dict[str, tuple[Expr, ...]]
) -> tuple[Index, list[Expr]] | None:
    """An index of which an access reads some digits, with the strides between its digits."""
    scope = {*order, *term.bound}
    for item, _ in term.factors:
        for access in _accesses(item):
            complete = merged(access.indices, shapes[access.array])
            for position in access.indices:
                for inner in _arithmetic(position):
                    found = _digit(inner) if isinstance(inner, Apply) else None
                    if found is not None and found.index in scope and (
                            found.index not in complete):
                        return found.index, [
                            s for a, _ in term.factors for s in strides(a, found.index)]
    return None


def _arithmetic(position: Expr) -> Iterator[Atom]:
    """The atoms of a position, without those of positions of other arrays in it."""
    for term in position.terms:
        for item, _ in term.factors:
            yield item
            if not isinstance(item, Access):
                for child in item.children:
                    yield from _arithmetic(child)


def _accesses(item: Atom) -> Iterator[Access]:
    if isinstance(item, Access):
        yield item
    for child in item.children:
        for inner in atoms(child):
            if isinstance(inner, Access):
                yield inner


def strides(item: Atom, index: Index) -> Iterator[Expr]:
    """The strides at which an atom cuts an index into digits."""
    for inner in (item, *(a for c in item.children for a in atoms(c))):
        found = _digit(inner) if isinstance(inner, Apply) else None
        if found is not None and found.index is index:
            yield found.stride
            yield normal(mul(found.stride, found.count))


def cut_at(index: Index, strides: Sequence[Expr]) -> Cut | None:
    """The index as digits with these strides; None where one does not divide the next."""
    chain: list[Expr] = [ONE, normal(index.size)]
    for stride in strides:
        if any(same(stride, s) for s in chain):
            continue
        place = next((k for k, s in enumerate(chain) if integers.exact(s, stride)), None)
        if place is None or not integers.exact(stride, chain[place - 1]):
            return None
        chain.insert(place, stride)
    sizes = [normal(integers.quotient(high, low))
             for low, high in itertools.pairwise(chain)]
    return Cut(index, tuple(Index(index.letter, s) for s in reversed(sizes)))
