"""Printed pages, read by a reader that shares nothing with the printers, are true line by line."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from built_models import built
from reader.check import Known, Page, Verdict
from reader.page import lines

from symprop.zoo import models

DETAILS = ("brief", "normal", "full")
SMALL = ("mlp", "linear_regression", "svm", "lstm", "attention", "unet_block", "deep_mlp")


@cache
def page_of(name: str, few: int = 64) -> Page:
    """The page of a model with its arrays at small sizes."""
    model = built(name)
    larger = [s for s in model.sizes if min(s.values(), default=2) > 1]
    sizes = (larger or model.sizes)[-1]
    derivation = model.derivation
    found = derivation.evaluate(model.inputs(sizes))
    numbered = {f"{letter}{at}": found.arrays[equation.array]
                for letter, equations in (("F", model.system.equations), ("B", derivation.adjoints))
                for at, equation in enumerate(equations, start=1)}
    inputs = {n: found.arrays[n] for n, a in model.system.arrays.items() if a.kind == "input"}
    return Page(derivation.text(detail="full"), Known(inputs, numbered, sizes), few)


def verdicts_of(name: str, detail: str) -> list[Verdict]:
    """What the reader finds of every line of a page."""
    return list(page_of(name).verdicts(built(name).derivation.text(detail=detail)))


@pytest.mark.parametrize(("name", "detail"), [
    pytest.param(name, detail, marks=() if name in SMALL and detail != "full" else pytest.mark.deep)
    for name in models() for detail in DETAILS
])
def test_every_printed_line_is_true(name: str, detail: str) -> None:
    found = verdicts_of(name, detail)
    wrong = [f"{v.found}: {v.line.text} ({v.why})" for v in found
             if v.found not in ("right", "large")]
    assert wrong == []
    counted = Counter(v.found for v in found)
    assert counted["right"] > 5
    assert counted["large"] <= 2  # every entry of a convolution written out with all its brackets


# What is changed in a line, and by what: a line that means something else has to be found wrong.
_CHANGES = (
    ("sign", " + ", " - "), ("sign", " - ", " + "), ("transpose", "ᵀ", ""),
    ("factor", "Σ", "2 Σ"), ("index", "[n,", "[n-1,"), ("hadamard", " ⊙ ", " "),
    ("square", "²", ""), ("bar", "̄", ""), ("size", "/N", "/(N+1)"), ("bound", "<", "≤"),
)


@pytest.mark.parametrize("name", ["mlp", "lstm"])
def test_a_line_that_is_changed_is_found(name: str) -> None:
    page, rng = page_of(name, 100_000), np.random.default_rng(0)
    tried, missed = Counter[str](), []
    for line in lines(built(name).derivation.text(detail="normal")):
        left, _, right = line.text.partition(" = ")
        for kind, old, new in _CHANGES:
            if old not in right or right.endswith(" = 0"):
                continue
            changed = replace(line, text=f"{left} = {right.replace(old, new, 1)}")
            tried[kind] += 1
            if page.verdict(changed, rng).found == "right":
                missed.append(changed.text)
    assert sum(tried.values()) > 60
    assert len(missed) <= sum(tried.values()) // 20, missed
