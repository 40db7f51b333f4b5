"""All names of a module: those of the program, and those inside each of its blocks.

In: a program. Out: `ModuleNames`; the helper functions that its spellings call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symprop.algebra import rows
from symprop.algebra.expansion_numpy import helper_of
from symprop.algebra.expr import Apply, atoms
from symprop.emit.targets.numpy.names import Names, block_names, code_names, function_names
from symprop.lower.program import Program
from symprop.system import Adjoint, Equation


@dataclass(frozen=True)
class ModuleNames:
    """The names of the program, of the two functions of each lemma, and inside these."""

    main: Names
    functions: Mapping[int, tuple[str, str]]
    inside: Mapping[int, Names]


def module_names(program: Program) -> ModuleNames:
    """All names, the same whenever they are asked for."""
    found = function_names([p.block.name for p in program.lemmas], program.system)
    functions = {p.number: pair for p, pair in zip(program.lemmas, found, strict=True)}
    every = [name for pair in found for name in pair]
    main = code_names(program.system, helpers_of(program), every, program.rename)
    return ModuleNames(main, functions, {
        p.number: block_names(p.program.system, p.block.ports, main, every, program.rename)
        for p in program.lemmas})


def helpers_of(program: Program) -> tuple[str, ...]:
    """The helper functions that the spellings of the program's functions call."""
    found: dict[str, None] = {}
    both: list[Equation | Adjoint] = [
        e for p in program.parts for e in (*p.system.equations, *p.adjoints)]
    for equation in both:
        for atom in atoms(equation.rhs):
            if isinstance(atom, Apply) and atom.function in rows.registry().rows:
                template = rows.numpy_template(atom.function)
                found.update(dict.fromkeys(rows.helpers_in(template)))
            helper = helper_of(atom)
            if helper is not None:
                found[helper] = None
    return tuple(found)
