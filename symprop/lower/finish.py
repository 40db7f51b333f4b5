"""The last pass: what a statement computes twice has a name, and what may warn in vain is quiet.

In: a `Program` of whole-tensor statements, as `count.py` counts them. Out: the same program,
ready to be written down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symprop.lower import ir
from symprop.lower.flat import flattened
from symprop.lower.inorder import in_order
from symprop.lower.invoke import Invoke, Turns
from symprop.lower.program import Program
from symprop.lower.quiet import Guards
from symprop.lower.shares import shared
from symprop.lower.slabs import by_slabs
from symprop.lower.walk import invokes, writes
from symprop.system import Adjoint, Equation


def finished(program: Program) -> Program:
    """The program with its shares, and with its statements that may warn in vain marked."""
    live = {s.number for s in writes((*program.forward, *program.predict))}
    equations: list[Equation | Adjoint] = [*program.system.equations, *program.adjoints]
    handed = (*program.results, *(a for i in invokes(program.forward) for a in i.arrays))
    guards = Guards((e for e in equations if isinstance(e, Adjoint) or e.number in live),
                    program.system, handed)
    lemmas = tuple(replace(p, program=finished(p.program)) for p in program.lemmas)
    flat = program.style == "fast"
    done = replace(program, lemmas=lemmas, forward=_statements(program.forward, guards, flat),
                   backward=_statements(program.backward, guards, flat),
                   predict=_statements(program.predict, guards, flat))
    return in_order(done) if flat else done


def _statements(
    statements: Sequence[ir.Statement], guards: Guards, flat: bool
) -> tuple[ir.Statement, ...]:
    return tuple(
        replace(s, body=tuple(_write(w, guards, flat) for w in s.body)) if isinstance(s, ir.Loop)
        else s if isinstance(s, Invoke | Turns) else _write(s, guards, flat) for s in statements)


def _write(statement: ir.Write, guards: Guards, flat: bool) -> ir.Write:
    if isinstance(statement, ir.Zeros | ir.Allocate):
        return statement
    node = statement.node if isinstance(statement, ir.Assign) else statement.value
    node = flattened(node) if flat else node
    quiet, sharing = guards.risky(statement.array, node), by_slabs(shared(node))
    if isinstance(statement, ir.Assign):
        return replace(statement, node=sharing.node, shares=tuple(sharing.shares), quiet=quiet)
    return replace(statement, value=sharing.node, shares=tuple(sharing.shares), quiet=quiet)
