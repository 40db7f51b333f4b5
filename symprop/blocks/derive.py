"""Every distinct block derived once.

In: a System. Out: a `BlockDerivation`: the adjoint equations of the program and of every block,
which take the adjoints of results as given and hand back those of ports.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symprop.algebra.build import access, add, apply, idx, iverson, mul, neg, sum_over
from symprop.algebra.expr import Access, Apply, Index, adjoint
from symprop.algebra.renaming import Numbering
from symprop.blocks.backward import Line, Pull, backward
from symprop.blocks.block import Block, Use
from symprop.blocks.borders import guarded, opened
from symprop.blocks.outline import outline
from symprop.blocks.run import check_whole, handed
from symprop.collector import paused
from symprop.derive.derivation import Derivation, derive
from symprop.derive.memo import Memo
from symprop.errors import InputError
from symprop.names import unused
from symprop.system import Array, Equation, Fact, Step, System
from symprop.verify import verify


@dataclass(frozen=True)
class Lemma:
    """A block with its adjoint equations; `number` counts from 1, the program's is 0.

    A lemma uses only those of smaller numbers. `backward`: the adjoint equations and, as a `Pull`
    each, the uses and runs pulled back, in the order of their numbers, in which they can run.
    """

    number: int
    block: Block
    derivation: Derivation
    backward: tuple[Line, ...]


@dataclass(frozen=True)
class BlockDerivation:
    """The gradients of a system by lemmas; `system` is the flat one, `program` has the last word.

    >>> import numpy as np, symprop
    >>> def layer(x, W):
    ...     z = x @ W
    ...     a = np.tanh(z)
    ...     return a / np.sqrt(1 + a * a)
    >>> def loss(x: "N", V: "N N", W: "N N"):
    ...     return (layer(layer(x, V), W) ** 2).sum()
    >>> derivation = derive_blocks(symprop.trace(loss))
    >>> [(lemma.block.name, lemma.block.gradients) for lemma in derivation.lemmas]
    [('layer', ('x', 'W'))]
    """

    system: System
    lemmas: tuple[Lemma, ...]
    program: Lemma

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of all lemmas, then those of the program."""
        return tuple(s for m in (*self.lemmas, self.program) for s in m.derivation.steps)

    def lemma(self, block: Block) -> Lemma:
        """The lemma of a block."""
        return next(m for m in self.lemmas if m.block is block)

    def verify(self) -> None:
        """Evaluates every step of every lemma, and all of them together.

        Raises VerificationError, as `Derivation.verify`. Together: the derivative of the loss of
        the flat system along a random direction is the product of that direction with the
        gradients that the lemmas hand to each other.
        """
        if "_verified" not in self.__dict__:
            for lemma in (*self.lemmas, self.program):
                if lemma.derivation.adjoints:
                    self._verify(lemma)
            check_whole(self.system, self.program.block, self.derivations)
            self.__dict__["_verified"] = True

    def _verify(self, lemma: Lemma) -> None:
        """Evaluates a lemma: anywhere, or where it is used if it is not finite anywhere."""
        system = closed(lemma.derivation.system)
        try:
            verify(replace(lemma.derivation, system=system))
        except InputError:
            if not lemma.number:
                raise
            values = handed(self.system, self.program.block)[id(lemma.block)]
            facts = [*system.facts, *domains(values, {f.array for f in system.facts})]
            verify(replace(lemma.derivation, system=replace(system, facts=tuple(facts))))

    @property
    def derivations(self) -> Mapping[int, Derivation]:
        """The derivation of a block, by its identity."""
        return {id(m.block): m.derivation for m in (*self.lemmas, self.program)}


@paused()
def derive_blocks(system: System) -> BlockDerivation | None:
    """The derivation of a system, each of its distinct blocks once; None where it has none.

    Borders that borders.py names are opened, until there are none.
    """
    apart, told = guarded(system), frozenset[str]()
    memo = Memo()
    while True:
        program = outline(system, apart, told)
        if not program.uses:
            return None
        *lemmas, whole = (
            Lemma(k, block, *backward(block, derive(block.system, memo=memo)))
            for k, block in (*enumerate(reversed(program.below), 1), (0, program)))
        found = BlockDerivation(system, tuple(lemmas), whole)
        more = frozenset(call for block in (program, *program.below)
                         for call in opened(block, found.derivations, memo))
        leaning = frozenset(m.block.text for m in lemmas if _leans(m, memo))
        if not more and not leaning:
            return found
        apart, told = apart | more, told | leaning


def _leans(lemma: Lemma, memo: Memo) -> bool:
    """Whether an adjoint would be another if what some uses know were known at all."""
    def texts(derivation: Derivation) -> list[tuple[str, str]]:
        return [(a.primal, Numbering(sizes=False).expr(a.rhs)) for a in derivation.adjoints]

    own = sorted(texts(lemma.derivation))
    return any(own != sorted(texts(derive(replace(lemma.block.system, facts=facts), memo=memo)))
               for facts in lemma.block.more_facts)


def domains(
    values: Mapping[str, np.ndarray[Any, Any]], known: Set[str]
) -> Iterator[Fact]:
    """Between which values that are handed to a block lie: a logarithm's argument is positive."""
    for name, value in values.items():
        if value.dtype.kind == "f" and value.size and name not in known:
            low, high = float(value.min()), float(value.max())
            if low < high:
                yield Fact("in_range", name, (low, high))


def closed(system: System) -> System:
    """The system with a loss whose adjoints are those that are given, as further inputs.

    The sum of all results, each times its given adjoint. Of scores masked by -inf those that are
    finite, for the others change nothing: the adjoint that is given of these is 0.
    """
    if not system.given:
        return system
    arrays, terms = dict(system.arrays), []
    infinite = _infinite(system)
    last = max((int(e.number[1:]) for e in system.equations), default=0)  # lines of uses have some
    masked: list[Equation] = []
    if system.loss:
        terms.append(access(system.loss))
    for name in system.given:
        shape = arrays[name].shape
        arrays[adjoint(name)] = Array(adjoint(name), "float", shape, "input")
        axes = tuple(Index("i", s) for s in shape)
        at = [idx(i) for i in axes]
        term = mul(access(adjoint(name), at), access(name, at))
        if name in infinite:
            free, top = unused(f"{name}_bar", arrays), apply("inf")
            finite = mul(iverson("<", neg(top), access(name, at)),
                         iverson("<", access(name, at), top))
            arrays[free] = Array(free, "float", shape, "input")
            arrays[adjoint(name)] = Array(adjoint(name), "float", shape, "computed")
            masked.append(Equation(f"F{last + len(masked) + 1}", adjoint(name), axes,
                                   mul(access(free, at), finite)))
            term = mul(term, finite)
        terms.append(sum_over(term, axes))
    loss = unused("total", arrays)
    arrays[loss] = Array(loss, "float", (), "computed")
    return replace(system, arrays=arrays, loss=loss, given=(), equations=(
        *system.equations, *masked,
        Equation(f"F{last + len(masked) + 1}", loss, (), add(*terms))))


def _infinite(system: System) -> frozenset[str]:
    """The arrays that hold what is infinite as the author wrote it, and sums and views of these."""
    found: set[str] = set()
    for equation in system.equations:
        for term in equation.rhs.terms:
            tops = [a for a, exponent in term.factors if exponent > 0]
            if any((isinstance(a, Apply) and a.function == "inf")
                   or (isinstance(a, Access) and a.array in found) for a in tops):
                found.add(equation.array)
    return frozenset(found)


__all__ = ["BlockDerivation", "Lemma", "Pull", "Use", "closed", "derive_blocks"]
