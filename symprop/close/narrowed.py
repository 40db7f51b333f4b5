"""The narrow twin of a module, see `symprop.interpret.narrow`.

In: the flat system, the program, the live module. Out: the same with short lengths in place of long
ones; None where the program does not take long to evaluate, or has no narrower twin.

The twin of the module is its own text in which every whole number that is one of the long lengths,
or in proportion to them, is the short one. So whatever the module does it does too, a slice that
ends one short of an axis included: a number that is no length stays as it is.
"""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterator
from dataclasses import replace

from symprop.emit.module import GeneratedModule
from symprop.interpret.narrow import Narrowing, Twin, is_light, narrowing
from symprop.lower.program import Either, Program
from symprop.system import Adjoint, System

Whole = tuple[System, Program, GeneratedModule]


def narrowed(system: System, program: Program, module: GeneratedModule) -> Whole | None:
    """The twin; only what a comparison reads of the program is that of the twin."""
    if is_light(system):
        return None
    found = narrowing([Twin(system), *map(_part, program.parts)])
    if found is None:
        return None
    lemmas = tuple(replace(p, program=_program(p.program, found)) for p in program.lemmas)
    twin = replace(_program(program, found), lemmas=lemmas)
    return found.system(system), twin, GeneratedModule(_text(module.source, found), module.name)


def _part(program: Program) -> Twin:
    """The lines that a function is compared with."""
    lines = program.margins.values()
    return Twin(
        replace(program.system, equations=tuple(e for e in lines if not isinstance(e, Adjoint))),
        tuple(replace(a, steps=()) for a in lines if isinstance(a, Adjoint)))


def _program(program: Program, found: Narrowing) -> Program:
    def line(item: Either) -> Either:
        if isinstance(item, Adjoint):
            return found.adjoint(replace(item, steps=()))
        return found.equation(item)

    return replace(program, system=found.system(program.system), margins={
        array: line(item) for array, item in program.margins.items()})


def _text(source: str, found: Narrowing) -> str:
    """The text with short lengths."""
    lines = source.splitlines(keepends=True)
    for token in reversed([*_numbers(source)]):
        value = int(token.string)
        short = found.number(value)
        if short != value:
            row, (start, end) = token.start[0] - 1, (token.start[1], token.end[1])
            lines[row] = f"{lines[row][:start]}{short}{lines[row][end:]}"
    return "".join(lines)


def _numbers(source: str) -> Iterator[tokenize.TokenInfo]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NUMBER and token.string.isdecimal():
            yield token
