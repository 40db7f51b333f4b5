"""What arrays are called in networks that nobody wrote for symprop, and in the zoo's.

A name is the author's if a function that ran has it among its variables, numbered or not; it is
standard if a row of docs/names.md makes it. Nothing else is asked of a name.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
from natural_networks import NETWORKS

import symprop
from symprop.trace.roles import REST, ROLES

ROOT = Path(__file__).parents[1]
ROWS = re.findall(r"^\| (`.*`) \| (.*) \|$", (
    ROOT / "docs" / "names.md").read_text().split("## In LaTeX")[0], re.M)
BAD = re.compile(r"\b\w+_(?:2|sum|dot|ratio|diff|in)\b")


def variables(run: Callable[[], Any]) -> tuple[Any, set[str]]:
    """What `run` returns, and the variables of every function of these files that it calls."""
    seen: set[str] = set()

    def watch(frame: FrameType, event: str, arg: object) -> None:
        if event == "call" and frame.f_code.co_filename.endswith("natural_networks.py"):
            code = frame.f_code
            seen.update(code.co_varnames, code.co_cellvars)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        return run(), seen
    finally:
        sys.setprofile(before)


def test_the_table_is_that_of_the_program() -> None:
    assert len(ROWS) == len(ROLES) + 2 <= 25
    said = {means for _, means in ROWS}
    assert {row.means for row in (*ROLES, REST)} < said


def test_names_are_the_author_s_or_standard() -> None:
    mine = total = 0
    others = []
    for network in NETWORKS:
        system, seen = variables(lambda network=network: symprop.trace(network))
        for equation in system.equations:
            name = equation.array
            if name == "L":  # the loss of a function that returns it unnamed
                continue
            total += 1
            if name in seen or equation.numbered in seen or equation.role not in ("", REST.name):
                mine += 1
            else:
                others.append(f"{network.__name__}: {name}")
    assert mine >= 0.95 * total, others


def test_names_that_say_nothing_are_gone_from_the_gallery() -> None:
    found = [w for path in (ROOT / "generated").glob("*.py") for w in BAD.findall(path.read_text())]
    assert len(found) <= 5


@pytest.mark.parametrize("source", ["softmax", "f"])
def test_no_function_s_name_decides(source: str) -> None:
    def helper(x: Any) -> Any:
        return np.exp(x - x.max(axis=1, keepdims=True)) / np.exp(
            x - x.max(axis=1, keepdims=True)).sum(axis=1, keepdims=True)

    helper.__name__ = source

    def loss(x: "N K", w: "K") -> Any:
        return (helper(x) @ w).sum()

    assert [e.array for e in symprop.trace(loss).equations] == [
        "x_max", "shifted", "e", "s", "p", "L"]
