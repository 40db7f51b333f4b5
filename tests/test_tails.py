"""The last digits: a sweep of magnitudes against mpmath, and the page that lists what it finds.

`pytest -m oracles tests/test_tails.py --update` rewrites the table of docs/conventions.md. What
other processors round differently may move a figure a little: a finding is covered by the page
if its row is there, no wider and no larger than stated but for a margin.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import tails

PAGE = Path(__file__).parents[1] / "docs" / "conventions.md"
HEAD = "| function | what | float64 | float32 |\n|---|---|---|---|\n"
INTERVAL = re.compile(r"(?:-?x|\\\|x\\\|) from (\S+) to (\S+),")
MARGIN = 10.0


def stated() -> dict[tuple[str, str], list[str]]:
    """(function, what) -> the cells of the page's table."""
    text = PAGE.read_text("utf-8")
    lines = text[text.index(HEAD) + len(HEAD):].split("\n\n")[0].splitlines()
    cells = [re.split(r"(?<!\\) \| ", row.strip("| ")) for row in lines]
    return {(c[0], c[1]): c[2:] for c in cells}


def uncovered(quantity: tails.Quantity) -> Iterator[str]:
    """What the sweep finds and the page does not say."""
    page = stated()
    for k, dtype in enumerate(tails.TOLERANCE):
        cell = page.get((quantity.name, quantity.what), ["exact", "exact"])[k]
        for point, relative, absolute in tails.failures(quantity, dtype):
            if not any(covers(part, point, absolute) for part in cell.split("; ")):
                yield (f"{quantity.name}, {quantity.what}, {dtype.__name__}, at {point}: "
                       f"relative {relative:.1e}, absolute {absolute:.1e}")


def covers(part: str, point: tails.Point, absolute: float) -> bool:
    """Whether one part of a cell speaks of a point, and of an error as large."""
    if part == "exact" or ("not finite" in part) != math.isinf(absolute):
        return False
    interval = INTERVAL.match(part)
    if interval:
        low, high = map(float, interval.groups())
        if not low / MARGIN <= abs(point[0]) <= high * MARGIN:
            return False
    return "absolute" not in part or absolute <= MARGIN * float(part.split()[-1])


@pytest.mark.oracles
def test_the_page_lists_all_that_the_sweep_finds(request: pytest.FixtureRequest) -> None:
    quantities = list(chain(tails.of_rows(), tails.of_nn()))
    if request.config.getoption("--update"):
        table = [tails.line(q, {d: tails.failures(q, d) for d in tails.TOLERANCE})
                 for q in quantities]
        text = PAGE.read_text("utf-8")
        start = text.index(HEAD) + len(HEAD)
        end = text.index("\n\n", start - 1)
        PAGE.write_text(text[:start] + "\n".join(t for t in table if t) + text[end:], "utf-8")
    assert not [problem for q in quantities for problem in uncovered(q)]


def test_a_sample_of_the_sweep() -> None:
    """A few magnitudes of every row of one number: what the page does not list is exact."""
    dice = random.Random(0)
    for quantity in tails.of_rows():
        if len(quantity.points[0]) == 1:
            few = replace(quantity, points=tuple(dice.sample(quantity.points, 4)))
            assert not list(uncovered(few))


def test_what_once_lost_its_digits_keeps_them() -> None:
    """Derivatives by a kept value that cancels: expm1, elu, arcsin, arcsinh."""
    page = stated()
    for name in ("expm1", "elu", "arcsin", "arccos", "arctanh", "arcsinh"):
        assert not any(key[0] == f"`{name}`" for key in page), name
    for name in ("elu", "celu", "selu"):
        assert not any(key[0] == f"`nn.{name}`" for key in page), name


def test_the_sweep_sees_a_cancellation() -> None:
    (tanh,) = (q for q in tails.of_rows() if q.name == "`tanh`" and q.what == "value")
    wrong = replace(tanh, numpy=lambda x: np.exp(x) / (np.exp(x) + np.exp(-x)) * 2 - 1)
    assert any(abs(point[0]) < 1e-3 for point, _, _ in tails.failures(wrong, np.float64))
