"""Printed pages, read by a reader that shares nothing with the printers, are true line by line."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from block_networks import in_turn, transformer, unrolled
from built_models import built
from lemma_pages import LemmaPages
from reader.check import Page
from reader.latex import Latex
from reader.page import Known, Text

import symprop
from symprop.interpret import draw
from symprop.zoo import models

DETAILS = ("brief", "normal", "full")
FORMS = ("text", "latex", "nielsen")
SMALL = ("mlp", "linear_regression", "svm", "lstm", "attention", "unet_block", "deep_mlp")


@cache
def page_of(name: str, form: str, few: int = 64) -> Page:
    """The page of a model with its arrays at small sizes."""
    model = built(name)
    larger = [s for s in model.sizes if min(s.values(), default=2) > 1]
    sizes = (larger or model.sizes)[-1]
    return page_by(model.derivation, sizes, model.inputs(sizes), form, few)


def page_by(
    derivation: symprop.Derivation, sizes: dict[str, int], inputs: dict[str, Any], form: str,
    few: int = 64,
) -> Page:
    """The page of a derivation with its arrays at these sizes."""
    system, found = derivation.system, derivation.evaluate(inputs)
    numbers = {f"F{at}": e.array for at, e in enumerate(system.equations, start=1)}
    bars = {a.primal: found.arrays[a.array] for a in derivation.adjoints}
    keys = {**{array: number for number, array in numbers.items()},
            **{n: n for n, a in system.arrays.items() if a.kind == "input"}}
    known = Known(
        inputs={n: found.arrays[n] for n in keys if keys[n] == n},
        numbered={**{number: found.arrays[array] for number, array in numbers.items()},
                  **{f"B{at}": found.arrays[a.array]
                     for at, a in enumerate(derivation.adjoints, start=1)}},
        bars={keys[primal]: bar for primal, bar in bars.items()}, sizes=sizes)
    full = printed(derivation, form, "full")
    return Page(Text() if form == "text" else Latex.of(full), full, known, few)


def shown(name: str, form: str, detail: str) -> str:
    """The page of a model as it is printed."""
    return printed(built(name).derivation, form, detail)


def printed(derivation: symprop.Derivation, form: str, detail: str) -> str:
    """A page in one of the forms that are read."""
    if form == "text":
        return derivation.text(detail=detail)
    return derivation.latex(detail=detail, profile="symprop" if form == "latex" else form)


@pytest.mark.parametrize(("name", "form", "detail"), [
    pytest.param(name, form, detail,
                 marks=() if name in SMALL and detail != "full" else pytest.mark.deep)
    for name in models() for form in FORMS for detail in DETAILS
])
def test_every_printed_line_is_true(name: str, form: str, detail: str) -> None:
    found = list(page_of(name, form).verdicts(shown(name, form, detail)))
    wrong = [f"{v.found}: {v.line.text} ({v.why})" for v in found if v.found != "right"]
    assert wrong == [] and len(found) > 5


# ---- loops: what counts from 1, and what from 0 --------------------------------------------------


def layers(x: "N", W: "L N N", b: "L N"):
    for k in range(W.shape[0]):
        x = np.tanh(W[k] @ x + b[k])
    return np.sum(x**2)


def layers_back(x: "N", W: "L N N", b: "L N"):
    for k in reversed(range(W.shape[0])):
        x = np.tanh(W[k] @ x + b[k])
    return np.sum(x**2)


def neighbours(x: "N", W: "L N N", c: "M"):
    for k in range(W.shape[0]):
        x = np.tanh(W[k] @ x)
    return np.sum(x) + np.sum((W[1:] - W[:-1]) ** 2)


def every_output(x: "N", W: "L N N"):
    out = []
    for k in range(W.shape[0]):
        x = np.tanh(W[k] @ x)
        out.append(x)
    out = np.array(out)
    return np.sum(out[::-1] * out) + np.sum(out * np.arange(W.shape[0])[:, None])


def over_time(xs: "T D", U: "H D", W: "H H"):
    h = np.zeros(W.shape[0])
    for t in range(len(xs)):
        h = np.tanh(U @ xs[t] + W @ h)
    return np.sum(h**2)


def returns(r: "T", b: "T", gamma=0.9):
    g, out = 0.0, []
    for t in reversed(range(len(r))):
        g = r[t] + gamma * g
        out.insert(0, g)
    return np.sum((np.array(out) - b) ** 2)


LOOPS = {f.__name__: f for f in (
    layers, layers_back, neighbours, every_output, over_time, returns)}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", LOOPS)
def test_every_line_about_a_loop_is_true(name: str, form: str) -> None:
    derivation = symprop.derive(symprop.trace(LOOPS[name]), structure="flat")
    sizes, inputs = draw(derivation.system, 0, positive=False)
    page = page_by(derivation, sizes, inputs, form)
    for detail in ("brief", "normal"):
        found = list(page.verdicts(printed(derivation, form, detail)))
        assert [f"{v.found}: {v.line.text} ({v.why})" for v in found if v.found != "right"] == []


def test_layers_count_from_one_and_time_from_zero() -> None:
    said = {n: "count from 1" in " ".join(symprop.derive(symprop.trace(f)).text().split())
            for n, f in LOOPS.items()}
    assert [n for n in LOOPS if said[n]] == ["layers"]


# ---- pages by lemmas, the default of programs that repeat themselves ---------------------------

BY_LEMMAS = ("residual_block", "gpt", "gpt_tied", "llama_block", "vision_transformer")
NETWORKS = {"transformer": lambda: transformer(3), "unrolled": unrolled, "in_turn": in_turn}


@cache
def lemma_pages_of(name: str, form: str) -> LemmaPages:
    """The pages of a model, or of a network in natural style, at small sizes."""
    printed = ("text", "symprop") if form == "text" else (
        "latex", "symprop" if form == "latex" else form)
    if name in NETWORKS:
        system = NETWORKS[name]()
        sizes, inputs = draw(system, 0, positive=False)
        return LemmaPages(symprop.derive(system), inputs, *printed)
    model = built(name)
    sizes = [s for s in model.sizes if min(s.values(), default=2) > 1][-1]
    return LemmaPages(symprop.derive(model.system), model.inputs(sizes), *printed)


def test_models_that_repeat_themselves_are_read_by_lemmas() -> None:
    assert set(BY_LEMMAS) == {n for n in models() if symprop.derive(built(n).system).lemmas}


@pytest.mark.parametrize(("name", "form", "detail"), [
    pytest.param(name, form, detail, marks=() if detail != "full" and name in (
        "residual_block", "transformer", "unrolled", "in_turn") else pytest.mark.deep)
    for name in (*BY_LEMMAS, *NETWORKS) for form in FORMS for detail in DETAILS
])
def test_every_line_of_every_lemma_is_true(name: str, form: str, detail: str) -> None:
    found = list(lemma_pages_of(name, form).verdicts(detail))
    wrong = [f"{v.found}: {v.line.text} ({v.why})" for v in found if v.found != "right"]
    assert wrong == []
    assert sum(v.line.section == "uses" for v in found) > 3 and len(found) > 20


def test_a_line_about_another_lemma_that_is_changed_is_found() -> None:
    pages = lemma_pages_of("transformer", "text")
    tried = 0
    for part in pages.parts("normal"):
        for used in part.used:
            for changed in (replace(used, right=used.right[::-1]),
                            replace(used, left=(*used.left[1:], *used.right[:1])),
                            replace(used, right=(*used.right, used.left[0]))):
                if used.right == changed.right and used.left == changed.left:
                    continue
                (*_, verdict) = pages.pages[part.number].verdicts(replace(part, used=(changed,)))
                assert verdict.found == "wrong" or len(used.right) < 2, changed
                tried += verdict.found == "wrong"
    assert tried > 20


# What is changed in a line, and by what: a line that means something else has to be found wrong.
_CHANGES = (
    ("sign", " + ", " - "), ("sign", " - ", " + "), ("transpose", "ᵀ", ""),
    ("factor", "Σ", "2 Σ"), ("index", "[n,", "[n-1,"), ("hadamard", " ⊙ ", " "),
    ("square", "²", ""), ("bar", "̄", ""), ("size", "/N", "/(N+1)"), ("bound", "<", "≤"),
)


@pytest.mark.parametrize("name", ["mlp", "lstm"])
def test_a_line_that_is_changed_is_found(name: str) -> None:
    page, rng = page_of(name, "text", 100_000), np.random.default_rng(0)
    tried, missed = Counter[str](), []
    for line in page.form.lines(shown(name, "text", "normal")):
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
