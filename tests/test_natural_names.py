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
from natural_networks import NETWORKS, heads, lstm, transformer

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
    assert len(ROWS) == len(ROLES) + 2 and len(ROLES) + 1 <= 25  # the last row is no role
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


# ---- parts that the author named ----------------------------------------------------------


def gates(z: "N 4*H", c: "N H") -> Any:
    i, f, o, g = np.split(z, 4, axis=1)
    c = f * c + i * np.tanh(g)
    return np.sum((o * np.tanh(c)) ** 2)


def places(z: "N 4*H", c: "N H") -> Any:
    H = c.shape[1]
    c = z[:, H:2 * H] * c + z[:, :H] * np.tanh(z[:, 3 * H:])
    return np.sum((z[:, 2 * H:3 * H] * np.tanh(c)) ** 2)


def many_heads(x: "N T D", W: "D 3*D", heads: int = 2) -> Any:
    N, T, D = x.shape
    q, k, v = np.moveaxis((x @ W).reshape(N, T, 3, heads, D // heads), (2, 3), (0, 2))
    return np.sum(((q @ np.swapaxes(k, -1, -2)) @ v) ** 2)


def rows(x: "4 N", w: "N") -> Any:
    total = 0.0
    for row in x:
        total = total + np.sum(np.tanh(row * w))
    return total


def test_gates_stand_where_they_are_read() -> None:
    derivation = symprop.derive(symprop.trace(gates))
    names = [e.array for e in derivation.system.equations]
    assert set("ifog") < set(names) and names.index("i") < names.index("f")
    (found,) = [a for a in derivation.adjoints if a.primal == "z"]
    assert set(found.reads) == {"∂i", "∂f", "∂o", "∂g"}
    assert "g[n,h] = z[n,h+3 H]" in derivation.text(detail="full")
    assert symprop.check(symprop.generate(derivation)).passed


def test_a_name_costs_no_operation() -> None:
    sizes = {"N": 31, "H": 17}
    mine, plain = (symprop.derive(symprop.trace(f)) for f in (gates, places))
    assert sum(mine.operations(sizes).values()) <= sum(plain.operations(sizes).values())


def test_heads_stand_where_they_are_read() -> None:
    derivation = symprop.derive(symprop.trace(many_heads))
    read = {e.array: e.reads for e in derivation.system.equations}
    assert set("qkv") < set(read) and {"q", "k"} in map(set, read.values())
    assert symprop.check(symprop.generate(derivation)).passed


def test_rows_of_a_loop_have_their_names_and_the_whole_of_an_array_has_no_second() -> None:
    assert [f"row{k}" for k in (1, 2, 3, 4)] == [
        e.array for e in symprop.trace(rows).equations if e.variable == "row"]

    def loss(x: "N K", w: "N") -> Any:
        y = np.tanh(x)
        turned = y.T
        same = y[:, :]
        return np.sum((turned @ w) ** 2) + np.sum(same)

    assert [e.array for e in symprop.trace(loss).equations] == ["y", "turned", "turned_w", "L"]


@pytest.mark.parametrize("network", [lstm, transformer, heads])
def test_networks_are_right_under_these_names(network: Callable[..., Any]) -> None:
    derivation = symprop.derive(symprop.trace(network))
    assert symprop.check(symprop.generate(derivation)).passed
