"""Adjoints that are exactly nothing.

In: the drafts of the sweep. Out: those that vanish once they are written out down to the
last matrix product, replaced by 0 (the path through a softmax's maximum is one).

A number says where to look: only an adjoint that is 0 on random small tensors is written
out. The proof is the written-out sum that cancels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from symprop.algebra.build import ZERO
from symprop.algebra.expr import ADJOINT, Expr, arrays_of, atoms
from symprop.derive.cost import contracts
from symprop.derive.definitions import Definitions
from symprop.derive.insert import insert
from symprop.derive.simplify import Trail
from symprop.derive.sweep import Draft
from symprop.errors import SympropError
from symprop.interpret import draw, run, run_equations
from symprop.interpret.evaluate import extent
from symprop.interpret.narrow import narrow
from symprop.system import Adjoint, Step, System

_WRITTEN_OUT = 8  # terms: what is longer than this is not written out further
_LONGEST = 60  # atoms
_LEVELS = 5
_NOTHING = 1e-11


def vanish(drafts: list[Draft], barred: frozenset[str], known: Definitions) -> None:
    """Replaces by 0 every adjoint that is nothing once it is written out."""
    by_array = {d.array: d for d in drafts}
    suspects = _suspects(drafts, known.system) - barred
    needed = _ancestors(suspects, by_array)
    written: dict[str, Trail] = {}
    for draft in drafts:
        if draft.array not in needed or draft.array in barred or draft.rhs.is_zero or (
                _is_long(draft.rhs)):
            continue
        trail = _written_out(draft.trail, written, by_array, known)
        if draft.array in suspects and not trail.expr.is_zero:
            trail = _past_a_product(trail, written, by_array, known)
        if trail.expr.is_zero:
            _replace(draft, trail)
        elif not contracts(trail.expr) and len(trail.expr.terms) <= _WRITTEN_OUT and (
                not _is_long(trail.expr)):
            written[draft.array] = trail
    _close_by(drafts, suspects, barred, by_array, known)


def _close_by(
    drafts: list[Draft], suspects: frozenset[str], barred: frozenset[str],
    by_array: dict[str, Draft], known: Definitions,
) -> None:
    """Replaces by 0 what cancels within a few levels, whatever the adjoints above them are."""
    place = {d.array: k for k, d in enumerate(drafts)}
    for draft in drafts:
        if draft.array not in suspects or draft.rhs.is_zero or _is_long(draft.rhs):
            continue
        trail = draft.trail
        for _ in range(_LEVELS):
            above = [by_array[a] for a in arrays_of(trail.expr) if a in by_array]
            above = [d for d in above if d.array not in barred and not contracts(d.rhs)]
            if trail.expr.is_zero or not above or len(trail.expr.terms) > _WRITTEN_OUT:
                break
            nearest = max(above, key=lambda d: (d.rhs.is_zero, place[d.array]))
            trail = insert(trail, nearest, known)
        if trail.expr.is_zero:
            _replace(draft, trail)


def _is_long(expr: Expr) -> bool:
    """Whether it is left as it is: a product of many factors is nearly 0 without being it."""
    return sum(1 for _ in atoms(expr)) > _LONGEST


def _written_out(
    trail: Trail, written: dict[str, Trail], by_array: dict[str, Draft], known: Definitions
) -> Trail:
    """The trail with every adjoint in it that has been written out, or is 0, put in its place."""
    for array in arrays_of(trail.expr):
        if array in written:
            source = by_array[array]
            stand_in = Draft(source.number, source.primal, source.indices, written[array], ())
            trail = insert(trail, stand_in, known)
        elif array in by_array and by_array[array].rhs.is_zero:
            trail = insert(trail, by_array[array], known)
    return trail


def _past_a_product(
    trail: Trail, written: dict[str, Trail], by_array: dict[str, Draft], known: Definitions
) -> Trail:
    """Σ_s Σ_t S̄[t,s] q[t] is 0 where Σ_s S̄ is: the product is written out too."""
    deeper = trail
    for array in arrays_of(trail.expr):
        source = by_array.get(array)
        if source is not None and contracts(source.rhs) and array not in written:
            deeper = _written_out(insert(deeper, source, known), written, by_array, known)
    return deeper if deeper.expr.is_zero else trail


def _suspects(drafts: list[Draft], system: System) -> frozenset[str]:
    """The adjoints that are 0 on random small tensors; all where none can be drawn."""
    everything = frozenset(d.array for d in drafts)
    adjoints = tuple(Adjoint(d.number, d.array, d.primal, d.indices, d.rhs, ()) for d in drafts)
    twin = narrow(system, adjoints)
    if twin is not None:
        system, adjoints = twin.system, twin.adjoints
    try:
        sizes, inputs = draw(system, 0)
        with np.errstate(all="ignore"):
            arrays = run(system, inputs, sizes)
            arrays |= _given(adjoints, system, sizes)
            run_equations(adjoints, arrays, sizes)
    except (SympropError, ArithmeticError):
        return everything
    largest = {a: np.max(np.abs(arrays[a]), initial=0.0) for a in everything}
    scale = max((v for v in largest.values() if np.isfinite(v)), default=1.0)
    return frozenset(a for a, v in largest.items()
                     if not np.isfinite(v) or v <= _NOTHING * scale)


def _given(
    adjoints: Iterable[Adjoint], system: System, sizes: Mapping[str, int]
) -> dict[str, np.ndarray[Any, Any]]:
    """Unrelated values for the adjoints that no equation makes: those given to a block."""
    made, read = {a.array for a in adjoints}, {n for a in adjoints for n in a.reads}
    random = np.random.default_rng(0)
    shapes = {n: system.arrays[n.removeprefix(ADJOINT)].shape
              for n in sorted(read - made) if n.startswith(ADJOINT)}
    return {n: random.standard_normal([extent(s, sizes) for s in shape])
            for n, shape in shapes.items()}


def _ancestors(suspects: frozenset[str], by_array: dict[str, Draft]) -> frozenset[str]:
    """The suspects and every adjoint that they are made of, up to the second matrix product."""
    found: set[str] = set()
    beyond: set[str] = set()  # past one matrix product
    todo = list(suspects)
    while todo:
        array = todo.pop()
        if array in found or array not in by_array:
            continue
        found.add(array)
        if not contracts(by_array[array].rhs) or array in suspects or array in beyond:
            reads = arrays_of(by_array[array].rhs)
            todo.extend(reads)
            if array in suspects:
                beyond.update(reads)
    return frozenset(found)


def _replace(draft: Draft, trail: Trail) -> None:
    last = trail.steps[-1]
    steps = [*trail.steps[:-1], Step(last.equation, "zero", last.before, ZERO, last.because)]
    draft.trail = Trail(draft.number, ZERO, steps)
    draft.absorbed = list(dict.fromkeys(
        b for s in steps if s.rule == "insert" for b in s.because))
