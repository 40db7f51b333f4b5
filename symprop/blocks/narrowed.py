"""The narrow twin of a program of blocks, see `symprop.interpret.narrow`.

In: the flat system, the program, the derivations of its blocks. Out: the same with short lengths in
place of long ones; None where the program does not take long to evaluate, or has no narrower twin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from symprop.blocks.block import Block
from symprop.derive.derivation import Derivation
from symprop.interpret.narrow import Narrowing, Twin, is_light, narrowing
from symprop.system import System

Whole = tuple[System, Block, dict[int, Derivation]]


def narrowed(
    system: System, program: Block, derivations: Mapping[int, Derivation]
) -> Whole | None:
    """The twin; derivations have no steps in it."""
    if is_light(system):
        return None
    blocks = (program, *program.below)
    parts = [Twin(b.system, tuple(replace(a, steps=()) for a in derivations[id(b)].adjoints))
             for b in blocks]
    found = narrowing([Twin(system), *parts])
    if found is None:
        return None
    twins: dict[int, Block] = {}
    made: dict[int, Derivation] = {}
    for block, part in reversed([*zip(blocks, parts, strict=True)]):  # what is used comes first
        twins[id(block)] = twin = _block(block, found, twins)
        made[id(twin)] = Derivation(twin.system, tuple(map(found.adjoint, part.adjoints)))
    return found.system(system), twins[id(program)], made


def _block(block: Block, found: Narrowing, twins: Mapping[int, Block]) -> Block:
    return replace(block, system=found.system(block.system), runs=(), uses=tuple(
        replace(use, block=twins[id(use.block)]) for use in block.uses))
