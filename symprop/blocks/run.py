"""A program of blocks evaluated: what its lines hand to each other.

In: the program, the derivations of its blocks, the values of its inputs. Out: its arrays and the
gradients; and whether these are the derivative of the flat system's loss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import numpy as np

from symprop.algebra.expr import adjoint
from symprop.blocks.block import Block, Use
from symprop.blocks.narrowed import narrowed
from symprop.derive.derivation import Derivation
from symprop.errors import InputError, VerificationError
from symprop.interpret import draw, run
from symprop.interpret.run import loss_slope, run_equations
from symprop.system import Adjoint, Equation, System, cycles
from symprop.verify import Refuted
from symprop.verify.compare import agree

Array = np.ndarray[Any, Any]
Derivations = Mapping[int, Derivation]
Item = TypeVar("Item", Equation, Adjoint)
Line = Sequence[Equation | Adjoint] | Use

_DRAWS = 20


def gradients(
    program: Block, derivations: Derivations, inputs: Mapping[str, Array],
    sizes: Mapping[str, int],
) -> tuple[dict[str, Array], dict[str, Array]]:
    """The arrays of the program, and its gradients by name."""
    forward = Evaluated(program, inputs, sizes)
    return forward.arrays, forward.backward(derivations, {})


def handed(system: System, program: Block) -> dict[int, dict[str, Array]]:
    """What every block is handed at its first use, by its identity, in a draw of the inputs."""
    sizes, inputs = _finite(system)
    found: dict[int, dict[str, Array]] = {}
    waiting = [Evaluated(program, inputs, sizes)]
    while waiting:
        run_ = waiting.pop()
        found.setdefault(id(run_.block), {p: run_.arrays[p] for p in run_.block.ports})
        waiting += reversed(run_.inner.values())
    return found


def evaluated(
    program: Block, derivations: Derivations, inputs: Mapping[str, Array],
    sizes: Mapping[str, int],
) -> Evaluated:
    """The program, run forward and back, with what each of its lines handed to the next."""
    whole = Evaluated(program, inputs, sizes)
    whole.backward(derivations, {})
    return whole


class Evaluated:
    """One use of a block, run forward; `inner` are the uses in it, by the identity of each."""

    def __init__(
        self, block: Block, inputs: Mapping[str, Array], sizes: Mapping[str, int]
    ) -> None:
        self.block, self.sizes = block, sizes
        self.arrays: dict[str, Array] = {**block.system.constants, **inputs}
        self.inner: dict[int, Evaluated] = {}
        lines: list[Line] = [*_groups(block.system.equations), *block.uses]
        _each_when_ready(lines, self._forward)

    def _forward(self, line: Line) -> bool:
        """Runs a line; False where something that it reads is not there yet."""
        if not isinstance(line, Use):
            return self._equations(line)
        if not all(a in self.arrays for a in line.arguments):
            return False
        handed = {p: self.arrays[a] for p, a in zip(
            line.block.ports, line.arguments, strict=True)}
        inner = Evaluated(line.block, handed, {own: self.sizes[name] for own, name in line.sizes})
        self.inner[id(line)] = inner
        for mine, its in zip(line.results, line.block.results, strict=True):
            if mine:
                self.arrays[mine] = inner.arrays[its]
        return True

    def _equations(self, lines: Sequence[Equation | Adjoint]) -> bool:
        own = {line.array for line in lines}
        if not all(a in self.arrays or a in own for line in lines for a in line.reads):
            return False
        with np.errstate(all="ignore"):
            run_equations(lines, self.arrays, self.sizes)
        return True

    def backward(
        self, derivations: Derivations, seeds: Mapping[str, Array]
    ) -> dict[str, Array]:
        """The adjoints of what the block's gradients are by, from those that are given."""
        self.arrays |= seeds
        self.derivations = derivations
        adjoints = derivations[id(self.block)].adjoints
        lines: list[Line] = [*_groups(adjoints), *self.block.uses]
        _each_when_ready(lines, self._backward)
        return {w: self.arrays[adjoint(w)] for w in self.block.gradients}

    def _backward(self, line: Line) -> bool:
        if not isinstance(line, Use):
            return self._equations(line)
        inner, system = self.inner[id(line)], self.block.system
        wrt = {*system.wrt, *system.given}
        if not all(adjoint(r) in self.arrays for r in line.results if r in wrt):
            return False
        seeds = {}
        for mine, its in zip(line.results, line.block.results, strict=True):
            if its in line.block.system.given:
                seeds[adjoint(its)] = self.arrays[adjoint(mine)] if mine in wrt \
                    else np.zeros(np.shape(inner.arrays[its]))
        found = inner.backward(self.derivations, seeds)
        for argument, port in zip(line.arguments, line.block.ports, strict=True):
            if argument in self.block.system.given:
                self.arrays[adjoint(argument)] = found[port]
        return True


def _groups(lines: Sequence[Item]) -> list[list[Item]]:
    """The equations of a recurrence together, all others by themselves."""
    component = cycles(lines)
    groups: dict[object, list[Item]] = {}
    for line in lines:
        groups.setdefault(component.get(line.array, line.array), []).append(line)
    return list(groups.values())


def _each_when_ready(lines: Sequence[Line], run_line: Callable[[Line], bool]) -> None:
    """Runs every line, as soon as what it reads is there."""
    pending = list(lines)
    while pending:
        waiting = [line for line in pending if not run_line(line)]
        if len(waiting) == len(pending):
            raise VerificationError("the lines of a block wait for each other")
        pending = waiting


# ---- the whole ------------------------------------------------------------------------------


def check_whole(system: System, program: Block, derivations: Derivations) -> None:
    """Raises Refuted where the gradients are not the derivative of the flat system's loss.

    A program of long lengths is evaluated as its narrow twin; what that refutes is looked at in
    full.
    """
    twin = narrowed(system, program, derivations)
    if twin is not None:
        with suppress(VerificationError, InputError, IndexError):
            compare(*twin)
            return
    compare(system, program, derivations)


def compare(system: System, program: Block, derivations: Derivations) -> None:
    """Raises Refuted where they are not at the sizes of one draw."""
    sizes, inputs = _finite(system)
    loss = run(system, inputs, sizes)[system.loss]
    arrays, found = gradients(program, derivations, inputs, sizes)
    generator = np.random.default_rng(0)
    directions = {w: generator.standard_normal(np.shape(inputs[w])) for w in system.wrt}
    slope = loss_slope(system, inputs, sizes, directions)
    parts = [found[w] * directions[w] for w in system.wrt]
    total = np.asarray(sum(p.sum() for p in parts))
    size = np.asarray(sum(np.abs(p).sum() for p in parts))
    _check("the loss", loss, arrays[program.system.loss], np.abs(loss), sizes, inputs)
    _check("the derivative of the loss along a random direction", slope, total,
           100 * (size + np.abs(loss)), sizes, inputs)


def _finite(system: System) -> tuple[dict[str, int], dict[str, Array]]:
    """Sizes and inputs at which the loss is finite. InputError where there are none."""
    for seed in range(_DRAWS):
        sizes, inputs = draw(system, seed, positive=seed % 2 == 1)
        if np.isfinite(run(system, inputs, sizes)[system.loss]):
            return sizes, inputs
    raise InputError(f"{system.name}: the loss is not finite in {_DRAWS} random draws")


def _check(
    what: str, expected: Array, found: Array, scale: Array, sizes: Mapping[str, int],
    inputs: Mapping[str, Array],
) -> None:
    if not agree(expected, found, lambda: np.asarray(scale)):
        raise Refuted("blocks", "all gradients", f"{what} is {float(expected):.12g}, the blocks "
                      f"say {float(found):.12g}", sizes, dict(inputs))
