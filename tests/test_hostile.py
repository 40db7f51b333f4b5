"""Hostile and malformed input: nothing runs, nothing is written, and one sentence says why.

A part of what `make trust` runs at length (tests/trust/hostile.py).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trust import hostile

import symprop
from symprop.cli.main import run
from symprop.errors import InputError, SympropError
from symprop.files import sandbox
from symprop.files.templates import render

BOMBS = [
    "{{ 'a' * 10**9 }}", "{{ 10**10**10 }}", "{{ '%1000000000d'|format(1) }}", "{{ [0] * 10**9 }}",
    "{{ '{:1000000000}'.format(1) }}", "{{ 'a'.ljust(10**9) }}", "{{ 'a'|center(10**9) }}",
    "{% for i in range(10**9) %}{% endfor %}", "{{ '%1000000000d' % 1 }}",
    "{% set n = namespace(x='abcdefgh') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}"
    "{% endfor %}",
    "{% set n = namespace(x='abcdefgh') %}{% for i in range(60) %}{% set n.x = n.x + n.x %}"
    "{% endfor %}",
    "{% for i in range(9999) %}{% for j in range(9999) %}{{ 'a' * 999 }}{% endfor %}{% endfor %}",
    "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}", "{{ ('{0.__class__}'|attr('format'))(1) }}",
]


@pytest.mark.parametrize("text", BOMBS)
def test_a_template_is_bounded(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "MOST_SECONDS", 0.2)
    (tmp_path / "page.jinja").write_text(text)
    with pytest.raises(InputError, match="the template page"):
        render("page.jinja", {}, tmp_path)


def test_a_template_that_is_none_is_rendered_as_before(tmp_path: Path) -> None:
    (tmp_path / "page.jinja").write_text("{{ '%5.2f' % 1.5 if 0 else 'x' ~ 1 ~ y }} {{ 2**3 * 4 }}")
    assert render("page.jinja", {"y": "z"}, tmp_path) == "x1z 32"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_what_has_no_end_is_not_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    monkeypatch.chdir(tmp_path)
    for words in (["derive", "pipe.py:loss"], ["check", "pipe.py"],
                  ["train", "mlp", "--data", "/dev/zero", "-o", "p.npz"],
                  ["train", "mlp", "--data", "pipe.py", "-o", "p.npz"]):
        assert run(words) == 2, words
        assert len(capsys.readouterr().err.splitlines()) <= 2
    assert [p.name for p in tmp_path.iterdir()] == ["pipe.py"]


@pytest.mark.parametrize("seed", range(12))
def test_a_few_hostile_command_lines(seed: int) -> None:
    assert hostile.trial(seed, 7) == ""


def test_sizes_are_estimated_before_they_are_tried() -> None:
    def loss(x: "N K"):
        return (x * x).sum()

    module = symprop.generate(symprop.trace(loss))
    with pytest.raises(InputError, match="the inputs have 10,000,000,000 numbers"):
        symprop.check(module, sizes={"N": 10**5, "K": 10**5})


@pytest.mark.parametrize("loss", [
    lambda x: x.sum() * 10**400, lambda x: (x * 10**400).sum(), lambda x: (x - 10**400).sum()])
def test_a_number_beyond_all_floats_is_named(loss: Callable[..., Any]) -> None:
    with pytest.raises(SympropError, match="larger than the largest float"):
        symprop.trace(loss, shapes={"x": "N"})


def test_a_module_of_arrays_too_large_to_run_is_not_written(tmp_path: Path) -> None:
    system = symprop.trace(lambda X, W: np.sum((X @ W) ** 2),
                           shapes={"X": "999999999 K", "W": "K 999999999"})
    with pytest.raises(InputError, match="give the long axes names"):
        symprop.generate(system, tmp_path / "wide.py")
    assert not list(tmp_path.iterdir())
