"""Loops hold the recurrence and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from built_models import built
from proofs import PROOFS
from random_scans import random_scan

import symprop
from symprop.lower import ir
from symprop.lower.program import Program, lower
from symprop.lower.walk import children
from symprop.system import System
from symprop.zoo import models

WORK = (ir.MatMul, ir.TensorDot, ir.Einsum, ir.Vdot, ir.Reduce, ir.Call)


def program(system: System) -> Program:
    return lower(system, symprop.derive(system).adjoints)


def built_program(name: str) -> Program:
    return lower(built(name).system, built(name).derivation.adjoints)


def nodes(node: ir.Node) -> Iterator[ir.Node]:
    """A node and all below it; conditions, which guard what stands beside them, stay."""
    yield node
    for child in () if isinstance(node, ir.Compare) else children(node):
        yield from nodes(child)


def loops(made: Program) -> list[ir.Loop]:
    return [s for s in (*made.forward, *made.backward) if isinstance(s, ir.Loop)]


def misplaced(made: Program) -> list[str]:
    """Functions and contractions inside a loop that read nothing of what the loop makes."""
    found = []
    for loop in loops(made):
        arrays = {w.array for w in loop.body}
        for statement in loop.body:
            value = getattr(statement, "node", None) or getattr(statement, "value", None)
            for node in nodes(value) if value is not None else ():
                reads = {n.array for n in nodes(node) if isinstance(n, ir.View)}
                if isinstance(node, WORK) and reads and reads.isdisjoint(arrays):
                    found.append(f"({statement.number}) {type(node).__name__} of {reads}")
    return found


@pytest.mark.parametrize("name", [*models(), *PROOFS])
def test_nothing_stays_in_a_loop_that_does_not_depend_on_it(name: str) -> None:
    assert not misplaced(built_program(name))


@pytest.mark.parametrize("seed", [
    pytest.param(s, marks=[pytest.mark.deep] * (s >= 6)) for s in range(20)])
def test_nor_in_random_recurrences(seed: int) -> None:
    scan = random_scan(seed)
    system = symprop.trace(scan.function, shapes=scan.shapes, wrt=scan.wrt, facts=scan.facts)
    assert not misplaced(program(system))


def test_what_a_step_alone_reads_is_not_kept_for_all_steps() -> None:
    made = built_program("lstm")
    kept = {s.array for s in made.backward if isinstance(s, ir.Allocate)}
    inside = {w.array for loop in loops(made) for w in loop.body}
    assert "∂z" in kept  # the weights' gradients need all of it, after the loop
    assert len(inside - kept) >= 4


def test_a_shifted_factor_is_worked_out_along_its_own_axis() -> None:
    def loss(x: "T N 2*H", h0: "N H") -> Any:  # type: ignore[name-defined]
        H = h0.shape[1]

        def step(h: Any, x_t: Any) -> Any:
            h = h * np.sin(x_t[:, H:]) * np.cos(x_t[:, H:])
            return h, h

        _, hs = symprop.scan(step, h0, x)
        return np.sum(hs**2)

    module = symprop.generate(symprop.trace(loss))
    body = module.source.split("for t in range(T):")[1].split("return")[0]
    assert "np.sin" not in body
    assert symprop.check(module).passed
