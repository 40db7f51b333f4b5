"""Other names in code: `rename={"z": "scores", "N": "batch"}`.

In: a program, names. Out: the program with them, for whoever prints it; an `InputError` that says
which of them will not do. Arguments keep the names that the function gives them.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace

from symprop.errors import InputError
from symprop.lower.program import Program
from symprop.names import check_name


def renamed(program: Program, names: Mapping[str, str]) -> Program:
    """The program and its lemmas with other names for arrays that are computed, and for sizes."""
    if not names:
        return program
    arrays = {n: a for p in program.parts for n, a in p.system.arrays.items()}
    inputs = {n for n, a in program.system.arrays.items() if a.kind == "input"}
    known = [*(n for n in arrays if n not in inputs), *program.system.sizes]
    for old, new in names.items():
        if old in inputs:
            raise InputError(f"rename: {old} is an argument of {program.system.name}, and is "
                             "called in code as it is there")
        if old not in known:
            close = difflib.get_close_matches(old, known, 1, 0.5)
            guess = f"; did you mean {close[0]}?" if close else ""
            raise InputError(f"rename: {program.system.name} has no array or axis {old!r}{guess}")
        check_name(new, f"rename of {old}")
        others = [n for n in (*arrays, *program.system.sizes)
                  if n != old and names.get(n, n) == new]
        if others:
            raise InputError(f"rename: {old} and {others[0]} would both be called {new}")
    return _with(program, dict(names))


def _with(program: Program, names: dict[str, str]) -> Program:
    lemmas = tuple(replace(p, program=_with(p.program, names)) for p in program.lemmas)
    return replace(program, rename=names, lemmas=lemmas)
