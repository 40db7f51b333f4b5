"""A small seeded part of what `make trust` runs at length (docs/trust.md)."""

from __future__ import annotations

import random
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_builder import Program
from trust import __main__ as runs
from trust import determinism, exactly, killed, mutation, shrink, systems, versions, written
from trust.record import Record, summary

import symprop

SEED = 5


@pytest.mark.parametrize("number", range(len(systems.KINDS)))
def test_a_random_program_of_each_kind(number: int) -> None:
    said = systems.judged(systems.drawn(number, SEED), systems.OWN)
    assert said.split(":")[0] in ("", "refused"), said


@pytest.mark.oracles
def test_random_programs_by_torch_autograd_and_jax() -> None:
    before = dict(systems.met)
    for number in range(24):
        assert systems.trial(number, SEED + 1).split(":")[0] in ("", "refused", "unrun")
    for oracle, least in {"torch": 15, "autograd": 3, "jax": 1}.items():
        assert systems.met[oracle] - before.get(oracle, 0) >= least


def program(source: str, **shapes: str) -> Program:
    domains = dict.fromkeys(shapes, (-1.0, 1.0))
    return Program(1, source, shapes, (), None, domains, {}, {})


def test_fractions_are_compared_and_a_wrong_one_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    p = program("def forward_pass(X, w):\n    return np.sum((X @ w)**2) / 3 - w[0] * X[0, 1]\n",
                X="N K", w="K")
    derivation = symprop.derive(
        symprop.trace(p.function, shapes=p.shapes), structure="flat")
    sizes = {"N": 3, "K": 2}
    assert exactly.compared(p, derivation, sizes, p.inputs(sizes), 9) == ""
    monkeypatch.setattr(exactly.Dual, "__mul__", lambda self, other: exactly.Dual(
        self.real * exactly.lifted(other).real, self.eps))
    assert "by dual numbers" in exactly.compared(p, derivation, sizes, p.inputs(sizes), 9)


def test_a_failing_program_is_shrunk() -> None:
    p = program("def forward_pass(X, W, b):\n    h = np.tanh(X @ W + b)\n    k = np.sin(h) * 2\n"
                "    return np.sum(k) + np.mean(h**2)\n", X="N K", W="K M", b="M")

    def fails(q: Program) -> bool:
        value = q.function(**q.inputs({"N": 2, "K": 3, "M": 2}))
        return "tanh" in q.source and np.ndim(value) == 0 and bool(np.isfinite(value))

    small = shrink.shrunk(p, fails, seconds=5)
    assert "tanh" in small.source
    assert "sin" not in small.source and "**" not in small.source
    assert len(small.shapes) == 1


def test_every_written_kind_is_drawn() -> None:
    sources = "".join(written.written_program(s).source for s in range(60))
    for word in ("def block0", "def pair0", "for w_, c_", "for t_ in", "np.add.at", "np.eye(",
                 "sliding_window_view", "= None" if "= None" in sources else "None", ".append("):
        assert word in sources


def test_mutants_are_python_and_change_one_expression() -> None:
    for number in range(10):
        path, line, said, text = mutation.drawn(random.Random(number))
        compile(text, str(path), "exec")
        old = path.read_text("utf-8").splitlines()
        assert text.splitlines()[:line - 1] == old[:line - 1] and re.search(" -> ", said)
        assert text != "\n".join(old) + "\n"


@pytest.mark.deep
@pytest.mark.parametrize("number", [9, 24])
def test_a_build_is_killed_at_a_call(number: int) -> None:
    assert killed.trial(number, SEED) == ""


def test_the_record_goes_on(tmp_path: Path) -> None:
    record = Record(tmp_path / "record.jsonl")
    record.add("systems", 1, 0, "", 0.1)
    record.add("systems", 1, 1, "refused: no", 0.1)
    record.add("systems", 1, 2, "torch: loss", 0.1)
    with record.path.open("a") as file:
        file.write('{"part": "sys')
    assert record.done("systems", 1) == {0, 1, 2}
    assert "1 right, 1 refused, 1 wrong" in summary(record.lines())


@pytest.mark.parametrize("part", [determinism, versions])
def test_scripts_that_fail_alike_do_not_pass(
    part: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes that end in the same error say nothing about what they were asked."""
    monkeypatch.setattr(versions, "SCRIPT", "raise SystemExit('no such depth')")
    monkeypatch.setattr(versions, "PYTHONS", [sys.executable])
    monkeypatch.setattr(part, "MOST", 1)
    versions.digests.cache_clear()
    record = Record(tmp_path / "record.jsonl")
    (said,) = runs.run(part.__name__.removeprefix("trust."), 1, 60, record)
    assert "no such depth" in said
    assert [line.result for line in record.lines()] == ["wrong"]


def test_a_position_that_a_nan_decided_on_is_no_error_of_the_program() -> None:
    """log1p is nan on most draws: the largest of what is nan stands nowhere, and it is redrawn."""
    def loss(A: "N", b: "H N"):
        s = b @ np.log1p(A)
        return s[np.argmax(s)]

    module = symprop.generate(symprop.trace(loss))
    A, b = np.array([0.5, 0.1]), np.array([[1.0, 2.0], [3.0, 1.0]])
    np.testing.assert_allclose(module.value_and_grad(A=A, b=b)[1]["A"], b[1] / (1 + A))
