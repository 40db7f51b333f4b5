"""The two styles of code.

In: a program, the name of a style. Out: the program that will be written in it.
"""

from __future__ import annotations

from dataclasses import replace

from symprop.errors import InputError
from symprop.lower.program import Program

STYLES = ("readable", "fast")


def styled(program: Program, style: str) -> Program:
    """The program and its lemmas in a style."""
    if style not in STYLES:
        raise InputError(f"style must be {' or '.join(map(repr, STYLES))}, not {style!r}")
    lemmas = tuple(replace(p, program=styled(p.program, style)) for p in program.lemmas)
    skips = program.skips if style == "readable" else {}
    return replace(program, style=style, lemmas=lemmas, skips=skips)
