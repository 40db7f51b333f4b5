"""From a System to its Derivation: the sweep, the absorbing, the frozen result.

In: a System. Out: a `Derivation` with every adjoint equation and every step as data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from sympy.core.parameters import distribute

from symprop.algebra.expr import Access
from symprop.derive.absorb import absorb
from symprop.derive.centred import shortcut
from symprop.derive.definitions import Definitions
from symprop.derive.memo import Memo
from symprop.derive.requirements import with_conditions
from symprop.derive.sweep import Draft, LearningRule, sweep
from symprop.system import Adjoint, Step, System


@dataclass(frozen=True)
class Derivation:
    """The adjoint equations of a system, in the order of the sweep."""

    system: System
    adjoints: tuple[Adjoint, ...]

    @cached_property
    def gradients(self) -> Mapping[str, Adjoint]:
        """The adjoint equation of every wrt array."""
        by_primal = {a.primal: a for a in self.adjoints if a.role == "adjoint"}
        return {name: by_primal[name] for name in self.system.wrt}

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """All steps in printed order."""
        return tuple(s for a in self.adjoints for s in a.steps)


def derive(
    system: System, rule: LearningRule | None = None, memo: Memo | None = None
) -> Derivation:
    """Every gradient of the loss by one reverse sweep; with `rule`, what stands in its place.

    memo: what has been simplified for other systems.
    """
    known = Definitions(opaque(system), memo)
    with distribute(False):  # a number times a sum stays as it is
        drafts = sweep(system, known, rule)
        absorb(drafts, known)
    return Derivation(system, with_conditions(
        [_freeze(d, system) for d in drafts], known))


def opaque(system: System) -> System:
    """The system without the copies that it hands over: nothing is folded to these."""
    if not system.given:
        return system
    return replace(system, equations=tuple(
        e for e in system.equations
        if e.array not in system.given or not isinstance(e.rhs.single_atom, Access)))


def _freeze(draft: Draft, system: System) -> Adjoint:
    return Adjoint(
        number=draft.number,
        array=draft.array,
        primal=draft.primal,
        indices=draft.indices,
        rhs=draft.rhs,
        steps=shortcut(draft.trail.steps, system),
        inlined=draft.inlined,
        sources=draft.sources,
        absorbed=tuple(dict.fromkeys(draft.absorbed)),
        role=draft.role,
    )

